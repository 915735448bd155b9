# SPDX-License-Identifier: Apache-2.0
"""A network namespace of the run's own, with tap devices; gone when the run is."""

import contextlib
import os
import shlex
import signal
import subprocess
import tempfile
import time


class Netns:
    """with Netns() as net: net.tap("t0", "10.9.0.1/24"); net.run("ping -c1 10.9.0.2")"""

    def __init__(self):
        self.name = os.path.basename(tempfile.mktemp(prefix="anynic-"))
        self.processes = []

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.check("ip link set lo up")
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        self._end_the_rest()
        subprocess.run(["ip", "netns", "delete", self.name], check=False)

    def _end_the_rest(self):
        """What has gone to the background there."""
        for _ in range(100):
            left = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True,
                                  text=True).stdout.split()
            if not left:
                break
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.05)

    def command(self, words):
        words = shlex.split(words) if isinstance(words, str) else list(words)
        return ["ip", "netns", "exec", self.name, *words]

    def run(self, words, **options):
        return subprocess.run(self.command(words), capture_output=True, text=True, **options)

    def check(self, words):
        done = self.run(words)
        if done.returncode:
            raise OSError(f"{words}: {done.stderr.strip()}")
        return done.stdout

    def start(self, words, **options):
        """A process of the namespace, killed at the end."""
        process = subprocess.Popen(self.command(words), **options)
        self.processes.append(process)
        return process

    def tap(self, name, address, mtu=1500, more=""):
        self.check(f"ip tuntap add dev {name} mode tap vnet_hdr {more}")
        self.check(f"ip addr add {address} dev {name}")
        self.check(f"ip link set {name} mtu {mtu} up")

    def veth(self, name, other, peer, address, mtu=1500):
        """A cable: NAME here, PEER with ADDRESS in the namespace OTHER."""
        self.check(f"ip link add {name} type veth peer name {peer} netns {other.name}")
        other.check(f"ip addr add {address} dev {peer}")
        other.check(f"ip link set {peer} mtu {mtu} up")
        self.check(f"ip link set {name} mtu {mtu} up")
