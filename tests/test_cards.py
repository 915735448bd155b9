# SPDX-License-Identifier: Apache-2.0
"""Every shipped card with every Linux driver its description names, in short.

One test for each `linux:DRIVER` in a card's drivers=; the card's folder may
hold tests of its own. `tests/run cards.NAME` runs those of one card.
"""

import glob
import os
import re
import xml.etree.ElementTree as xml

from machines import GUEST, HOST, machine, up

SIDE_BY_SIDE = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SIZE = 4 << 20
PORT_SIZE = 96 << 10  # through a data port: an access, and so a message, for every four bytes

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


def complaints(vm, driver):
    """What the kernel said that it does not say with the real card."""
    bad = re.compile(r"NETDEV WATCHDOG|Call Trace|timed? ?out|Hang|fail|error|bogus|wedged", re.I)
    return [line for line in vm.dmesg().splitlines()
            if bad.search(line) and (driver in line or "eth0" in line or "WATCHDOG" in line)]


def tcp_both_ways(net, vm, size=SIZE):
    vm.check(f"dd if=/dev/urandom of=/tmp/data bs=1024 count={size >> 10} 2>/dev/null")
    want = vm.check("md5sum /tmp/data").split()[0]
    server = net.start(["python3", "-c", ECHO, HOST, str(size)], stdout=-1, text=True)
    vm.check(f"until nc {HOST} 7000 </tmp/data >/tmp/back; do sleep 0.2; done", 120)
    assert vm.check("md5sum /tmp/back").split()[0] == want
    assert server.stdout.readline().strip() == want


def short_form(card, driver, size):
    with machine(card, modules=f"{driver},8021q", cpu_model="qemu64") as (net, served, vm):
        slot = os.path.basename(vm.check("readlink /sys/class/net/eth0/device").strip())
        bound = vm.check("readlink /sys/class/net/eth0/device/driver/module").strip()
        assert os.path.basename(bound).replace("_", "-") == driver.replace("_", "-"), bound
        vm.check(f"ping -c 3 -w 20 -s 1400 {HOST}", 30)
        net.check(f"ping -q -c 20 -i 0.01 -w 20 {GUEST}")
        tcp_both_ways(net, vm, size)
        flood = net.start(["ping", "-q", "-i", "0.005", GUEST], stdout=-3)
        vm.check("for i in 1 2 3 4 5; do ip link set eth0 down; ip link set eth0 up; sleep 0.1; done",
                 60)
        flood.kill()
        up(vm)
        vm.check(f"cd /sys/bus/pci/drivers/*/{slot}/..; for i in 1 2 3; do echo {slot} >unbind; "
                 f"echo {slot} >bind; done", 60)
        up(vm)
        assert not complaints(vm, driver), complaints(vm, driver)


def add(card, driver, size):
    def test():
        short_form(card, driver, size)
    name = f"test_{card}_{driver}".replace("-", "_")
    globals()[name] = test


for path in sorted(glob.glob(f"{ROOT}/cards/*/card.xml")):
    root = xml.parse(path).getroot()
    for word in root.get("drivers", "").split():
        system, _, name = word.partition(":")
        if system == "linux":
            add(os.path.basename(os.path.dirname(path)), name,
                PORT_SIZE if root.find("bank/port") is not None else SIZE)
