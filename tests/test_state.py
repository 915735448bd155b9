# SPDX-License-Identifier: Apache-2.0
"""A card saved and loaded under a guest that stands still meanwhile."""

import json
import os
import signal
import socket
import struct
import tempfile
import time

from lablib.program import Card
from machines import GUEST, HOST, echo, machine
from test_control import asked
from wire_client import NO_REPLY, Client

SIDE_BY_SIDE = True


def test_saved_and_loaded_under_traffic():
    with tempfile.TemporaryDirectory() as folder, machine() as (net, card, vm):
        flood = net.start(["ping", "-q", "-i", "0.002", GUEST], stdout=-3)
        for turn in range(5):
            vm.qmp("stop")
            path = os.path.join(folder, f"state{turn}")
            card.ctl("save", "nic0", path, "--hold")
            time.sleep(0.05)  # frames come that the guest must not find
            with open(path, encoding="utf-8") as file:
                values = json.load(file)["values"]
            assert values["csr.TDT"] == values["csr.TDH"], (values["csr.TDT"], values["csr.TDH"])
            card.ctl("load", "nic0", path)
            vm.qmp("cont")
            net.check(f"ping -q -c 5 -i 0.05 -w 20 {GUEST}")
        flood.kill()
        echo(net, vm, HOST, kib=4 << 10)
        lines = [line for line in vm.dmesg().splitlines() if "Hang" in line or "WATCHDOG" in line]
        assert not lines, lines


def test_what_a_stopped_guest_wrote_is_saved():
    """Its last writes may not have been read when the command comes."""
    with tempfile.TemporaryDirectory() as folder, Card("e1000", net="null") as card, \
            Client(card.socket) as client, socket.socket(socket.AF_UNIX) as control:
        path = os.path.join(folder, "state")
        control.settimeout(10)
        control.connect(card.control)
        control.sendall(b'{"command":"list"}\n')
        assert b'"ok"' in control.recv(1 << 16)
        client.decode()
        time.sleep(0.05)  # it has nothing to do,
        card.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, card.process.pid, os.WSTOPPED)  # and then finds the command first
        control.sendall(json.dumps({"command": "save", "nic": "nic0", "file": path,
                                    "hold": True}).encode() + b"\n")
        for value in range(16):  # VET
            client.write(0, 0x38, struct.pack("<I", value), NO_REPLY)
        card.process.send_signal(signal.SIGCONT)
        answer = json.loads(control.recv(1 << 16))
        assert answer["ok"], answer
        with open(path, encoding="utf-8") as file:
            assert json.load(file)["values"]["csr.VET"] == "0xf"
        answer = asked(card, command="save", nic="nic0", file=path, hold=1)
        assert not answer["ok"] and "hold" in answer["error"], answer
