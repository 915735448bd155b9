# SPDX-License-Identifier: Apache-2.0
"""docs/openvswitch.md, command by command: two hosts (namespaces with an Open vSwitch each, its
userspace datapath, VXLAN between them), a guest on each, on one layer-2 network."""

import contextlib
import os
import re
import subprocess
import tempfile
import time

from lablib import build, guest
from lablib.netns import Netns
from lablib.program import ANYNIC, sums
from machines import GUEST, HOST, complaints, transfer

SIDE_BY_SIDE = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DRIVERS = {"e1000": "e1000", "rtl8168": "r8169"}


def commands(*tags):
    """What the document has for these, in its order."""
    with open(f"{ROOT}/docs/openvswitch.md", encoding="utf-8") as file:
        blocks = re.findall(r"^```sh ?(\S*)\n(.*?)^```$", file.read(), re.M | re.S)
    return "".join(text for tag, text in blocks if tag in tags)


class OneHost:
    """A namespace that has its own /run, as far as the commands go."""

    def __init__(self, name, net, folder):
        self.name, self.net, self.folder = name, net, folder
        os.mkdir(folder)

    def type(self, text):
        """As root would at a shell, where anything that fails ends the test."""
        text = re.sub(r"^anynic ", f"{ANYNIC} ", text, flags=re.M)
        text = text.replace("/run/", f"{self.folder}/")
        with tempfile.TemporaryFile("w+") as said:  # what stays in the background has it too
            done = subprocess.run(self.net.command(["sh", "-e"]), input=text, text=True,
                                  stdout=said, stderr=said, timeout=60)
            said.seek(0)
            answer = said.read()
        assert done.returncode == 0, (self.name, answer)
        return answer

    def ask(self, words):
        return self.type(f"export OVS_RUNDIR=/run/openvswitch\n{words}\n")

    def card(self):
        return re.search(r"CARD=(\S+)", commands(self.name))[1]

    def guest(self):
        path = f"{self.folder}/nic.sock"
        deadline = time.monotonic() + 20
        while not os.path.exists(path):
            assert time.monotonic() < deadline, open(f"{self.folder}/nic.log").read()
            time.sleep(0.02)
        return guest.Guest(build.prepare(), [path], memory=256,
                           modules=f"{DRIVERS[self.card()]},af_packet")


@contextlib.contextmanager
def hosts():
    with tempfile.TemporaryDirectory() as folder, Netns() as left, Netns() as right:
        subprocess.run(["ip", "link", "add", "eth0", "netns", left.name, "type", "veth", "peer",
                        "name", "eth0", "netns", right.name], check=True)
        yield [OneHost(name, net, f"{folder}/{name}")
               for name, net in (("host1", left), ("host2", right))]


def beyond(host, mac):
    """Its bridge for guests has learned this address from the other host; None: not at all."""
    line = re.search(rf"^ *(\S+) .* {mac} ", host.ask("ovs-appctl fdb/show br-lan"), re.M)
    return line and line[1] == host.ask("ovs-vsctl get interface vx0 ofport").strip()


def carried(host):
    """Both files have gone over its tunnel. The switch counts a flow's frames when it next looks
    the flow over, twice a second at its leisure, and at the latest when the flow is 10 s old."""
    deadline = time.monotonic() + 50
    while True:
        ways = re.findall(r"bytes=(\d+)", host.ask("ovs-ofctl dump-ports br-lan vx0"))
        assert len(ways) == 2, ways
        if min(map(int, ways)) > 8 << 20:
            return
        assert time.monotonic() < deadline, ways
        time.sleep(0.2)


def test_two_hosts():
    with hosts() as (left, right), contextlib.ExitStack() as guests:
        for host in (left, right):
            host.type(commands("", host.name))
        vms = [guests.enter_context(host.guest()) for host in (left, right)]
        for vm, host, address in zip(vms, (left, right), (HOST, GUEST)):
            assert f"driver: {DRIVERS[host.card()]}\n" in vm.check("ethtool -i eth0")
            vm.check(f"ip addr add {address}/24 dev eth0; ip link set eth0 up")
        vms[0].check(f"for i in $(seq 20); do ping -c 1 -W 2 {GUEST} && exit; done; exit 1", 60)
        vms[1].check(f"ping -q -c 5 -w 30 -s 1472 {HOST}", 40)
        transfer(*vms, GUEST)
        transfer(*reversed(vms), HOST)
        macs = [vm.check("cat /sys/class/net/eth0/address").strip() for vm in vms]
        for k, host in enumerate((left, right)):
            assert [beyond(host, mac) for mac in macs] == [k == 1, k == 0], host.ask(
                commands("look"))
            assert not sums(f"{host.folder}/nic.ctl")
            assert not complaints(vms[k], DRIVERS[host.card()])
            carried(host)
        guests.close()
        for host in (left, right):
            host.type(commands("end"))
            assert not os.path.exists(f"{host.folder}/nic.sock")
            assert "guest0" not in host.net.check("ip link")
