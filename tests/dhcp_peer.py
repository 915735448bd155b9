# SPDX-License-Identifier: Apache-2.0
"""dhcp_peer.py INTERFACE SERVER CLIENT: a DHCP server that answers to the client's own
address, unless it asks for a broadcast, as RFC 2131 wants it."""

import fcntl
import socket
import struct
import sys

ETH_P_IP, SIOCGIFHWADDR = 0x0800, 0x8927


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def kind_of(options):
    at = 0
    while at + 2 < len(options) and options[at] != 255:
        if options[at] == 53:
            return options[at + 2]
        at += 1 if options[at] == 0 else 2 + options[at + 1]
    return 0


def answer(frame, mac, server, client):
    bootp = frame[42:]
    kind = kind_of(bootp[240:])
    if kind not in (1, 3):
        return None
    broadcast = bootp[10] & 0x80
    to = b"\xff" * 6 if broadcast else bootp[28:34]
    options = b"\x63\x82\x53\x63\x35\x01" + bytes([2 if kind == 1 else 5]) + b"\x36\x04" + server + \
        b"\x33\x04\0\0\x0e\x10\x01\x04\xff\xff\xff\0\xff"
    body = b"\x02" + bootp[1:4] + bootp[4:8] + b"\0\0" + bootp[10:12] + b"\0" * 4 + client + server + \
        b"\0" * 4 + bootp[28:44] + b"\0" * 192 + options
    body += b"\0" * (len(body) & 1)
    udp = struct.pack("!HHHH", 67, 68, 8 + len(body), 0)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(body), 0, 0, 64, 17, 0) + server + \
        (b"\xff" * 4 if broadcast else client)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return to + mac + b"\x08\0" + head + udp + body


def main():
    name, server, client = sys.argv[1], socket.inet_aton(sys.argv[2]), socket.inet_aton(sys.argv[3])
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP))
    link.bind((name, 0))
    mac = fcntl.ioctl(link, SIOCGIFHWADDR, struct.pack("256s", name.encode()))[18:24]
    while True:
        frame = link.recv(4096)
        if len(frame) > 282 and frame[23] == 17 and frame[36:38] == b"\0\x43":
            reply = answer(frame, mac, server, client)
            if reply:
                link.send(reply)


main()
