# SPDX-License-Identifier: Apache-2.0
"""Amazon's driver in Debian's cloud kernels, with the card from cards/ena."""

import re
import time

from hosts import Host
from lablib import build, guest
from lablib.netns import Netns
from lablib.program import Card
from machines import GUEST, HOST, echo, machine, transfer, up

SIDE_BY_SIDE = True
CLOUD, SECOND = "6.12-cloud", "6.1-cloud"
MINUTES = 2  # without a word of the driver's


def cloud(kernel=CLOUD, cpus=2, **options):
    return machine("ena", kernel=kernel, modules="ena,af_packet",
                   for_guest=["-smp", str(cpus)], **options)


def complaints(vm):
    """What the driver says when something is late, lost or refused."""
    bad = re.compile(r"NETDEV WATCHDOG|Call Trace|watchdog|timeout|lost|fail|error|reset|"
                     r"didn't|Cannot|Invalid|Potential", re.I)
    return [line for line in vm.dmesg().splitlines() if "ena " in line and bad.search(line)]


def counts(vm):
    lines = vm.check("ethtool -S eth0").splitlines()[1:]
    return {key.strip(): int(value) for key, value in (line.rsplit(":", 1) for line in lines)}


def quiet(vm):
    """Nothing was reset, timed out, or came back wrong."""
    assert not complaints(vm), complaints(vm)
    got = counts(vm)
    for name, value in got.items():
        if re.search(r"timeout|wd_expired|reset_fail|admin_q_pause|csum_bad|bad_req_id|"
                     r"bad_desc_num|missed_tx|no_completion|dma_mapping_err", name):
            assert value == 0, (name, value)


# sends back every datagram
MIRROR = """
import socket, sys
link = socket.socket(type=socket.SOCK_DGRAM)
link.bind((sys.argv[1], 7000))
print("here", flush=True)
while True:
    link.sendto(*link.recvfrom(65536))
"""


def reflect(net):
    mirror = net.start(["python3", "-c", MIRROR, HOST], stdout=-1, text=True)
    assert mirror.stdout.readline() == "here\n"


def everything(kernel):
    with cloud(kernel) as (net, card, vm):
        said = vm.check("ethtool -i eth0")
        assert "driver: ena" in said and "version: 6." in said, said
        assert "ec20" in vm.check("cat /sys/class/net/eth0/device/device")
        vm.check(f"ping -q -c 20 -i 0.05 -w 20 -s 1400 {HOST}", 30)
        echo(net, vm, HOST)
        net.check("ip link set tap0 mtu 9001")
        vm.check("ip link set eth0 mtu 9001")
        vm.check(f"ping -q -c 5 -w 20 -s 8973 {HOST}", 30)
        net.check(f"ping -q -c 5 -w 20 -M do -s 8973 {GUEST}")
        reflect(net)
        text = vm.check(f"rr echo {HOST} 7000 3000", 60)
        assert "datagrams 3000 wrong 0" in text, text
        vm.check("ethtool -K eth0 tx off rx off sg off tso off")
        text = vm.check(f"rr echo {HOST} 7000 1000", 60)
        assert "datagrams 1000 wrong 0" in text, text
        echo(net, vm, HOST, kib=4 << 10)
        quiet(vm)


def test_cloud_kernel():
    everything(CLOUD)


def test_second_cloud_kernel():
    everything(SECOND)


def test_dhcp():
    with Card("ena", net="user") as card, \
            guest.Guest(build.prepare(version=CLOUD), [card.socket],
                        modules="ena,af_packet") as vm:
        assert vm.check("ls /sys/class/net").split() == ["eth0", "lo"]
        vm.check("ip link set eth0 up; udhcpc -q -i eth0 -s /etc/dhcp", 30)
        assert "10.0.2.15/24" in vm.check("ip addr show dev eth0")
        vm.check("ping -c 1 -w 10 10.0.2.2", 20)


def used(vm, cpus):
    """Of each queue, how many frames it has sent and received."""
    got = counts(vm)
    return [got[f"queue_{k}_{way}_cnt"] for k in range(cpus) for way in ("tx", "rx")]


FLOWS = 16  # at once; which queue each takes is chance


def queues(cpus):
    """Flows at once over all queues, each with its data compared, however slow the machine is."""
    with cloud(cpus=cpus) as (net, _, vm):
        reflect(net)
        said = vm.check("ethtool -l eth0")
        assert said.count(f"Combined:\t{cpus}") == 2, said
        assert f"with {cpus} RX ring(s)" in vm.check("ethtool -x eth0")
        for _ in range(8):
            said = vm.check(f"for i in $(seq {FLOWS}); do rr echo {HOST} 7000 100 >/tmp/flow$i & done; "
                            "wait; cat /tmp/flow*", 180)
            assert said.count("datagrams 100 wrong 0") == FLOWS, said
            if min(used(vm, cpus)) > 50:
                break
        echo(net, vm, HOST, kib=4 << 10)
        assert min(used(vm, cpus)) > 50, (used(vm, cpus), vm.dmesg())
        quiet(vm)


