# SPDX-License-Identifier: Apache-2.0
"""The 8254x family."""

import struct

from .. import device, generic
from ..packets import (ALL, GROUP, GROUP2, MAC, OTHER, PEER, describe, frame, noise, packet, tagged,
                       to_us)

TX, RX, TX_DATA, RX_DATA = 0x10000, 0x20000, 0x100000, 0x200000
EOP, IFCS, IC, RS, DEXT, VLE = 1, 2, 4, 8, 0x20, 0x40
TSE = 4


class Card(device.Device):
    def init(self, entries=8, tctl=0x0a, rctl=0x8002 | 1 << 26):
        self.entries, self.tail, self.taken, self.given, self.at = entries, 0, 0, 0, TX_DATA
        self.fill(TX, bytes(entries * 16))
        self.fill(RX, bytes(entries * 16))
        for name, value in (("TDBAL", TX), ("TDBAH", 0), ("TDLEN", entries * 16), ("TDH", 0), ("TDT", 0),
                            ("RDBAL", RX), ("RDBAH", 0), ("RDLEN", entries * 16), ("RDH", 0), ("RDT", 0),
                            ("CTRL", self.read("CTRL") | 0x40), ("TCTL", tctl), ("RCTL", rctl)):
            self.write(name, value)
        self.skip(2)
        self.read("ICR")

    def control(self, value):
        """RCTL; QEMU's takes frames only some time after."""
        self.write("RCTL", value)
        self.skip(2)

    # ---- transmit ----

    def put_slot(self, address, low, high):
        self.fill(TX + self.tail * 16, struct.pack("<QII", address, low, high))
        self.tail = (self.tail + 1) % self.entries

    def copy(self, data):
        self.fill(self.at, data)
        self.at += len(data) + 64
        return self.at - len(data) - 64

    def legacy(self, data, command=EOP | IFCS | RS, cso=0, css=0, special=0):
        self.put_slot(self.copy(data), len(data) | cso << 16 | command << 24, css << 8 | special << 16)

    def context(self, ip=(14, 24, 33), l4=(34, 50, 0), payload=0, command=DEXT, header=0, mss=0):
        self.put_slot(ip[0] | ip[1] << 8 | ip[2] << 16 | l4[0] << 32 | l4[1] << 40 | l4[2] << 48,
                      payload | command << 24, header << 8 | mss << 16)

    def data(self, data, command=EOP | IFCS | RS, options=0, special=0):
        self.put_slot(self.copy(data), len(data) | 1 << 20 | (command | DEXT) << 24,
                      options << 8 | special << 16)

    def kick(self, name="tx"):
        before = self.read("TDH")
        self.write("TDT", self.tail)
        self.see_sent(name)
        i = before
        while i != self.tail:
            self.see_memory(f"{name} slot {i}", TX + i * 16 + 8, 8)
            i = (i + 1) % self.entries
        self.see_registers("TDH", f"{name} ")
        self.see(f"{name} ICR", self.read("ICR"))

    # ---- receive ----

    def room(self, count):
        for _ in range(count):
            self.fill(RX + self.given * 16, struct.pack("<QQ", RX_DATA + self.given * 0x4000, 0))
            self.given = (self.given + 1) % self.entries
        self.write("RDT", self.given)

    def look(self, name="rx"):
        """What became of the slots that were given."""
        self.settle()
        self.see_registers("RDH", f"{name} ")
        self.see(f"{name} ICR", self.read("ICR"))
        while self.taken != self.given:
            address, length = struct.unpack_from("<QH", self.bytes(RX + self.taken * 16, 16))
            if not self.memory[RX + self.taken * 16 + 12] & 1:
                break
            self.see_memory(f"{name} slot {self.taken}", RX + self.taken * 16 + 8, 8)
            self.see(f"{name} data {self.taken}", describe(self.bytes(address, length)))
            self.taken = (self.taken + 1) % self.entries


def config(dev):
    generic.config(dev)


def reset(dev):
    generic.see_reset(dev)
    dev.write("CTRL", 1 << 26)
    dev.see_registers("CTRL STATUS RCTL TCTL", "again ")


def masks(dev):
    generic.see_masks(dev, skip=("CTRL", "EERD", "MDIC", "ICR", "ICS", "IMS", "IMC", "TDT", "TCTL", "RCTL"),
                      reset=lambda dev: dev.write("CTRL", 1 << 26))


