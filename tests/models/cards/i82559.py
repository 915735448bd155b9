# SPDX-License-Identifier: Apache-2.0
"""8255x: lists of commands, lists of frames."""

import struct

from .. import device, generic
from ..packets import ALL, GROUP, GROUP2, MAC, OTHER, PEER, describe, frame, to_us

CB, RFD, TBD, DATA, STATS = 0x10000, 0x40000, 0x20000, 0x100000, 0x30000
EL, SUSPEND, INTERRUPT, FLEXIBLE = 0x8000, 0x4000, 0x2000, 8
NOTHING, ADDRESS, CONFIGURE, MULTICAST, TRANSMIT, DUMP = 0, 1, 2, 3, 4, 6
NONE = 0xffffffff


class Card(device.Device):
    def init(self, config=True, **bits):
        self.cb = self.rfd = self.taken = 0
        self.write("SCBPORT", 0)
        self.settle()
        self.write("SCBMASK", 1)
        for command in (0x60, 0x06):
            self.write("SCBPTR", 0)
            self.write("SCBCMD", command)
        self.ack()
        if config:
            self.command(ADDRESS, MAC)
            self.configure(**bits)

    def ack(self):
        value = self.read("SCBACK")
        self.write("SCBACK", value)
        return value

    def configure(self, promiscuous=0, no_broadcast=0, all_groups=0, fcs=0, long=0, save_bad=0):
        data = bytearray(22)
        data[0:22] = bytes((22, 8, 0, 0, 0, 0, 0x32 | save_bad << 7, 3, 0, 0, 0x2e, 0, 0x60, 0, 0xf2, 0xc8, 0, 0x40,
                            0xf2, 0x80, 0x3f, 5))
        data[15] |= promiscuous | no_broadcast << 1
        data[18] = data[18] & ~0xc | fcs << 2 | long << 3
        data[21] |= all_groups << 3
        self.command(CONFIGURE, bytes(data))

    def at(self, index):
        return CB + index % 16 * 0x800

    def block(self, kind, data=b"", flags=EL):
        at = self.at(self.cb)
        self.fill(at, struct.pack("<HHI", 0, kind | flags, self.at(self.cb + 1)) + data)
        self.cb += 1
        return at

    def start(self, at):
        self.write("SCBPTR", at)
        self.write("SCBCMD", 0x10)

    def command(self, kind, data=b"", name=None, flags=EL):
        at = self.block(kind, data, flags)
        self.start(at)
        self.settle()
        if name:
            self.see(f"{name} block", self.bytes(at, 4))
            self.status(name)
        else:
            self.ack()

    def status(self, name):
        self.see_registers("SCBSTATUS SCBCMD", f"{name} ")
        self.see(f"{name} SCBACK", self.ack())

    def simple(self, data):
        return struct.pack("<IHBB", NONE, len(data) | 0x8000, 1, 0) + data

    def flexible(self, parts):
        for i, data in enumerate(parts):
            self.fill(DATA + i * 0x1000, data)
            self.fill(TBD + i * 8, struct.pack("<II", DATA + i * 0x1000, len(data)))
        return struct.pack("<IHBB", TBD, 0, 1, len(parts))

    def send(self, data, name="tx"):
        at = self.block(TRANSMIT, self.simple(data), EL | INTERRUPT)
        self.start(at)
        self.see_sent(name)
        self.see(f"{name} block", self.bytes(at, 4))
        self.status(name)

    # ---- receive ----

    def frames(self, count, size=1520, end=True):
        """A list, the receive unit on it."""
        first = self.rfd
        for i in range(count):
            at = RFD + self.rfd % 16 * 0x800
            flags = EL if end and i == count - 1 else 0
            self.fill(at, struct.pack("<HHIIHH", 0, flags, RFD + (self.rfd + 1) % 16 * 0x800, NONE, 0, size) + bytes(64))
            self.rfd += 1
        self.taken = first
        self.write("SCBPTR", RFD + first % 16 * 0x800)
        self.write("SCBCMD", 1)

    def look(self, name="rx", count=1):
        self.settle()
        for _ in range(count):
            at = RFD + self.taken % 16 * 0x800
            status, _, _, _, length, _ = struct.unpack("<HHIIHH", self.bytes(at, 16))
            self.see(f"{name} frame {self.taken}", f"{status:x} {length:x}")
            if status & 0x8000:
                self.see(f"{name} data {self.taken}", describe(self.bytes(at + 16, length & 0x3fff)))
                self.taken += 1
        self.status(name)


def config(dev):
    generic.config(dev)


def reset(dev):
    generic.see_reset(dev)
    dev.write("SCBPTR", 0x12345678)
    dev.write("SCBMASK", 0xfd)
    dev.write("SCBPORT", 0)
    dev.settle()
    dev.see_registers("SCBSTATUS SCBACK SCBCMD SCBMASK SCBPTR MDI", "again ")


def masks(dev):
    generic.see_masks(dev, skip={"SCBCMD", "SCBPORT", "SCBACK", "EECTL", "MDI"})
    for value in (0xff, 0xfc, 0):
        dev.write("SCBMASK", value)
        dev.see(f"SCBMASK {value:x}", dev.read("SCBMASK"))


