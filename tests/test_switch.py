# SPDX-License-Identifier: Apache-2.0
"""The switch between guests: who may talk to whom, as what, and what is counted."""

import os
import subprocess

from hosts import Host
from lablib import build, guest
from lablib.netns import Netns
from lablib.program import ANYNIC
from machines import warnings

SIDE_BY_SIDE = True
PEER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vlan_peer.py")


def address(vm, number):
    vm.check(f"ip addr flush dev eth0; ip addr add 10.9.1.{number}/24 dev eth0; ip link set eth0 up")


def reaches(vm, number):
    vm.check("ip neigh flush dev eth0")
    return vm.run(f"ping -c 3 -i 0.3 -w 12 10.9.1.{number}", 30)[0] == 0


def lost(vm, number):
    vm.check("ip neigh flush dev eth0")
    return vm.run(f"ping -c 2 -i 0.3 -w 2 10.9.1.{number}", 30)[0] != 0


def port(host, name):
    return host.ctl("stats", name)["stats"]["switch_port"]


def test_ports_of_guests():
    """Isolated from one another, held to their addresses, in a VLAN: changed as they run."""
    lab = build.prepare()
    nics = [f"e1000,net=lan,name={name}" + more
            for name, more in (("a", ",isolated=on"), ("b", ",isolated=on,spoofchk=on"), ("c", ""))]
    with Netns() as net:
        net.tap("tap0", "10.9.1.254/24")
        with Host(nics, ["lan=switch,uplink=tap,ifname=tap0"], netns=net) as host, \
                guest.Guest(lab, [host.sockets[0]], netns=net.name, memory=256) as a, \
                guest.Guest(lab, [host.sockets[1]], netns=net.name, memory=256) as b, \
                guest.Guest(lab, [host.sockets[2]], netns=net.name, memory=256) as c:
            for number, vm in enumerate((a, b, c), 1):
                address(vm, number)
            isolated(a, b, c)
            spoofed(host, b)
            of_a_vlan(net, host, a, b, c)
            lan = host.ctl("list")["nets"][0]
            assert [p["uplink"] for p in lan["ports"]] == [True, False, False, False], lan
            assert sum(p["in_offered"] for p in lan["ports"]) == lan["in"], lan
            for vm in (a, b, c):
                assert not warnings(vm), warnings(vm)


def isolated(a, b, c):
    assert reaches(a, 254) and reaches(b, 254) and reaches(a, 3) and reaches(c, 2)
    assert lost(a, 2) and lost(b, 1)


def spoofed(host, b):
    mac = b.check("cat /sys/class/net/eth0/address").strip()
    host.ctl("port", "b", "spoofchk=on")
    assert reaches(b, 1)
    before = port(host, "b")["drops"].get("in_spoofed", 0)
    b.check("ip link set eth0 address 02:00:00:00:77:77")
    assert lost(b, 1)
    counted = port(host, "b")
    assert counted["drops"]["in_spoofed"] > before, counted
    assert host.ctl("stats", "b")["stats"]["host_drops"]["tx_spoofed"] > before
    b.check(f"ip link set eth0 address {mac}")
    assert reaches(b, 1)


def of_a_vlan(net, host, a, b, c):
    """Two in VLAN 5 without tags; behind the up-link it has them."""
    for name in "ab":
        host.ctl("port", name, "vlan=5")
    assert port(host, "a")["options"] == "vlan=5"
    peer = net.start(["python3", PEER, "tap0", "answer", "5", "10.9.1.77"])
    assert reaches(a, 2) and reaches(b, 77)
    assert lost(a, 3) and lost(a, 254) and lost(c, 77)
    peer.kill()
    peer.wait()
    host.ctl("port", "c", "vlan=9", "trunk=5")
    assert lost(c, 1)
    for name in "abc":
        host.ctl("port", name, "off")
    assert "options" not in port(host, "c") and reaches(c, 1) and reaches(a, 254)


def test_two_uplinks_are_one_network():
    with Netns() as net:
        net.tap("left", "10.9.1.254/24")
        net.tap("right", "10.9.2.254/24")
        with Host(["e1000,net=lan"], ["lan=switch,uplink=tap,ifname=left,uplink=tap,ifname=right"],
                  netns=net) as host, \
                guest.Guest(build.prepare(), [host.sockets[0]], netns=net.name, memory=256) as vm:
            address(vm, 1)
            assert reaches(vm, 254)
            lan = host.ctl("list")["nets"][0]
            assert lan["uplinks"] == 2 and lan["addresses"] >= 2, lan
            out = {p["name"]: p["out_frames"] for p in lan["ports"]}
            assert out["tap,ifname=right"] > 0 and out["tap,ifname=left"] > 0, out


def refused(*words):
    done = subprocess.run([ANYNIC, "run", *words], capture_output=True, text=True, timeout=20)
    assert done.returncode, done
    return done.stderr


def test_words_that_make_no_sense():
    for word, wanted in (("vlan=0", "from 1 to 4094"), ("vlan=x", "from 1 to 4094"),
                         ("trunk=9-3", "N or N-M"), ("isolated=yes", "on or off"),
                         ("isolated=on", "a port of a switch")):
        said = refused("--net", "lan=null", "--nic", f"e1000,socket=@a,net=lan,{word}")
        assert wanted in said, (word, said)
    said = refused("--net", "lan=switch,uplink=null,vlan=5000", "--nic", "e1000,socket=@a,net=lan")
    assert "from 1 to 4094" in said, said
    with Host(["e1000,net=lan,vlan=7", "e1000"], ["lan=switch,uplink=null,trunk=7"]) as host:
        for nic, word, wanted in (("nic0", "vlan=4095", "from 1 to"), ("nic0", "mac=7", "no option"),
                                  ("nic1", "vlan=7", "not on a switch"),
                                  ("nic9", "vlan=7", "no NIC")):
            try:
                host.ctl("port", nic, word)
            except OSError as why:
                assert wanted in str(why) or nic == "nic9", (word, why)
            else:
                raise AssertionError((nic, word))
        host.ctl("add-net", "one=null")
        try:
            host.ctl("attach", "nic0", "one")
        except OSError as why:
            assert "a port of a switch" in str(why), why
        else:
            raise AssertionError("attached")
        options = [p.get("options") for p in host.ctl("list")["nets"][0]["ports"]]
        assert options == ["trunk=7", "vlan=7"], options
