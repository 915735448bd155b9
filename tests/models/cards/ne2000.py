# SPDX-License-Identifier: Apache-2.0
"""NE2000: pages of registers, a packet buffer behind a data port."""

import struct

from .. import device, generic
from ..packets import ALL, GROUP, GROUP2, MAC, OTHER, PEER, crc, describe, frame, to_us

STOP, START, TXP, READ, WRITE, NODMA = 1, 2, 4, 8, 0x10, 0x20
FIRST, LAST, SEND = 0x46, 0x80, 0x40  # pages of the ring, and where frames are sent from


class Card(device.Device):
    space = "io"

    def page(self, n):
        self.put(0, 1, n << 6 | NODMA | START if self.running else n << 6 | NODMA | STOP)

    running = False

    def at(self, offset, value=None):
        return self.get(offset, 1) if value is None else self.put(offset, 1, value)

    def init(self, rcr=4, tcr=0, last=LAST):
        self.running = False
        self.get(0x1f, 1)
        self.page(0)
        for offset, value in ((0xe, 0x49), (0xa, 0), (0xb, 0), (0xc, rcr), (0xd, 2), (1, FIRST), (2, last), (3, FIRST),
                              (7, 0xff), (0xf, 0)):
            self.at(offset, value)
        self.page(1)
        for k in range(6):
            self.at(1 + k, MAC[k])
        for k in range(8):
            self.at(8 + k, 0)
        self.at(7, FIRST + 1)
        self.next, self.last = FIRST + 1, last
        self.running = True
        self.page(0)
        self.at(0xd, tcr)

    def fetch(self, address, length, width=2):
        """Remote DMA, from the card."""
        self.page(0)
        for offset, value in ((8, address & 0xff), (9, address >> 8), (0xa, length & 0xff), (0xb, length >> 8)):
            self.at(offset, value)
        self.put(0, 1, READ | START)
        data = b"".join(self.get(0x10, width).to_bytes(width, "little") for _ in range(0, length, width))
        return data[:length]

    def store(self, address, data, width=2):
        self.page(0)
        for offset, value in ((8, address & 0xff), (9, address >> 8), (0xa, len(data) & 0xff), (0xb, len(data) >> 8)):
            self.at(offset, value)
        self.put(0, 1, WRITE | START)
        for at in range(0, len(data), width):
            self.put(0x10, width, int.from_bytes(data[at:at + width], "little"))

    def clear(self):
        value = self.at(7)
        self.at(7, value)
        return value

    def send(self, data, name="tx"):
        self.store(SEND << 8, data + b"\0" * (len(data) & 1))
        self.see(f"{name} ISR dma", self.clear())
        for offset, value in ((4, SEND), (5, len(data) & 0xff), (6, len(data) >> 8)):
            self.at(offset, value)
        self.put(0, 1, NODMA | TXP | START)
        self.see_sent(name)
        self.see(f"{name} CR", self.at(0))
        self.see(f"{name} TSR", self.at(4))
        self.see(f"{name} ISR", self.clear())

    def current(self):
        self.page(1)
        value = self.at(7)
        self.page(0)
        return value

    def look(self, name="rx", width=2):
        """Reads what is in the ring, as a driver does."""
        self.settle()
        self.see(f"{name} ISR", self.clear())
        self.see(f"{name} RSR", self.at(0xc))
        number = 0
        while self.next != self.current() and number < 30:
            status, following, length = struct.unpack("<BBH", self.fetch(self.next << 8, 4, width))
            self.see(f"{name} header {number}", f"{status:x} {following:x} {length:x}")
            if not 60 < length < 1600:
                break
            self.see(f"{name} data {number}", describe(self.fetch((self.next << 8) + 4, length - 4, width)))
            self.next = following
            self.at(3, self.last - 1 if following == FIRST else following - 1)
            number += 1
        self.see(f"{name} CURR", self.current())
        self.see(f"{name} ISR after", self.clear())


def config(dev):
    generic.config(dev)


def reset(dev):
    dev.see("reset port", dev.get(0x1f, 1))
    for page in range(4):
        dev.page(page)
        for offset in range(0x10):
            if page or offset not in (0xd, 0xe, 0xf):
                dev.see(f"{page} {offset:x}", dev.at(offset))


def masks(dev):
    for page, offsets in ((0, (3, 8, 9)), (1, range(1, 0x10))):
        dev.page(page)
        for offset in offsets:
            got = []
            for value in (0x55, 0, 0x2a, 0x7f, 0xff):
                dev.at(offset, value)
                got.append(dev.at(offset))
            dev.see(f"{page} {offset:x}", " ".join(f"{x:x}" for x in got))
    dev.page(0)
    for offset, value in ((1, 0x4a), (2, 0x78), (4, 0x41), (0xc, 0x1f), (0xd, 0x1f), (0xe, 0x49), (0xf, 0x5b)):
        dev.at(offset, value)
    dev.page(2)
    for offset in range(1, 0x10):
        dev.see(f"2 {offset:x}", dev.at(offset))
    for value in (0x21, 0x22, 0x20, 0x00, 0x3a, 0x61):
        dev.at(0, value)
        dev.see(f"CR {value:x}", dev.at(0))


