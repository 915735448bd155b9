# SPDX-License-Identifier: Apache-2.0
"""Which frames reach the guest: VLAN, multicast, promiscuous, all-multicast."""

import contextlib
import os
import time

from machines import HOST, machine, received

SIDE_BY_SIDE = True


def send_group(net, group, count=50):
    """Datagrams to a multicast group, out of tap0."""
    net.check(["python3", "-c", SEND, group, HOST, str(count)])


SEND = """
import socket, sys
link = socket.socket(type=socket.SOCK_DGRAM)
link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(sys.argv[2]))
for _ in range(int(sys.argv[3])):
    link.sendto(b"group", (sys.argv[1], 7000))
"""


def arrived(vm, action):
    """Frames the guest got while ACTION ran."""
    before = received(vm)
    action()
    time.sleep(0.3)
    return received(vm) - before


@contextlib.contextmanager
def quiet(*arguments, **options):
    """As machine(), without the chatter of IPv6 and neighbours."""
    with machine(*arguments, **options) as (net, card, vm):
        vm.check("echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6 2>/dev/null || true")
        mac = vm.check("cat /sys/class/net/eth0/address").strip()
        net.check(["sysctl", "-qw", "net.ipv6.conf.tap0.disable_ipv6=1"])
        net.check(["ip", "neigh", "replace", "10.9.0.2", "lladdr", mac, "dev", "tap0"])
        yield net, card, vm


def test_multicast_join_and_leave():
    with quiet() as (net, card, vm):
        assert arrived(vm, lambda: send_group(net, "239.1.2.3")) <= 2
        vm.check("rr join 239.1.2.3 7000 4 >/tmp/joined 2>&1 & sleep 0.5")
        assert arrived(vm, lambda: send_group(net, "239.1.2.3")) >= 50
        assert arrived(vm, lambda: send_group(net, "239.77.8.9")) <= 2
        assert vm.check("wait; while pidof rr >/dev/null; do sleep 0.1; done; cat /tmp/joined"
                        ) == "datagrams 50\n"
        assert arrived(vm, lambda: send_group(net, "239.1.2.3")) <= 2


def test_more_groups_than_exact_filters():
    with quiet() as (net, card, vm):
        groups = [f"239.1.{k}.{3 * k}" for k in range(1, 41)]
        vm.check("echo 100 >/proc/sys/net/ipv4/igmp_max_memberships; rr join " + ",".join(groups) +
                 " 7000 20 >/tmp/joined 2>&1 & sleep 1")

        def each():
            for group in groups:
                send_group(net, group, 3)
        assert arrived(vm, each) >= 120


def test_all_multicast():
    with quiet() as (net, card, vm):
        vm.check("ifconfig eth0 allmulti")
        assert arrived(vm, lambda: send_group(net, "239.77.8.9")) >= 50
        vm.check("ifconfig eth0 -allmulti")
        assert arrived(vm, lambda: send_group(net, "239.77.8.9")) <= 2


def test_promiscuous():
    with quiet() as (net, card, vm):
        net.check("ip neigh replace 10.9.0.77 lladdr 02:00:00:00:77:77 dev tap0")

        def foreign():
            net.run("ping -q -c 50 -i 0.005 -W 1 10.9.0.77")
        assert arrived(vm, foreign) <= 2
        vm.check("ip link set eth0 promisc on")
        assert arrived(vm, foreign) >= 50
        vm.check("ip link set eth0 promisc off")
        assert arrived(vm, foreign) <= 2


def test_vlan():
    peer = ["python3", os.path.join(os.path.dirname(__file__), "vlan_peer.py"), "tap0"]
    with quiet() as (net, card, vm):
        net.start([*peer, "answer", "5", "10.9.5.1"])
        vm.check("ip link add link eth0 name v5 type vlan id 5; ip addr add 10.9.5.2/24 dev v5; "
                 "ip link set v5 up")
        for features in ("", "rxvlan off txvlan off", "rxvlan on txvlan on"):
            if features:
                vm.check(f"ethtool -K eth0 {features}")
            vm.check("ping -c 2 -w 20 -s 1472 10.9.5.1", 30)
        # a VLAN that the guest has not asked for stays outside its filter
        mac = vm.check("cat /sys/class/net/eth0/address").strip()
        assert arrived(vm, lambda: net.check([*peer, "send", "6", mac])) <= 2
        assert arrived(vm, lambda: net.check([*peer, "send", "5", mac])) >= 50


def test_vlans_in_a_cam():
    """A list of VLANs rather than a table of bits, behind the page of another register."""
    peer = ["python3", os.path.join(os.path.dirname(__file__), "vlan_peer.py"), "tap0"]
    with quiet("vt6122", modules="via-velocity,8021q,af_packet") as (net, card, vm):
        mac = vm.check("cat /sys/class/net/eth0/address").strip()
        net.start([*peer, "answer", "5", "10.9.5.1"])
        for number in (4001, 5, 6):
            vm.check(f"ip link add link eth0 name v{number} type vlan id {number}")
        vm.check("ip addr add 10.9.5.2/24 dev v5; ip link set v5 up; ip link del v6")
        vm.check("ping -c 2 -w 20 -s 1472 10.9.5.1", 30)
        for number, many in ((5, True), (6, False), (4001, True), (4002, False)):
            count = arrived(vm, lambda vlan=number: net.check([*peer, "send", str(vlan), mac]))
            assert (count >= 50) is many, (number, count)
