# SPDX-License-Identifier: Apache-2.0
"""What the RTL8139C+ has besides: rings of descriptors."""

import struct

from . import rtl8139
from ..packets import ALL, GROUP, MAC, PEER, describe, frame, packet, tagged, to_us

TX_RING, HIGH_RING, RX_RING, TALLY = 0x10000, 0x12000, 0x14000, 0x16000
TX, RX = 0x100000, 0x200000
OWN, EOR, FS, LS, LARGE = 1 << 31, 1 << 30, 1 << 29, 1 << 28, 1 << 27
IPCS, UDPCS, TCPCS, TAGC = 1 << 18, 1 << 17, 1 << 16, 1 << 17
TX_ON, RX_ON, CHECK, VLAN = 1, 2, 0x20, 0x40


class Card(rtl8139.Card):
    def plus(self, mode=TX_ON | RX_ON, rcr=rtl8139.APM | rtl8139.AB, entries=4):
        self.entries, self.next, self.given, self.taken, self.at = entries, 0, 0, 0, TX
        self.write("CR", rtl8139.RST)
        for base in (TX_RING, HIGH_RING, RX_RING):
            self.fill(base, bytes(entries * 16))
        self.write("CPCMD", mode)
        self.write("CR", rtl8139.RE | rtl8139.TE)
        self.write("TNPDS", TX_RING)
        self.write("TNPDS", 0, 1)
        self.write("THPDS", HIGH_RING)
        self.write("THPDS", 0, 1)
        self.write("RDSAR", RX_RING)
        self.write("RDSAR", 0, 1)
        self.write("RCR", rcr | 0xe700)
        self.write("TCR", 0x600)
        self.write("IMR", 0)
        self.settle()  # the rings have been looked at once
        self.write("ISR", 0xffff)

    def slot(self, data, flags=FS | LS, more=0, base=TX_RING):
        self.fill(self.at, data)
        last = EOR if self.next == self.entries - 1 else 0
        self.fill(base + self.next * 16, struct.pack("<IIQ", OWN | last | flags | len(data), more, self.at))
        self.at += len(data) + 64
        self.next = (self.next + 1) % self.entries

    def kick(self, name="tx", poll=0x40, base=TX_RING):
        self.write("TPPOLL", poll)
        self.see_sent(name)
        for i in range(self.entries):
            self.see_memory(f"{name} slot {i}", base + i * 16, 8)
        self.see(f"{name} ISR", self.clear())

    def room(self, count, size=0x600):
        for _ in range(count):
            last = EOR if self.given == self.entries - 1 else 0
            self.fill(RX_RING + self.given * 16, struct.pack("<IIQ", OWN | last | size, 0, RX + self.given * 0x4000))
            self.given = (self.given + 1) % self.entries

    def found(self, name="rx"):
        self.see(f"{name} ISR", self.clear())
        for _ in range(self.entries):
            status, more, address = struct.unpack("<IIQ", self.bytes(RX_RING + self.taken * 16, 16))
            if status & OWN or not status & 0x1fff:
                break
            self.see(f"{name} status {self.taken}", f"{status:x} {more:x}")
            self.see(f"{name} data {self.taken}", describe(self.bytes(address, status & 0x1fff)))
            self.fill(RX_RING + self.taken * 16, struct.pack("<I", status & EOR))
            self.taken = (self.taken + 1) % self.entries


def plus_registers(dev):
    dev.see_registers("CPCMD MITIGATE MTPS", "at first ")
    for name in ("CPCMD", "MITIGATE", "MTPS"):
        dev.write(name, 0xffff)
        dev.see(f"{name} written", dev.read(name))
    dev.write("CPCMD", TX_ON | RX_ON)
    for name in ("TNPDS", "THPDS", "RDSAR"):
        for k in (0, 1):
            dev.write(name, 0x12345678, k)
            dev.see(f"{name}[{k}]", dev.read(name, k))
    dev.write("CR", rtl8139.RST)
    dev.see_registers("CPCMD", "after ")


