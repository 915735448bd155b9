# SPDX-License-Identifier: Apache-2.0
"""A neighbour that speaks tagged frames, for hosts whose kernel has no VLAN devices.

    vlan_peer.py INTERFACE answer VLAN ADDRESS   answers ARP and echo requests with its tag
    vlan_peer.py INTERFACE send VLAN MAC         sends 50 tagged frames
"""

import socket
import struct
import sys

ETH_P_ALL, SOL_PACKET, PACKET_AUXDATA = 3, 263, 8
MAC = bytes.fromhex("020000000505")


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[:len(data) & ~1]))
    total += data[-1] << 8 if len(data) & 1 else 0
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def arp_reply(frame, address):
    sender = frame[22:32]
    if frame[20:22] != b"\0\1" or frame[38:42] != address:
        return None
    return b"\x08\x06" + frame[14:20] + b"\0\2" + MAC + address + sender


def echo_reply(frame, address):
    if frame[23] != 1 or frame[30:34] != address or frame[34] != 8:
        return None
    length = struct.unpack_from("!H", frame, 16)[0]
    packet = frame[14:26] + address + frame[26:30]
    message = b"\0\0\0\0" + frame[38:14 + length]
    message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
    return b"\x08\0" + packet + message


def answer(link, vlan, address):
    link.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    while True:
        frame, extra, _, _ = link.recvmsg(65536, 1024)
        # the kernel takes the tag out of the frame: status, …, tci, tpid
        tci = [struct.unpack_from("=IIIHHHH", data)[5] for _, _, data in extra]
        if not tci or tci[0] & 0xfff != vlan:
            continue
        kinds = {b"\x08\x06": arp_reply, b"\x08\0": echo_reply}
        reply = kinds.get(frame[12:14], lambda *_: None)(frame, address)
        if reply:
            link.send(frame[6:12] + MAC + b"\x81\0" + struct.pack("!H", vlan) + reply)


def main():
    interface, verb, vlan, what = sys.argv[1:]
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    link.bind((interface, 0))
    if verb == "answer":
        answer(link, int(vlan), socket.inet_aton(what))
    for _ in range(50):
        link.send(bytes.fromhex(what.replace(":", "")) + MAC + b"\x81\0" +
                  struct.pack("!H", int(vlan)) + b"\x88\xb5" + bytes(60))


main()
