# SPDX-License-Identifier: Apache-2.0
"""What a guest's driver does with a card, one function a part.

A part gets the Bench it is to work with and raises when the card does not do what
it should. It returns a word for the table ("9000" for the MTU), None for "works",
or NOT_THERE where neither card nor driver have such a thing.
"""

import json
import os
import re
import subprocess
import time
import xml.etree.ElementTree as xml

from lablib.program import ANYNIC
from machines import GUEST, HOST, received, up

HERE = os.path.dirname(os.path.abspath(__file__))
NOT_THERE = "–"
TAP = "tap0"
# what is particular about a driver
LINK_SECONDS = {"tulip": 90}  # looks after its link once a minute
COLLECTS = {"e1000"}  # its counts, every two seconds
LESS = {"8139cp": 14}  # counts received bytes without their Ethernet header
STAYS_PROMISCUOUS = {"via-rhine"}  # sets bits of its RCR, and never takes one back
USUAL = {
    "interrupt from stopped card": "lib8390: between the kernel's stop and the driver's",
    "mtu greater than device maximum": "what the part mtu() asks for",
    "Firmware left e100 interrupts enabled": "they are, after a reset (8255x manual, 6.3.2.1)",
}
BAD = re.compile(r"WATCHDOG|Call Trace|timed? ?out|hang|fail|error|bogus|wedged|stall|lockup", re.I)

# takes a connection's data, sends it back, prints its digest
ECHO = """
import hashlib, socket, sys
size = int(sys.argv[2])
link, _ = socket.create_server((sys.argv[1], 7000)).accept()
data = b""
while len(data) < size:
    data += link.recv(1 << 20) or sys.exit("short")
link.sendall(data)
link.shutdown(socket.SHUT_WR)
link.recv(1)
print(hashlib.md5(data).hexdigest(), flush=True)
"""

# datagrams come back
MIRROR = """
import socket, sys
link = socket.socket(type=socket.SOCK_DGRAM)
link.bind((sys.argv[1], 7001))
while True:
    link.sendto(*link.recvfrom(65536))
"""

# COUNT datagrams to a multicast group, no faster than a small ring can take them
SEND = """
import socket, sys, time
link = socket.socket(type=socket.SOCK_DGRAM)
link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(sys.argv[2]))
for _ in range(int(sys.argv[3])):
    link.sendto(b"group", (sys.argv[1], 7002))
    time.sleep(0.003)
"""


class Bench:
    """A card in a guest, and what the parts want to know of it."""

    def __init__(self, card, driver, net, served, vm, long):
        self.card, self.driver, self.long = card, driver, long
        self.net, self.served, self.vm = net, served, vm
        root = xml.parse(f"{HERE}/../cards/{card}/card.xml").getroot()
        self.slow = root.find("bank/port") is not None  # an access for every few bytes
        self.pace = "0.04" if self.slow else "0.004"  # seconds between frames of a flood
        self.slot = os.path.basename(vm.check("readlink /sys/class/net/eth0/device").strip())

    def shows_link(self):
        """Does the description: a PHY, or registers that say link.up?"""
        text = subprocess.run([ANYNIC, "show", self.card], capture_output=True, text=True,
                              check=True).stdout
        return bool(re.search(r"\bphy\b|\blink\.(up|speed)", text))

    def tap(self):
        """(packets, bytes) that the tap gave to the card, and took from it."""
        text = self.net.check(f"ip -s -j link show {TAP}")
        count = json.loads(text)[0]["stats64"]
        return [(count[way]["packets"], count[way]["bytes"]) for way in ("tx", "rx")]


def calm(bench):
    """Only what a test sends is on the wire: no IPv6, neighbours known to each other."""
    mac = bench.vm.check("cat /sys/class/net/eth0/address").strip()
    bench.net.check(f"ip neigh replace {GUEST} lladdr {mac} dev {TAP}")
    host = json.loads(bench.net.check(f"ip -j link show {TAP}"))[0]["address"]
    bench.vm.check(f"arp -i eth0 -s {HOST} {host}")


def arrived(bench, action):
    """Frames the guest got while ACTION ran."""
    before = received(bench.vm)
    action()
    time.sleep(0.3)
    return received(bench.vm) - before


# ---- the parts ----

def bind(bench):
    bound = bench.vm.check("readlink /sys/class/net/eth0/device/driver").strip()
    plain = os.path.basename(bound).replace("_", "-")
    assert plain == bench.driver.replace("_", "-"), bound
    nic = json.loads(bench.served.ctl("list", "--json"))["nics"][0]
    assert nic["mac"] in bench.vm.check("cat /sys/class/net/eth0/address"), nic