def statistics(dev):
    """Reading clears."""
    dev.init()
    dev.room(7)
    for length in (60, 61, 123, 124, 251, 252, 507, 508, 1019, 1020, 1514):
        dev.legacy(frame(length=length))
        dev.kick(f"tx {length}")
    dev.offer(to_us(60), to_us(200), frame(ALL, 60, PEER), frame(GROUP, 100, PEER))
    dev.control(0x801a | 1 << 26)
    dev.offer(frame(GROUP, 100, PEER), frame(OTHER, 1514, PEER), to_us(1514))
    names = [name for name, register in dev.registers.items() if 0x4000 <= register["at"] < 0x4100]
    for label in ("", "again "):
        dev.see_registers(" ".join(names), label)


def eeprom(dev):
    """The address and the sum; what else it holds is the board's."""
    total = 0
    for word in range(64):
        dev.write("EERD", word << 8 | 1)
        got = dev.read("EERD")
        total += got >> 16
        if word < 3:
            dev.see(f"EERD {word}", got)
    dev.see("sum", total & 0xffff)
    dev.write("EECD", 0x40)
    dev.see_registers("EECD", "requested ")
    for word in (0, 1, 2, 12, 3):
        value = 0
        for bit in (int(x) for x in f"110{word:06b}"):
            dev.write("EECD", 0x42 | bit << 2)
            dev.write("EECD", 0x43 | bit << 2)
        for _ in range(16):
            dev.write("EECD", 0x42)
            dev.write("EECD", 0x43)
            value = value << 1 | dev.read("EECD") >> 3 & 1
        dev.write("EECD", 0x40)
        dev.see(f"pins {word}", value)


def phy(dev):
    for reg in range(32):
        dev.write("MDIC", 1 << 21 | reg << 16 | 2 << 26)
        dev.see(f"MDIC {reg}", dev.read("MDIC"))
    dev.write("MDIC", 2 << 21 | 2 << 16 | 2 << 26)
    dev.see("nobody", dev.read("MDIC"))
    for reg in (4, 16, 9, 0):
        dev.write("MDIC", 1 << 21 | reg << 16 | 1 << 26 | 0x0061)
        dev.write("MDIC", 1 << 21 | reg << 16 | 2 << 26)
        dev.see(f"written {reg}", dev.read("MDIC"))
    dev.write("IMS", 0x200)
    dev.write("MDIC", 1 << 21 | 1 << 16 | 2 << 26 | 1 << 29)
    dev.see_line()
    dev.see_registers("ICR")
    dev.write("MDIC", 1 << 21 | 0 << 16 | 1 << 26 | 0x9140)
    dev.write("MDIC", 1 << 21 | 0 << 16 | 2 << 26)
    dev.see("reset", dev.read("MDIC"))


def interrupts(dev):
    dev.vm.listen()
    dev.init()
    dev.see_line("line at first")
    dev.see_raised("reached the controller at first")
    dev.write("ICS", 0x84)
    dev.see_line("line masked")
    dev.write("IMS", 4)
    dev.see_line("line")
    dev.see_registers("IMS ICS")
    dev.write("IMC", 4)
    dev.see_line("line masked again")
    dev.write("IMS", 0x80)
    dev.see_line("line again")
    dev.write("ICR", 0x80)
    dev.see_line("line cleared")
    dev.see_registers("ICR ICR IMS")
    dev.write("IMS", 3)
    dev.legacy(frame())
    dev.write("TDT", dev.tail)
    dev.settle()
    dev.see_line("line tx")
    dev.see_registers("ICR")
    dev.see_line("line read")
    dev.see_raised()


def transmit_legacy(dev):
    dev.init()
    for length in (60, 61, 64, 1000, 1514):
        dev.legacy(frame(length=length))
    dev.kick()
    dev.legacy(frame(length=30))
    dev.kick("short")
    dev.legacy(frame(length=60), command=EOP | IFCS)
    dev.kick("no report")
    whole = frame(length=600)
    dev.legacy(whole[:100], command=RS)
    dev.legacy(whole[100:101], command=0)
    dev.legacy(whole[101:], command=EOP | RS)
    dev.kick("pieces")
    dev.legacy(packet(100, 17, sums=False), command=EOP | RS | IC, css=34, cso=40)
    dev.kick("checksum")
    dev.legacy(frame(length=1514) + noise(100))
    dev.kick("long")
    dev.legacy(b"")
    dev.legacy(frame(length=70))
    dev.kick("empty")


