# SPDX-License-Identifier: Apache-2.0
"""A guest with a card on a tap, as most guest tests want it."""

import contextlib
import re

from lablib import build, guest
from lablib.netns import Netns
from lablib.program import Card

HOST, GUEST = "10.9.0.1", "10.9.0.2"


@contextlib.contextmanager
def machine(name="e1000", arguments=(), kernel=None, for_guest=(), **options):
    """(namespace, card, guest) with the guest's interface up and answering."""
    lab = build.prepare(version=kernel) if kernel else build.prepare()
    with Netns() as net:
        net.tap("tap0", f"{HOST}/24", mtu=9000)
        with Card(name, net="tap,ifname=tap0", netns=net, arguments=arguments) as card, \
                guest.Guest(lab, [card.socket], netns=net.name, arguments=for_guest,
                            **options) as vm:
            up(vm)
            yield net, card, vm


def up(vm):
    """Asked again where the answer was lost: the guest's ping keeps a dozen ICMP messages
    that it has not read, so a flood of the host's that ends here may push the answer out."""
    vm.check(f"ip addr flush dev eth0; ip addr add {GUEST}/24 dev eth0; ip link set eth0 up")
    vm.check(f"for i in $(seq 10); do ping -c 1 -W 2 {HOST} && exit; done; exit 1", 40)


def received(vm, name="rx_packets"):
    return int(vm.check(f"cat /sys/class/net/eth0/statistics/{name}"))


# what the kernel says with the real card too, and why
USUAL = {
    "interrupt from stopped card": "lib8390: between the kernel's stop and the driver's",
    "mtu greater than device maximum": "a test that looks for it",
    "failed to detect cable link": "via-velocity: a test that pulls it",
    "LLQ is not supported": "ena: a mode that the card need not have",
    "disabling VPD access": "a quirk of the kernel's for all cards of Attansic's",
    "Firmware left e100 interrupts enabled": "they are, after a reset (8255x manual, 6.3.2.1)",
}
HURRIED = {"ne2k-pci"}  # whose watchdog bites after 200 ms, in which a slow guest does little
BAD = re.compile(r"WATCHDOG|Call Trace|timed? ?out|\bhang|fail|error|bogus|wedged|stall|lockup", re.I)


def complaints(vm, driver):
    """Warnings and worse of the driver, its device and its interface; and whatever sounds so."""
    slot = vm.check("readlink /sys/class/net/eth0/device").strip().split("/")[-1]
    name = re.compile(rf"{re.escape(driver)}|{re.escape(slot)}|eth0|WATCHDOG|Call Trace")
    found = []
    for line in vm.check("dmesg -r").splitlines():
        loud = int(re.match(r"<(\d+)>", line)[1]) & 7 <= 4 or BAD.search(line)
        usual = any(text in line for text in USUAL) or \
            driver in HURRIED and "transmit queue 0 timed out" in line
        if loud and name.search(line) and not usual:
            found.append(line)
    return found


def warnings(vm):
    """Lines of the driver and of its watchdog that a real card would not cause."""
    words = ("Tx Unit Hang", "NETDEV WATCHDOG", "call trace", "error", "failed")
    return [line for line in vm.dmesg().splitlines()
            if "e1000" in line and any(word.lower() in line.lower() for word in words)]


def transfer(sender, receiver, address, mib=8):
    """From one guest to another, which has ADDRESS, by TCP, compared."""
    sender.check(f"dd if=/dev/urandom of=/tmp/data bs=1M count={mib} 2>/dev/null")
    want = sender.check("md5sum /tmp/data").split()[0]
    # nc that has nothing to say would hang up
    got = receiver.start("[ -p /tmp/quiet ] || mkfifo /tmp/quiet; nc -l -p 7000 <>/tmp/quiet | md5sum")
    sender.check(f"until nc {address} 7000 </tmp/data; do sleep 0.2; done", 120)
    status, text = receiver.wait(got, 120)
    assert status == 0 and text.split()[0] == want, text


# takes KiB of a connection, prints how many and their digest, sends them back, and then
# dots until the other end has gone
ECHO = """
import hashlib, select, socket, sys
server = socket.create_server((sys.argv[1], 7000))
print("listens", flush=True)
link, _ = server.accept()
data = b""
while len(data) < int(sys.argv[2]) << 10:
    data += link.recv(1 << 20)
print(len(data) >> 10, hashlib.md5(data).hexdigest(), flush=True)
try:
    link.sendall(data)
    while not select.select([link], [], [], 0.1)[0]:
        link.sendall(b".")
except OSError:
    pass
"""


def echo(net, vm, address, listens=None, kib=24 << 10):
    """By TCP there and back, the data compared; LISTENS: the address as the host has it.

    Neither end closes its half early: there are relays that lose what follows.
    """
    vm.check(f"dd if=/dev/urandom of=/tmp/data bs=1024 count={kib} 2>/dev/null")
    want = vm.check("md5sum /tmp/data").split()[0]
    server = net.start(["python3", "-c", ECHO, listens or address, str(kib)], stdout=-1, text=True)
    assert server.stdout.readline() == "listens\n"
    vm.check(f"rm -f /tmp/in; mkfifo /tmp/in; nc {address} 7000 <>/tmp/in | "
             f"head -c {kib << 10} >/tmp/back & cat /tmp/data >/tmp/in; wait", 180)
    assert server.stdout.readline().split() == [str(kib), want]
    assert vm.check("md5sum /tmp/back").split()[0] == want
    server.wait(10)
