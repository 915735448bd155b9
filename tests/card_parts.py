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
from machines import GUEST, HOST, complaints, echo, received, up

HERE = os.path.dirname(os.path.abspath(__file__))
NOT_THERE = "–"
DRIVERS_OWN = "✗ driver"  # what the card cannot help: NOTES.md says why
TAP = "tap0"
COUNT = 25  # frames to listen for
# what is particular about a driver
LINK_SECONDS = {"tulip": 90}  # looks after its link once a minute
COLLECTS = {"e1000"}  # its counts, every two seconds
# bytes a frame that it counts, received and sent, beside those of the wire without FCS
BYTES = {"8139cp": (-14, 0),  # without the Ethernet header
         "ena": (-14, 0),
         "3c59x": (4, 4),  # from the chip's counters: with FCS
         "e1000e": (4, 4),
         "sundance": (4, 4),
         "via-velocity": (4, 0)}
# takes what it sent before it was switched off for more than was sent, and the kernel stops
SENDS_UNTIL_DEATH = {"3c59x"}
HEARS_ALL_GROUPS = {"3c59x", "epic100"}  # asks for all multicast as soon as there is a group
# counts frames sent as if they were frames received, on a busy machine
OWN_FAULT = re.compile(r"epic_poll\S* \[epic100\] returned")
# acknowledges frames that came after it has looked, and so hears of one only with the next
ACKNOWLEDGES_LATE = {"epic100"}
NO_CARRIER = {"epic100"}  # leaves the kernel's carrier alone; ethtool asks its PHY
FILTERS_LATER = {"virtio_net"}  # tells the card from a work queue (6.12)
STAYS_PROMISCUOUS = {"via-rhine"}  # sets bits of its RCR, and never takes one back
STAYS_PROMISCUOUS = {"via-rhine", "via-velocity"}  # set bits of RCR, and never take one back
MTU_MOST = {"sundance": 8175}  # takes more than 13 bits of length can say of its buffers
KEEPS_GROUPS = {"via-velocity"}  # and adds to masks of its CAM and hash table, until it is closed
# datagrams come back
MIRROR = """
import socket, sys
link = socket.socket(type=socket.SOCK_DGRAM)
link.bind((sys.argv[1], 7001))
while True:
    link.sendto(*link.recvfrom(65536))
"""

# COUNT datagrams to a group, no faster than a small ring can take them
SEND = """
import socket, sys, time
link = socket.socket(type=socket.SOCK_DGRAM)
link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(sys.argv[2]))
link.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
for _ in range(int(sys.argv[3])):
    link.sendto(b"group", (sys.argv[1], 7002))
    time.sleep(float(sys.argv[4]))
"""


