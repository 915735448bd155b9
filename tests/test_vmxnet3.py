# SPDX-License-Identifier: Apache-2.0
"""VMware's driver with the card from cards/vmxnet3: what the parts of every card do not ask."""

import os
import re

from card_parts import MIRROR
from machines import HOST, complaints, echo, machine, received

SIDE_BY_SIDE = True
PEER = ["python3", os.path.join(os.path.dirname(__file__), "vlan_peer.py"), "tap0"]
FLOWS = 16  # at once; which queue each takes is chance


def served(cpus=1, **options):
    return machine("vmxnet3", modules="vmxnet3,8021q,af_packet", for_guest=["-smp", str(cpus)],
                   **options)


def interrupts(vm):
    """How many of each kind there were."""
    lines = vm.check("grep eth0 /proc/interrupts").splitlines()
    return {line.split()[-1]: sum(int(number) for number in re.findall(r"(?<=\s)\d+(?=\s)", line))
            for line in lines}


def test_two_queues():
    """Flows at once over both, each with its data compared."""
    with served(cpus=2) as (net, _, vm):
        net.check("ip link set tap0 mtu 1500")
        net.start(["python3", "-c", MIRROR, HOST])
        vm.check(f"until rr echo {HOST} 7001 1; do sleep 0.1; done >/dev/null")
        for _ in range(8):
            said = vm.check(f"for i in $(seq {FLOWS}); do rr echo {HOST} 7001 100 >/tmp/flow$i & "
                            "done; wait; cat /tmp/flow*", 180)
            assert said.count("datagrams 100 wrong 0") == FLOWS, said
            got = interrupts(vm)
            if min(got["eth0-rxtx-0"], got["eth0-rxtx-1"]) > 20:
                break
        assert min(got["eth0-rxtx-0"], got["eth0-rxtx-1"]) > 20, got
        echo(net, vm, HOST, kib=4 << 10)
        assert not complaints(vm, "vmxnet3")


def test_without_messages():
    with served(append="pci=nomsi") as (net, card, vm):
        assert list(interrupts(vm)) == ["eth0"]
        echo(net, vm, HOST, kib=4 << 10)
        card.ctl("link", "nic0", "down")
        vm.check("for i in $(seq 50); do grep -q 0 /sys/class/net/eth0/carrier && exit; "
                 "sleep 0.1; done; exit 1")


def test_without_shared_memory():
    with served(shared=False) as (net, _, vm):
        echo(net, vm, HOST, kib=1 << 10)
        assert not complaints(vm, "vmxnet3")


def test_vlan():
    with served() as (net, _, vm):
        net.start([*PEER, "answer", "5", "10.9.5.1"])
        vm.check("ip link add link eth0 name v5 type vlan id 5; ip addr add 10.9.5.2/24 dev v5; "
                 "ip link set v5 up")
        for features in ("rxvlan on txvlan on", "rxvlan off txvlan off", "rxvlan on txvlan on"):
            vm.check(f"ethtool -K eth0 {features}; ping -c 2 -w 20 -s 1472 10.9.5.1", 30)
        mac = vm.check("cat /sys/class/net/eth0/address").strip()

        def arrived(tag):
            before = received(vm)
            net.check([*PEER, "send", tag, mac])
            vm.check("sleep 0.5")
            return received(vm) - before
        assert arrived("6") <= 5, "a VLAN that nobody asked for"
        assert arrived("5") >= 50


def test_frames_of_several_buffers():
    """Of every size, so that small ones leave the bodies behind their heads."""
    with served() as (net, _, vm):
        vm.check("ip link set eth0 mtu 9000; sleep 1")
        for size in (8972, 18, 3030, 5000, 700, 8972):
            net.check(f"ping -q -c 20 -i 0.02 -w 20 -M do -s {size} 10.9.0.2")
        echo(net, vm, HOST, kib=4 << 10)
        assert not complaints(vm, "vmxnet3")