def eeprom(dev):
    def word(at, bits=6):
        value = 0
        dev.write("EECTL", 0)
        for bit in (int(x) for x in f"110{at:0{bits}b}"):
            for clock in (0, 1, 0):
                dev.write("EECTL", 2 | bit << 2 | clock)
        for _ in range(16):
            dev.write("EECTL", 3)
            value = value << 1 | dev.read("EECTL") >> 3 & 1
            dev.write("EECTL", 2)
        dev.write("EECTL", 0)
        return value

    # the zero before the data says how many bits an address has
    dev.write("EECTL", 2)
    out, bits = 1, 0
    for bit in (1, 1, 0):
        for clock in (0, 1, 0):
            dev.write("EECTL", 2 | bit << 2 | clock)
    while out and bits < 10:
        dev.write("EECTL", 3)
        dev.write("EECTL", 2)
        out = dev.read("EECTL") >> 3 & 1
        bits += 1
    dev.write("EECTL", 0)
    dev.see("bits of an address", bits)
    words = [word(at) for at in range(64)]
    for at in (0, 1, 2):
        dev.see(f"word {at}", words[at])
    dev.see("sum", sum(words) & 0xffff)
    dev.see("PHY", words[6] & 0xff)


def phy(dev):
    def mdi(phy, reg, op=2, data=0, more=0):
        dev.write("MDI", phy << 21 | reg << 16 | op << 26 | data | more)
        return dev.read("MDI")
    for reg in range(8):
        dev.see(f"1 {reg}", mdi(1, reg))
    dev.see("nobody", mdi(9, 1) & 0xffff)
    mdi(1, 4, 1, 0x61)
    dev.see("written", mdi(1, 4))
    dev.write("SCBMASK", 0)
    mdi(1, 1, more=1 << 29)
    dev.see_line()
    dev.see("SCBACK", dev.ack())
    dev.see_line("line after")


def commands(dev):
    dev.init(config=False)
    dev.status("at first")
    dev.command(NOTHING, name="nothing")
    dev.command(NOTHING, name="with an interrupt", flags=EL | INTERRUPT)
    dev.command(ADDRESS, MAC, "address")
    dev.command(CONFIGURE, bytes((22, 8)) + bytes(20), "configure")
    dev.command(MULTICAST, struct.pack("<H", 12) + GROUP + GROUP2, "multicast")
    dev.command(5, bytes(256), "microcode")
    dev.command(7, name="diagnosis")
    first = dev.block(NOTHING, flags=0)
    second = dev.block(NOTHING, flags=INTERRUPT)
    third = dev.block(NOTHING, flags=SUSPEND)
    fourth = dev.block(NOTHING, flags=EL)
    dev.start(first)
    dev.settle()
    for name, at in (("first", first), ("second", second), ("third", third), ("fourth", fourth)):
        dev.see(f"list {name}", dev.bytes(at, 4))
    dev.status("list")
    dev.fill(third + 2, struct.pack("<H", NOTHING))
    dev.write("SCBCMD", 0x20)
    dev.settle()
    dev.see("resumed fourth", dev.bytes(fourth, 4))
    dev.status("resumed")


def transmit(dev):
    dev.init()
    for length in (60, 61, 64, 1514):
        dev.send(frame(length=length), f"tx {length}")
    dev.send(frame(length=30), "short")


