# SPDX-License-Identifier: Apache-2.0
"""RTL8139: transmit slots in registers, a stream for receive."""

import struct

from .. import device, generic
from ..packets import ALL, GROUP, GROUP2, MAC, OTHER, PEER, crc, describe, frame, to_us

TX, RX = 0x100000, 0x200000
RST, RE, TE = 0x10, 8, 4
APM, AM, AB, AAP, WRAP = 2, 4, 8, 1, 0x80
ALL_CAUSES = 0xffff


class Card(device.Device):
    def init(self, rcr=APM | AB, tcr=0x600):
        """Ring of 8 KiB."""
        self.slot, self.rcr = 0, rcr
        self.write("CR", RST)
        self.fill(RX, bytes(0x4000))
        self.write("RBSTART", RX)
        self.write("CR", RE | TE)
        self.write("RCR", rcr)
        self.write("TCR", tcr)
        self.write("IMR", 0)
        self.write("ISR", ALL_CAUSES)
        self.at = 0

    def clear(self):
        value = self.read("ISR")
        self.write("ISR", value)
        return value

    def send(self, data, name="tx", flags=0):
        self.fill(TX + self.slot * 0x2000, data)
        self.write("TSAD", TX + self.slot * 0x2000, self.slot)
        self.write("TSD", len(data) | flags, self.slot)
        self.see_sent(name)
        self.see(f"{name} TSD{self.slot}", self.read("TSD", self.slot))
        self.see_registers("TSAD_ALL", f"{name} ")
        self.see(f"{name} ISR", self.clear())
        self.slot = (self.slot + 1) % 4

    def stream(self, offset, length):
        """Bytes of the ring, from its end on at its beginning."""
        size = 0x2000 << (self.rcr >> 11 & 3)
        if self.rcr & WRAP:
            return self.bytes(RX + offset, length)
        return bytes(self.memory[RX + (offset + i) % size] for i in range(length))

    def look(self, name="rx", most=16):
        """Reads what is in the ring, as a driver does."""
        self.see_registers("CR CBR CAPR", f"{name} ")
        for i in range(most):
            if self.read("CR") & 1:
                break
            status, length = struct.unpack("<HH", self.stream(self.at, 4))
            self.see(f"{name} header {i}", status | length << 16)
            if not status & 1 or length < 8 or length > 0x2000:
                break
            self.see(f"{name} data {i}", describe(self.stream(self.at + 4, length - 4)))
            self.at = (self.at + 4 + length + 3 & ~3) % (0x2000 << (self.rcr >> 11 & 3))
            self.write("CAPR", self.at - 16)
        self.see(f"{name} ISR", self.clear())
        self.see_registers("CR CBR CAPR", f"{name} after ")


def config(dev):
    generic.config(dev)


EFFECTS = {"TSD", "CR", "ISR", "TCTR", "CR9346", "BMCR", "TPPOLL", "DTCCR", "TNPDS", "THPDS", "IDR", "CONFIG1",
           "CONFIG3", "CONFIG4", "CONFIG5"}


def reset(dev):
    generic.see_reset(dev, skip={"TCTR", "DTCCR", "TNPDS", "THPDS"})
    dev.write("IDR", 0xaa)
    dev.write("MAR", 0x55, 3)
    dev.write("CR", RST)
    dev.see_registers("CR IDR RCR TCR ISR IMR CBR CAPR BMCR TSD", "again ")
    dev.see("again MAR", dev.read("MAR", 3))


def masks(dev):
    dev.write("CR", TE | RE)
    generic.see_masks(dev, skip=EFFECTS)
    for name in ("CONFIG1", "CONFIG3", "CONFIG4", "CONFIG5", "IDR", "BMCR"):
        dev.write("CR9346", 0)
        before = dev.read(name)
        dev.write(name, 0)
        dev.see(f"{name} locked", dev.read(name) == before)
        dev.write("CR9346", 0xc0)
        got = []
        for value in (0xff, 0) if name != "BMCR" else (0x3100, 0):
            dev.write(name, value)
            got.append(dev.read(name))
        dev.see(f"{name} open", " ".join(f"{x:x}" for x in got))
    for value in (0, 0x40, 0x8a, 0xc0, 0x0e):
        dev.write("CR9346", value)
        dev.see(f"CR9346 {value:x}", dev.read("CR9346"))


def eeprom(dev):
    def word(at):
        for bit in (int(x) for x in f"110{at:06b}"):
            dev.write("CR9346", 0x88 | bit << 1)
            dev.write("CR9346", 0x8c | bit << 1)
        value = 0
        for _ in range(16):
            dev.write("CR9346", 0x88)
            dev.write("CR9346", 0x8c)
            value = value << 1 | dev.read("CR9346") & 1
        dev.write("CR9346", 0x80)
        return value
    for at in (0, 1, 2, 7, 8, 9):
        dev.see(f"word {at}", word(at))
    dev.write("CR9346", 0xc0)
    for k in range(6):
        dev.write("IDR", 0x10 + k, k)
    dev.write("CR9346", 0x40)
    for k in range(6):
        dev.see(f"loaded {k}", dev.read("IDR", k))


