# SPDX-License-Identifier: Apache-2.0
"""TCP from guest to guest: through our switch, and over QEMU's own socket netdev between
two of its cards of the same model, in turns. `ratio guest.pair.tcp` is the median over
rounds of ours ÷ theirs. The guests have a CPU each, and each card has a thread there.
"""

import contextlib
import json
import os
import statistics
import subprocess
import tempfile
import time

from guest_bench import affinity
from lablib import build, guest
from lablib.program import ANYNIC

SECONDS, ROUNDS = 3, 5


@contextlib.contextmanager
def ours(folder, poll):
    sockets = [f"{folder}/{name}.sock" for name in "ab"]
    words = [ANYNIC, "run", "--net", "lan=switch", "--control", f"{folder}/control"]
    for path in reversed(sockets):  # threads take turns: the network, the receiver, the sender
        words += ["--nic", f"e1000,socket={path},net=lan"]
    server = subprocess.Popen(words + poll, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        while not os.path.exists(f"{folder}/control"):
            time.sleep(0.01)
        with guests([[path] for path in sockets], [[], []]) as pair:
            yield pair
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def theirs(folder):
    path = f"{folder}/qemu.sock"
    with guests([[], []], [
            ["-netdev", f"stream,id=n,server={who},addr.type=unix,addr.path={path}",
             "-device", "e1000,netdev=n,romfile=,mac=02:00:00:00:00:0" + number]
            for who, number in (("on", "1"), ("off", "2"))]) as pair:
        yield pair


@contextlib.contextmanager
def guests(sockets, arguments):
    lab = build.prepare()
    with guest.Guest(lab, sockets[0], modules="e1000", memory=256, arguments=arguments[0],
                     cpus={0}) as left, \
            guest.Guest(lab, sockets[1], modules="e1000", memory=256, arguments=arguments[1],
                        cpus={1}) as right:
        for number, vm in enumerate((left, right), 1):
            vm.check(f"ip addr add 10.9.1.{number}/24 dev eth0; ip link set eth0 up")
        left.check("ping -c 3 -w 20 10.9.1.2", 30)
        right.start("iperf3 -s")
        time.sleep(1)
        yield left, right


def rate(pair):
    text = pair[0].check(f"iperf3 -J -c 10.9.1.2 -t {SECONDS}", 60)
    return json.loads(text[text.index("{"):])["end"]["sum_received"]["bits_per_second"] / 1e6


def run(rounds=ROUNDS, poll=("--workers", "2", "--cpu", "0")):
    pairs = []
    with tempfile.TemporaryDirectory() as folder, ours(folder, list(poll)) as mine, \
            theirs(folder) as other:
        for turn in range(rounds):
            got = {name: rate(pair) for name, pair in
                   ((("ours", mine), ("theirs", other)) if turn % 2 else
                    (("theirs", other), ("ours", mine)))}
            pairs.append(got["ours"] / got["theirs"])
            print(f"  pair round {turn + 1} ours {got['ours']:9.1f} theirs {got['theirs']:9.1f}",
                  flush=True)
    print(f"ratio guest.pair.tcp {statistics.median(pairs):.2f}", flush=True)