def dhcp(bench):
    if bench.slow:  # no more in flight than the driver reads before its own watchdog bites
        bench.vm.check("echo 4096 8192 8192 >/proc/sys/net/ipv4/tcp_rmem")
    bench.net.start(["python3", f"{HERE}/dhcp_server.py", TAP, HOST, GUEST])
    bench.vm.check("ip link set eth0 up; udhcpc -n -q -t 20 -T 1 -i eth0 -s /etc/dhcp", 40)
    assert f" {GUEST}/24" in bench.vm.check("ip addr show eth0")


def ping(bench):
    for size in (0, 18, 700, 1472, 3000):
        bench.vm.check(f"ping -q -A -c 3 -w 20 -s {size} {HOST}", 30)
    for size in (0, 1, 17, 18, 64, 1471, 1472, 3000):
        bench.net.check(f"ping -q -A -c 5 -w 20 -s {size} {GUEST}")


def tcp(bench, size=None):
    kib = (size or (96 << 10 if bench.slow else (16 if bench.long else 4) << 20)) >> 10
    bench.vm.check(f"dd if=/dev/urandom of=/tmp/data bs=1024 count={kib} 2>/dev/null")
    want = bench.vm.check("md5sum /tmp/data").split()[0]
    server = bench.net.start(["python3", "-c", ECHO, HOST, str(kib << 10)], stdout=-1, text=True)
    bench.vm.check(f"until nc {HOST} 7000 </tmp/data >/tmp/back; do sleep 0.2; done", 180)
    assert bench.vm.check("md5sum /tmp/back").split()[0] == want
    assert server.stdout.readline().strip() == want


def udp(bench):
    count = 40 if bench.slow else 1000 if bench.long else 200
    mirror = bench.net.start(["python3", "-c", MIRROR, HOST])
    text = bench.vm.check(f"until rr echo {HOST} 7001 1; do sleep 0.1; done >/dev/null; "
                          f"rr echo {HOST} 7001 {count}", 120)
    mirror.kill()
    assert f"datagrams {count} wrong 0 again 0" in text, text


def multicast(bench):
    def send(group):
        return lambda: bench.net.check(["python3", "-c", SEND, group, HOST, "50"])
    assert arrived(bench, send("239.1.2.3")) <= 2
    bench.vm.check("rr join 239.1.2.3 7002 60 >/tmp/joined 2>&1 & sleep 0.5")
    assert arrived(bench, send("239.1.2.3")) >= 50
    assert arrived(bench, send("239.77.8.9")) <= 2
    bench.vm.check("killall rr; sleep 0.2")
    assert arrived(bench, send("239.1.2.3")) <= 2, "the group was left"
    bench.vm.check("ifconfig eth0 allmulti")
    assert arrived(bench, send("239.77.8.9")) >= 50
    bench.vm.check("ifconfig eth0 -allmulti")
    assert arrived(bench, send("239.77.8.9")) <= 2


def promiscuous(bench):
    bench.net.check(f"ip neigh replace 10.9.0.77 lladdr 02:00:00:00:77:77 dev {TAP}")

    def foreign():
        bench.net.run(f"ping -q -c 50 -i {bench.pace} -W 0.1 10.9.0.77")
    assert arrived(bench, foreign) <= 2
    bench.vm.check("ip link set eth0 promisc on")
    assert arrived(bench, foreign) >= 50
    bench.vm.check("ip link set eth0 promisc off")
    if bench.driver in STAYS_PROMISCUOUS:
        bench.vm.check("ip link set eth0 down")
        up(bench.vm)
    assert arrived(bench, foreign) <= 2


def mtu(bench):
    """The largest that the driver takes, or 9000."""
    text = bench.vm.check(
        "ip link set eth0 down; low=1500; high=9001; while [ $((high - low)) -gt 1 ]; do "
        "half=$(((low + high) / 2)); if ip link set eth0 mtu $half 2>/dev/null; then low=$half; "
        "else high=$half; fi; done; ip link set eth0 mtu $low && echo $low", 60)
    most = int(text.split()[-1])
    try:
        if most == 1500:
            return NOT_THERE
        bench.net.check(f"ip link set {TAP} mtu {most}")
        up(bench.vm)
        bench.vm.check(f"ping -c 2 -w 20 -s {most - 28} {HOST}", 30)
        bench.net.check(f"ping -q -c 3 -i 0.1 -w 20 -M do -s {most - 28} {GUEST}")
        tcp(bench, 1 << 20)
        return str(most)
    finally:
        bench.net.check(f"ip link set {TAP} mtu 1500")
        bench.vm.check("ip link set eth0 down; ip link set eth0 mtu 1500")


