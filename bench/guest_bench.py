# SPDX-License-Identifier: Apache-2.0
"""Traffic through our card and through QEMU's own, in one guest, in turns.

Both cards sit on taps with vnet headers; a round runs every workload over
each. `ratio NAME VALUE` is the median over rounds of ours ÷ theirs; higher is
better. pinned: QEMU and our server on one CPU, the host's end on the other.
free: nobody pinned, our server polls for a while before it sleeps.
"""

import contextlib
import json
import os
import re
import statistics
import subprocess
import time

from lablib import build, guest
from lablib.netns import Netns
from lablib.program import Card

SECONDS = 2
OURS, THEIRS = ("eth0", "10.9.0"), ("eth1", "10.9.1")


def affinity(cpus):
    return (lambda: os.sched_setaffinity(0, cpus)) if cpus else None


@contextlib.contextmanager
def machine(placement):
    pinned = placement == "pinned"
    arguments = ["-netdev", "tap,id=n,ifname=tap1,script=no,downscript=no,vhost=off",
                 "-device", "e1000,netdev=n,addr=0x1f"]  # behind ours, so that ours is eth0
    with Netns() as net:
        for k in (0, 1):
            net.tap(f"tap{k}", f"10.9.{k}.1/24")
        for command in (["iperf3", "-s"], [build.default_folder() + "/rr",
                                           "server", "7000"]):
            net.start(command, stdout=subprocess.DEVNULL,
                      preexec_fn=affinity({1}) if pinned else None)
        extra = ["--cpu", "0"] if pinned else ["--poll-us", "300"]
        with Card("e1000", net="tap,ifname=tap0", netns=net, arguments=extra) as card, \
                guest.Guest(build.prepare(), [card.socket], netns=net.name, arguments=arguments,
                            cpus={0} if pinned else None) as vm:
            for name, prefix in (OURS, THEIRS):
                vm.check(f"ip addr add {prefix}.2/24 dev {name}; ip link set {name} up")
            for _, prefix in (OURS, THEIRS):
                vm.check(f"ping -c 5 -w 20 {prefix}.1", 30)
            yield net, card, vm


def iperf(vm, prefix, flags):
    text = vm.check(f"iperf3 -J -c {prefix}.1 -t {SECONDS} {flags}", 60)
    return json.loads(text[text.index("{"):])["end"]["sum_received"]["bits_per_second"] / 1e6


def rate(vm, command):
    return float(re.search(r"rate ([\d.]+)", vm.check(command, 60))[1])


WORKLOADS = {
    "tx": lambda vm, prefix: iperf(vm, prefix, ""),
    "rx": lambda vm, prefix: iperf(vm, prefix, "-R"),
    "udp64": lambda vm, prefix: rate(vm, f"rr flood {prefix}.1 7000 {SECONDS} 22"),
    "rr": lambda vm, prefix: rate(vm, f"rr tcp {prefix}.1 7000 {SECONDS}"),
}


def counts(card):
    stats = json.loads(card.ctl("stats", "--json"))["stats"]
    return {**stats["client"], **stats["guest"], **stats["server"]}


def breakdown(label, card, before, what):
    """What one transaction or frame costs in accesses, messages and calls."""
    spent = {key: value - before[key] for key, value in counts(card).items()}
    per = max(1, spent["tx_frames"] if what == "transaction" else
              spent["tx_frames"] + spent["rx_frames"])
    parts = {"synchronous": spent["reads"] + spent["writes"] - spent["posted"],
             "posted": spent["posted"], "unmasks": spent["unmasks"],
             "interrupts": spent["interrupts"], "calls": spent["calls"]}
    print(f"  {label} a {what}: " +
          ", ".join(f"{name} {value / per:.3f}" for name, value in parts.items()), flush=True)


def run(placement, rounds=5, names=tuple(WORKLOADS)):
    results = {name: [] for name in names}
    with machine(placement) as (_, card, vm):
        for turn in range(rounds):
            for name in names:
                pair = [OURS, THEIRS] if turn % 2 else [THEIRS, OURS]
                got = {}
                for which in pair:
                    before = counts(card)
                    got[which] = WORKLOADS[name](vm, which[1])
                    if which is OURS and turn == rounds - 1:
                        breakdown(f"{placement} {name}", card, before,
                                  "transaction" if name == "rr" else "frame")
                results[name].append((got[OURS], got[THEIRS]))
                print(f"  {placement} round {turn + 1} {name:<6} ours {got[OURS]:9.1f} "
                      f"theirs {got[THEIRS]:9.1f}", flush=True)
                time.sleep(0.2)
    suffix = "" if placement == "pinned" else ".free"
    for name, pairs in results.items():
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        print(f"ratio guest.e1000.{name}{suffix} {ratio:.2f}", flush=True)
