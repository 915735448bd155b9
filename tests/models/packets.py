# SPDX-License-Identifier: Apache-2.0
"""Frames by the book, without FCS."""

import struct
import zlib

MAC = bytes.fromhex("525400123456")
PEER = bytes.fromhex("525400aabbcc")
OTHER = bytes.fromhex("525400999999")
ALL = b"\xff" * 6
GROUP = bytes.fromhex("01005e000001")
GROUP2 = bytes.fromhex("333300000042")


def noise(length, seed=1):
    """The same for the same seed."""
    out, state = bytearray(), seed * 2654435761 & 0xffffffff
    while len(out) < length:
        state = (state * 1664525 + 1013904223) & 0xffffffff
        out.append(state >> 24)
    return bytes(out)


def frame(to=PEER, length=60, source=MAC, kind=0x88b5, seed=1):
    """No protocol that anybody looks into."""
    return to + source + struct.pack(">H", kind) + noise(length - 14, seed)


def to_us(length=60, to=MAC, seed=1, kind=0x88b5):
    return frame(to, length, PEER, kind, seed)


def tagged(data, tci, kind=0x8100):
    return data[:12] + struct.pack(">HH", kind, tci) + data[12:]


def add_up(data):
    data = data + b"\0" * (len(data) & 1)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def packet(payload=100, proto=6, good=True, sums=True, pseudo=False, flags=0x18, to=PEER, source=MAC,
           seed=7, v6=False, options=b""):
    """TCP or UDP over IP. SUMS: checksums are there (else 0); PSEUDO: of the pseudo-header only."""
    data = noise(payload, seed)
    if proto == 6:
        length = 20 + len(options)
        l4 = struct.pack(">HHIIBBHHH", 1234, 80, 0x01020304, 0x05060708, length // 4 << 4, flags,
                         8192, 0, 0) + options + data
        put = 16
    else:
        l4 = struct.pack(">HHHH", 1234, 53, 8 + payload, 0) + data
        put = 6
    if v6:
        addresses = bytes(range(16)) + bytes(range(16, 32))
        head = struct.pack(">IHBB", 6 << 28, len(l4), proto, 64) + addresses
        above = addresses + struct.pack(">II", len(l4), proto)
    else:
        addresses = bytes([10, 0, 0, 1, 10, 0, 0, 2])
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(l4), 0x1111, 0x4000, 64, proto, 0) + addresses
        if sums:
            head = head[:10] + struct.pack(">H", ~add_up(head) & 0xffff) + head[12:]
        above = addresses + struct.pack(">HH", proto, len(l4))
    if pseudo:
        l4 = l4[:put] + struct.pack(">H", add_up(above)) + l4[put + 2:]
    elif sums:
        value = ~add_up(above + l4) & 0xffff
        l4 = l4[:put] + struct.pack(">H", (value or 0xffff) if good else value ^ 0x5555) + l4[put + 2:]
    return to + source + (b"\x86\xdd" if v6 else b"\x08\x00") + head + l4


def describe(data):
    """Short, and different for different frames."""
    return f"{len(data)} bytes {data[:14].hex()} {zlib.crc32(data):08x}"


def crc(address):
    """The Ethernet CRC of an address, as hash filters take it: its highest bit first."""
    value = 0xffffffff
    for byte in address:
        for k in range(8):
            bit = (value >> 31) ^ (byte >> k & 1)
            value = (value << 1 & 0xffffffff) ^ (0x04c11db7 if bit else 0)
    return value
