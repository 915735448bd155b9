# SPDX-License-Identifier: Apache-2.0
"""The far end of a card's cable: frames in and out."""

import ctypes
import os
import select
import shutil
import socket
import struct
import tempfile
import threading

from lablib.netns import Netns

from .packets import add_up

PACKET_OUTGOING = 4
SOL_PACKET, PACKET_AUXDATA, PACKET_VNET_HDR = 263, 8, 15
STATUS_VLAN = 0x10


class Wire:
    socket = None

    def take(self, wait=0.02):
        """What came since the last time, and what comes soon."""
        frames = []
        while select.select([self.socket], [], [], 0 if frames else wait)[0]:
            frame = self.receive()
            if frame is not None:
                frames.append(frame)
        return frames


class Dgram(Wire):
    """QEMU's dgram netdev."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="anynic-wire-")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        self.socket.bind(f"{self.folder}/far")
        return self

    def __exit__(self, *_):
        self.socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def netdev(self, name):
        return ["-netdev", f"dgram,id={name},local.type=unix,local.path={self.folder}/near,"
                           f"remote.type=unix,remote.path={self.folder}/far"]

    def send(self, frame):
        self.socket.sendto(frame, f"{self.folder}/near")

    def receive(self):
        return self.socket.recv(70000)


def socket_in(net):
    """A packet socket inside a namespace."""
    made = []

    def make():
        with open(f"/run/netns/{net}") as space:
            if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), 0):
                raise OSError(ctypes.get_errno(), "setns")
        made.append(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return made[0]


class Tap(Wire):
    """A tap device in a namespace where nobody else speaks."""

    spec = "tap,ifname=tap0"

    def __enter__(self):
        self.net = Netns().__enter__()
        self.net.check("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        self.net.check("ip tuntap add dev tap0 mode tap vnet_hdr")
        self.net.check("ip link set tap0 mtu 9000 arp off up")
        self.socket = socket_in(self.net.name)
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        self.socket.bind(("tap0", 3))
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.net.__exit__()

    def send(self, frame):
        self.socket.send(bytes(10) + frame)

    def receive(self):
        """The kernel takes tags off and leaves checksums to be finished."""
        data, more, _, address = self.socket.recvmsg(70000, 128)
        if address[2] == PACKET_OUTGOING:
            return None
        flags, _, _, _, start, put = struct.unpack_from("<BBHHHH", data)
        frame = bytearray(data[10:])
        if flags & 1:
            total = ~add_up(frame[start:]) & 0xffff
            frame[start + put:start + put + 2] = struct.pack(">H", total or 0xffff)
        for _, kind, aux in more:
            status, _, _, _, _, tci, tag = struct.unpack("<IIIHHHH", aux)
            if kind == PACKET_AUXDATA and status & STATUS_VLAN:
                frame[12:12] = struct.pack(">HH", tag, tci)
        return bytes(frame)
