# SPDX-License-Identifier: Apache-2.0
"""The card from cards/virtio-net: its line, its filters, and drivers that take less of it."""

import os
import tempfile
import time

from machines import HOST, complaints, echo, machine, received, up

SIDE_BY_SIDE = True
PEER = ["python3", os.path.join(os.path.dirname(__file__), "vlan_peer.py"), "tap0"]
MODULES = "virtio_net,8021q,af_packet"
CSUM, GUEST_CSUM, MAC, GUEST_TSO4, HOST_TSO4, MRG_RXBUF, STATUS, INDIRECT = 0, 1, 5, 7, 11, 15, 16, 28
# offered instead; GUEST_TSO4, which makes the driver's buffers chains of pages, the card itself does not
LESS = {"least": [MAC],
        "small": [MAC, STATUS, CSUM, GUEST_CSUM, HOST_TSO4],
        "chains": [MAC, STATUS, CSUM, GUEST_CSUM, HOST_TSO4, GUEST_TSO4],
        "tables": [MAC, STATUS, CSUM, GUEST_CSUM, HOST_TSO4, GUEST_TSO4, INDIRECT],
        "merged": [MAC, STATUS, CSUM, GUEST_CSUM, HOST_TSO4, MRG_RXBUF]}


def quiet(net, vm):
    vm.check("echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6")
    net.check("sysctl -qw net.ipv6.conf.tap0.disable_ipv6=1")


def arrived(vm, action):
    """Frames the guest got while ACTION ran."""
    before = received(vm)
    action()
    time.sleep(0.3)
    return received(vm) - before


def test_line_and_vlans():
    """Without messages, ISR says what it was; a VLAN is heard while the driver wants it."""
    with machine("virtio-net", modules=MODULES, append="pci=nomsi") as (net, _, vm):
        assert "MSI" not in vm.check("grep virtio0 /proc/interrupts")
        quiet(net, vm)
        echo(net, vm, HOST, kib=4 << 10)
        net.start([*PEER, "answer", "5", "10.9.5.1"])
        vm.check("ip link add link eth0 name v5 type vlan id 5; ip addr add 10.9.5.2/24 dev v5; "
                 "ip link set v5 up; ping -c 2 -w 20 -s 1472 10.9.5.1", 30)
        mac = vm.check("cat /sys/class/net/eth0/address").strip()
        assert arrived(vm, lambda: net.check([*PEER, "send", "6", mac])) <= 2
        assert arrived(vm, lambda: net.check([*PEER, "send", "5", mac])) >= 50
        vm.check("ip link del v5")
        assert arrived(vm, lambda: net.check([*PEER, "send", "5", mac])) <= 2
        vm.check("ip link set eth0 address 02:00:00:00:00:55")
        up(vm)
        assert not complaints(vm, "virtio_net"), complaints(vm, "virtio_net")


def card_with(folder, name, bits):
    os.makedirs(f"{folder}/{name}")
    fields = "".join(f'<field name="F{bit}" bits="{bit}" reset="1"/>' for bit in bits)
    with open(f"{folder}/{name}/card.xml", "w", encoding="utf-8") as out:
        out.write(f'<card name="{name}" title="{name}" extends="virtio-net"><bank name="inside">'
                  f'<register name="DEVICE_FEATURES" at="0" access="ro">{fields}</register>'
                  '</bank></card>')


def less(name):
    with tempfile.TemporaryDirectory() as folder:
        card_with(folder, name, LESS[name])
        with machine(name, arguments=["--cards", folder], modules=MODULES) as (net, _, vm):
            quiet(net, vm)
            got = vm.check("cat /sys/class/net/eth0/device/features").strip()
            assert [bit for bit in range(32) if got[bit] == "1"] == sorted(LESS[name]), got
            echo(net, vm, HOST, kib=2 << 10)
            vm.check("for i in 1 2 3; do ip link set eth0 down; ip link set eth0 up; done")
            up(vm)
            for size in (18, 600, 1472):
                net.check(f"ping -q -i 0.004 -c 50 -w 20 -s {size} 10.9.0.2")
            assert not complaints(vm, "virtio_net"), complaints(vm, "virtio_net")


def test_the_least():
    less("least")


def test_small_buffers():
    less("small")


def test_buffers_that_are_chains():
    less("chains")


def test_buffers_in_tables_of_their_own():
    less("tables")


def test_merged_buffers_only():
    less("merged")


def test_memory_by_messages():
    with machine("virtio-net", modules=MODULES, shared=False) as (net, _, vm):
        echo(net, vm, HOST, kib=4 << 10)
        assert not complaints(vm, "virtio_net"), complaints(vm, "virtio_net")