def test_two_queues():
    queues(2)


def test_four_queues():
    queues(4)


def test_ethtool():
    with cloud() as (_, _, vm):
        features = vm.check("ethtool -k eth0")
        for name in ("rx-checksumming", "tx-checksum-ipv4", "tx-checksum-ipv6", "scatter-gather",
                     "tx-tcp-segmentation", "tx-tcp6-segmentation", "receive-hashing"):
            assert re.search(rf"{name}: on", features), features
        assert "Speed: 10000Mb/s" in vm.check("ethtool eth0")
        vm.check("ethtool -C eth0 adaptive-rx off rx-usecs 40 tx-usecs 100")
        said = vm.check("ethtool -c eth0")
        assert "rx-usecs:\t40" in said and "tx-usecs:\t100" in said, said
        for words in ("-G eth0 rx 256 tx 512", "-L eth0 combined 1", "-L eth0 combined 2",
                      "-X eth0 equal 1", "-X eth0 equal 2"):
            vm.check(f"ethtool {words}", 20)
            vm.check(f"ping -c 1 -w 20 {HOST}", 30)
        said = vm.check("ethtool -g eth0")
        assert re.search(r"Current[\s\S]*RX:\s+256\n[\s\S]*TX:\s+512\n", said), said
        key = ":".join(f"{k:02x}" for k in range(40))
        vm.check(f"ethtool -X eth0 hkey {key}")
        assert key in vm.check("ethtool -x eth0")
        quiet(vm)


def test_unbind_and_bind():
    with cloud() as (_, _, vm):
        vm.check("cd /sys/bus/pci/drivers/ena; slot=$(ls -d 0000*); for i in $(seq 20); do "
                 "echo $slot >unbind; echo $slot >bind; done", 120)
        up(vm)
        assert not complaints(vm), complaints(vm)


def test_down_and_up_under_traffic():
    with cloud() as (net, _, vm):
        flood = net.start(["ping", "-q", "-i", "0.002", GUEST], stdout=-3)
        vm.check("for i in $(seq 30); do ip link set eth0 down; ip link set eth0 up; done", 120)
        flood.kill()
        up(vm)
        quiet(vm)


def test_link_down_and_up():
    with cloud() as (_, card, vm):
        card.ctl("link", "nic0", "down")
        vm.check("until [ $(cat /sys/class/net/eth0/carrier) = 0 ]; do sleep 0.1; done", 20)
        card.ctl("link", "nic0", "up")
        vm.check("until [ $(cat /sys/class/net/eth0/carrier) = 1 ]; do sleep 0.1; done", 20)
        vm.check(f"ping -c 1 -w 20 {HOST}", 30)
        quiet(vm)


def test_without_shared_memory():
    with cloud(shared=False) as (net, _, vm):
        vm.check(f"ping -q -c 5 -w 20 -s 1400 {HOST}", 30)
        echo(net, vm, HOST, kib=1 << 10)
        quiet(vm)


def long_run(minutes, kernel=CLOUD):
    """Traffic comes and goes; the card is never late with a sign of life or a result."""
    with cloud(kernel) as (net, _, vm):
        net.start(["iperf3", "-s"], stdout=-3)
        net.start(["ping", "-q", "-i", "0.05", GUEST], stdout=-3)
        end = time.monotonic() + minutes * 60
        while time.monotonic() < end:
            for way in ("", "-R", "--bidir"):
                vm.check(f"iperf3 -c {HOST} -t 3 {way}", 60)
            time.sleep(min(10, max(0, end - time.monotonic())))
        before = counts(vm)
        assert before["interface_up"] == 1 and before["wd_expired"] == 0, before
        quiet(vm)


def test_minutes_without_a_word():
    long_run(MINUTES)


def test_two_guests_through_one_process():
    with Host(["ena,net=lan", "ena,net=lan"], ["lan=switch"]) as host, \
            guest.Guest(build.prepare(version=CLOUD), [host.sockets[0]], modules="ena,af_packet",
                        arguments=["-smp", "2"]) as left, \
            guest.Guest(build.prepare(version=SECOND), [host.sockets[1]],
                        modules="ena,af_packet") as right:
        for vm, address in ((left, HOST), (right, GUEST)):
            vm.check(f"ip addr add {address}/24 dev eth0; ip link set eth0 mtu 9001 up")
        left.check(f"for i in $(seq 20); do ping -c 1 -W 2 {GUEST} && exit; done; exit 1", 60)
        right.check(f"ping -q -c 5 -w 20 -s 8973 {HOST}", 30)
        transfer(left, right, GUEST)
        transfer(right, left, HOST)
        for vm in (left, right):
            quiet(vm)
