# SPDX-License-Identifier: Apache-2.0
"""21143: rings or chains of descriptors, addresses by setup frames."""

import struct
import zlib

from .. import device, generic
from ..packets import ALL, GROUP, GROUP2, MAC, OTHER, PEER, describe, frame, to_us

TX_RING, RX_RING, TX, RX, SETUP = 0x10000, 0x12000, 0x100000, 0x200000, 0x18000
OWN = 1 << 31
IC, LS, FS, SET, TER, TCH = 1 << 31, 1 << 30, 1 << 29, 1 << 27, 1 << 25, 1 << 24
SR, ST, PROMISCUOUS, ALL_GROUPS = 2, 0x2000, 0x40, 0x80
CAUSES = 0x0c01ffff


class Card(device.Device):
    def csr(self, n, value=None):
        return self.get(8 * n, 4) if value is None else self.put(8 * n, 4, value)

    def init(self, mode=0, entries=4, chained=False, skip=0, addresses=(MAC, ALL)):
        self.entries, self.chained, self.stride = entries, chained, 16 + 4 * skip
        self.tx = self.rx = self.given = 0
        self.csr(0, 1)
        self.csr(0, 0x8000 | skip << 2)
        for base in (TX_RING, RX_RING):
            self.fill(base, bytes(entries * self.stride))
        self.csr(3, RX_RING)
        self.csr(4, TX_RING)
        self.mode = mode | SR | ST
        self.csr(6, self.mode)
        self.csr(5, CAUSES)
        self.csr(7, 0x1ffff)
        self.setup(addresses)

    def slot(self, ring, index):
        return ring + index * self.stride

    def descriptor(self, ring, index, control, first, second=0):
        if self.chained:
            control |= TCH
            second = self.slot(ring, (index + 1) % self.entries)
        elif index == self.entries - 1:
            control |= TER
        self.fill(self.slot(ring, index), struct.pack("<IIII", OWN, control, first, second))

    def setup(self, addresses):
        """A perfect filter of sixteen."""
        data = b"".join(bytes((a[0], a[1], 0, 0, a[2], a[3], 0, 0, a[4], a[5], 0, 0))
                        for a in [*addresses, *[addresses[0]] * (16 - len(addresses))])
        self.command(data)

    def command(self, data, kind=0):
        self.fill(SETUP, data)
        self.descriptor(TX_RING, self.tx, SET | IC | kind | len(data), SETUP)
        self.csr(1, 1)
        self.settle()
        self.see("setup", self.bytes(self.slot(TX_RING, self.tx), 4))
        self.tx = (self.tx + 1) % self.entries
        self.causes("setup")

    def causes(self, name):
        value = self.csr(5)
        self.see(f"{name} CSR5", value)
        self.csr(5, value & CAUSES)

    def send(self, data, name="tx", cut=None, report=IC):
        """One descriptor; CUT: with both buffers, the second from there on."""
        at = TX + self.tx * 0x2000
        self.fill(at, data)
        cut = len(data) if cut is None else cut
        self.descriptor(TX_RING, self.tx, FS | LS | report | cut | (len(data) - cut) << 11, at, at + cut)
        self.csr(1, 1)
        self.see_sent(name)
        self.see(f"{name} slot {self.tx}", self.bytes(self.slot(TX_RING, self.tx), 8))
        self.causes(name)
        self.tx = (self.tx + 1) % self.entries

    def pieces(self, parts, name):
        first = self.tx
        for i, data in enumerate(parts):
            at = TX + self.tx * 0x2000
            self.fill(at, data)
            self.descriptor(TX_RING, self.tx, (FS if i == 0 else 0) | (LS | IC if i == len(parts) - 1 else 0) | len(data), at)
            self.tx = (self.tx + 1) % self.entries
        self.csr(1, 1)
        self.see_sent(name)
        while first != self.tx:
            self.see(f"{name} slot {first}", self.bytes(self.slot(TX_RING, first), 8))
            first = (first + 1) % self.entries
        self.causes(name)

    def room(self, count, size=0x600, second=0):
        for _ in range(count):
            at = RX + self.given * 0x2000
            self.descriptor(RX_RING, self.given, size | second << 11, at, at + size)
            self.given = (self.given + 1) % self.entries
        self.csr(2, 1)

    def look(self, name="rx", count=1, data=True):
        self.settle()
        for _ in range(count):
            status, control, at = struct.unpack("<III", self.bytes(self.slot(RX_RING, self.rx), 12))
            self.see(f"{name} slot {self.rx}", f"{status:x} {control:x}")
            if data and status & 0x100 and not status & OWN:
                length = (status >> 16 & 0x3fff) - 4
                self.see(f"{name} data {self.rx}", describe(self.bytes(at, length)))
            self.rx = (self.rx + 1) % self.entries
        self.causes(name)


