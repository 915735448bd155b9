# SPDX-License-Identifier: Apache-2.0
"""Guest memory that is not what it seems, with a real card behind the server."""

import json
import os
import struct

from lablib.netns import Netns
from lablib.program import Card, resident
from machines import GUEST, HOST, machine, warnings
from wire_client import DMA_WRITE, RAM, Client, Guest, fired, memory

SIDE_BY_SIDE = True
IMS, TCTL, TDBAL, TDLEN, TDH, TDT = 0xd0, 0x400, 0x3800, 0x3808, 0x3810, 0x3818
RING, FRAME = 0x1000, RAM // 2
RSS_KIB = 12288
END_WITH_REPORT = 0x0b  # of a legacy descriptor: last, checksum, status wanted


def transmit(client, ram, length):
    """One frame from the end of memory, by a driver of a few lines."""
    os.pwrite(ram, struct.pack("<QHBBBBH", FRAME, length, 0, END_WITH_REPORT, 0, 0, 0), RING)
    client.decode()
    for register, value in ((TDBAL, RING), (TDLEN, 128), (TCTL, 2), (TDT, 1)):
        client.write(0, register, struct.pack("<I", value))
    return client.read(0, TDH, 4)


def test_interrupt_waits_for_the_data():
    line = os.eventfd(0)
    with Card("e1000", net="null") as card, Client(card.socket) as client:
        assert client.irqs(0, 0x24, 0, 1, [line]) == 0
        assert client.map(0, RAM) == 0
        guest = Guest(client)
        struct.pack_into("<QHBBBBH", guest.ram, RING, FRAME, 1000, 0, END_WITH_REPORT, 0, 0, 0)
        client.decode()
        for register, value in ((IMS, 1), (TDBAL, RING), (TDLEN, 128), (TCTL, 2), (TDT, 1)):
            client.write(0, register, struct.pack("<I", value))
        held = []
        for message in iter(lambda: (guest.messages(0.1) or [None])[0], None):
            if message[1] == DMA_WRITE:
                held.append(message)
                break
            guest.serve(message)
        assert held and fired(line, 0.1) == 0, "the descriptor is not there yet"
        guest.serve(held[0])
        assert fired(line) == 1


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


def traffic(net, vm):
    """Data both ways, compared."""
    server = net.start(["python3", "-c", ECHO, HOST], stdout=-1, text=True)
    vm.check("dd if=/dev/urandom of=/tmp/data bs=64k count=16 2>/dev/null")
    vm.check(f"ping -c 3 -w 20 -s 1400 {HOST}", 30)
    assert server.stdout.readline() == "listening\n"
    vm.check(f"nc {HOST} 7000 </tmp/data >/tmp/back && cmp /tmp/data /tmp/back", 60)
    assert not warnings(vm), warnings(vm)


ECHO = """
import socket, sys
server = socket.create_server((sys.argv[1], 7000))
print("listening", flush=True)
link, _ = server.accept()
data = b""
while len(data) < 1 << 20:
    data += link.recv(1 << 20)
link.sendall(data)
link.shutdown(socket.SHUT_WR)
link.recv(1)
"""


def test_guest_whose_memory_only_looks_shared():
    with machine(shared="off") as (net, card, vm):
        traffic(net, vm)
        net.check(f"ping -c 3 -w 20 -s 1400 {GUEST}")
        assert card.output().count("not shared (share=on?)") == 1, card.output()
        assert counts(card)["client"]["dma_reads"] > 500, counts(card)


def test_guest_whose_memory_is_shared():
    with machine(shared=True) as (net, card, vm):
        traffic(net, vm)
        got = counts(card)["client"]
        assert 0 < got["dma_reads"] <= 64 and got["dma_writes"] <= 128, got
        assert resident(card.process.pid) <= RSS_KIB, "after traffic too"
        assert "not shared" not in card.output() and got["memory_faults"] == 0, card.output()
