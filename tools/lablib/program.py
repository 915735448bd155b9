# SPDX-License-Identifier: Apache-2.0
"""The program under test: one card served on a socket of the run's own."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ANYNIC = os.environ.get("ANYNIC") or os.path.join(ROOT, "build", "anynic")


class Card:
    """with Card("e1000", net="tap,ifname=t0", netns=net) as card: card.socket"""

    def __init__(self, name, net="user", netns=None, arguments=(), cpus=None):
        self.folder = tempfile.mkdtemp(prefix="anynic-card-")
        self.socket = os.path.join(self.folder, "card.sock")
        self.control = os.path.join(self.folder, "control.sock")
        self.log = os.path.join(self.folder, "log")
        command = [ANYNIC, "run", name, "--socket-path", self.socket, "--net", net,
                   "--control", self.control, *arguments]
        self.command = netns.command(command) if netns else command
        self.cpus = cpus
        self.process = None

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, preexec_fn=(
                lambda: os.sched_setaffinity(0, self.cpus)) if self.cpus else None)
        deadline = time.monotonic() + 5
        while not os.path.exists(self.socket):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise OSError(f"the card did not start: {self.output()}")
            time.sleep(0.005)
        return self

    def __exit__(self, kind, *_):
        wrong = [] if kind or self.process.poll() is not None else sums(self.control)
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        said = self.output()
        shutil.rmtree(self.folder, ignore_errors=True)
        if "Sanitizer" in said or "runtime error:" in said:
            raise OSError(f"the card's sanitizer:\n{said[-3000:]}")
        assert not wrong, wrong

    def output(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def ctl(self, *words):
        done = subprocess.run([ANYNIC, "ctl", self.control, *words], capture_output=True, text=True)
        if done.returncode:
            raise OSError(f"ctl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout


def sums(control):
    """What does not add up in the statistics of a process's NICs; see docs/control.md."""
    try:
        done = subprocess.run([ANYNIC, "ctl", control, "stats", "--json"], capture_output=True,
                              text=True, timeout=20)
    except subprocess.TimeoutExpired:
        return ["no answer"]
    if done.returncode:  # it has none, or has ended
        return []
    stats = json.loads(done.stdout)["stats"]
    parts = {"": stats} if "guest" in stats else stats
    done = subprocess.run([ANYNIC, "ctl", control, "list", "--json"], capture_output=True,
                          text=True, timeout=20)
    nets = [net for net in json.loads(done.stdout)["nets"] if net["switch"]]
    parts |= {net["id"]: net for net in nets}
    parts |= {f"{net['id']} {port['name']}": port for net in nets for port in net["ports"]}
    return [(name, part["missing"], part) for name, part in parts.items()
            if any(part["missing"].values())]


def status(pid, name):
    with open(f"/proc/{pid}/status") as lines:
        return int(next(line.split()[1] for line in lines if line.startswith(name + ":")))


def usage(pid):
    """(ns of CPU, times that it waited) so far."""
    with open(f"/proc/{pid}/schedstat") as line:
        return int(line.read().split()[0]), status(pid, "voluntary_ctxt_switches")


def resident(pid):
    """KiB; without the pages of the guest's own memory that it touched."""
    return status(pid, "VmRSS") - status(pid, "RssShmem")


def footprint(net, card="e1000", starts=5):
    """Resident memory with a client, and the best time from exec to a connection."""
    took, sizes = [], []
    for _ in range(starts):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "s")
            begin = time.monotonic()
            process = subprocess.Popen([ANYNIC, "run", card, "--socket-path", path, "--net", net],
                                       stdout=subprocess.DEVNULL)
            try:
                link = connected(path, begin + 5)
                took.append((time.monotonic() - begin) * 1000)
                time.sleep(0.05)
                sizes.append(resident(process.pid))
                link.close()
            finally:
                process.terminate()
                process.wait()
    return {"rss_kib": max(sizes), "listens_ms": min(took)}


def connected(path, deadline):
    while True:
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(path)
            return link
        except OSError:
            link.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.0005)