def plus_transmit(dev):
    dev.plus()
    for i in range(9):
        dev.slot(frame(length=60 + 100 * i, seed=i))
        dev.kick(f"tx {i}")
    dev.slot(frame(length=60))
    dev.slot(frame(length=61))
    dev.kick("two")
    whole = frame(length=900)
    dev.slot(whole[:14], FS)
    dev.slot(whole[14:500], 0)
    dev.slot(whole[500:], LS)
    dev.kick("pieces")
    dev.kick("nothing")
    dev.slot(frame(length=30))
    dev.kick("short")


def plus_high(dev):
    dev.plus()
    dev.slot(frame(length=70), base=HIGH_RING)
    dev.kick("high", 0x80, HIGH_RING)


def plus_checksums(dev):
    dev.plus()
    for name, data, flags in (("tcp", packet(100, 6, sums=False, pseudo=True), IPCS | TCPCS),
                              ("udp", packet(100, 17, sums=False, pseudo=True), IPCS | UDPCS),
                              ("ip", packet(100, 17, sums=False), IPCS),
                              ("other", frame(length=100), IPCS | TCPCS)):
        dev.slot(data, FS | LS | flags)
        dev.kick(name)


def plus_segments(dev):
    dev.plus(entries=8)
    for payload in (999, 1000, 1001, 3000):
        whole = packet(payload, 6, sums=False, pseudo=True, flags=0x19)
        dev.slot(whole[:54], FS | LARGE | 1000 << 16)
        dev.slot(whole[54:], LS | LARGE | 1000 << 16)
        dev.kick(f"{payload}")


def plus_tags(dev):
    dev.plus(TX_ON | RX_ON | VLAN)
    dev.slot(frame(length=80), more=TAGC | 0x2361)
    dev.kick()
    dev.room(3)
    dev.offer(tagged(to_us(100), 0x6123), to_us(100))
    dev.found("removed")
    dev.write("CPCMD", TX_ON | RX_ON)
    dev.offer(tagged(to_us(100), 0x6123))
    dev.found("kept")


def plus_receive(dev):
    dev.plus()
    for i in range(9):
        dev.room(2)
        dev.offer(to_us(60 + i, seed=i), to_us(1514, seed=i))
        dev.found(f"rx {i}")
    dev.room(1)
    dev.offer(frame(ALL, 60, PEER))
    dev.found("broadcast")


def plus_verified(dev):
    dev.plus(TX_ON | RX_ON | CHECK, entries=8)
    dev.room(7)
    for proto in (6, 17):
        for good in (True, False):
            dev.offer(packet(100, proto, good, to=MAC, source=PEER))
            dev.found(f"{proto} {'good' if good else 'bad'}")
    dev.offer(to_us(100))
    dev.found("neither")


def plus_no_room(dev):
    dev.plus()
    dev.room(1)
    dev.offer(to_us(60))
    dev.found("room")
    dev.offer(to_us(61))
    dev.see_registers("ISR MPC", "none ")


def plus_interrupts(dev):
    dev.plus()
    dev.write("IMR", 0x85)
    dev.slot(frame())
    dev.write("TPPOLL", 0x40)
    dev.settle()
    dev.see_line("line tx")
    dev.clear()
    dev.see_line("line cleared")
    dev.write("IMR", 0x100)
    dev.write("TPPOLL", 1)
    dev.see_line("line by software")
    dev.see_registers("ISR")


def plus_tally(dev):
    dev.plus()
    dev.room(4)
    for i in range(3):
        dev.slot(frame(seed=i))
    dev.write("TPPOLL", 0x40)
    dev.offer(to_us(60), frame(ALL, 60, PEER))
    dev.fill(TALLY, b"\xaa" * 80)
    dev.write("DTCCR", 0, 1)
    dev.write("DTCCR", TALLY | 8)
    dev.settle()
    dev.see("DTCCR", dev.read("DTCCR"))
    dev.see_memory("counters", TALLY, 72)


SCRIPTS = (*rtl8139.SCRIPTS, plus_registers, plus_transmit, plus_high, plus_checksums, plus_segments, plus_tags, plus_receive,
           plus_verified, plus_no_room, plus_interrupts, plus_tally)