def transmit_tags(dev):
    dev.init()
    dev.write("VET", 0x8100)
    dev.legacy(frame(length=80), command=EOP | RS | VLE, special=0x6123)
    dev.kick("off")
    dev.write("CTRL", dev.read("CTRL") | 1 << 30)
    dev.legacy(frame(length=80), command=EOP | RS | VLE, special=0x6123)
    dev.legacy(frame(length=80), command=EOP | RS, special=0x6123)
    dev.data(frame(length=80), command=EOP | RS | VLE, special=0x0fff)
    dev.kick("on")


def transmit_data(dev):
    dev.init(16)
    for v6 in (False, True):
        start = 54 if v6 else 34
        for proto, put in ((6, 16), (17, 6)):
            dev.context(l4=(start, start + put, 0), command=DEXT)
            dev.data(packet(100, proto, sums=False, pseudo=True, v6=v6), options=2 if v6 else 3)
            dev.kick(f"{'v6' if v6 else 'v4'} {proto}")
    whole = packet(1000, 6, sums=False, pseudo=True)
    dev.context()
    dev.data(whole[:14], command=0, options=3)
    dev.data(whole[14:54], command=0)
    dev.data(whole[54:], command=EOP | RS)
    dev.kick("pieces")
    dev.data(whole, options=2)
    dev.kick("l4 only, same context")
    dev.data(whole, options=0)
    dev.kick("nothing asked")


def segments(dev):
    """TCP cut by the card: lengths around multiples, headers apart from the data, tags."""
    dev.init(16)
    for v6 in (False, True):
        start = 54 if v6 else 34
        for payload in (999, 1000, 1001, 3000, 5500):
            whole = packet(payload, 6, sums=False, pseudo=True, v6=v6, flags=0x19)
            head = len(whole) - payload
            # the driver leaves out the length in the sum of the pseudo-header
            length = 20 + payload
            value = struct.unpack(">H", whole[start + 16:start + 18])[0] - length
            value = (value & 0xffff) + (value >> 16)
            whole = whole[:start + 16] + struct.pack(">H", value & 0xffff) + whole[start + 18:]
            dev.context((14, 24, 0 if v6 else 33), (start, start + 16, 0), payload,
                        DEXT | 1 | (0 if v6 else 2) | TSE, head, 1000)
            dev.data(whole[:head], TSE, 2 if v6 else 3)
            dev.data(whole[head:], EOP | RS | TSE, 2 if v6 else 3)
            dev.kick(f"v{6 if v6 else 4} {payload}")
    dev.see_registers("TSCTC GPTC TPT")


def wrap(dev):
    """Round and round in both rings."""
    dev.init()
    dev.room(7)
    for i in range(20):
        dev.legacy(frame(length=60 + i, seed=i))
        dev.kick(f"tx {i}")
        dev.offer(to_us(60 + i, seed=i))
        dev.look(f"rx {i}")
        dev.room(1)


def receive(dev):
    dev.init()
    dev.room(7)
    dev.offer(to_us(60), to_us(61), to_us(1514), to_us(300))
    dev.look()
    dev.room(4)
    dev.control(0x8002)  # FCS kept
    dev.offer(to_us(60), to_us(100))
    dev.look("fcs")
    dev.control(0x8002 | 1 << 26 | 3 << 16)  # 256 bytes each
    dev.offer(to_us(700))
    dev.look("small buffers")
    dev.room(4)
    dev.control(0x8022 | 1 << 26 | 1 << 25 | 1 << 16)
    dev.offer(to_us(9000))
    dev.look("jumbo")
    dev.control(0x8002 | 1 << 26)
    dev.offer(to_us(1600))
    dev.look("too long")
    dev.room(5)
    dev.offer(to_us(30))
    dev.look("runt")


def no_room(dev):
    dev.init()
    dev.room(3)
    dev.offer(*(to_us(60, seed=i) for i in range(3)))
    dev.look("all of it")
    dev.offer(to_us(61))
    dev.see_registers("RDH ICR MPC RNBC GPRC", "one more ")


