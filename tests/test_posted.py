# SPDX-License-Identifier: Apache-2.0
"""Writes that nobody waits for, on their way while the card works."""

import os
import struct

from lablib.program import Card
from wire_client import NO_REPLY, RAM, REGION_READ, REGION_WRITE, Client, fired, memory

SIDE_BY_SIDE = True
# of cards/rtl8169, whose driver acknowledges and then looks at its rings
BAR, TNPDS, CR, TPPOLL, IMR, ISR = 1, 0x20, 0x37, 0x38, 0x3c, 0x3e
TOK, TDU, NPQ, TE = 0x04, 0x80, 0x40, 4
OWN_LAST_FIRST = 0xb0000000
RING, FRAME, SLOTS = 0x1000, RAM // 2, 8


class Driver:
    """One frame in each of a few slots; gives them to the card one by one."""

    def __init__(self, client, line):
        self.client, self.line, self.ram, self.sent = client, line, memory(), 0
        assert client.map(0, RAM, self.ram) == 0
        assert client.irqs(0, 0x24, 0, 1, [line]) == 0
        client.decode()
        client.write(BAR, TNPDS, struct.pack("<Q", RING))
        client.write(BAR, CR, bytes([TE]))
        client.write(BAR, IMR, struct.pack("<H", TOK))

    def queue(self):
        os.pwrite(self.ram, struct.pack("<IIQ", OWN_LAST_FIRST | 60, 0, FRAME),
                  RING + 16 * self.sent)
        self.sent += 1

    def posted(self, *writes, read=None):
        """All that is in one piece on its way, perhaps with a read behind it."""
        data = b""
        for offset, value in writes:
            payload = struct.pack("<QII", offset, BAR, len(value)) + value
            data += self.client.message(REGION_WRITE, payload, NO_REPLY)
        if read is not None:
            data += self.client.message(REGION_READ, struct.pack("<QII", read, BAR, 2))
        self.client.send(data)
        return self.client.reply(REGION_READ) if read is not None else None

    def causes(self):
        return struct.unpack("<H", self.client.read(BAR, ISR, 2))[0]

    def interrupted(self, wait=1.0):
        """The line rose; it may again."""
        rose = fired(self.line, wait)
        assert self.client.irqs(0, 0x11, 0, 1) == 0
        return rose


KICK, ACKNOWLEDGE = (TPPOLL, bytes([NPQ])), (ISR, b"\xff\xff")


def test_a_cause_is_not_lost_to_an_older_acknowledgement():
    line = os.eventfd(0)
    with Card("rtl8169", net="null") as card, Client(card.socket) as client:
        driver = Driver(client, line)
        for _ in range(SLOTS):
            driver.queue()
            # the driver has looked at its ring before a frame went out
            driver.posted(KICK, ACKNOWLEDGE)
            assert driver.interrupted(), "nobody tells that it did"
            assert driver.causes() & TOK
            driver.posted(ACKNOWLEDGE)
            assert not driver.causes() & TOK
            driver.interrupted(0)  # one for each time that it was raised
            assert not driver.interrupted(0.02), "told for ever"


def test_a_cause_is_not_lost_to_a_read_that_comes_too_late():
    line = os.eventfd(0)
    with Card("rtl8169", net="null") as card, Client(card.socket) as client:
        driver = Driver(client, line)
        for _ in range(SLOTS):
            driver.queue()
            driver.posted(KICK, ACKNOWLEDGE, read=ISR)
            assert driver.interrupted()
            assert driver.causes() & TOK
            driver.posted(ACKNOWLEDGE)


def test_a_cause_that_was_read_is_acknowledged_for_good():
    line = os.eventfd(0)
    with Card("rtl8169", net="null") as card, Client(card.socket) as client:
        driver = Driver(client, line)
        for _ in range(SLOTS):
            driver.queue()
            driver.posted(KICK)
            assert driver.causes() & TOK
            driver.posted(ACKNOWLEDGE)
            assert not driver.causes() & TOK
            fired(line, 0)  # the one before it was read
            assert not driver.interrupted(0.02)
