# SPDX-License-Identifier: Apache-2.0
"""The control socket's commands, on cards that clients of ours or guests use."""

import contextlib
import json
import re
import socket
import subprocess
import tempfile
import time

from hosts import Host
from lablib import build, guest
from lablib.netns import Netns
from lablib.program import ANYNIC, ROOT
from machines import GUEST, HOST, machine, up, warnings
from test_cli import until
from test_net import frames_of
from wire_client import Client

SIDE_BY_SIDE = True


def asked(host, **request):
    """The answer to one line, whatever it says."""
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as link:
        link.settimeout(10)
        link.connect(host.control)
        link.sendall(json.dumps(request).encode() + b"\n")
        with link.makefile() as lines:
            return json.loads(lines.readline())


def wrong(host, text, **request):
    answer = asked(host, **request)
    assert not answer["ok"] and text in answer["error"], (request, answer)


# ---- what is documented ----

def documented():
    with open(f"{ROOT}/docs/control.md", encoding="utf-8") as file:
        text = file.read().split("\n## Commands\n")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(?!command)([a-z-]+)` \| ([^|]*)\|", text, re.M))


def test_every_command_is_documented_and_is_one():
    with Host(["e1000"]) as host:
        answer = asked(host, command="no-such")
        names = set(answer["error"].split("there is ")[1].split(", "))
        assert names == set(documented()), names ^ set(documented())
        done = subprocess.run([ANYNIC, "ctl", "--help"], capture_output=True, text=True)
        missing = [name for name in names if not re.search(rf"^  {name} ", done.stdout, re.M)]
        assert not missing, missing


def test_what_is_missing_is_said():
    with Host(["e1000"], ["lan=switch"]) as host:
        for name, fields in documented().items():
            for field in re.findall(r"`(\w+)`(?!\?)", fields):
                others = {"nic": "nic0", "net": "lan", "file": f"{host.folder}/x", "up": True,
                          "rate": {}, "port": ""}
                request = {other: others[other] for other in re.findall(r"`(\w+)`(?!\?)", fields)
                           if other != field}
                answer = asked(host, command=name, **request)
                assert not answer["ok"], (name, field, answer)
                answer = asked(host, command=name, **request, **{field: 7})
                assert not answer["ok"], (name, field, answer)


# ---- networks ----

def test_networks_come_and_go():
    with Host(["e1000,net=lan", "e1000-82545em"], ["lan=switch"]) as host:
        host.ctl("add-net", "spare=switch,uplink=null")
        host.ctl("add-net", "one=null")
        assert [net["id"] for net in host.ctl("list")["nets"]] == ["lan", "spare", "one"]
        wrong(host, "two of that name", command="add-net", net="lan=null")
        wrong(host, "no such kind", command="add-net", net="x=switch,uplink=magic")
        wrong(host, "no such kind", command="add-net", net="x=swich")
        wrong(host, "no option", command="add-net", net="x=tap,ifnam=tap0")
        wrong(host, "ID=SPEC", command="add-net", net="switch")
        wrong(host, "letters and digits", command="add-net", net="a b=null")
        wrong(host, "in use", command="remove-net", net="lan")
        wrong(host, "no network", command="remove-net", net="lane")
        wrong(host, "already", command="attach", nic="nic0", net="lan")
        wrong(host, "no network", command="attach", nic="nic0", net="lane")
        host.ctl("attach", "nic1", "one")
        wrong(host, "only a switch has room", command="attach", nic="nic0", net="one")
        host.ctl("attach", "nic0", "spare")
        assert [nic["net"] for nic in host.ctl("list")["nics"]] == ["spare", "one"]
        host.ctl("remove-net", "lan")
        assert [net["nics"] for net in host.ctl("list")["nets"]] == [1, 1]
        host.ctl("remove", "nic0")
        host.ctl("remove-net", "spare")
        with Client(host.sockets[1]) as client:
            assert client.read(7, 0, 2) == b"\x86\x80"


def test_no_two_of_one_address_on_a_network():
    mac = "mac=02:00:00:00:00:07"
    with Host([f"e1000,net=a,{mac}", f"e1000,net=b,{mac}"], ["a=switch", "b=switch"]) as host:
        wrong(host, "its address is that of nic1 there", command="attach", nic="nic0", net="b")


def test_a_guest_moved_to_another_network():
    """It sees the link go down and up, and is elsewhere."""
    with Netns() as net:
        net.tap("left", f"{HOST}/24")
        net.tap("right", "10.9.2.1/24")
        with Host(["e1000,net=a"], ["a=tap,ifname=left", "b=switch,uplink=tap,ifname=right"],
                  netns=net) as host, \
                guest.Guest(build.prepare(), [host.sockets[0]], netns=net.name) as vm:
            up(vm)
            before = int(vm.check("cat /sys/class/net/eth0/carrier_changes"))
            flood = net.start(["ping", "-q", "-f", GUEST], stdout=-3)
            host.ctl("attach", "nic0", "b")
            vm.check(f"until [ $(cat /sys/class/net/eth0/carrier_changes) -ge {before + 2} ]; do "
                     "sleep 0.1; done", 20)
            vm.check("ip addr flush dev eth0; ip addr add 10.9.2.2/24 dev eth0; "
                     "ping -c 3 -w 20 10.9.2.1", 30)
            flood.kill()
            assert vm.run(f"ping -c 1 -w 1 {HOST}")[0]
            host.ctl("attach", "nic0", "a")
            vm.check("until [ $(cat /sys/class/net/eth0/carrier) = 1 ]; do sleep 0.1; done", 20)
            up(vm)
            assert not warnings(vm), warnings(vm)


# ---- filters, captures, rates ----

def test_filters_as_programmed():
    with machine() as (_, card, vm):
        def filters():
            return json.loads(card.ctl("filters", "nic0", "--json"))["filters"]
        now = filters()
        mac = vm.check("cat /sys/class/net/eth0/address").strip()
        assert mac in now["addresses"] and now["broadcast"] and not now["promiscuous"], now
        vm.check("rr join 239.1.2.3 7000 4 >/tmp/joined 2>&1 & sleep 0.5")
        until(lambda: "01:00:5e:01:02:03" in filters()["addresses"] or filters()["all_groups"])
        vm.check("ip link set eth0 promisc on")
        until(lambda: filters()["promiscuous"])
        vm.check("ip link set eth0 promisc off")
        until(lambda: not filters()["promiscuous"])
        vm.check("ip link set eth0 down")
        until(lambda: not any(filters()[key] for key in ("promiscuous", "broadcast", "addresses")))


def test_captures_on_and_off():
    with machine() as (net, card, vm), tempfile.TemporaryDirectory() as folder:
        def echoes(path):
            return sum(b"\xa5" * 16 in frame for frame in frames_of(path))

        def ping(count):
            net.check(f"ping -q -c {count} -i 0.01 -p a5 {GUEST}")
        first, second = f"{folder}/first", f"{folder}/second"
        ping(1)
        card.ctl("capture", "nic0", first)
        assert json.loads(card.ctl("list", "--json"))["nics"][0]["capture"] == first
        ping(3)
        card.ctl("capture", "nic0", second)
        ping(2)
        card.ctl("capture", "nic0", "off")
        ping(1)
        assert (echoes(first), echoes(second)) == (6, 4), (echoes(first), echoes(second))
        assert "capture" not in json.loads(card.ctl("list", "--json"))["nics"][0]


def rate(vm, way):
    """Bits a second that iperf3 in the guest gets through in two."""
    text = vm.check(f"until iperf3 -c {HOST} -t 2 {way} -J >/tmp/r 2>/dev/null; do sleep 0.1; done; "
                    "cat /tmp/r", 60)
    return json.loads(text)["end"]["sum_received"]["bits_per_second"]


def test_rates():
    """Halves and quarters as asked for; more than that a busy machine cannot promise."""
    with machine() as (net, card, vm):
        net.start(["iperf3", "-s"], stdout=-3)
        free = rate(vm, ""), rate(vm, "-R")
        card.ctl("rate", "nic0", "tx-bits=20M", "rx-bits=10M")
        out, back = rate(vm, ""), rate(vm, "-R")
        assert free[0] > 40e6 and 2e6 < out <= 21e6, (free, out)
        assert free[1] > 20e6 and 1e6 < back <= 11e6, (free, back)
        stats = json.loads(card.ctl("stats", "--json"))["stats"]
        assert stats["host"]["limited"] > 0, stats
        assert json.loads(card.ctl("list", "--json"))["nics"][0]["rate"] == {
            "tx_bits": 20000000, "rx_bits": 10000000}
        card.ctl("rate", "nic0", "off")
        assert rate(vm, "") > 40e6
        assert not warnings(vm), warnings(vm)


def test_words_of_rates():
    with Host(["e1000,rate-tx-bits=10M,rate-rx-frames=5k"]) as host:
        assert host.ctl("list")["nics"][0]["rate"] == {"tx_bits": 10000000, "rx_frames": 5000}
        for rates in ({"tx_bits": -1}, {"tx_bits": "1"}, {"bits": 1}, {"tx_bits": 1.5}, []):
            wrong(host, "rate", command="rate", nic="nic0", rate=rates)
        assert host.ctl("list")["nics"][0]["rate"]["tx_bits"] == 10000000
        for words in (["tx-bits=10X"], ["bits=10"], ["off", "tx-bits=1"], ["tx-bits"],
                      ["tx-bits=99999999999999999999"]):
            done = subprocess.run([ANYNIC, "ctl", host.control, "rate", "nic0", *words],
                                  capture_output=True, text=True)
            assert done.returncode == 2 and "expected rate NIC" in done.stderr, (words, done)
    for word in ("rate-tx-bits=fast", "rate-bits=1", "rate-tx-bits=1kk", "rate-tx-bits=-1"):
        done = subprocess.run([ANYNIC, "run", "--nic", f"e1000,socket=/tmp/x,{word}"],
                              capture_output=True, text=True, timeout=20)
        assert done.returncode == 2 and "a number a second" in done.stderr, (word, done)


# ---- top ----

def looks(control, *words):
    done = subprocess.run([ANYNIC, "top", control, *words], capture_output=True, text=True,
                          timeout=20)
    assert done.returncode == 0 and not done.stderr, done
    return [[line.split() for line in look.splitlines()] for look in
            done.stdout.strip().split("\n\n")]


def number(text):
    return float(text.rstrip("kMG")) * {"k": 1e3, "M": 1e6, "G": 1e9}.get(text[-1], 1)


def test_top():
    with machine() as (net, card, vm):
        net.start(["ping", "-q", "-i", "0.01", "-s", "1000", GUEST], stdout=-3)
        time.sleep(0.5)
        two = looks(card.control, "--count", "2", "--interval", "1")
        assert len(two) == 2, two
        for look in two:
            name, out, out_bits, came, came_bits, irqs, *rings = look[1]
            assert name == "nic0" and rings[0] == "tx" and rings[2] == "rx", look
            assert 20 < number(out) < 200 and 20 < number(came) < 200, look
            assert 8000 * 20 < number(out_bits) < 8500 * 200 and number(came_bits) > 8000 * 20, look
            assert 10 < number(irqs) < 500 and re.fullmatch(r"\d+/\d+", rings[3]), look
        vm.check("ip link set eth0 down")
        look, = looks(card.control, "--count", "1", "--interval", "1")
        assert look[1][1] == "0" and look[1][-4:] == ["tx", "stopped", "rx", "stopped"], look
        assert "rx_stopped" in look[2] or "rx_unplugged" in look[2], look


def test_top_of_many_and_of_none():
    with Host([f"e1000,net=lan,name=card{i}" for i in range(40)], ["lan=switch"]) as host:
        look, = looks(host.control, "--count", "1", "--interval", "0.1")
        assert [line[0] for line in look[1:]] == [f"card{i}" for i in range(40)], look
        with Client(host.sockets[3]):
            pass
    done = subprocess.run([ANYNIC, "top", "/no/such"], capture_output=True, text=True)
    assert done.returncode == 1 and "/no/such" in done.stderr, done
    for words in ([], ["a", "b"], ["--interval", "0", "a"], ["--count", "x", "a"]):
        done = subprocess.run([ANYNIC, "top", *words], capture_output=True, text=True)
        assert done.returncode == 2, (words, done)


# ---- answers that are larger than a socket holds ----

def test_large_answers_come_whole():
    with Host([f"e1000,net=lan,name=card{i}" for i in range(60)], ["lan=switch"]) as host:
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as link:
            link.settimeout(10)
            link.connect(host.control)
            link.sendall(b'{"command":"stats"}\n' * 20 + b'{"command":"list"}\n')
            link.shutdown(socket.SHUT_WR)
            time.sleep(0.3)
            with link.makefile() as lines:
                answers = [json.loads(line) for line in lines]
        assert len(answers) == 21 and all(len(a["stats"]) == 60 for a in answers[:20])
        assert len(answers[20]["nics"]) == 60
