# SPDX-License-Identifier: Apache-2.0
"""Guest memory that is not what it seems, with a real card behind the server."""

import json
import os
import struct

from lablib.netns import Netns
from lablib.program import Card
from machines import HOST
from wire_client import RAM, Client, memory

TCTL, TDBAL, TDLEN, TDH, TDT = 0x400, 0x3800, 0x3808, 0x3810, 0x3818
RING, FRAME = 0x1000, RAM // 2
END_WITH_REPORT = 0x0b  # of a legacy descriptor: last, checksum, status wanted


def transmit(client, ram, length):
    """One frame from the end of memory, by a driver of a few lines."""
    os.pwrite(ram, struct.pack("<QHBBBBH", FRAME, length, 0, END_WITH_REPORT, 0, 0, 0), RING)
    client.decode()
    for register, value in ((TDBAL, RING), (TDLEN, 128), (TCTL, 2), (TDT, 1)):
        client.write(0, register, struct.pack("<I", value))
    return client.read(0, TDH, 4)


def counts(card):
    return json.loads(card.ctl("stats", "--json"))["stats"]


def test_frames_from_memory_that_is_gone():
    with Netns() as net:
        net.tap("tap0", f"{HOST}/24")
        with Card("e1000", net="tap,ifname=tap0", netns=net) as card:
            for turn in (1, 2):
                ram = memory()
                with Client(card.socket) as client:
                    assert client.map(0, RAM, ram) == 0
                    os.ftruncate(ram, FRAME)
                    assert transmit(client, ram, 1000) == struct.pack("<I", 1)
                got = counts(card)
                assert got["client"]["memory_faults"] == turn and got["host"]["tx_frames"] == turn, got
            assert card.output().count("is gone") == 2, card.output()