def config(dev):
    generic.config(dev)


def reset(dev):
    for n in range(16):
        dev.see(f"CSR{n}", dev.csr(n))
    dev.csr(3, 0x12344)
    dev.csr(6, 0x3200a0c2)
    dev.csr(0, 1)
    for n in (0, 3, 4, 5, 6, 7):
        dev.see(f"again CSR{n}", dev.csr(n))


def masks(dev):
    for n in (3, 4, 7, 8, 10, 12, 13, 14, 15):
        got = []
        for value in (0xffffffff, 0, 0xa5a5a5a5, 0x5a5a5a5a):
            dev.csr(n, value)
            got.append(dev.csr(n))
        dev.see(f"CSR{n}", " ".join(f"{x:x}" for x in got))
    for value in (0xfffffffe, 0, 0xa5a5a5a4):
        dev.csr(0, value)
        dev.see(f"CSR0 {value:x}", dev.csr(0))
    for value in (0xffffdffd, 0, 0x32000040):
        dev.csr(6, value)
        dev.see(f"CSR6 {value:x}", dev.csr(6))


def eeprom(dev):
    def word(at):
        value = 0
        dev.csr(9, 0x4800)
        for bit in (int(x) for x in f"110{at:06b}"):
            for clock in (0, 2, 0):
                dev.csr(9, 0x4801 | bit << 2 | clock)
        for _ in range(16):
            dev.csr(9, 0x4803)
            value = value << 1 | dev.csr(9) >> 3 & 1
            dev.csr(9, 0x4801)
        dev.csr(9, 0x4800)
        return value
    for at in (10, 11, 12):
        dev.see(f"word {at}", word(at))
    words = b"".join(struct.pack("<H", word(at)) for at in range(64))
    dev.see("sum is right", struct.unpack("<H", words[126:])[0] == zlib.crc32(words[:126]) & 0xffff)
    leaf = words[27] | words[28] << 8
    dev.see("media block", f"{words[leaf + 2]} {words[leaf + 3] & 0x80:x} {words[leaf + 4]}")


def mdio(dev):
    """As tulip_mdio_read() does."""
    def bit(value, out):
        at = (1 << 17 if value else 0) | (0 if out else 1 << 18)
        dev.csr(9, at)
        got = dev.csr(9) >> 19 & 1
        dev.csr(9, at | 1 << 16)
        return got

    def read(phy, reg):
        for _ in range(32):
            bit(1, True)
        for k in f"0110{phy:05b}{reg:05b}":
            bit(int(k), True)
        value = 0
        for _ in range(19):
            value = value << 1 | bit(0, False)
        return value >> 1 & 0xffff

    for reg in (0, 1, 2, 3, 4, 5):
        dev.see(f"1 {reg}", read(1, reg))
    dev.see("nobody", read(7, 1))


def transmit(dev):
    dev.init()
    for length in (60, 61, 1514):
        dev.send(frame(length=length), f"tx {length}")
    dev.send(frame(length=200), "two buffers", cut=50)
    dev.send(frame(length=200), "only the second", cut=0)
    dev.pieces([frame(length=500)[:100], frame(length=500)[100:101], frame(length=500)[101:]], "pieces")
    dev.send(frame(length=60), "no report", report=0)
    dev.send(frame(length=30), "short")
    dev.csr(1, 1)
    dev.causes("nothing")


def chains(dev):
    dev.init(chained=True)
    dev.room(3)
    for i in range(9):
        dev.send(frame(length=60 + i, seed=i), f"tx {i}")
        dev.offer(to_us(60 + i, seed=i))
        dev.look(f"rx {i}")
        dev.room(1)


def rings(dev):
    for skip in (0, 4):
        dev.label = f"rings.skip {skip}"
        dev.init(skip=skip)
        dev.room(3)
        for i in range(6):
            dev.send(frame(length=60 + i, seed=i), f"tx {i}")
            dev.offer(to_us(60 + i, seed=i))
            dev.look(f"rx {i}")
            dev.room(1)


def receive(dev):
    dev.init(entries=8)
    dev.room(7)
    for length in (60, 61, 64, 1514):
        dev.offer(to_us(length))
        dev.look(f"rx {length}")
    dev.offer(frame(ALL, 60, PEER))
    dev.look("broadcast")


def small_buffers(dev):
    dev.init(entries=8)
    dev.room(4, 256)
    dev.offer(to_us(700))
    dev.look("rx", 3, data=False)
    for k in range(3):
        dev.see(f"buffer {k}", describe(dev.bytes(RX + k * 0x2000, 256 if k < 2 else 188)))


def both_buffers(dev):
    dev.init(entries=8)
    dev.room(3, 256, 512)
    dev.offer(to_us(700))
    dev.look("rx")


