# SPDX-License-Identifier: Apache-2.0
"""Many cards in one process: what it says of them, the networks between them, and
guests on them."""

import json
import os
import re
import socket
import subprocess
import tempfile

from hosts import Host
from lablib import build, guest
from lablib.netns import Netns
from lablib.program import ANYNIC
from machines import transfer, warnings
from wire_client import CONFIG, Client, Gone

SIDE_BY_SIDE = True


# ---- words ----

def refused(*words, status=2):
    with tempfile.TemporaryDirectory() as folder:
        words = [word.replace("@", folder + "/") for word in words]
        done = subprocess.run([ANYNIC, "run", *words], capture_output=True, text=True, timeout=20)
        assert done.returncode == status and not done.stdout, (words, done)
        assert not os.listdir(folder), "a socket is left"
        return done.stderr


def test_what_is_wrong_with_one_of_many_names_it():
    good = ["--nic", "e1000,socket=@a"]
    for words, text, status in (
            (["--nic", "e1000,socket=/no/such/b"], "nic1: /no/such/b", 1),
            (["--nic", "e1000,socket=/no/such/b,name=left"], "left: /no/such/b", 1),
            (["--nic", "e1000"], "nic1: one of socket= and fd=", 2),
            (["--nic", "e1000,socket=@b,fd=3"], "nic1: one of socket= and fd=", 2),
            (["--nic", "e1000,fd=77"], "nic1: descriptor 77", 1),
            (["--nic", "e1000,socket=@b,net=lan"], "nic1: net=lan: there is no --net lan=", 2),
            (["--nic", "e1000,socket=@a"], "is the socket of nic0", 2),
            (["--nic", "e1000,socket=@b,name=nic0"], "nic0: there are two of that name", 2),
            (["--nic", "e1000,socket=@b,name=a b"], "name=a b", 2),
            (["--nic", "e1000,socket=@b,sockt=x"], "no option \"sockt\"", 2),
            (["--nic", "e1000,socket="], "socket= wants a value", 2),
            (["--nic", "e1000,socket=@b,mac=03:00:00:00:00:01"], "mac=03:00", 2),
            (["--nic", "socket=@b"], "a CARD comes first", 2),
            (["--nic", "e9999,socket=@b"], "nic1: there is no card e9999", 1),
            (["--socket-path", "@c"], "--socket-path does not go with --nic", 2),
            (["e1000"], "e1000 does not go with --nic", 2),
            (["--net", "null"], "expected ID=SPEC", 2),
            (["--net", "a=null", "--net", "a=null"], "--net a=: there are two", 2),
            (["--net", "a=switch,up=null"], "expected switch or switch,uplink=SPEC", 2),
            (["--net", "a=switch,uplink=switch"], "expected switch or switch,uplink=SPEC", 2),
            (["--net", "a=switch,uplink=tap,ifname=nosuch0"], "no such interface", 1)):
        said = refused(*good, *words, status=status)
        assert text in said and "error: " in said, (words, said)


def test_two_of_one_address():
    mac = "mac=02:00:00:00:00:07"
    said = refused("--net", "lan=switch", "--nic", f"e1000,socket=@a,net=lan,{mac}",
                   "--nic", f"e1000,socket=@b,net=lan,{mac}")
    assert "nic1: its address is that of nic0" in said, said


def test_prints_what_to_paste():
    with Host(["e1000", "e1000-82545em,name=right"]) as host:
        said = host.output()
        for name, path in zip(("nic0", "right"), host.sockets):
            assert re.search(rf"^{name}, Intel .*:\n.*vfio-user-pci.*{path}", said, re.M), said


