# SPDX-License-Identifier: Apache-2.0
"""Real traffic through each driver of the host's side, and what becomes of it when the
host's side breaks."""

import contextlib
import json
import os
import random
import struct
import subprocess
import tempfile
import time

from lablib import build, guest
from lablib.netns import Netns
from lablib.program import Card
from machines import GUEST, HOST, echo, machine, up

SIDE_BY_SIDE = True


def stats(card):
    return json.loads(card.ctl("stats", "--json"))["stats"]


def add_up(card):
    """Frames that were offered have been delivered, dropped for a reason, or wait."""
    now = stats(card)
    host, drops, nic = now["host"], now["host_drops"], now["guest"]
    for way in ("tx", "rx"):
        lost = sum(count for name, count in drops.items() if name.startswith(way + "_"))
        assert host[f"{way}_dropped"] == lost, now
        assert host[f"{way}_offered"] == host[f"{way}_frames"] + lost + host[f"{way}_waits"], now
    assert host["tx_offered"] == nic["tx_frames"] - nic["tx_looped"] - nic["tx_unplugged"] - \
        nic["tx_malformed"] + nic["tx_cut"], now
    assert host["rx_frames"] + nic["rx_cut"] + nic["rx_looped"] == nic["rx_frames"] + \
        nic["rx_filtered"] + nic["rx_no_room"] + nic["rx_stopped"] + nic["rx_too_long"] + \
        nic["rx_malformed"], now
    return now


def until(holds, seconds=20, what="it does not happen"):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def carrier(vm, wanted, seconds=20):
    vm.check(f"for i in $(seq {seconds * 10}); do [ $(cat /sys/class/net/eth0/carrier) = "
             f"{wanted} ] && exit; sleep 0.1; done; exit 1", seconds + 10)


def tcp(vm, address, way="", seconds=1):
    """Bytes that iperf3 moved."""
    text = vm.check(f"iperf3 -J -c {address} -t {seconds} {way}", 60)
    end = json.loads(text)["end"]
    return end["sum_received"]["bytes"]


# ---- stream: passt ----

@contextlib.contextmanager
def outside():
    """A namespace that looks to passt like a machine with a way out."""
    with Netns() as net, tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        net.check("ip link add up0 type veth peer name up1")
        net.check("ip addr add 10.7.0.2/24 dev up0")
        net.check("ip link set up0 up")
        net.check("ip link set up1 up")
        net.check("ip route add default via 10.7.0.1")
        yield net, f"{folder}/passt.sock"


def passt(net, path):
    if os.path.exists(path):
        os.unlink(path)
    process = net.start([build.passt(build.prepare()), "-f", "-q", "-4", "-s", path, "--runas", "0"],
                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL)
    until(lambda: os.path.exists(path), what="passt does not listen")
    return process


def test_stream_with_passt():
    with outside() as (net, path):
        first = passt(net, path)
        with Card("e1000", net=f"stream,path={path},reconnect=100", netns=net) as card, \
                guest.Guest(build.prepare(), [card.socket], netns=net.name) as vm:
            vm.check("ip link set eth0 up; udhcpc -q -i eth0 -s /etc/dhcp", 30)
            assert "10.7.0.2/24" in vm.check("ip addr show eth0")
            echo(net, vm, "10.7.0.1", "127.0.0.1")
            add_up(card)
            first.kill()  # the guest sees the cable go, and come back
            first.wait()
            carrier(vm, 0)
            assert not stats(card)["host_nic"]["carrier"]
            passt(net, path)
            carrier(vm, 1)
            echo(net, vm, "10.7.0.1", "127.0.0.1", 1 << 10)
            add_up(card)
            assert card.process.poll() is None


# ---- dgram: another QEMU ----

