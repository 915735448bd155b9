# SPDX-License-Identifier: Apache-2.0
"""The host's side alone: see bench/networks.c.

`value backend.KIND.tx64 NS` (rx64, tx1500, rx1500): CPU time a frame, the kernel's
part with it; the median of several. Interfaces are in namespaces that are made
and removed here. What a kind cannot do has no line.

`value switch.ports2 NS`, `value switch.ports256 NS`: of a frame from one port to the
next; `ratio switch.ports256`: what one costs among 2 ÷ among 256, so higher is better, and
0.77 the least that is wanted.
"""

import os
import statistics
import struct
import subprocess
import tempfile

from lablib.netns import Netns

BENCH = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                     "build/bench-networks")
ROUNDS = 3


def cost(words, netns=None):
    words = [BENCH, *map(str, words)]
    done = subprocess.run(netns.command(words) if netns else words, capture_output=True, text=True,
                          timeout=60)
    if done.stderr:
        print(f"  {' '.join(words[1:])}: {done.stderr.strip()}", flush=True)
    return float(done.stdout) if not done.returncode else None


def capture_of(path, length):
    with open(path, "wb") as file:
        file.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for _ in range(1000):
            file.write(struct.pack("=IIII", 0, 0, length, length) + bytes(12) + b"\x88\xb5" +
                       bytes(length - 14))


def sides(kind, folder, length):
    """(SPEC, PEER): of sending, and of receiving; None: there is no such way."""
    path = f"{folder}/{len(os.listdir(folder))}"
    if kind == "pcap":
        capture_of(path, length)
        return None, (f"pcap,file={path},pace=max,loop=on", "none")
    if kind == "user":
        return ("user", "none"), ("user,hostfwd=udp:127.0.0.1:7009-10.0.2.15:9", "udp:7009")
    spec, peer = {
        "null": ("null", "none"),
        "tap": ("tap,ifname=tap0", "packet:tap0"),
        "packet": ("packet,ifname=near0", "packet:far0"),
        "xdp": ("xdp,ifname=near0", "packet:far0"),
        "stream": (f"stream,path={path}s,reconnect=10", f"stream:{path}s"),
        "dgram": (f"dgram,local={path}l,remote={path}r,reconnect=10", f"dgram:{path}r:{path}l"),
    }[kind]
    takes = "none" if peer.startswith("packet") else peer
    return (spec, takes), None if kind == "null" else (spec, peer)


def run_backend(kind, workload, netns):
    costs = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            length = int(workload[2:])
            way = sides(kind, folder, length)[workload.startswith("rx")]
            if way:
                verb = "receive" if workload.startswith("rx") else "send"
                costs.append(cost([verb, way[0], length, way[1]], netns))
    costs = [one for one in costs if one]
    if costs:
        print(f"value backend.{kind}.{workload} {statistics.median(costs):.0f}", flush=True)


KINDS = "null", "user", "tap", "packet", "xdp", "stream", "dgram", "pcap"
WORKLOADS = "tx64", "rx64", "tx1500", "rx1500"


def run_backends(kind=None, workload=None):
    with Netns() as net:
        net.check("ip link set lo up")
        net.tap("tap0", "10.0.2.2/24")
        net.check("ip link add near0 type veth peer name far0")
        for name in ("near0", "far0"):
            net.check(f"ip link set {name} up")
        for name in [kind] if kind else KINDS:
            for what in [workload] if workload else WORKLOADS:
                run_backend(name, what, net)


def run_switch(_=None):
    pairs = [(cost(["switch", 2]), cost(["switch", 256])) for _ in range(ROUNDS)]
    for name, costs in zip(("ports2", "ports256"), zip(*pairs)):
        print(f"value switch.{name} {statistics.median(costs):.1f}", flush=True)
    ratio = statistics.median(few / many for few, many in pairs)
    print(f"ratio switch.ports256 {ratio:.2f}", flush=True)
