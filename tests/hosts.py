# SPDX-License-Identifier: Apache-2.0
"""Many cards in one process."""

import json
import os
import shutil
import subprocess
import tempfile
import time

from lablib.program import ANYNIC, sums


class Host:
    """with Host(["e1000,net=lan", …], ["lan=switch"]) as host: host.sockets[0]"""

    def __init__(self, nics, nets=(), netns=None, arguments=(), environment=None):
        self.folder = tempfile.mkdtemp(prefix="anynic-host-")
        self.sockets = [f"{self.folder}/{i}.sock" for i in range(len(nics))]
        self.control = f"{self.folder}/control.sock"
        self.log = f"{self.folder}/log"
        self.command = [ANYNIC, "run", "--control", self.control, *arguments]
        for net in nets:
            self.command += ["--net", net]
        for nic, path in zip(nics, self.sockets):
            self.command += ["--nic", f"{nic},socket={path}"]
        if netns:
            self.command = netns.command(self.command)
        self.environment = {**os.environ, **(environment or {})}

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=self.environment)
        deadline = time.monotonic() + 20
        while not os.path.exists(self.control):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise OSError(f"the cards did not start: {self.output()}")
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
            raise OSError(f"the cards' sanitizer:\n{said[-3000:]}")
        assert not wrong, wrong

    def output(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def ctl(self, *words):
        """The answer, or OSError with what was said."""
        done = subprocess.run([ANYNIC, "ctl", self.control, *words, "--json"], capture_output=True,
                              text=True, timeout=20)
        if done.returncode:
            raise OSError(done.stderr.strip())
        return json.loads(done.stdout)