def transmit(dev):
    dev.init()
    for length in (60, 61, 100, 1000, 1514):
        dev.send(frame(length=length), f"tx {length}")
    dev.send(frame(length=30), "short")
    dev.send(frame(length=1700), "long")
    dev.send(frame(length=60), "threshold", flags=8 << 16)
    dev.write("CR", RE)
    dev.write("TSD", 60, dev.slot)
    dev.see_sent("off")
    dev.see("off TSD", dev.read("TSD", dev.slot))
    dev.write("CR", RE | TE)
    dev.see_sent("on again")
    dev.see("on again TSD", dev.read("TSD", dev.slot))
    dev.write("CR", RST)
    dev.write("TCR", 0x700)
    dev.see_registers("TCR", "off ")
    dev.write("CR", TE)
    dev.write("TCR", 0x700)
    dev.see_registers("TCR", "on ")


def interrupts(dev):
    dev.vm.listen()
    dev.init()
    dev.see_line("line at first")
    dev.see_raised("reached the controller at first")
    dev.write("IMR", 4)
    dev.write("TSAD", TX)
    dev.fill(TX, frame())
    dev.write("TSD", 60)
    dev.settle()
    dev.see_line("line")
    dev.see_registers("ISR")
    dev.write("IMR", 0)
    dev.see_line("line masked")
    dev.write("IMR", 4)
    dev.see_line("line again")
    dev.write("ISR", 4)
    dev.see_line("line cleared")
    dev.write("IMR", 0xffff)
    dev.see_registers("IMR")
    dev.offer(to_us())
    dev.see_line("line rx")
    dev.see("ISR rx", dev.clear())
    dev.see_line("line rx cleared")
    dev.see_raised()


def timer(dev):
    dev.init()
    dev.write("IMR", 0x4000)
    dev.write("TIMERINT", 0)
    dev.write("TCTR", 0)
    dev.wait(0.05)
    dev.see_registers("ISR", "off ")
    dev.write("TIMERINT", 1000)
    dev.write("TCTR", 0)
    dev.wait(0.05)
    dev.see_registers("ISR", "on ")
    dev.see_line()
    dev.see("ticks", dev.read("TCTR") > 1000)


def receive(dev):
    dev.init()
    for length in (60, 61, 62, 63, 64, 100, 1514):
        dev.offer(to_us(length))
    dev.look()
    dev.offer(frame(ALL, 60, PEER))
    dev.look("broadcast")
    dev.offer(to_us(1518))
    dev.look("long")


def wrap(dev):
    """Round the ring some times; frames lie across its end."""
    dev.init()
    for i in range(24):
        dev.offer(to_us(1000 + i, seed=i))
        dev.look(f"rx {i}")


def no_wrap(dev):
    """Frames at the end go on behind it."""
    dev.init(APM | AB | WRAP)
    for i in range(24):
        dev.offer(to_us(1000 + i, seed=i))
        dev.look(f"rx {i}")


def no_room(dev):
    dev.init()
    for i in range(6):
        dev.offer(to_us(1200, seed=i))
        dev.see_registers("CBR CR ISR MPC", f"{i} ")
    dev.look("emptied")
    dev.offer(to_us(99))
    dev.look("then")
    for i in range(7):
        dev.offer(to_us(1200, seed=i))
    dev.see_registers("CBR ISR MPC", "one more ")
    dev.write("MPC", 5)
    dev.see_registers("MPC", "cleared ")


def filters(dev):
    frames = {"us": to_us(), "other": frame(OTHER, 60, PEER), "all": frame(ALL, 60, PEER),
              "group": frame(GROUP, 60, PEER), "group2": frame(GROUP2, 60, PEER)}

    def try_all(label, rcr, table=0):
        dev.init(rcr)
        for k in range(8):
            dev.write("MAR", table >> 8 * k & 0xff, k)
        for name, data in frames.items():
            before = dev.read("CBR")
            dev.offer(data)
            dev.see(f"{label} {name}", dev.read("CBR") - before)
            if dev.read("CBR") != before:
                dev.see(f"{label} {name} header", struct.unpack("<I", dev.bytes(RX + before, 4))[0])
        dev.clear()

    try_all("nothing", 0)
    try_all("us", APM)
    try_all("broadcast", AB)
    try_all("multicast, empty table", AM)
    try_all("multicast, one bit", AM, 1 << (crc(GROUP) >> 26))
    try_all("multicast, table without", AM | APM | AB, ~(1 << (crc(GROUP) >> 26)))
    try_all("promiscuous", AAP)


def loopback(dev):
    dev.init(tcr=0x600 | 3 << 17)
    dev.send(frame(MAC, 100, MAC))
    dev.look()


def phy(dev):
    dev.see_registers("BMCR BMSR ANAR ANLPAR ANER CSCR MSR")
    dev.write("CR9346", 0xc0)
    dev.write("BMCR", 0x2100)
    dev.see_registers("BMCR BMSR", "forced ")
    dev.write("BMCR", 0x1200)
    dev.see_registers("BMCR BMSR", "restarted ")
    dev.write("ANAR", 0x0061)
    dev.see_registers("ANAR", "written ")


def resets(dev):
    dev.init()
    dev.write("IMR", 0xffff)
    dev.offer(to_us())
    dev.see_line("line before")
    dev.write("CR", RST)
    dev.see_line("line after")
    dev.see_registers("CR ISR IMR RCR TCR CBR CAPR RBSTART", "after ")
    dev.init()
    dev.send(frame(length=77), "then")
    dev.offer(to_us(77))
    dev.look("then")


SCRIPTS = (config, reset, masks, eeprom, transmit, interrupts, timer, receive, wrap, no_wrap, no_room, filters,
           loopback, phy, resets)
