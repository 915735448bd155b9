# SPDX-License-Identifier: Apache-2.0
"""The host's side: the user network, captures, the control socket, exec."""

import json
import os
import shlex
import socket
import struct
import subprocess
import tempfile
import time

from lablib import build, guest
from lablib.program import ANYNIC, Card
from machines import HOST, machine

SIDE_BY_SIDE = True


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def test_user_network():
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "boot.txt"), "w") as out:
            out.write("by tftp\n")
        spec = f"user,hostfwd=tcp:127.0.0.1:{port}-:80,tftp={folder},bootfile=boot.txt"
        with Card("e1000", net=spec) as card, \
                guest.Guest(build.prepare(), [card.socket]) as vm:
            vm.check("ip link set eth0 up; udhcpc -q -i eth0 -s /etc/dhcp", 30)
            assert " 10.0.2.15/24" in vm.check("ip addr show eth0")
            vm.check("tftp -g -r boot.txt -l /tmp/boot 10.0.2.2; grep -q 'by tftp' /tmp/boot", 30)
            with socket.create_server(("127.0.0.1", 0)) as server:
                back = vm.start(f"nc 10.0.2.2 {server.getsockname()[1]}")
                link, _ = server.accept()
                link.sendall(b"hello" * 100000)
                link.close()
                status, text = vm.wait(back)
                assert text == "hello" * 100000, len(text)
            answer = vm.start("echo from the guest | nc -l -p 80")
            assert fetch(port) == b"from the guest\n"
            vm.wait(answer)


def test_forwarded_to_a_guest_that_has_said_nothing():
    """libslirp asks for its address first, and the datagram follows the answer."""
    port = free_port()
    with Card("e1000", net=f"user,hostfwd=udp:127.0.0.1:{port}-10.0.2.15:9") as card, \
            guest.Guest(build.prepare(), [card.socket]) as vm, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        vm.check("echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; "
                 "ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up; sleep 2")
        link.sendto(b"hello", ("127.0.0.1", port))
        vm.check("until [ $(awk '/^Udp: [0-9]/ { print $3 }' /proc/net/snmp) -ge 1 ]; do "
                 "sleep 0.1; done", 10)


def fetch(port, seconds=20):
    """What the forwarded port says; the guest's listener may take a while."""
    deadline = time.monotonic() + seconds
    data = b""
    while not data and time.monotonic() < deadline:
        time.sleep(0.2)
        with socket.create_connection(("127.0.0.1", port), 5) as link:
            try:
                data = link.recv(1000)
            except OSError:
                pass
    return data


def test_a_capture_holds_the_frames():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "frames.pcap")
        with machine(arguments=["--capture", path]) as (net, card, vm):
            vm.check(f"ping -c 5 -w 20 -p a5 {HOST}", 30)
        echoes = [frame for frame in frames_of(path) if frame[12:14] == b"\x08\x00"
                  and frame[23] == 1 and b"\xa5" * 16 in frame]
        kinds = [frame[34] for frame in echoes]
        assert kinds.count(8) >= 5 and kinds.count(0) >= 5, kinds


def frames_of(path):
    with open(path, "rb") as file:
        data = file.read()
    assert data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"), data[:4]
    at, frames = 24, []
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return frames


def test_control_socket():
    with machine() as (net, card, vm):
        nic = json.loads(card.ctl("list", "--json"))["nics"][0]
        assert nic["card"] == "e1000" and nic["identity"] == "8086:100e" and nic["link"], nic
        assert nic["mac"] in vm.check("cat /sys/class/net/eth0/address")
        before = json.loads(card.ctl("stats", "--json"))["stats"]
        vm.check(f"ping -q -c 20 -A -w 20 {HOST}")
        after = json.loads(card.ctl("stats", "--json"))["stats"]
        for side, count in (("guest", "tx_frames"), ("host", "rx_frames")):
            assert after[side][count] - before[side][count] >= 20, (side, count)
        assert after["client"]["errors"] == 0, after["client"]
        for words in (["link", "nic9", "up"], ["link", "nic0", "sideways"], ["no-such"]):
            try:
                card.ctl(*words)
            except OSError:
                continue
            raise AssertionError(f"ctl {words} was accepted")


def test_exec_runs_the_vm_and_ends_with_it():
    prefix = [ANYNIC, "exec", "e1000", "--net", "user", "--"]
    with guest.Guest(build.prepare(), prefix=prefix, shared=False) as vm:
        vm.check("ip link set eth0 up; udhcpc -q -i eth0 -s /etc/dhcp", 30)
        assert "driver: e1000" in vm.check("ethtool -i eth0")
        vm.qmp("quit")
        assert vm.process.wait(10) == 0, vm.qemu_log()


def test_exec_tells_what_it_cannot_run():
    done = subprocess.run([ANYNIC, "exec", "e1000", "--", "/no/such/qemu"], capture_output=True,
                          text=True, timeout=20)
    assert done.returncode == 127 and "/no/such/qemu" in done.stderr, done


def test_the_arguments_that_run_prints_are_what_qemu_wants():
    with Card("e1000", net="user") as card:
        told = card.output().split("\n", 1)[1]
        words = shlex.split(told.replace("\\\n", " ").replace("SIZE", "512M"))
        with guest.Guest(build.prepare(), shared=False, arguments=words) as vm:
            vm.check("ip link set eth0 up; udhcpc -q -i eth0 -s /etc/dhcp", 30)
            assert "driver: e1000" in vm.check("ethtool -i eth0")
            assert json.loads(card.ctl("stats", "--json"))["stats"]["client"]["dma_reads"] < 20, \
                "memory is shared"
