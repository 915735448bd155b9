# SPDX-License-Identifier: Apache-2.0
"""A DHCP server with one address to give (RFC 2131): dhcp_server.py INTERFACE SERVER ADDRESS

Offers and acknowledges ADDRESS to whoever asks, by broadcast, with a netmask of
24 bits and SERVER as router.
"""

import socket
import struct
import sys

SO_BINDTODEVICE = 25
COOKIE = b"\x63\x82\x53\x63"
MESSAGE_TYPE, PADDING, END = 53, 0, 255
DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5


def message_type(packet):
    at = 240
    while packet[236:240] == COOKIE and at + 2 < len(packet) and packet[at] != END:
        if packet[at] == MESSAGE_TYPE:
            return packet[at + 2]
        at += 1 if packet[at] == PADDING else 2 + packet[at + 1]
    return 0


def option(code, data):
    return bytes([code, len(data)]) + data


def answer(packet, kind, server, address):
    """BOOTREPLY with the client's own transaction, flags and hardware address."""
    head = struct.pack("!BBBB", 2, 1, 6, 0) + packet[4:8] + b"\0\0" + packet[10:12] + bytes(4) + \
        address + server + bytes(4) + packet[28:44] + bytes(192)
    options = option(MESSAGE_TYPE, bytes([kind])) + option(54, server) + \
        option(51, struct.pack("!I", 3600)) + option(1, b"\xff\xff\xff\0") + option(3, server)
    return head + COOKIE + options + bytes([END])


def main():
    interface = sys.argv[1]
    server, address = (socket.inet_aton(word) for word in sys.argv[2:4])
    link = socket.socket(type=socket.SOCK_DGRAM)
    link.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, interface.encode())
    link.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    link.bind(("", 67))
    while True:
        packet = link.recv(2048)
        kind = {DISCOVER: OFFER, REQUEST: ACK}.get(message_type(packet))
        if kind:
            link.sendto(answer(packet, kind, server, address), ("255.255.255.255", 68))


main()