def test_dgram_with_another_qemu():
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = f"{folder}/ours", f"{folder}/theirs"
        netdev = (f"dgram,id=n0,local.type=unix,local.path={theirs},"
                  f"remote.type=unix,remote.path={ours}")
        spec = f"dgram,local={ours},remote={theirs},reconnect=100"
        with Card("e1000", net=spec) as card, \
                guest.Guest(build.prepare(), [card.socket]) as vm, \
                guest.Guest(build.prepare(), devices=["e1000,netdev=n0,mac=02:00:00:00:00:09"],
                            arguments=["-netdev", netdev], shared=False) as other:
            for machine, address in ((vm, "10.8.0.1"), (other, "10.8.0.2")):
                machine.check(f"ip addr add {address}/24 dev eth0; ip link set eth0 up")
            carrier(vm, 1)
            vm.check("for i in $(seq 10); do ping -c 1 -W 2 10.8.0.2 && exit; done; exit 1", 40)
            vm.check("ping -q -c 20 -i 0.01 -s 1400 -w 20 10.8.0.2", 30)
            other.check("iperf3 -s -D; sleep 1")
            sent, got = tcp(vm, "10.8.0.2"), tcp(vm, "10.8.0.2", "-R")
            print(f"  QEMU: {sent * 8 / 1e6:.0f} Mb/s out, {got * 8 / 1e6:.0f} Mb/s in")
            assert sent > 1e6 and got > 1e6
            add_up(card)


# ---- pcap: a capture played to the guest ----

