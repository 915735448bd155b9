# SPDX-License-Identifier: Apache-2.0
"""Linux's own driver in a stock guest, with the card from cards/e1000."""

import signal
import time

from lablib import build, guest
from lablib.netns import Netns
from lablib.program import Card
from machines import GUEST, HOST, echo, machine, received, up, warnings

SIDE_BY_SIDE = True
SELFTEST = ("Register test", "Eeprom test", "Interrupt test", "Loopback test", "Link test")


def test_driver_binds_and_passes_its_selftest():
    selftest("e1000", "100e")


def test_82545em_which_extends_it_does_too():
    selftest("e1000-82545em", "100f")


def selftest(name, device):
    with machine(name) as (_, _, vm):
        assert "driver: e1000" in vm.check("ethtool -i eth0")
        assert device in vm.check("cat /sys/class/net/eth0/device/device")
        status, text = vm.run("ethtool -t eth0 offline", 60)
        for part in SELFTEST:
            line = [line for line in text.splitlines() if line.startswith(part)]
            assert line and line[0].split()[-1] == "0", text
        assert status == 0, text
        vm.check(f"ping -c 1 -w 20 {HOST}", 30)
        assert not warnings(vm), warnings(vm)


def digest_of(vm, command, seconds=60):
    return vm.check(command, seconds).split()[0]


def test_tcp_both_ways_with_the_data_compared():
    with machine() as (net, _, vm):
        echo(net, vm, HOST)


def test_mtu_9000():
    with machine() as (net, _, vm):
        vm.check("ip link set eth0 mtu 9000")
        vm.check(f"ping -c 2 -w 20 -s 8900 {HOST}", 30)
        net.check(f"ping -c 2 -w 20 -M do -s 8900 {GUEST}")


def test_down_and_up_under_traffic():
    with machine() as (net, _, vm):
        flood = net.start(["ping", "-q", "-i", "0.002", GUEST], stdout=-3)
        vm.check("for i in $(seq 50); do ip link set eth0 down; ip link set eth0 up; done", 120)
        flood.kill()
        up(vm)
        assert not warnings(vm), warnings(vm)


def test_unbind_and_bind():
    with machine() as (_, _, vm):
        vm.check("cd /sys/bus/pci/drivers/e1000; slot=$(ls -d 0000*); for i in $(seq 20); do "
                 "echo $slot >unbind; echo $slot >bind; done", 120)
        up(vm)
        assert not warnings(vm), warnings(vm)


def test_guest_without_shared_memory():
    with machine(shared=False) as (_, _, vm):
        vm.check("dd if=/dev/urandom of=/tmp/data bs=64k count=4 2>/dev/null")
        vm.check(f"ping -c 3 -w 20 -s 1400 {HOST}", 30)


def test_two_guests_after_one_another():
    with Netns() as net:
        net.tap("tap0", f"{HOST}/24")
        with Card("e1000", net="tap,ifname=tap0", netns=net) as card:
            for _ in range(2):
                with guest.Guest(build.prepare(), [card.socket], netns=net.name) as vm:
                    up(vm)


def test_udp_both_ways_with_the_data_compared():
    with machine() as (net, _, vm):
        net.start(["python3", "-c", MIRROR, HOST])
        vm.check("ip link set eth0 mtu 9000")
        text = vm.check(f"rr echo {HOST} 7000 3000", 60)
        assert "datagrams 3000 wrong 0" in text, text
        vm.check("ethtool -K eth0 tx off rx off sg off")
        text = vm.check(f"rr echo {HOST} 7000 1000", 60)
        assert "datagrams 1000 wrong 0" in text, text


MIRROR = """
import socket, sys
link = socket.socket(type=socket.SOCK_DGRAM)
link.bind((sys.argv[1], 7000))
while True:
    link.sendto(*link.recvfrom(65536))
"""


def test_warm_reboot():
    with machine(reboots=True) as (_, card, vm):
        vm.reboot()
        up(vm)
        assert "driver: e1000" in vm.check("ethtool -i eth0")


def test_host_takes_the_link_down_and_up():
    with machine() as (_, card, vm):
        card.ctl("link", "nic0", "down")
        vm.check("until [ $(cat /sys/class/net/eth0/carrier) = 0 ]; do sleep 0.1; done", 20)
        assert vm.run(f"ping -c 1 -w 2 {HOST}")[0] != 0
        card.ctl("link", "nic0", "up")
        vm.check("until [ $(cat /sys/class/net/eth0/carrier) = 1 ]; do sleep 0.1; done", 20)
        vm.check(f"ping -c 1 -w 20 {HOST}", 30)
        vm.check("dmesg | grep 'NIC Link is Down'")
        assert not warnings(vm), warnings(vm)


def test_vmm_killed_under_load_and_a_new_one_served():
    with Netns() as net:
        net.tap("tap0", f"{HOST}/24")
        net.start(["iperf3", "-s"], stdout=-3)
        with Card("e1000", net="tap,ifname=tap0", netns=net) as card:
            for how in (signal.SIGKILL, signal.SIGKILL, None):
                with guest.Guest(build.prepare(), [card.socket], netns=net.name) as vm:
                    up(vm)
                    vm.start(f"iperf3 -c {HOST} -t 30 --bidir")
                    time.sleep(1.5)
                    if how:
                        vm.kill(how)
            assert card.process.poll() is None, card.output()


def test_statistics_agree_with_what_was_sent():
    with machine() as (net, card, vm):
        before = ethtool_counts(vm)
        net.check(f"ping -q -c 200 -i 0.005 -s 1000 {GUEST}")
        after = ethtool_counts(vm)
        got = {name: after[name] - before[name] for name in before}
        # the answers to ARP, and the echoes; sizes with headers and checksum
        # reading the upper half of a byte count clears both: a frame between the reads is lost
        for way in ("rx", "tx"):
            assert 200 <= got[f"{way}_packets"] <= 210, got
            assert 198 * 1046 <= got[f"{way}_bytes"] <= 200 * 1046 + 10 * 100, got
        assert got["rx_crc_errors"] == got["rx_missed_errors"] == 0, got


def ethtool_counts(vm):
    time.sleep(2.5)  # the driver's watchdog collects them
    lines = vm.check("ethtool -S eth0").splitlines()[1:]
    return {key.strip(): int(value) for key, value in (line.split(":") for line in lines)}