def checksums(dev):
    dev.init(16)
    dev.room(15)
    dev.write("RXCSUM", 0x300)
    for proto in (6, 17):
        for good in (True, False):
            dev.offer(packet(100, proto, good, to=MAC, source=PEER))
            dev.look(f"{proto} {'good' if good else 'bad'}")
    bad = bytearray(packet(100, 6, to=MAC, source=PEER))
    bad[24] ^= 1
    dev.offer(bytes(bad))
    dev.look("bad header")
    dev.offer(packet(100, 6, v6=True, to=MAC, source=PEER))
    dev.look("v6")
    dev.offer(to_us(100))
    dev.look("neither")


def filters(dev):
    dev.init(32)
    dev.room(31)
    frames = {"us": to_us(), "other": frame(OTHER, 60, PEER), "all": frame(ALL, 60, PEER),
              "group": frame(GROUP, 60, PEER), "group2": frame(GROUP2, 60, PEER)}

    def try_all(label, rctl):
        dev.control(rctl | 2 | 1 << 26)
        for name, data in frames.items():
            before = dev.read("RDH")
            dev.offer(data)
            dev.see(f"{label} {name}", (dev.read("RDH") - before) % dev.entries)
        dev.given = dev.read("RDH")
        dev.room(31)
        dev.given = (dev.given) % dev.entries

    try_all("nothing", 0)
    try_all("broadcast", 0x8000)
    try_all("unicast promiscuous", 8)
    try_all("multicast promiscuous", 0x10)
    dev.write("RAL", int.from_bytes(OTHER[:4], "little"), 3)
    dev.write("RAH", int.from_bytes(OTHER[4:], "little") | 1 << 31, 3)
    try_all("second address", 0)
    dev.write("RAH", int.from_bytes(OTHER[4:], "little"), 3)
    try_all("not valid", 0)
    for offset in range(4):
        shift = (4, 3, 2, 0)[offset]
        value = int.from_bytes(GROUP[4:], "little") >> shift & 0xfff
        dev.write("MTA", 1 << (value & 31), value >> 5)
        try_all(f"hash {offset}", offset << 12)
        dev.write("MTA", 0, value >> 5)


def tags(dev):
    dev.init(32)
    dev.room(31)
    dev.write("VET", 0x8100)
    dev.offer(tagged(to_us(), 0x2064))
    dev.look("kept")
    dev.write("CTRL", dev.read("CTRL") | 1 << 30)
    dev.offer(tagged(to_us(), 0x2064), to_us())
    dev.look("removed")
    dev.control(0x8002 | 1 << 26 | 1 << 18)
    dev.offer(tagged(to_us(), 0x2064), to_us())
    dev.look("refused")
    dev.write("VFTA", 1 << (0x64 & 31), 0x64 >> 5)
    dev.offer(tagged(to_us(), 0x2064), tagged(to_us(), 0x2065), to_us())
    dev.look("member")


def loopback(dev):
    dev.init()
    dev.room(7)
    dev.control(0x8002 | 1 << 26 | 3 << 6)
    dev.write("MDIC", 1 << 21 | 0 << 16 | 1 << 26 | 0x4140)
    dev.legacy(frame(MAC, 100, MAC))
    dev.kick()
    dev.look()


def resets(dev):
    """In the middle of things."""
    dev.init()
    dev.room(7)
    dev.legacy(frame())
    dev.write("TDT", dev.tail)
    dev.offer(to_us())
    dev.write("IMS", 0x80)
    dev.see_line("line before")
    dev.write("MTA", 0x1234, 5)
    dev.write("CTRL", dev.read("CTRL") | 1 << 26)
    dev.see_line("after line")
    dev.see_registers("CTRL STATUS ICR IMS RCTL TCTL TDH TDT RDH RDT TDLEN RDLEN TDBAL RDBAL RAL RAH GPTC VET", "after ")
    dev.init()
    dev.room(7)
    dev.legacy(frame(length=77))
    dev.kick("then")
    dev.offer(to_us(77))
    dev.look("then")


SCRIPTS = (config, reset, masks, statistics, eeprom, phy, interrupts, transmit_legacy, transmit_tags,
           transmit_data, segments, wrap, receive, no_room, checksums, filters, tags, loopback, resets)
