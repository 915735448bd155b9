# SPDX-License-Identifier: Apache-2.0
"""Cards that come and go while their process and their VM run."""

import contextlib
import json
import os
import re
import socket
import time

from hosts import Host
from lablib import build, guest
from lablib.program import ROOT, resident
from wire_client import CONFIG, Client

SIDE_BY_SIDE = True


class Control:
    """One connection for many requests."""

    def __init__(self, path):
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(20)
        self.link.connect(path)
        self.lines = self.link.makefile()

    def __call__(self, command, **request):
        self.link.sendall(json.dumps({"command": command, **request}).encode() + b"\n")
        answer = json.loads(self.lines.readline())
        assert answer["ok"], answer
        return answer

    def close(self):
        self.lines.close()
        self.link.close()


# so that what is freed is not counted as kept for the next one
EXACT = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}


def used(host, control):
    """Bytes that are allocated, KiB that are resident, and descriptors of the process."""
    pid = host.process.pid
    stats = next(iter(control("stats", each=True)["stats"].values()))
    return stats["server"]["memory"], resident(pid), len(os.listdir(f"/proc/{pid}/fd"))


def stays(sizes, more=4096):
    """From the first quarter on. What is allocated does so to the byte, or nearly: a loop's lists
    may grow once. What is resident has the allocator's pieces for each thread besides, which
    depend on who ran beside whom."""
    memory, pages, descriptors = zip(*sizes)
    assert memory[-1] <= memory[len(memory) // 4] + more, memory
    assert pages[-1] <= pages[len(pages) // 4] + 4096, pages
    assert len(set(descriptors)) == 1, descriptors


def test_a_thousand_times_by_a_client():
    with Host(["e1000,net=lan"], ["lan=switch"], environment=EXACT) as host, \
            contextlib.closing(Control(host.control)) as control:
        path = f"{host.folder}/new.sock"
        sizes = []
        for i in range(1000):
            card = ("e1000-82545em", "rtl8139", "pcnet")[i % 3]
            control("add", nic=f"{card},socket={path},net=lan,name=new")
            with Client(path) as client:
                assert client.read(CONFIG, 0, 2) in (b"\x86\x80", b"\xec\x10", b"\x22\x10")
                client.write(CONFIG, 4, b"\x07\x00")
                if i % 2:  # pulled out under its client
                    control("remove", nic="new")
            if not i % 2:
                control("remove", nic="new")
            assert not os.path.exists(path)
            if i % 50 == 49:
                sizes.append(used(host, control))
        stays(sizes)
        assert [nic["name"] for nic in control("list")["nics"]] == ["nic0"]


def test_nobody_waits_for_a_description():
    """One that is read slowly, here from a pipe, is waited for by who wants it."""
    with Host(["e1000"]) as host, Client(host.sockets[0]) as client, \
            contextlib.closing(Control(host.control)) as control:
        slow = f"{host.folder}/slow.xml"
        os.mkfifo(slow)
        link = socket.socket(socket.AF_UNIX)
        link.connect(host.control)
        link.sendall(json.dumps({"command": "add", "nic": f"{slow},socket={slow}.sock"}).encode()
                     + b'\n{"command":"list"}\n')
        worst = 0
        for _ in range(50):
            begin = time.monotonic()
            assert client.read(CONFIG, 0, 2) == b"\x86\x80"
            assert len(control("list")["nics"]) == 1
            worst = max(worst, time.monotonic() - begin)
            time.sleep(0.01)
        assert worst < 0.5, worst
        with open(f"{ROOT}/cards/rtl8139/card.xml", "rb") as text, open(slow, "wb") as pipe:
            pipe.write(text.read())
        with link, link.makefile() as lines:
            assert json.loads(lines.readline())["nic"]["card"] == "rtl8139"
            assert len(json.loads(lines.readline())["nics"]) == 2
        # nor does the end of the program, or somebody who has gone meanwhile
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(host.control)
            link.sendall(json.dumps({"command": "add", "nic": f"{slow},socket=x"}).encode() + b"\n")
            time.sleep(0.1)
        assert len(control("list")["nics"]) == 2
        begin = time.monotonic()
        host.process.terminate()
        assert host.process.wait(10) == 0 and time.monotonic() - begin < 1


def test_networks_a_thousand_times():
    with Host(["e1000,net=lan"], ["lan=switch"], environment=EXACT) as host, \
            contextlib.closing(Control(host.control)) as control:
        sizes = []
        for i in range(1000):
            control("add-net", net="other=switch,uplink=null")
            control("attach", nic="nic0", net="other")
            control("attach", nic="nic0", net="lan")
            control("remove-net", net="other")
            if i % 50 == 49:
                sizes.append(used(host, control))
        stays(sizes)


def gone(vm, control, name):
    """QEMU lets go of the card itself after it has forgotten the device."""
    deadline = time.monotonic() + 60
    while any(item["name"] == name for item in vm.qmp("qom-list", path="/machine/peripheral")) or \
            any(nic["client"] for nic in control("list")["nics"] if nic["name"] == name):
        assert time.monotonic() < deadline, "the guest does not let it go"
        time.sleep(0.02)


def complaints(vm):
    """What the kernel says about hot plugging, and about anything that is broken."""
    bad = re.compile(r"warn|error|fail|bug|call trace|timed? ?out|unable|not responding", re.I)
    return [line for line in vm.dmesg().splitlines() if bad.search(line)]


def test_fifty_times_under_a_guest():
    lab = build.prepare()
    with Host(["e1000,net=lan"], ["lan=switch"], environment=EXACT) as host, \
            guest.Guest(lab, [host.sockets[0]], modules="e1000,8139too", memory=256) as vm, \
            contextlib.closing(Control(host.control)) as control:
        vm.check("ip addr add 10.9.1.1/24 dev eth0; ip link set eth0 up")
        before = complaints(vm)
        path = f"{host.folder}/new.sock"
        sizes = []
        for i in range(50):
            control("add", nic=f"rtl8139,socket={path},net=lan,name=new")
            vm.qmp("device_add", driver="vfio-user-pci", id="new",
                   socket={"type": "unix", "path": path})
            vm.check("until [ -e /sys/class/net/eth1 ]; do sleep 0.05; done; "
                     "ip addr add 10.9.2.1/24 dev eth1; ip link set eth1 up", 60)
            if i % 10 == 0:  # frames are on their way when it goes
                vm.check("arping -c 1 -w 1 -I eth1 10.9.2.9 >/dev/null; exit 0", 20)
            vm.qmp("device_del", id="new")
            gone(vm, control, "new")
            control("remove", nic="new")
            sizes.append(used(host, control))
        stays(sizes[5:])
        assert complaints(vm) == before, complaints(vm)
        assert vm.check("ls /sys/class/net").split() == ["eth0", "lo"]
