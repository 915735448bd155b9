#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A module that is called: a program at the other end of a socket pair.

It answers two registers, and gives every frame that the driver sends a VLAN tag.
docs/module-process.md has the messages. The first half is the same for any module.
"""

import socket
import struct

HELLO, CALL, RETURN, SERVICE, ANSWER = range(1, 6)
HOOKS = ["configure", "start", "stop", "reset", "read", "write", "call", "kick", "command",
         "transmit", "receive", "timer", "save", "restore"]
SERVICES = ["find", "get", "set", "raise", "offset", "message", "card_read", "card_write", "read",
            "write", "load", "store", "field", "field_set", "peek", "edit", "put", "send",
            "deliver", "gather", "ring_open", "ring_close", "ring_wake", "produce", "timer_arm",
            "timer_cancel", "now", "link", "link_set", "mac", "kick", "log", "fail"]
FRAME = struct.Struct("<IHHHHHH")  # length, flags, verdict, header, segment size, sum start, offset
PLACE = 0

link = socket.socket(fileno=3)


def message(kind, number, numbers=(), data=b""):
    link.send(struct.pack(f"<HHI{len(numbers)}Q", kind, number, 0,
                          *(n & (1 << 64) - 1 for n in numbers)) + data)


def service(name, *numbers, data=b""):
    """What it returns, and the bytes that come with that."""
    message(SERVICE, SERVICES.index(name), numbers, data)
    answer = link.recv(1 << 18)
    return struct.unpack_from("<q", answer, 8)[0], answer[16:]


def find(name):
    return service("find", PLACE, len(name), data=name.encode())[0]


def serve(hooks):
    """Calls the functions of HOOKS, {name: function of the call's bytes}, until the card ends."""
    message(HELLO, 0, [1, sum(1 << HOOKS.index(name) for name in hooks)])
    while True:
        call = link.recv(1 << 18)
        if not call:
            return
        number = struct.unpack_from("<HH", call)[1]
        result = hooks[HOOKS[number]](call[8:])
        message(RETURN, number, *(result if isinstance(result, tuple) else ([result or 0],)))


# ---- this module ----

places, sent = {}, 0


def start(_):
    places.update({find(name): name for name in ("FRAMES", "LOCK")})
    return 0


def read(call):
    place, _, value = struct.unpack("<3Q", call)
    return sent if places.get(place) == "FRAMES" else value


def write(call):
    _, _, value, old = struct.unpack("<4Q", call)
    return value if old == 0 or value == 0 else old


def transmit(call):
    """A tag for VLAN 100 behind the addresses of each frame."""
    global sent
    count, at = struct.unpack_from("<Q", call, 16)[0], 24
    frames = [bytearray(call[at + i * FRAME.size:][:FRAME.size]) for i in range(count)]
    for i, frame in enumerate(frames):
        tag = struct.pack(">HH", 0x8100, 100)
        result, back = service("edit", i, 12, 0, len(tag), data=bytes(frame) + tag)
        if result == 0:
            frames[i] = back
        sent += 1
    return [], b"".join(bytes(frame) for frame in frames)


if __name__ == "__main__":
    serve({"start": start, "read": read, "write": write, "transmit": transmit})