def no_room(dev):
    dev.init()
    dev.room(1)
    dev.offer(to_us(60))
    dev.look("room")
    dev.offer(to_us(61))
    dev.causes("none")
    dev.see("none CSR8", dev.csr(8) & 0xffff)


def filters(dev):
    frames = {"us": to_us(), "other": frame(OTHER, 60, PEER), "all": frame(ALL, 60, PEER),
              "group": frame(GROUP, 60, PEER), "group2": frame(GROUP2, 60, PEER)}

    def try_all(label, mode=0, addresses=(MAC,), command=None):
        dev.label = f"filters.{label}"
        dev.init(mode, 16, addresses=addresses)
        if command:
            dev.command(*command)
        dev.room(15)
        for name, data in frames.items():
            dev.offer(data)
            taken = not dev.memory[dev.slot(RX_RING, dev.rx) + 3] & 0x80
            dev.see(name, taken)
            if taken:
                dev.look(name)

    def hashed(address):
        value = 0xffffffff
        for byte in address:
            for k in range(8):
                value = value >> 1 ^ (0xedb88320 if (value ^ byte >> k) & 1 else 0)
        return value & 0x1ff

    def table(*addresses):
        words = [0] * 48
        for address in addresses:
            words[hashed(address) >> 4] |= 1 << (hashed(address) & 15)
        for k in range(3):
            words[39 + k] = struct.unpack_from("<H", MAC, 2 * k)[0]
        return b"".join(struct.pack("<I", word) for word in words)

    try_all("us")
    try_all("us and all", addresses=(MAC, ALL))
    try_all("a group", addresses=(MAC, ALL, GROUP))
    try_all("promiscuous", PROMISCUOUS)
    try_all("all groups", ALL_GROUPS)
    try_all("hash", command=(table(GROUP, ALL), 1 << 22))


def interrupts(dev):
    dev.vm.listen()
    dev.init()
    dev.csr(7, 0)
    dev.see_line("line at first")
    dev.see_raised("reached the controller at first")
    dev.send(frame(), "masked")
    dev.see_line("line masked")
    dev.csr(7, 0x10001)
    dev.see_line("line after")
    dev.descriptor(TX_RING, dev.tx, FS | LS | IC | 60, TX)
    dev.csr(1, 1)
    dev.settle()
    dev.see_line("line")
    dev.see("CSR5", dev.csr(5))
    dev.csr(5, 1)
    dev.see_line("line cleared")
    dev.see("CSR5 cleared", dev.csr(5))
    dev.csr(7, 0x1)
    dev.csr(5, CAUSES)
    dev.tx = (dev.tx + 1) % 4
    dev.descriptor(TX_RING, dev.tx, FS | LS | IC | 60, TX)
    dev.csr(1, 1)
    dev.settle()
    dev.see_line("line without the summary")
    dev.csr(7, 0x8000 | 0x80)
    dev.csr(5, CAUSES)
    dev.offer(to_us())
    dev.see_line("line abnormal")
    dev.see("CSR5 abnormal", dev.csr(5))
    dev.see_raised()


def timer(dev):
    dev.init()
    dev.csr(5, CAUSES)
    dev.csr(11, 20)
    dev.wait(0.1)
    dev.causes("once")


def loopback(dev):
    dev.init(0x400)
    dev.room(3)
    dev.send(frame(MAC, 100, MAC))
    dev.look()


def states(dev):
    """What CSR5 says of both processes."""
    dev.csr(0, 1)
    dev.see("stopped", dev.csr(5))
    dev.fill(TX_RING, bytes(64))
    dev.fill(RX_RING, bytes(64))
    dev.csr(3, RX_RING)
    dev.csr(4, TX_RING)
    dev.csr(6, SR)
    dev.see("receiver", dev.csr(5))
    dev.csr(6, SR | ST)
    dev.settle()
    dev.see("both", dev.csr(5))
    dev.csr(6, 0)
    dev.settle()
    dev.see("neither", dev.csr(5) & ~0x102)
    dev.see("which stopped", dev.csr(5) & 0x102)


def resets(dev):
    dev.init()
    dev.room(3)
    dev.offer(to_us())
    dev.see_line("line before")
    dev.csr(0, 1)
    dev.see_line("line after")
    for n in (0, 3, 4, 5, 6, 7):
        dev.see(f"after CSR{n}", dev.csr(n))
    dev.init()
    dev.room(3)
    dev.send(frame(length=77), "then")
    dev.offer(to_us(77))
    dev.look("then")


SCRIPTS = (config, reset, masks, eeprom, mdio, transmit, chains, rings, receive, small_buffers, both_buffers, no_room,
           filters, interrupts, timer, loopback, states, resets)
