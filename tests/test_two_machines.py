# SPDX-License-Identifier: Apache-2.0
"""Machines of two kinds in one process: an x86 guest and an aarch64 guest on one network."""

import contextlib
import os
import re

from hosts import Host
from lablib import build, guest
from lablib.program import ANYNIC
from machines import GUEST, HOST, complaints, transfer

SIDE_BY_SIDE = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ARM = "6.12-arm64"
X86 = {"e1000": "6.12", "ena": "6.12-cloud"}  # Debian's kernels have one or the other


def pair(x86_card, arm_card):
    """A card each, joined; what one sends the other gets, both ways."""
    with Host([f"{x86_card},net=lan", f"{arm_card},net=lan"], ["lan=switch"]) as host, \
            contextlib.ExitStack() as guests:
        x86, arm = (guest.Guest(build.prepare(version=version), [path],
                                modules=f"{card},af_packet", memory=256)
                    for version, card, path in ((X86[x86_card], x86_card, host.sockets[0]),
                                                (ARM, arm_card, host.sockets[1])))
        for vm, card, machine, address in zip((x86, arm), (x86_card, arm_card),
                                              ("x86_64", "aarch64"), (HOST, GUEST)):
            guests.enter_context(vm)
            assert vm.check("uname -m").strip() == machine
            assert f"driver: {card}\n" in vm.check("ethtool -i eth0")
            vm.check(f"ip addr add {address}/24 dev eth0; ip link set eth0 up")
        x86.check(f"for i in $(seq 20); do ping -c 1 -W 2 {GUEST} && exit; done; exit 1", 60)
        arm.check(f"ping -q -c 5 -w 30 -s 1400 {HOST}", 40)
        transfer(x86, arm, GUEST)
        transfer(arm, x86, HOST)
        lan = host.ctl("list")["nets"][0]
        assert lan["addresses"] == 2, lan
        for vm, card in ((x86, x86_card), (arm, arm_card)):
            assert not complaints(vm, card), complaints(vm, card)


def test_e1000_in_x86_and_ena_in_aarch64():
    pair("e1000", "ena")


def test_ena_in_x86_and_e1000_in_aarch64():
    pair("ena", "e1000")


# what else Debian's arm64 kernel has a driver for
OTHERS = {"e1000-82545em": "e1000", "rtl8168": "r8169", "rtl8139cp": "8139cp", "rtl8139": "8139too",
          "natsemi": "natsemi", "tulip": "tulip", "pcnet": "pcnet32", "i82559": "e100",
          "3c905c": "3c59x", "ne2000": "ne2k-pci", "virtio-net": "virtio_net",
          "vt6122": "via-velocity"}


def test_other_cards_in_aarch64():
    """One guest with a card of each family: registers in both its windows of PCI memory and in
    its window of ports, lines and messages through its own controller."""
    with Host([f"{card},name={card}" for card in OTHERS]) as host, \
            guest.Guest(build.prepare(version=ARM), host.sockets,
                        modules=",".join(["af_packet", *OTHERS.values()])) as vm:
        names = {vm.check(f"cat /sys/class/net/{eth}/address").strip(): eth
                 for eth in vm.check("ls /sys/class/net").split()}
        for nic in host.ctl("list")["nics"]:
            eth = names[nic["mac"]]
            assert f"driver: {OTHERS[nic['name']]}\n" in vm.check(f"ethtool -i {eth}")
            vm.check(f"ip link set {eth} up; udhcpc -q -i {eth} -s /etc/dhcp; "
                     f"ping -c 5 -i 0.1 -w 20 -s 1400 10.0.2.2; s=$?; ip link set {eth} down; "
                     "exit $s", 60)
        assert "Call Trace" not in vm.dmesg()


def test_documented_command_for_aarch64():
    with open(f"{ROOT}/docs/vmms.md", encoding="utf-8") as file:
        words, machine, cpu = re.search(
            r"^anynic (exec .* --) qemu-system-aarch64 -machine (\S+) -cpu (\S+) -m 512M$",
            file.read(), re.M).groups()
    with guest.Guest(build.prepare(version=ARM), prefix=[ANYNIC, *words.split()], shared=False,
                     machine=machine, cpu_model=cpu, modules="ena,af_packet") as vm:
        vm.check("ip link set eth0 up; udhcpc -q -i eth0 -s /etc/dhcp", 30)
        assert "driver: ena\n" in vm.check("ethtool -i eth0")
        assert "ITS-PCI-MSIX" in vm.check("cat /proc/interrupts")
        vm.qmp("quit")
        assert vm.process.wait(10) == 0, vm.qemu_log()
