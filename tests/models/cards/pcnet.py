# SPDX-License-Identifier: Apache-2.0
"""PCnet: registers behind an address, an init block, four styles of descriptors."""

import struct

from .. import device, generic
from ..packets import ALL, GROUP, GROUP2, MAC, OTHER, PEER, crc, describe, frame, to_us

BLOCK, TX_RING, RX_RING, TX, RX = 0x10000, 0x11000, 0x12000, 0x20000, 0x80000
INIT, STRT, STOP, TDMD, IENA = 1, 2, 4, 8, 0x40
OWN, STP, ENP, ADD_FCS = 0x80, 0x02, 0x01, 0x20
SIZE = 0x600


class Card(device.Device):
    space = "io"
    wide = False

    def pointer(self, at, value):
        if self.wide:
            self.put(0x14, 4, value)
        else:
            self.put(0x12, 2, value)
        return at

    def csr(self, n, value=None):
        self.pointer(0, n)
        if value is None:
            return self.get(0x10, 4 if self.wide else 2)
        return self.put(0x10, 4 if self.wide else 2, value)

    def bcr(self, n, value=None):
        self.pointer(0, n)
        at, width = (0x1c, 4) if self.wide else (0x16, 2)
        return self.get(at, width) if value is None else self.put(at, width, value)

    def words(self, bank):
        """Numbers of all that the description has."""
        found = set()
        for register in self.registers.values():
            if register["bank"] == bank:
                for k in range(register["count"]):
                    at = register["at"] + k * register["stride"]
                    found.update(range(at // 2, (at + register["bytes"]) // 2))
        return sorted(found)

    def init(self, style=2, mode=0, log=2, table=0, address=MAC, wide=False):
        """Reset, init block, start. Rings of 1 << LOG."""
        self.style, self.entries = style, 1 << log
        self.tx, self.rx, self.given = 0, 0, 0
        self.get(0x14, 2)
        if self.wide:
            self.get(0x18, 4)
        self.wide = wide
        if wide:
            self.put(0x10, 4, 0)
        self.bcr(20, style)
        self.fill(TX_RING, bytes(16 << log))
        self.fill(RX_RING, bytes(16 << log))
        if style == 0:
            block = struct.pack("<H6sQII", mode, address, table, RX_RING | log << 29, TX_RING | log << 29)
        else:
            block = struct.pack("<HBB6sHQII", mode, log << 4, log << 4, address, 0, table, RX_RING, TX_RING)
        self.fill(BLOCK, block)
        self.csr(1, BLOCK & 0xffff)
        self.csr(2, BLOCK >> 16)
        self.csr(0, INIT)
        self.settle()
        self.see("init CSR0", self.csr(0))
        self.csr(0, 0x100)
        self.csr(0, STRT)
        self.settle()
        self.see("start CSR0", self.csr(0))

    def descriptor(self, ring, index, address, size, flags):
        count = -size & 0xfff | 0xf000
        if self.style == 0:
            data = struct.pack("<IHH", address | flags << 24, count, 0)
        elif self.style == 3:
            data = struct.pack("<IIII", 0, count | flags << 24, address, 0)
        else:
            data = struct.pack("<IIII", address, count | flags << 24, 0, 0)
        self.fill(ring + index * len(data), data)

    def slot(self, ring, index):
        """All of it but the buffer's address."""
        size = 8 if self.style == 0 else 16
        data = bytearray(self.bytes(ring + index * size, size))
        at, length = (0, 3) if self.style == 0 else (8, 4) if self.style == 3 else (0, 4)
        del data[at:at + length]
        return bytes(data)

    def send(self, data, name="tx", flags=STP | ENP, cuts=()):
        """In one descriptor, or cut at some places."""
        first, parts = self.tx, [0, *cuts, len(data)]
        for i, (begin, end) in enumerate(zip(parts, parts[1:])):
            at = TX + self.tx * 0x2000
            self.fill(at, data[begin:end])
            kind = flags & ~(STP | ENP) | (STP if i == 0 else 0) | (ENP if i == len(cuts) else 0)
            self.descriptor(TX_RING, self.tx, at, end - begin, OWN | kind)
            self.tx = (self.tx + 1) % self.entries
        self.csr(0, TDMD | IENA)
        self.see_sent(name)
        for _ in range(len(cuts) + 1):
            self.see(f"{name} slot {first}", self.slot(TX_RING, first))
            first = (first + 1) % self.entries
        self.causes(name)

    def causes(self, name):
        value = self.csr(0)
        self.see(f"{name} CSR0", value)
        self.csr(0, value & 0x7f00 | IENA)
        self.see(f"{name} CSR4", self.csr(4))
        self.csr(4, self.csr(4))

    def room(self, count, size=SIZE):
        for _ in range(count):
            self.descriptor(RX_RING, self.given, RX + self.given * 0x2000, size, OWN)
            self.given = (self.given + 1) % self.entries

    def look(self, name="rx", count=1, most=None, fcs=False):
        """What became of the next slots; MOST: bytes of the buffer, whatever the slot says."""
        self.settle()
        for _ in range(count):
            data = self.slot(RX_RING, self.rx)
            self.see(f"{name} slot {self.rx}", data)
            length = struct.unpack("<H", data[3:5] if self.style == 0 else data[:2] if self.style == 3 else data[4:6])[0]
            found = self.bytes(RX + self.rx * 0x2000, most or length)
            self.see(f"{name} data {self.rx}", describe(found[:-4] if most is None else found))
            if fcs:
                self.see(f"{name} fcs", found[-4:])
            self.rx = (self.rx + 1) % self.entries
        self.causes(name)


def config(dev):
    generic.config(dev)


def reset(dev):
    for at in range(0, 16, 2):
        dev.see(f"APROM{at}", dev.get(at, 2))
    for n in dev.words("csr"):
        dev.see(f"CSR{n}", dev.csr(n))
    for n in dev.words("bcr"):
        dev.see(f"BCR{n}", dev.bcr(n))


def masks(dev):
    skip = {0, 4, 5, 58}
    for n in dev.words("csr"):
        if n not in skip:
            got = []
            for value in (0xffff, 0, 0xa5a5, 0x5a5a):
                dev.csr(n, value)
                got.append(dev.csr(n))
            dev.see(f"CSR{n}", " ".join(f"{x:x}" for x in got))
            dev.csr(n, 0)
    for n in dev.words("bcr"):
        if n not in (18, 19, 20, 34):
            got = []
            for value in (0xffff, 0, 0xa5a5, 0x5a5a):
                dev.bcr(n, value)
                got.append(dev.bcr(n))
            dev.see(f"BCR{n}", " ".join(f"{x:x}" for x in got))
    for style in (0, 1, 2, 3, 0):
        dev.bcr(20, style)
        dev.see(f"style {style}", f"{dev.bcr(20):x} {dev.csr(58):x}")
    dev.csr(58, 2)
    dev.see("style by CSR58", f"{dev.bcr(20):x} {dev.csr(58):x}")


def widths(dev):
    """Words, then double words."""
    dev.see("word", f"{dev.csr(0):x} {dev.csr(88):x} {dev.csr(89):x}")
    dev.put(0x10, 4, 0)
    dev.wide = True
    dev.see("double word", f"{dev.csr(0):x} {dev.csr(88):x} {dev.csr(89):x} {dev.bcr(18):x}")
    dev.csr(1, 0x12345678)
    dev.see("upper half", dev.csr(1))
    dev.see("RAP", dev.get(0x14, 4))
    dev.get(0x18, 4)
    dev.wide = False
    dev.see("after a reset RAP", dev.get(0x12, 2))
    dev.see("after a reset BCR18", dev.bcr(18))


def phy(dev):
    for address in (30, 1, 0, 31):
        for reg in (range(32) if address == 30 else (1, 2)):
            dev.bcr(33, address << 5 | reg)
            dev.see(f"{address} {reg}", dev.bcr(34))


def styles(dev):
    for style in (0, 2, 3, 1):
        dev.init(style)
        dev.room(3)
        dev.label = f"styles.{style}"
        for i, length in enumerate((60, 64, 300, 1514)):
            dev.send(frame(length=length, seed=i), f"tx {length}")
        dev.send(frame(length=800), "pieces", cuts=(100, 101))
        dev.offer(to_us(60))
        dev.look("rx", fcs=style == 3)
        dev.offer(to_us(1514))
        dev.look("rx")
        dev.label = "styles"


def wide_access(dev):
    """Registers as double words, as pcnet32 does where it can."""
    dev.init(3, wide=True)
    dev.room(3)
    dev.send(frame(length=100))
    dev.offer(to_us(100))
    dev.look()


def transmit(dev):
    dev.init(3)
    dev.send(frame(length=30), "short")
    dev.csr(4, 0x0915)
    dev.send(frame(length=30), "padded")
    dev.send(frame(length=61), "not padded")
    dev.send(frame(length=60), "fcs", flags=ADD_FCS)
    dev.csr(0, TDMD | IENA)
    dev.causes("nothing")
    dev.see("rings", f"{dev.csr(72):x} {dev.csr(74):x} {dev.csr(76):x} {dev.csr(78):x}")


def wrap(dev):
    dev.init(3)
    dev.room(3)
    for i in range(10):
        dev.send(frame(length=60 + i, seed=i), f"tx {i}")
        dev.offer(to_us(60 + i, seed=i))
        dev.look(f"rx {i}")
        dev.room(1)


def interrupts(dev):
    dev.vm.listen()
    dev.init(3)
    dev.see_line("line at first")
    dev.see_raised("reached the controller at first")
    dev.descriptor(TX_RING, 0, TX, 60, OWN | STP | ENP)
    dev.csr(0, TDMD | IENA)
    dev.settle()
    dev.see_line("line")
    dev.csr(3, 0x200)
    dev.see_line("line masked")
    dev.see("CSR0 masked", dev.csr(0))
    dev.csr(3, 0)
    dev.see_line("line again")
    dev.csr(0, 0)
    dev.see_line("line disabled")
    dev.see("CSR0 disabled", dev.csr(0))
    dev.csr(0, IENA)
    dev.csr(0, 0x200 | IENA)
    dev.see_line("line cleared")
    dev.csr(4, 0x195)
    dev.see_line("line by software")
    dev.see("CSR4", dev.csr(4))
    dev.csr(4, 0x155)
    dev.see_line("line by software cleared")
    dev.csr(0, STOP)
    dev.see_line("line stopped")
    dev.see("CSR0 stopped", dev.csr(0))
    dev.see_raised()


def filters(dev):
    frames = {"us": to_us(), "other": frame(OTHER, 60, PEER), "all": frame(ALL, 60, PEER),
              "group": frame(GROUP, 60, PEER), "group2": frame(GROUP2, 60, PEER)}

    def hashed(address):
        value = 0xffffffff
        for byte in address:
            for k in range(8):
                value = value >> 1 ^ (0xedb88320 if (value ^ byte >> k) & 1 else 0)
        return 1 << (value >> 26)

    def try_all(label, mode=0, table=0):
        dev.label = f"filters.{label}"
        dev.init(3, mode, 4, table)
        dev.room(15)
        for name, data in frames.items():
            dev.offer(data)
            taken = not dev.memory[RX_RING + dev.rx * 16 + 7] & OWN
            dev.see(name, taken)
            if taken:
                dev.look(name)

    try_all("plain")
    try_all("no broadcast", 0x4000)
    try_all("no address", 0x2000)
    try_all("promiscuous", 0x8000)
    try_all("hash", 0, hashed(GROUP))
    try_all("hash of others", 0, ~hashed(GROUP) & 0xffffffffffffffff)


def no_room(dev):
    dev.init(3)
    dev.room(1)
    dev.offer(to_us(60))
    dev.look("room")
    dev.offer(to_us(61))
    dev.causes("none")
    dev.see("none CSR112", dev.csr(112))


def small_buffers(dev):
    dev.init(3, log=3)
    dev.room(6, 0x100)
    dev.offer(to_us(700))
    dev.look("rx", 3, 700 - 512)
    dev.offer(to_us(252))
    dev.look("exactly", 1, 252)
    dev.offer(to_us(257))
    dev.look("one more", 2, 1)


def loopback(dev):
    dev.init(3, mode=4)
    dev.room(3)
    dev.send(frame(MAC, 100, MAC))
    dev.look()


def suspend(dev):
    dev.init(3)
    dev.csr(5, 1)
    dev.see("CSR5", dev.csr(5))
    dev.descriptor(TX_RING, 0, TX, 60, OWN | STP | ENP)
    dev.csr(0, TDMD)
    dev.see_sent("suspended")
    dev.csr(5, 0)
    dev.csr(0, TDMD)
    dev.see_sent("on again")


def resets(dev):
    dev.init(3)
    dev.room(3)
    dev.offer(to_us())
    dev.csr(0, STOP)
    dev.see("stopped", f"{dev.csr(0):x} {dev.csr(15):x} {dev.csr(24):x} {dev.csr(30):x} {dev.csr(76):x}")
    dev.offer(to_us())
    dev.see("stopped slot", dev.slot(RX_RING, 1))
    dev.csr(0, STRT)
    dev.see("started again", dev.csr(0))
    dev.get(0x14, 2)
    for n in (0, 1, 2, 3, 4, 5, 6, 8, 12, 13, 14, 15, 24, 25, 30, 31, 58, 76, 78, 80):
        dev.see(f"after CSR{n}", dev.csr(n))
    for n in (2, 9, 18, 20):
        dev.see(f"after BCR{n}", dev.bcr(n))
    dev.init(2)
    dev.room(3)
    dev.send(frame(length=77), "then")
    dev.offer(to_us(77))
    dev.look("then")


SCRIPTS = (config, reset, masks, widths, phy, styles, wide_access, transmit, wrap, interrupts, filters, no_room,
           small_buffers, loopback, suspend, resets)
