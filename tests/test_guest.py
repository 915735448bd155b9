# SPDX-License-Identifier: Apache-2.0
"""Linux's own driver in a stock guest, with the card from cards/e1000."""

import contextlib
import time

from lablib import build, guest
from lablib.netns import Netns
from lablib.program import Card

HOST, GUEST = "10.9.0.1", "10.9.0.2"
SELFTEST = ("Register test", "Eeprom test", "Interrupt test", "Loopback test", "Link test")


@contextlib.contextmanager
def machine(name="e1000", **options):
    """(namespace, card, guest) with the guest's interface up and answering."""
    with Netns() as net:
        net.tap("tap0", f"{HOST}/24", mtu=9000)
        with Card(name, net="tap,ifname=tap0", netns=net) as card, \
                guest.Guest(build.prepare(), [card.socket], netns=net.name, **options) as vm:
            up(vm)
            yield net, card, vm


def up(vm):
    vm.check(f"ip addr flush dev eth0; ip addr add {GUEST}/24 dev eth0; ip link set eth0 up")
    vm.check(f"ping -c 1 -w 20 {HOST}", 30)


def warnings(vm):
    """Lines of the driver and of its watchdog that a real card would not cause."""
    words = ("Tx Unit Hang", "NETDEV WATCHDOG", "call trace", "error", "failed")
    return [line for line in vm.dmesg().splitlines()
            if "e1000" in line and any(word.lower() in line.lower() for word in words)]


def test_driver_binds_and_passes_its_selftest():
    with machine() as (_, _, vm):
        assert "driver: e1000" in vm.check("ethtool -i eth0")
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
        vm.check("dd if=/dev/urandom of=/tmp/data bs=1M count=24 2>/dev/null")
        want = digest_of(vm, "md5sum /tmp/data")
        server = net.start(["python3", "-c", ECHO, HOST], stdout=-1, text=True)
        time.sleep(0.5)
        vm.check(f"nc {HOST} 7000 </tmp/data >/tmp/back", 60)
        assert server.stdout.readline().split() == ["24", want]
        assert digest_of(vm, "md5sum /tmp/back") == want


# takes all of a connection, prints its megabytes and digest, sends it back
ECHO = """
import hashlib, socket, sys
server = socket.create_server((sys.argv[1], 7000))
link, _ = server.accept()
data = b""
while len(data) < 24 << 20:
    data += link.recv(1 << 20)
print(len(data) >> 20, hashlib.md5(data).hexdigest(), flush=True)
link.sendall(data)
link.shutdown(socket.SHUT_WR)
link.recv(1)
"""


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