def prom(dev):
    dev.init()
    for width, mode in ((2, 0x49), (1, 0x48), (4, 0x49)):
        dev.at(0xe, mode)
        dev.see(f"{width} bytes", dev.fetch(0, 32, width))
        dev.see(f"{width} ISR", dev.clear())


def data_port(dev):
    dev.init()
    dev.store(0x4000, bytes(range(100)))
    dev.see("ISR", dev.clear())
    dev.see("whole", dev.fetch(0x4000, 100))
    dev.see("bytes in word mode", dev.fetch(0x4020, 12, 1))
    dev.see("double words", dev.fetch(0x4010, 40, 4))
    dev.page(0)
    dev.see("RSAR", f"{dev.at(8):x} {dev.at(9):x}")
    for offset, value in ((8, 0), (9, 0x40), (0xa, 4), (0xb, 0)):
        dev.at(offset, value)
    dev.put(0, 1, READ | START)
    dev.see("one", dev.get(0x10, 2))
    dev.see("ISR before the end", dev.at(7))
    dev.see("two", dev.get(0x10, 2))
    dev.see("ISR at the end", dev.clear())
    dev.put(0, 1, READ | START)
    dev.see("ISR of nothing", dev.clear())
    dev.store(0x7ffe, b"wxyz")
    dev.see("at the end of the ring", dev.fetch(FIRST << 8, 2))
    dev.store(0x10, b"????")
    dev.see("PROM", dev.fetch(0x10, 4))


def transmit(dev):
    dev.init()
    for length in (60, 61, 64, 1514):
        dev.send(frame(length=length), f"tx {length}")
    dev.send(frame(length=30), "short")


def receive(dev):
    dev.init()
    for length in (60, 61, 244, 247, 248, 249, 252, 1514):
        dev.offer(to_us(length))
        dev.look(f"rx {length}")
    dev.offer(frame(ALL, 60, PEER))
    dev.look("broadcast")
    dev.offer(to_us(60), to_us(300), to_us(70))
    dev.look("three")


def wrap(dev):
    dev.init(last=0x58)
    for i in range(14):
        dev.offer(to_us(900 + i, seed=i))
        dev.look(f"rx {i}", 4)


def filters(dev):
    frames = {"us": to_us(), "other": frame(OTHER, 60, PEER), "all": frame(ALL, 60, PEER),
              "group": frame(GROUP, 60, PEER), "group2": frame(GROUP2, 60, PEER)}

    def try_all(label, rcr, table=0):
        dev.init(rcr)
        dev.page(1)
        for k in range(8):
            dev.at(8 + k, table >> 8 * k & 0xff)
        for name, data in frames.items():
            before = dev.current()
            dev.offer(data)
            after = dev.current()
            dev.see(f"{label} {name}", after - before)
            if before != after:
                dev.see(f"{label} {name} status", dev.fetch(before << 8, 2)[0])

    try_all("us", 0)
    try_all("broadcast", 4)
    try_all("multicast, empty table", 8)
    try_all("multicast, one bit", 8, 1 << (crc(GROUP) >> 26))
    try_all("multicast, table without", 0xc, ~(1 << (crc(GROUP) >> 26)))
    try_all("table, but not asked for", 4, 0xffffffffffffffff)
    try_all("promiscuous", 0x10)


def monitor(dev):
    dev.init(0x24)
    before = dev.current()
    dev.offer(to_us())
    dev.see("taken", dev.current() - before)


def interrupts(dev):
    dev.vm.listen()
    dev.init()
    dev.see_line("line at first")
    dev.see_raised("reached the controller at first")
    dev.at(0xf, 2)
    dev.store(SEND << 8, frame())
    dev.see_line("line of another")
    for offset, value in ((4, SEND), (5, 60), (6, 0)):
        dev.at(offset, value)
    dev.put(0, 1, NODMA | TXP | START)
    dev.settle()
    dev.see_line("line")
    dev.at(0xf, 0)
    dev.see_line("line masked")
    dev.at(0xf, 0x7f)
    dev.see_line("line again")
    dev.at(7, 2)
    dev.see_line("line of the other")
    dev.see("ISR", dev.clear())
    dev.see_line("line cleared")
    dev.offer(to_us())
    dev.see_line("line rx")
    dev.see("ISR rx", dev.clear())
    dev.see_raised()


def stopped(dev):
    dev.init()
    dev.put(0, 1, NODMA | STOP)
    dev.see("CR", dev.at(0))
    dev.see("ISR", dev.at(7))
    dev.at(7, 0xff)
    dev.see("ISR cleared", dev.at(7))
    dev.put(0, 1, NODMA | STOP | TXP)
    dev.see_sent("stopped")
    dev.put(0, 1, NODMA | START)
    dev.see_sent("started")
    dev.see("started CR", dev.at(0))
    dev.see("started ISR", dev.at(7))


def resets(dev):
    dev.init()
    dev.at(0xf, 0x7f)
    dev.offer(to_us())
    dev.see_line("line before")
    dev.get(0x1f, 1)
    dev.settle()
    dev.see_line("line after")
    dev.see("CR", dev.at(0))
    dev.put(0, 1, NODMA | STOP)
    dev.see("ISR", dev.at(7))
    dev.init()
    dev.send(frame(length=77), "then")
    dev.offer(to_us(77))
    dev.look("then")


SCRIPTS = (config, reset, masks, prom, data_port, transmit, receive, wrap, filters, monitor, interrupts, stopped, resets)