class Bench:
    """A card in a guest, and what the parts want to know of it."""

    def __init__(self, card, driver, net, served, vm, long):
        self.card, self.driver, self.long = card, driver, long
        self.net, self.served, self.vm = net, served, vm
        root = xml.parse(f"{HERE}/../cards/{card}/card.xml").getroot()
        self.filters = root.find("receive/accept[@class='all'][@when]") is not None or \
            root.find("receive/accept[@class='all']") is None
        self.slow = root.find("bank/port") is not None  # an access for every few bytes
        self.pace = "0.04" if self.slow else "0.004"  # seconds between frames of a flood
        path = vm.check("readlink -f /sys/class/net/eth0/device")  # a bus of its own may be between
        self.slot = re.findall(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", path)[-1]

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
    bound = bench.vm.check("readlink /sys/class/net/eth0/device/driver/module").strip()
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
        bench.net.check(f"ping -q -i {bench.pace} -c 5 -w 20 -s {size} {GUEST}")


def tcp(bench, kib=None):
    kib = kib or (96 if bench.slow else (16 if bench.long else 4) << 10)
    echo(bench.net, bench.vm, HOST, kib=kib)


def udp(bench):
    count = 40 if bench.slow else 1000 if bench.long else 200
    mirror = bench.net.start(["python3", "-c", MIRROR, HOST])
    text = bench.vm.check(f"until rr echo {HOST} 7001 1; do sleep 0.1; done >/dev/null; "
                          f"rr echo {HOST} 7001 {count}", 120)
    mirror.kill()
    again = int(re.search(rf"datagrams {count} wrong 0 again (\d+)", text)[1])
    if bench.driver in ACKNOWLEDGES_LATE and 0 < again <= count // 20:
        return DRIVERS_OWN
    assert not again, text
    return None


def told(bench):
    """The card knows what the kernel wants to hear."""
    if bench.driver in FILTERS_LATER:
        time.sleep(1)


def multicast(bench):
    def heard(group):
        return arrived(bench, lambda: bench.net.check(
            ["python3", "-c", SEND, group, HOST, str(COUNT), bench.pace])) >= COUNT
    deaf = bench.filters and bench.driver not in HEARS_ALL_GROUPS
    assert not (deaf and heard("239.1.2.3")), "a group that is not joined"
    bench.vm.check("rr join 239.1.2.3 7002 60 >/tmp/joined 2>&1 & sleep 0.5")
    assert heard("239.1.2.3"), "the group that was joined"
    assert not (deaf and heard("239.77.8.9")), "another than was joined"
    bench.vm.check("killall rr; sleep 0.2")
    told(bench)
    forget_groups(bench)
    assert not (deaf and heard("239.1.2.3")), "the group that was left"
    bench.vm.check("ifconfig eth0 allmulti")
    told(bench)
    assert heard("239.77.8.9"), "any group"
    bench.vm.check("ifconfig eth0 -allmulti")
    told(bench)
    forget_groups(bench)
    assert not (deaf and heard("239.77.8.9")), "any group, still"
    return None if bench.filters else NOT_THERE


def forget_groups(bench):
    if bench.driver in KEEPS_GROUPS:
        bench.vm.check("ip link set eth0 down")
        up(bench.vm)


def promiscuous(bench):
    if not bench.filters:
        return NOT_THERE
    bench.net.check(f"ip neigh replace 10.9.0.77 lladdr 02:00:00:00:77:77 dev {TAP}")

    def heard():
        return arrived(bench, lambda: bench.net.run(
            f"ping -q -c {COUNT} -i {bench.pace} -W 0.1 10.9.0.77")) >= COUNT
    assert not heard(), "frames for another"
    bench.vm.check("ip link set eth0 promisc on")
    told(bench)
    assert heard(), "nothing for another"
    bench.vm.check("ip link set eth0 promisc off")
    told(bench)
    if bench.driver in STAYS_PROMISCUOUS:
        bench.vm.check("ip link set eth0 down")
        up(bench.vm)
    assert not heard(), "frames for another, still"
    return None


def mtu(bench):
    """The largest that the driver takes, or 9000."""
    most = MTU_MOST.get(bench.driver, 9000)
    text = bench.vm.check(
        f"ip link set eth0 down; low=1500; high={most + 1}; while [ $((high - low)) -gt 1 ]; do "
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
        tcp(bench, 1 << 10)
        return str(most)
    finally:
        bench.net.check(f"ip link set {TAP} mtu 1500")
        bench.vm.check("ip link set eth0 down; ip link set eth0 mtu 1500")


def until_link(bench, there):
    if bench.driver in NO_CARRIER:
        seen = f"ethtool eth0 | grep -q 'Link detected: {'yes' if there else 'no'}'"
    else:
        seen = f"[ $(cat /sys/class/net/eth0/carrier) = {there:d} ]"
    tenths = 10 * LINK_SECONDS.get(bench.driver, 15)
    return f"for i in $(seq {tenths}); do {seen} && break; sleep 0.1; done; {seen}"


def link(bench):
    if not bench.shows_link():
        return NOT_THERE
    seconds = 2 * LINK_SECONDS.get(bench.driver, 15)
    bench.vm.check(until_link(bench, True), seconds)
    bench.served.ctl("link", "nic0", "down")
    try:
        bench.vm.check(until_link(bench, False), seconds)
        assert bench.vm.run(f"ping -c 1 -W 1 {HOST}")[0] != 0, "frames pass without a link"
    finally:
        bench.served.ctl("link", "nic0", "up")
    bench.vm.check(until_link(bench, True), seconds)
    up(bench.vm)
    return None


def down_and_up(bench):
    words = ["ping", "-q", "-i", bench.pace, "-s", "400", GUEST]
    if bench.driver in SENDS_UNTIL_DEATH:  # what nobody answers
        words = ["python3", "-c", SEND, "10.9.0.255", HOST, "100000", bench.pace]
    flood = bench.net.start(words, stdout=-3)
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


def catch_up(bench):
    """What such a driver has acknowledged and not seen, it sees with what comes next."""
    if bench.driver in ACKNOWLEDGES_LATE:
        bench.net.check(f"ping -q -c 3 -i 0.3 -w 10 {GUEST}")


def statistics(bench):
    """Frames and bytes, without FCS, are those that the tap counted; so are the chip's own."""
    calm(bench)
    catch_up(bench)
    tap, guest, chip = counts(bench)
    for size in (18, 100, 999, 1400):
        bench.net.check(["sh", "-c", one_by_one(size) if bench.slow else
                         f"ping -q -A -c 50 -w 60 -s {size} {GUEST}"])
    tap_now, guest_now, chip_now = counts(bench)
    wire, got = difference(tap_now, tap), difference(guest_now, guest)
    want = [(packets, octets + more * packets)
            for more, (packets, octets) in zip(BYTES.get(bench.driver, (0, 0)), wire)]
    late = bench.driver in ACKNOWLEDGES_LATE and got[0] == want[0] and \
        abs(want[1][0] - got[1][0]) <= want[1][0] // 50
    assert got == want or late, f"tap {wire}, guest {got}"
    assert got[0][0] >= 200, got
    compare_chip(chip, chip_now, wire)
    return None if got == want else DRIVERS_OWN


def one_by_one(size):
    """Adaptive pings do not wait for a guest that is late: they fill a small ring and more."""
    return f"for i in $(seq 50); do ping -q -c 1 -W 20 -s {size} {GUEST} || exit 1; done"


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
        r"(^|_)(err|errors?|crc|missed|coll|abort|under|over|fifo|align|lost|drop|timeout)", name)}
    assert not bad, bad


def log(bench):
    lines = complaints(bench.vm, bench.driver)
    lines = [line for line in lines if not OWN_FAULT.search(line)]
    assert not lines, "\n".join(lines)


PARTS = (bind, dhcp, ping, tcp, udp, multicast, promiscuous, mtu, link, selftest, statistics,
         down_and_up, unbind_and_bind, log)
SHORTER = (bind, dhcp, ping, tcp, log)
TITLES = {"dhcp": "DHCP", "tcp": "TCP", "udp": "UDP", "mtu": "MTU", "selftest": "self-test",
          "promiscuous": "promisc.", "statistics": "counts", "down_and_up": "down, up",
          "unbind_and_bind": "unbind, bind"}