def test_by_name():
    with Host(["e1000,net=lan", "e1000-82545em,net=lan,name=right", "e1000"],
              ["lan=null", "spare=null"]) as host:
        answer = host.ctl("list")
        assert [nic["name"] for nic in answer["nics"]] == ["nic0", "right", "nic2"], answer
        assert [nic["net"] for nic in answer["nics"]] == ["lan", "lan", "user"], answer
        assert len({nic["mac"] for nic in answer["nics"]}) == 3, answer
        lan, spare = answer["nets"]
        assert lan["switch"] and lan["nics"] == 2 and spare["nics"] == 0, answer
        assert host.ctl("stats", "right")["stats"]["guest"]["tx_frames"] == 0
        assert set(host.ctl("stats")["stats"]) == {"nic0", "right", "nic2"}
        host.ctl("link", "right", "down")
        assert [nic["link"] for nic in host.ctl("list")["nics"]] == [True, False, True]
        for words in (["stats", "left"], ["link", "nic1", "up"]):
            try:
                host.ctl(*words)
            except OSError as error:
                assert "no such NIC" in str(error), error
                continue
            raise AssertionError(words)


def test_a_client_that_goes_leaves_the_others_alone():
    with Host(["e1000", "e1000-82545em"]) as host:
        with Client(host.sockets[1]) as second:
            for _ in range(3):
                with Client(host.sockets[0]) as first:
                    assert first.read(CONFIG, 0, 4) == b"\x86\x80\x0e\x10"
            with Client(host.sockets[0]) as first:
                first.send(b"\xff" * 64)  # worse than leaving
            assert second.read(CONFIG, 0, 4) == b"\x86\x80\x0f\x10"
        assert host.process.poll() is None, host.output()


def test_added_and_removed():
    with Host(["e1000,net=lan"], ["lan=switch", "one=null"]) as host:
        path = f"{host.folder}/new.sock"
        nic = host.ctl("add", f"e1000-82545em,socket={path},net=lan,name=new")["nic"]
        assert nic["name"] == "new" and nic["identity"] == "8086:100f", nic
        with Client(path) as client:
            assert client.read(CONFIG, 0, 4) == b"\x86\x80\x0f\x10"
            assert [one["nics"] for one in host.ctl("list")["nets"]] == [2, 0]
            for words, said in ((f"e1000,socket={path}", "is the socket of new"),
                                ("e1000,socket=/no/such/x", "/no/such/x"),
                                ("e1000,net=lan", "one of socket= and fd="),
                                ("e1000,fd=0", "fd= is of no use here"),
                                ("e9999,socket=@", "no such card"),
                                ("e1000,socket=@,net=none", "there is no --net none="),
                                ("e1000,socket=@,name=new", "there are two of that name"),
                                ("e1000,socket=@,mac=1", "mac=1"), ("", "a CARD comes first")):
                try:
                    host.ctl("add", words.replace("@", f"{host.folder}/x"))
                except OSError as error:
                    assert said in str(error) and "\n" not in str(error), (words, error)
                    continue
                raise AssertionError(words)
            host.ctl("remove", "new")
            try:
                client.read(CONFIG, 0, 4)
                raise AssertionError("it is still served")
            except (Gone, OSError):
                pass
        assert not os.path.exists(path) and not os.path.exists(f"{host.folder}/x")
        host.ctl("remove", "nic0")
        assert host.ctl("list")["nics"] == []
        assert host.ctl("stats")["stats"] == {}
        for _ in range(20):
            host.ctl("add", f"e1000,socket={path},net=lan")
            host.ctl("remove", "nic0")
        assert host.ctl("list")["nets"][0]["nics"] == 0
        assert host.process.poll() is None, host.output()


def test_capabilities():
    done = subprocess.run([ANYNIC, "run", "--print-capabilities"], capture_output=True, text=True)
    said = json.loads(done.stdout)
    assert done.returncode == 0 and said["type"] == "net" and "switch" in said["nets"], done