def transmit_flexible(dev):
    dev.init()
    for parts in (1, 2, 3, 5):
        data = frame(length=400)
        cuts = [data[i * 400 // parts:(i + 1) * 400 // parts] for i in range(parts)]
        at = dev.block(TRANSMIT | FLEXIBLE, dev.flexible(cuts), EL | INTERRUPT)
        dev.start(at)
        dev.see_sent(f"{parts} parts")
        dev.see(f"{parts} parts block", dev.bytes(at, 4))
        dev.status(f"{parts} parts")


def chain(dev):
    """As e100 does: blocks in a ring, the last suspended, then resumed."""
    dev.init()
    first = dev.block(TRANSMIT, dev.simple(frame(length=60)), SUSPEND)
    dev.start(first)
    dev.see_sent("first")
    dev.status("first")
    before = first
    for i in range(20):
        at = dev.block(TRANSMIT, dev.simple(frame(length=61 + i, seed=i)), SUSPEND | INTERRUPT)
        dev.fill(before + 2, struct.pack("<H", TRANSMIT))
        dev.write("SCBCMD", 0x20)
        dev.see_sent(f"tx {i}")
        dev.see(f"tx {i} block", dev.bytes(at, 4))
        dev.status(f"tx {i}")
        before = at


def receive(dev):
    dev.init()
    dev.frames(8)
    for length in (60, 61, 64, 1514):
        dev.offer(to_us(length))
        dev.look(f"rx {length}")
    dev.offer(frame(ALL, 60, PEER))
    dev.look("broadcast")
    dev.offer(to_us(60), to_us(70), to_us(80))
    dev.look("three", 3)
    dev.status("end")


def suspended(dev):
    """e100 keeps the last but one suspended."""
    dev.init()
    dev.frames(3, end=False)
    dev.fill(RFD + 0x802, struct.pack("<H", SUSPEND))
    dev.offer(to_us(60))
    dev.look("first")
    dev.offer(to_us(61))
    dev.look("second")
    dev.offer(to_us(62))
    dev.status("third")
    dev.fill(RFD + 0x802, struct.pack("<H", 0))
    dev.write("SCBCMD", 2)
    dev.offer(to_us(63))
    dev.look("resumed")


def no_room(dev):
    dev.init()
    dev.frames(1)
    dev.offer(to_us(60))
    dev.look("room")
    dev.offer(to_us(61))
    dev.status("none")


def small_frames(dev):
    dev.init()
    dev.frames(2, size=256)
    dev.offer(to_us(600))
    dev.settle()
    dev.see("first", f"{dev.bytes(RFD, 2).hex()} {dev.bytes(RFD + 12, 2).hex()}")
    dev.see("data", describe(dev.bytes(RFD + 16, 256)))
    dev.see("second", dev.bytes(RFD + 0x800, 2))
    dev.status("after")


def filters(dev):
    frames = {"us": to_us(), "other": frame(OTHER, 60, PEER), "all": frame(ALL, 60, PEER),
              "group": frame(GROUP, 60, PEER), "group2": frame(GROUP2, 60, PEER)}

    def try_all(label, groups=(), **bits):
        dev.label = f"filters.{label}"
        dev.init(**bits)
        dev.command(MULTICAST, struct.pack("<H", 6 * len(groups)) + b"".join(groups))
        dev.frames(10)
        for name, data in frames.items():
            dev.offer(data)
            taken = dev.memory[RFD + dev.taken % 16 * 0x800 + 1] >> 7
            dev.see(name, taken)
            if taken:
                dev.look(name)
        dev.write("SCBCMD", 4)

    try_all("us")
    try_all("no broadcast", no_broadcast=1)
    try_all("promiscuous", promiscuous=1)
    try_all("all groups", all_groups=1)
    try_all("a group", (GROUP,))
    try_all("two groups", (GROUP, GROUP2))


def interrupts(dev):
    dev.vm.listen()
    dev.init()
    dev.write("SCBMASK", 0)
    dev.see_line("line at first")
    dev.see_raised("reached the controller at first")
    dev.start(dev.block(NOTHING, flags=EL | INTERRUPT))
    dev.settle()
    dev.see_line("line")
    dev.see_registers("SCBACK")
    dev.write("SCBMASK", 1)
    dev.see_line("line masked")
    dev.write("SCBMASK", 0)
    dev.see_line("line again")
    dev.write("SCBACK", 0x80)
    dev.see_line("line of the other")
    dev.write("SCBACK", 0x20)
    dev.see_line("line cleared")
    dev.write("SCBMASK", 0xa0)
    dev.start(dev.block(NOTHING, flags=EL | INTERRUPT))
    dev.settle()
    dev.see_line("line of masked causes")
    dev.see("causes", dev.ack())
    dev.write("SCBMASK", 2)
    dev.see_line("line by software")
    dev.see("by software", dev.ack())
    dev.see_line("line by software cleared")
    dev.see_raised()


def statistics(dev):
    dev.init()
    dev.frames(3)
    dev.send(frame())
    dev.send(frame(length=100))
    dev.offer(to_us(), to_us(100), frame(ALL, 60, PEER), to_us())
    dev.write("SCBPTR", STATS)
    dev.write("SCBCMD", 0x40)
    for name, code in (("dumped", 0x50), ("dumped and reset", 0x70), ("again", 0x50)):
        dev.fill(STATS, b"\xaa" * 96)
        dev.write("SCBCMD", code)
        dev.settle()
        dev.see(name, dev.bytes(STATS, 96))


def port(dev):
    dev.init()
    dev.fill(STATS, b"\xaa" * 16)
    dev.write("SCBPORT", STATS | 1)
    dev.settle()
    dev.see("self-test", dev.bytes(STATS + 4, 4))
    dev.see("signature", dev.bytes(STATS, 4) not in (b"\xaa" * 4, bytes(4)))
    dev.init()
    dev.frames(2)
    dev.write("SCBPORT", 2)
    dev.settle()
    dev.status("selective")


def resets(dev):
    dev.init()
    dev.frames(2)
    dev.write("SCBMASK", 0)
    dev.offer(to_us())
    dev.see_line("line before")
    dev.write("SCBPORT", 0)
    dev.settle()
    dev.see_line("line after")
    dev.see_registers("SCBSTATUS SCBACK SCBMASK SCBPTR", "after ")
    dev.init()
    dev.send(frame(length=77), "then")
    dev.frames(2)
    dev.offer(to_us(77))
    dev.look("then")


SCRIPTS = (config, reset, masks, eeprom, phy, commands, transmit, transmit_flexible, chain, receive, suspended, no_room,
           small_frames, filters, interrupts, statistics, port, resets)
