# SPDX-License-Identifier: Apache-2.0
"""Real traffic through each driver of the host's side, and what becomes of it when the
host's side breaks."""

import contextlib
import json
import os
import subprocess
import tempfile
import time

from lablib import build, guest
from lablib.netns import Netns
from lablib.program import Card
from machines import echo

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
            echo(net, vm, "10.7.0.1", "127.0.0.1", 1)
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