def test_several_cards_of_one_vm():
    """exec puts every --nic into the VM it starts."""
    words = [ANYNIC, "exec", "--net", "lan=switch", "--nic", "e1000,net=lan",
             "--nic", "e1000-82545em,net=lan", "--", "/bin/echo", "-m", "64"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and done.stdout.count("vfio-user-pci") == 2, done
    assert len(set(re.findall(r"/tmp/\S+\.sock", done.stdout))) == 2, done


def test_handed_over_sockets():
    """The process ends when the last of them has gone."""
    pairs = [socket.socketpair() for _ in range(2)]
    words = [ANYNIC, "run"]
    for _, theirs in pairs:
        words += ["--nic", f"e1000,fd={theirs.fileno()}"]
    process = subprocess.Popen(words, pass_fds=[theirs.fileno() for _, theirs in pairs],
                               stdout=subprocess.DEVNULL)
    for _, theirs in pairs:
        theirs.close()
    pairs[0][0].close()
    try:
        process.wait(0.5)
        raise AssertionError("it ended with the first")
    except subprocess.TimeoutExpired:
        pass
    pairs[1][0].close()
    assert process.wait(10) == 0


# ---- guests ----

def address(vm, number):
    vm.check(f"ip addr add 10.9.1.{number}/24 dev eth0; ip link set eth0 up")


def test_two_guests_on_one_network():
    lab = build.prepare()
    with Host(["e1000,net=lan", "e1000-82545em,net=lan"], ["lan=switch"]) as host, \
            guest.Guest(lab, [host.sockets[0]]) as left, \
            guest.Guest(lab, [host.sockets[1]]) as right:
        address(left, 1)
        address(right, 2)
        left.check("ping -c 5 -w 30 -s 1400 10.9.1.2", 40)
        transfer(left, right, "10.9.1.2")
        transfer(right, left, "10.9.1.1")
        lan = host.ctl("list")["nets"][0]
        assert lan["addresses"] == 2 and lan["nics"] == 2, lan
        # jumbo frames, and what neither card's driver leaves to it
        for vm in (left, right):
            vm.check("ip link set eth0 mtu 9000; ethtool -K eth0 tx off rx off sg off tso off")
        right.check("ping -c 3 -w 30 -s 8900 10.9.1.1", 40)
        transfer(left, right, "10.9.1.2")
        assert not warnings(left) and not warnings(right), (warnings(left), warnings(right))


def test_a_network_behind_a_switch_and_a_vm_that_dies():
    lab = build.prepare()
    with Netns() as net:
        net.tap("tap0", "10.9.1.254/24")
        with Host(["e1000,net=lan", "e1000-82545em,net=lan"], ["lan=tap,ifname=tap0"],
                  netns=net) as host, \
                guest.Guest(lab, [host.sockets[0]], netns=net.name) as left:
            with guest.Guest(lab, [host.sockets[1]], netns=net.name) as right:
                address(left, 1)
                address(right, 2)
                left.check("ping -c 3 -w 30 10.9.1.254", 40)
                right.check("ping -c 3 -w 30 10.9.1.1", 40)
                net.check("ping -c 3 -w 30 10.9.1.2")
                right.start("while :; do ping -c 1000 -A -s 1400 10.9.1.1; done")
            # killed under load
            left.check("ping -c 3 -w 30 10.9.1.254", 40)
            assert left.run("ping -c 1 -w 2 10.9.1.2")[0] != 0
            with guest.Guest(lab, [host.sockets[1]], netns=net.name) as right:
                address(right, 2)
                left.check("ping -c 3 -w 30 10.9.1.2", 40)
                transfer(right, left, "10.9.1.1")
            server = net.start(["iperf3", "-s", "-1"], stdout=-3)
            left.check("until iperf3 -c 10.9.1.254 -t 2; do sleep 0.2; done", 60)
            server.wait(30)
            assert not warnings(left), warnings(left)


def test_cards_of_other_families_on_one_network():
    """Those that send and take nothing but plain frames, with one that sends large ones."""
    lab = build.prepare()
    with Host(["rtl8139,net=lan", "pcnet,net=lan", "e1000,net=lan"], ["lan=switch"]) as host, \
            guest.Guest(lab, [host.sockets[0]], modules="8139too", memory=256) as first, \
            guest.Guest(lab, [host.sockets[1]], modules="pcnet32", memory=256) as second, \
            guest.Guest(lab, [host.sockets[2]], modules="e1000", memory=256) as third:
        guests = [first, second, third]
        for number, vm in enumerate(guests, 1):
            address(vm, number)
        for vm in guests:
            for number in range(1, 4):
                vm.check(f"ping -c 2 -w 30 -s 1400 10.9.1.{number}", 40)
        transfer(third, first, "10.9.1.1")
        transfer(first, second, "10.9.1.2")
        transfer(second, third, "10.9.1.3")
        lan = host.ctl("list")["nets"][0]
        assert lan["addresses"] == 3, lan
