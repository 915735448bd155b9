# SPDX-License-Identifier: Apache-2.0
"""Traffic through our card and through QEMU's own, in one guest, in turns.

Both cards sit on taps with vnet headers; a round runs every workload over
each. `ratio NAME VALUE` is the median over rounds of ours ÷ theirs; higher is
better. pinned: QEMU and our server on one CPU, the host's end on the other.
free: nobody pinned, our server polls for a while before it sleeps.

`messages NAME VALUE`: what the VMM sends us for each frame, which is never more
than the driver's own accesses to registers and what the VMM needs to unmask
an interrupt that the guest has dealt with. Drivers that use port I/O wait for each
of their accesses, so there the ratio says what that costs.
"""

import collections
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
Peer = collections.namedtuple("Peer", "model driver kernel", defaults=[None])
PEERS = {
    "e1000": Peer("e1000", "e1000"),
    "rtl8139cp": Peer("rtl8139", "8139cp"),
    "i82559": Peer("i82550", "e100"),  # the models that the driver wants no microcode for
    "pcnet": Peer("pcnet", "pcnet32"),
    "tulip": Peer("tulip", "tulip"),
    "ne2000": Peer("ne2k_pci", "ne2k-pci"),
    "via-rhine": Peer(None, "via-rhine"),  # QEMU has none
    # QEMU has none, and its own fastest card is what people would use instead
    "ena": Peer("virtio-net-pci", "ena,virtio_net,af_packet", "6.12-cloud"),
}


def affinity(cpus):
    return (lambda: os.sched_setaffinity(0, cpus)) if cpus else None


def device_of(model):
    """Behind ours, so that ours is eth0."""
    return ["-netdev", "tap,id=n,ifname=tap1,script=no,downscript=no,vhost=off",
            "-device", f"{model},netdev=n,addr=0x1f,romfile="] if model else []


@contextlib.contextmanager
def machine(placement, name):
    pinned, peer = placement == "pinned", PEERS[name]
    lab = build.prepare(version=peer.kernel) if peer.kernel else build.prepare()
    sides = [OURS, THEIRS] if peer.model else [OURS]
    with Netns() as net:
        for k in (0, 1):
            net.tap(f"tap{k}", f"10.9.{k}.1/24")
        for command in (["iperf3", "-s"], [f"{lab.folder}/rr", "server", "7000"]):
            net.start(command, stdout=subprocess.DEVNULL,
                      preexec_fn=affinity({1}) if pinned else None)
        extra = ["--cpu", "0"] if pinned else ["--poll-us", "300"]
        with Card(name, net="tap,ifname=tap0", netns=net, arguments=extra) as card, \
                guest.Guest(lab, [card.socket], netns=net.name,
                            arguments=device_of(peer.model), modules=peer.driver,
                            cpus={0} if pinned else None) as vm:
            for device, prefix in sides:
                vm.check(f"ip addr add {prefix}.2/24 dev {device}; ip link set {device} up")
            for _, prefix in sides:
                vm.check(f"ping -c 5 -w 20 {prefix}.1", 30)
            yield card, vm, sides


def iperf(vm, side, flags):
    """Again where the server is at the one before. QEMU's ne2k_pci can stop receiving for good
    when its ring overflows, until its driver starts it again; ours must not need that."""
    device, prefix = side
    again = f"ip link set {device} down; ip link set {device} up; " if side is THEIRS else ""
    text = vm.check("for i in 1 2 3 4 5; do "
                    f"text=$(timeout 15 iperf3 -J -c {prefix}.1 -t {SECONDS} {flags}) && break; "
                    f"{again}sleep 0.5; done; echo \"$text\"", 120)
    return json.loads(text[text.index("{"):])["end"]["sum_received"]["bits_per_second"] / 1e6


def rate(vm, command):
    return float(re.search(r"rate ([\d.]+)", vm.check(command, 60))[1])


WORKLOADS = {
    "tx": lambda vm, side: iperf(vm, side, ""),
    "rx": lambda vm, side: iperf(vm, side, "-R"),
    "udp64": lambda vm, side: rate(vm, f"rr flood {side[1]}.1 7000 {SECONDS} 22"),
    "rr": lambda vm, side: rate(vm, f"rr tcp {side[1]}.1 7000 {SECONDS}"),
}


def counts(card):
    stats = json.loads(card.ctl("stats", "--json"))["stats"]
    return {**stats["client"], **stats["guest"], **stats["server"]}


def frames(spent):
    return max(1, spent["tx_frames"] + spent["rx_frames"])


def breakdown(label, spent, what):
    """What one transaction or frame costs in accesses, messages and calls."""
    per = max(1, spent["tx_frames"]) if what == "transaction" else frames(spent)
    parts = {"synchronous": spent["reads"] + spent["writes"] - spent["posted"],
             "posted": spent["posted"], "unmasks": spent["unmasks"],
             "interrupts": spent["interrupts"], "calls": spent["calls"]}
    print(f"  {label} a {what}: " +
          ", ".join(f"{name} {value / per:.3f}" for name, value in parts.items()), flush=True)


def messages(label, spent):
    """The driver's own accesses, and unmasks: nothing else."""
    print(f"messages {label} {spent['requests'] / frames(spent):.3f}", flush=True)
    own = spent["accesses"] + spent["unmasks"]
    assert spent["requests"] <= own, f"{label}: {spent['requests']} messages, {own} are the driver's"


def one(card, vm, side, workload, label):
    """One workload over one card: its rate, and of ours what it took."""
    before = counts(card)
    got = WORKLOADS[workload](vm, side)
    if side is not OURS:
        return got
    spent = {key: value - before[key] for key, value in counts(card).items()}
    if label:
        breakdown(label, spent, "transaction" if workload == "rr" else "frame")
        messages(label, spent)
    return got


def run(placement, card_name="e1000", rounds=5, names=tuple(WORKLOADS)):
    results = {name: [] for name in names}
    suffix = "" if placement == "pinned" else ".free"
    with machine(placement, card_name) as (card, vm, sides):
        for turn in range(rounds):
            for name in names:
                label = f"guest.{card_name}.{name}{suffix}" if turn == rounds - 1 else None
                got = {side: one(card, vm, side, name, label)
                       for side in (sides if turn % 2 else sides[::-1])}
                results[name].append(got)
                theirs = f" theirs {got[THEIRS]:9.1f}" if THEIRS in got else ""
                print(f"  {placement} {card_name} round {turn + 1} {name:<6} "
                      f"ours {got[OURS]:9.1f}{theirs}", flush=True)
                time.sleep(0.2)
    for name, pairs in results.items():
        if THEIRS in pairs[0]:
            ratio = statistics.median(got[OURS] / got[THEIRS] for got in pairs)
            print(f"ratio guest.{card_name}.{name}{suffix} {ratio:.2f}", flush=True)


def run_others(card_name=None):
    for name in [card_name] if card_name else [name for name in PEERS if name != "e1000"]:
        run("pinned", name, rounds=5 if name == "ena" else 3, names=("tx", "rx"))
