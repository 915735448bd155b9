# SPDX-License-Identifier: Apache-2.0
"""A guest with a card on a tap, as most guest tests want it."""

import contextlib

from lablib import build, guest
from lablib.netns import Netns
from lablib.program import Card

HOST, GUEST = "10.9.0.1", "10.9.0.2"


@contextlib.contextmanager
def machine(name="e1000", arguments=(), **options):
    """(namespace, card, guest) with the guest's interface up and answering."""
    with Netns() as net:
        net.tap("tap0", f"{HOST}/24", mtu=9000)
        with Card(name, net="tap,ifname=tap0", netns=net, arguments=arguments) as card, \
                guest.Guest(build.prepare(), [card.socket], netns=net.name, **options) as vm:
            up(vm)
            yield net, card, vm


def up(vm):
    """Asked again where the answer was lost: the guest's ping keeps a dozen ICMP messages
    that it has not read, so a flood of the host's that ends here may push the answer out."""
    vm.check(f"ip addr flush dev eth0; ip addr add {GUEST}/24 dev eth0; ip link set eth0 up")
    vm.check(f"for i in $(seq 10); do ping -c 1 -W 2 {HOST} && exit; done; exit 1", 40)


def received(vm, name="rx_packets"):
    return int(vm.check(f"cat /sys/class/net/eth0/statistics/{name}"))


def warnings(vm):
    """Lines of the driver and of its watchdog that a real card would not cause."""
    words = ("Tx Unit Hang", "NETDEV WATCHDOG", "call trace", "error", "failed")
    return [line for line in vm.dmesg().splitlines()
            if "e1000" in line and any(word.lower() in line.lower() for word in words)]