def capture_of(frames, path, gap):
    """A pcap of nanoseconds, GAP seconds apart."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1))
        for i, frame in enumerate(frames):
            at = int(i * gap * 1e9)
            out.write(struct.pack("<IIII", 1000 + at // 10**9, at % 10**9, len(frame), len(frame)))
            out.write(frame)


def noise(count):
    """Frames of a type of their own, each of another length and content."""
    draw = random.Random(7)
    for i in range(count):
        to = b"\xff" * 6 if i % 3 else bytes.fromhex("020000000001")
        yield to + bytes.fromhex("02000000000288b5") + draw.randbytes(46 + i * 37 % 1455)


def test_pcap_frame_by_frame():
    frames = list(noise(250))
    with tempfile.TemporaryDirectory() as folder:
        path, written = f"{folder}/in.pcap", f"{folder}/out.pcap"
        capture_of(frames, path, 0.01)
        with Card("e1000", net=f"pcap,file={path},delay=1000", arguments=["--capture", written]) \
                as card, guest.Guest(build.prepare(), [card.socket], modules="e1000,af_packet") as vm:
            text = vm.check("ip link set eth0 up promisc on; rr frames eth0 88b5 250 30", 60)
            lines = [line.split() for line in text.splitlines()]
            got = [bytes.fromhex(line[1]) for line in lines]
            assert [len(frame) for frame in got] == [len(frame) for frame in frames]
            assert got == frames
            took = float(lines[-1][0]) - float(lines[0][0])
            assert 2000 < took < 12500, took
            now = add_up(card)
            assert now["host"]["rx_frames"] == 250, now
        with open(written, "rb") as out:  # what was played is in the capture, too
            data = out.read()
        assert all(frame in data for frame in frames[::10])


# ---- packet: an interface of the host ----

HERE = os.path.dirname(os.path.abspath(__file__))


@contextlib.contextmanager
def wired(spec, nic="e1000", name="h0", before=lambda net, far: None):
    """(this end's namespace, the far end's, card, guest): a veth pair, the card on h0."""
    with Netns() as net, Netns() as far:
        for one in (net, far):
            one.check("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
        net.veth(name, far, "f0", f"{HOST}/24")
        before(net, far)
        with Card(nic, net=spec, netns=net) as card, \
                guest.Guest(build.prepare(), [card.socket]) as vm:
            up(vm)
            yield net, far, card, vm


def offered(card):
    return stats(card)["host"]["rx_offered"]


def rx_packets(net, name="h0"):
    return int(net.check(f"cat /sys/class/net/{name}/statistics/rx_packets"))


def mac_of(vm):
    return vm.check("cat /sys/class/net/eth0/address").strip()


def dev_mcast(net, name="h0"):
    lines = [line.split() for line in net.check("cat /proc/net/dev_mcast").splitlines()]
    return {line[4] for line in lines if line[1] == name}


def test_packet_traffic():
    with wired("packet,ifname=h0") as (net, far, card, vm):
        echo(far, vm, HOST)
        far.check(f"ping -q -c 50 -i 0.002 -s 1400 {GUEST}")
        now = add_up(card)
        print(f"  packet: {now['host']['rx_frames']} frames in, {now['host']['tx_frames']} out")
        assert now["host_nic"]["mbps"] == 10000 and now["host_nic"]["carrier"], now


def test_packet_filters():
    with wired("packet,ifname=h0") as (net, far, card, vm):
        mac = mac_of(vm)
        # a group that the guest joins is on the interface's list while it is joined
        assert "01005e010203" not in dev_mcast(net)
        vm.check("rr join 239.1.2.3 7000 2 >/dev/null 2>&1 &")
        until(lambda: "01005e010203" in dev_mcast(net), what=dev_mcast(net))
        until(lambda: "01005e010203" not in dev_mcast(net), what=dev_mcast(net))
        # frames for others: the kernel counts them, and we never read them
        net.check("ip link set h0 promisc on")
        far.check("ip neigh replace 10.9.0.77 lladdr 02:00:00:00:77:77 dev f0")
        before, seen = offered(card), rx_packets(net)
        far.run("ping -q -c 200 -i 0.002 -W 0.1 10.9.0.77")
        assert rx_packets(net) - seen >= 200
        assert offered(card) - before < 20, offered(card) - before
        # all of it for a guest that wants it
        vm.check("ip link set eth0 promisc on")
        before = offered(card)
        far.run("ping -q -c 200 -i 0.002 -W 0.1 10.9.0.77")
        assert offered(card) - before >= 200
        vm.check("ip link set eth0 promisc off")
        # another address of its own
        vm.check("ip link set eth0 down; ip link set eth0 address 02:00:00:00:77:77; "
                 f"ip link set eth0 up; ip addr replace 10.9.0.77/24 dev eth0; ping -c 2 {HOST}")
        far.check("ping -q -c 20 -i 0.01 10.9.0.77")
        far.check(f"ip neigh replace {GUEST} lladdr {mac} dev f0")
        before = offered(card)
        far.run(f"ping -q -c 200 -i 0.002 -W 0.1 {GUEST}")
        assert offered(card) - before < 20, offered(card) - before
        add_up(card)


def test_packet_vlans():
    with wired("packet,ifname=h0") as (net, far, card, vm):
        peer = ["python3", f"{HERE}/vlan_peer.py", "f0"]
        far.start([*peer, "answer", "5", "10.10.0.1"])
        vm.check("insmod /modules/8021q.ko 2>/dev/null; ip link add link eth0 name v5 type vlan id 5; "
                 "ip addr add 10.10.0.2/24 dev v5; ip link set v5 up")
        vm.check("for i in $(seq 10); do ping -c 1 -W 2 10.10.0.1 && exit; done; exit 1", 40)
        before = offered(card)
        far.check([*peer, "send", "6", mac_of(vm)])
        time.sleep(0.3)
        assert offered(card) - before < 10, "a VLAN that the guest does not have is read"
        far.check([*peer, "send", "5", mac_of(vm)])
        until(lambda: offered(card) - before >= 50)
        add_up(card)


# ---- mac-nat ----

def test_mac_nat():
    with Netns() as net, Netns() as far:
        net.veth("h0", far, "f0", "10.99.0.1/24")
        host = net.check("cat /sys/class/net/h0/address").strip()
        far.check("ip link add link f0 name m0 type macvlan mode source")
        far.check(f"ip link set dev m0 type macvlan macaddr add {host}")
        far.check(f"ip addr add {HOST}/24 dev m0")
        far.check("ip addr add fd00::1/64 dev m0 nodad")
        far.check("ip link set m0 up")
        far.start(["python3", f"{HERE}/dhcp_peer.py", "m0", HOST, GUEST])
        with Card("e1000", net="packet,ifname=h0,mac-nat=on", netns=net) as card, \
                guest.Guest(build.prepare(), [card.socket],
                            modules="e1000,8021q,af_packet,ipv6") as vm:
            vm.check("ip link set eth0 up; udhcpc -q -i eth0 -s /etc/dhcp", 30)
            assert f"{GUEST}/24" in vm.check("ip addr show eth0")
            echo(far, vm, HOST, kib=8 << 10)
            far.check(f"ping -q -c 20 -i 0.01 {GUEST}")  # ARP the other way, too
            assert mac_of(vm) not in far.check("ip neigh show"), far.check("ip neigh show")
            assert host in far.check(f"ip neigh show {GUEST}")
            vm.check("ip -6 addr add fd00::2/64 dev eth0")
            vm.check("for i in $(seq 10); do ping -6 -c 1 -W 2 fd00::1 && exit; done; exit 1", 40)
            far.check("ip -6 neigh flush dev m0")  # and is asked for the guest itself
            far.check("ping -q -c 5 -i 0.01 fd00::2")
            assert host in far.check("ip -6 neigh show fd00::2"), far.check("ip -6 neigh show")
            # the host's own conversations are not the guest's
            net.check("ip addr add 10.9.0.3/24 dev h0")
            far.check("ping -q -c 20 -i 0.01 10.9.0.3")
            now = add_up(card)
            assert now["host_drops"].get("rx_foreign", 0) >= 20, now


# ---- xdp ----

COMPLETE = """
import fcntl, socket, struct, sys
value = bytearray(struct.pack("II", 0x17, 0))  # ETHTOOL_STXCSUM, off
import ctypes
buffer = (ctypes.c_char * 8).from_buffer(value)
request = struct.pack("16sP", sys.argv[1].encode(), ctypes.addressof(buffer))
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0x8946, request)
"""


@contextlib.contextmanager
def wired_xdp(options=""):
    """AF_XDP knows nothing of checksums that are still to be made: the far end makes them."""
    with wired(f"xdp,ifname=h0{options}", before=lambda net, far: far.check(
            ["python3", "-c", COMPLETE, "f0"])) as parts:
        yield parts


def test_xdp_traffic():
    with wired_xdp() as (net, far, card, vm):
        echo(far, vm, HOST, kib=8 << 10)
        far.check(f"ping -q -c 50 -i 0.002 -s 1400 {GUEST}")
        now = add_up(card)
        print(f"  xdp: {now['host']['rx_frames']} frames in, {now['host']['tx_frames']} out")
        # the host's stack keeps what is not for the guest
        net.check("ip addr add 10.9.0.3/24 dev h0")
        mac = net.check("cat /sys/class/net/h0/address").strip()
        far.check(f"ip neigh replace 10.9.0.3 lladdr {mac} dev f0")
        net.check(f"ip neigh replace {HOST} lladdr "
                  f"{far.check('cat /sys/class/net/f0/address').strip()} dev h0")
        far.check("ping -q -c 5 -i 0.01 10.9.0.3")
        # groups that the guest joins are the interface's
        vm.check("rr join 239.1.2.3 7000 2 >/dev/null 2>&1 &")
        until(lambda: "01005e010203" in dev_mcast(net), what=dev_mcast(net))
        until(lambda: "01005e010203" not in dev_mcast(net), what=dev_mcast(net))
        before = offered(card)
        far.check("ip neigh replace 10.9.0.77 lladdr 02:00:00:00:77:77 dev f0")
        far.run("ping -q -c 200 -i 0.002 -W 0.1 10.9.0.77")
        assert offered(card) - before < 20, offered(card) - before


def test_xdp_interface_goes_and_comes():
    with wired_xdp() as (net, far, card, vm):
        net.check("ip link set h0 name other")
        reaches(vm)
        net.check("ip link set other name h0")
        for _ in range(3):
            net.check("ip link del h0")
            carrier(vm, 0)
            net.veth("h0", far, "f0", f"{HOST}/24")
            far.check(["python3", "-c", COMPLETE, "f0"])
            carrier(vm, 1)
            reaches(vm)
        far.check(["sh", "-c", FLAP.format("f0")])
        carrier(vm, 1)
        reaches(vm)
        add_up(card)


# ---- what breaks ----

def reaches(vm, seconds=30):
    vm.check(f"for i in $(seq {seconds}); do ping -c 1 -W 1 {HOST} && exit; done; exit 1",
             2 * seconds + 10)


def test_packet_interface_goes_and_comes():
    with wired("packet,ifname=h0") as (net, far, card, vm):
        net.check("ip link set h0 mtu 1400")
        net.check("ip link set h0 name other")  # it is still the same one
        reaches(vm)
        net.check("ip link set other name h0")
        net.check("ip link set h0 down")
        carrier(vm, 0)
        net.check("ip link set h0 up mtu 1500")
        carrier(vm, 1)
        reaches(vm)
        for _ in range(3):
            net.check("ip link del h0")
            carrier(vm, 0)
            assert not stats(card)["host_nic"]["carrier"]
            net.veth("h0", far, "f0", f"{HOST}/24")
            carrier(vm, 1)
            reaches(vm)
        with Netns() as third:  # moved away, and back
            net.check(f"ip link set h0 netns {third.name}")
            carrier(vm, 0)
            third.check(f"ip link set h0 netns {net.name}")
            net.check("ip link set h0 up")
            carrier(vm, 1)
            reaches(vm)
        assert card.process.poll() is None, card.output()
        add_up(card)


FLAP = "for i in $(seq 200); do ip link set {0} down; sleep 0.002; ip link set {0} up; " \
    "sleep 0.002; done"


def test_packet_link_flaps():
    with wired("packet,ifname=h0") as (net, far, card, vm):
        flood = far.start(["ping", "-q", "-i", "0.002", GUEST], stdout=subprocess.DEVNULL)
        begin = time.monotonic()
        far.check(["sh", "-c", FLAP.format("f0")])
        print(f"  200 times in {time.monotonic() - begin:.1f} s")
        carrier(vm, 1)
        reaches(vm)
        flood.kill()
        add_up(card)


def test_packet_queue_full():
    """An interface that takes a megabit a second, and says ENOBUFS to the rest."""
    with wired("packet,ifname=h0") as (net, far, card, vm):
        net.check("tc qdisc add dev h0 root tbf rate 2mbit burst 3000 limit 6000")
        vm.check(f"rr flood {HOST} 7000 2 1000", 30)
        now = add_up(card)
        assert now["host"]["stalls"] > 10, now["host"]
        net.check("tc qdisc del dev h0 root")
        reaches(vm)
        echo(far, vm, HOST, kib=4 << 10)
        assert "NETDEV WATCHDOG" not in vm.dmesg()
        add_up(card)


def test_tap_goes_and_comes():
    with machine() as (net, card, vm):
        net.check("ip link set tap0 mtu 1400")
        net.check("ip link set tap0 name other")  # it is still the same one
        reaches(vm)
        net.check("ip link set other name tap0")
        net.check("ip link set tap0 down")
        carrier(vm, 0)
        net.check("ip link set tap0 up")
        carrier(vm, 1)
        reaches(vm)
        for _ in range(3):
            net.check("ip link del tap0")
            carrier(vm, 0)
            net.tap("tap0", f"{HOST}/24")
            carrier(vm, 1)
            reaches(vm)
        for taken in (False, True):  # as long as it is away there is no link
            with Netns() as other:
                index = net.check("cat /sys/class/net/tap0/ifindex").strip()
                net.check(f"ip link set tap0 netns {other.name}")
                carrier(vm, 0)
                if taken:
                    net.check(f"ip link add new0 index {index} type veth peer name new1")
                other.check(f"ip link set tap0 netns {net.name}")
            net.check(f"ip addr replace {HOST}/24 dev tap0")
            net.check("ip link set tap0 up")
            carrier(vm, 1)
            reaches(vm)
        assert net.check("cat /sys/class/net/tap0/ifindex").strip() != index
        net.check(["sh", "-c", FLAP.format("tap0")])
        net.check(f"ip addr replace {HOST}/24 dev tap0")
        carrier(vm, 1)
        reaches(vm)
        assert card.process.poll() is None, card.output()
        add_up(card)


def test_tap_with_queues():
    with Netns() as net:
        net.tap("tap0", f"{HOST}/24", more="multi_queue")
        with Card("e1000", net="tap,ifname=tap0,queues=3", netns=net) as card, \
                guest.Guest(build.prepare(), [card.socket]) as vm:
            up(vm)
            echo(net, vm, HOST, kib=8 << 10)
            net.start("iperf3 -s", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            until(lambda: ":5201 " in net.check("ss -ltn"))
            assert tcp(vm, HOST, "-P 4") > 1e6 and tcp(vm, HOST, "-P 4 -R") > 1e6
            add_up(card)
