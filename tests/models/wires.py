# SPDX-License-Identifier: Apache-2.0
"""The far end of a card's cable: a Unix datagram socket, a frame each."""

import os
import select
import shutil
import socket
import tempfile
import time


class Wire:
    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="anynic-wire-")
        self.near, self.far = f"{self.folder}/near", f"{self.folder}/far"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        self.socket.bind(self.far)
        return self

    def __exit__(self, *_):
        self.socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ours(self):
        return f"dgram,local={self.near},remote={self.far}"

    def theirs(self, name):
        return ["-netdev", f"dgram,id={name},local.type=unix,local.path={self.near},"
                           f"remote.type=unix,remote.path={self.far}"]

    def send(self, frame):
        deadline = time.monotonic() + 5
        while not os.path.exists(self.near) and time.monotonic() < deadline:
            time.sleep(0.001)
        self.socket.sendto(frame, self.near)

    def take(self):
        """What came since the last time."""
        frames = []
        while select.select([self.socket], [], [], 0)[0]:
            frames.append(self.socket.recv(70000))
        return frames