def link(bench):
    if not bench.shows_link():
        return NOT_THERE
    seconds = LINK_SECONDS.get(bench.driver, 15)
    wait = "until [ $(cat /sys/class/net/eth0/carrier) = %d ]; do sleep 0.1; done"
    bench.vm.check(wait % 1, seconds)
    bench.served.ctl("link", "nic0", "down")
    try:
        bench.vm.check(wait % 0, seconds)
        assert bench.vm.run(f"ping -c 1 -W 1 {HOST}")[0] != 0, "frames pass without a link"
    finally:
        bench.served.ctl("link", "nic0", "up")
    bench.vm.check(wait % 1, seconds)
    up(bench.vm)
    return None


def down_and_up(bench):
    flood = bench.net.start(["ping", "-q", "-i", bench.pace, "-s", "400", GUEST], stdout=-3)
    bench.vm.check(f"for i in $(seq {20 if bench.long else 4}); do ip link set eth0 down; "
                   "ip link set eth0 up; sleep 0.05; done", 120)
    flood.kill()
    up(bench.vm)


def unbind_and_bind(bench):
    bench.vm.check(f"cd /sys/bus/pci/devices/{bench.slot}/driver/; for i in $(seq "
                   f"{10 if bench.long else 3}); do echo {bench.slot} >unbind; "
                   f"echo {bench.slot} >bind; done", 120)
    up(bench.vm)


def selftest(bench):
    if "supports-test: yes" not in bench.vm.check("ethtool -i eth0"):
        return NOT_THERE
    status, text = bench.vm.run("ethtool -t eth0 offline", 60)
    results = re.findall(r"^(.*\S)\s+(\d+)$", text, re.M)
    assert status == 0 and results and all(value == "0" for _, value in results), text
    up(bench.vm)
    return None


def guest_counts(bench):
    """(packets, bytes) each way by the driver's own counting."""
    return [tuple(received(bench.vm, f"{way}_{what}") for what in ("packets", "bytes"))
            for way in ("rx", "tx")]


def counts(bench):
    """Of the tap, the driver and the chip, when nothing moves any more."""
    last, deadline = None, time.monotonic() + 10
    while time.monotonic() < deadline:
        now = bench.tap(), guest_counts(bench)
        if now == last:
            return (*now, chip_counts(bench))
        last = now
        time.sleep(2.5 if bench.driver in COLLECTS else 0.3)
    raise AssertionError(f"it never stands still: {last}")


def statistics(bench):
    """Frames and bytes, without FCS, are those that the tap counted; so are the chip's own."""
    calm(bench)
    tap, guest, chip = counts(bench)
    for size in (18, 100, 999, 1400):
        bench.net.check(f"ping -q -A -c 50 -w 60 -s {size} {GUEST}")
    tap_now, guest_now, chip_now = counts(bench)
    wire, got = difference(tap_now, tap), difference(guest_now, guest)
    less = LESS.get(bench.driver, 0)
    want = [(packets, octets - less * packets * (way == 0))
            for way, (packets, octets) in enumerate(wire)]
    assert got == want and got[0][0] >= 200, f"tap {wire}, guest {got}"
    compare_chip(chip, chip_now, wire)


def difference(now, then):
    return [tuple(a - b for a, b in zip(*pair)) for pair in zip(now, then)]


def chip_counts(bench):
    """What `ethtool -S` has; {} where the driver has none."""
    status, text = bench.vm.run("ethtool -S eth0")
    found = re.findall(r"^\s*([^:]+): (\d+)$", text, re.M)
    return {name: int(value) for name, value in found} if status == 0 else {}


def compare_chip(before, after, wire):
    """Good frames as the wire had them; bytes with or without four of FCS; no errors."""
    got = {name: after[name] - before[name] for name in before}
    for way, (packets, octets) in zip(("rx", "tx"), wire):
        for name, value in got.items():
            if name in (f"{way}_packets", f"{way}_ok", f"{way}_good_packets"):
                assert value == packets, (name, got, wire)
            if name in (f"{way}_bytes", f"{way}_octets"):
                assert value in (octets, octets + 4 * packets), (name, got, wire)
    bad = {name: value for name, value in got.items() if value and re.search(
        r"err|crc|miss|coll|abort|under|over|fifo|align|lost|drop|timeout", name)}
    assert not bad, bad


def log(bench):
    """The kernel has said nothing of the driver that it does not say with the real card."""
    lines = [line for line in bench.vm.check("dmesg -r").splitlines()
             if re.search(rf"{re.escape(bench.driver)}|{re.escape(bench.slot)}|eth0|WATCHDOG", line)]
    loud = [line for line in lines if int(re.match(r"<(\d+)>", line)[1]) & 7 <= 4
            or BAD.search(line)]
    loud = [line for line in loud if not any(usual in line for usual in USUAL)]
    assert not loud, "\n".join(loud)


PARTS = (bind, dhcp, ping, tcp, udp, multicast, promiscuous, mtu, link, selftest, statistics,
         down_and_up, unbind_and_bind, log)
SHORTER = (bind, dhcp, ping, tcp, log)
