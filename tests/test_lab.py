# SPDX-License-Identifier: Apache-2.0
"""The lab itself: what later failures must not be blamed on."""

from lablib import build, guest
from lablib.netns import Netns

SIDE_BY_SIDE = True


def test_guest_reaches_the_host_through_qemus_own_card():
    lab = build.prepare()
    with Netns() as net:
        net.tap("tap0", "10.9.0.1/24")
        arguments = ["-netdev", "tap,id=n,ifname=tap0,script=no,downscript=no"]
        with guest.Guest(lab, devices=["e1000,netdev=n"], arguments=arguments,
                         netns=net.name) as vm:
            vm.check("ip addr add 10.9.0.2/24 dev eth0; ip link set eth0 up")
            vm.check("ping -c 1 -w 10 10.9.0.1")


def test_a_failing_command_and_a_dead_guest_are_told():
    lab = build.prepare()
    with guest.Guest(lab) as vm:
        status, text = vm.run("echo out; exit 3")
        assert (status, text) == (3, "out\n"), (status, text)
        vm.process.kill()
        try:
            vm.run("true")
        except (guest.GuestError, OSError):
            return
        raise AssertionError("a dead guest answered")
