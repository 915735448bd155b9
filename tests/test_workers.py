# SPDX-License-Identifier: Apache-2.0
"""Many cards in one process, on one loop and on several."""

import os
import tempfile
import threading
import time

from hosts import Host
from lablib import build, guest
from test_hosts import address
from wire_client import Client, cpu_of, memory

CARDS = 256
KIB_EACH = 256  # resident, of an idle card beyond the first
RAM = 1 << 20


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def idle_client(path, ram):
    client = Client(path)
    assert client.map(0, RAM, ram) == 0
    client.decode()
    return client


def footprint(count, workers):
    """KiB resident and seconds of CPU a second, with a client at each card."""
    with Host(["e1000,net=lan"] * count, ["lan=switch"], arguments=["--workers", workers]) as host:
        ram = memory(RAM)
        clients = [idle_client(path, ram) for path in host.sockets]
        time.sleep(0.2)
        before = cpu_of(host.process.pid)
        time.sleep(1)
        used = cpu_of(host.process.pid) - before
        kib = resident(host.process.pid)
        for client in clients:
            assert client.read(0, 8, 4)[:1] != b"\xff"
            client.socket.close()
        return kib, used


def test_many_idle_cards():
    for workers in ("1", "2"):
        one, _ = footprint(1, workers)
        many, used = footprint(CARDS, workers)
        each = (many - one) / (CARDS - 1)
        print(f"  {workers} workers: {one} KiB, {each:.0f} KiB for each card more, "
              f"CPU of {CARDS} idle ones {used * 100:.1f} %")
        assert each <= KIB_EACH, each
        assert used <= 0.02, used


def test_commands_while_clients_come_and_go():
    """Whatever is asked of one card, the others and their clients are left alone."""
    with Host(["e1000,net=lan"] * 4, ["lan=switch"], arguments=["--workers", "3"]) as host:
        ram, end = memory(RAM), threading.Event()

        def come_and_go(path):
            while not end.is_set():
                with Client(path) as client:
                    client.map(0, RAM, ram)
                    client.decode()
                    client.write(0, 0x400, (2).to_bytes(4, "little"))

        threads = [threading.Thread(target=come_and_go, args=(path,)) for path in host.sockets]
        for thread in threads:
            thread.start()
        try:
            for turn in range(20):
                host.ctl("stats")
                host.ctl("link", f"nic{turn % 4}", "down")
                host.ctl("link", f"nic{turn % 4}", "up")
                host.ctl("reload", f"nic{turn % 4}")
                host.ctl("add", f"e1000,socket={host.folder}/more.sock,net=lan,name=more")
                Client(f"{host.folder}/more.sock").socket.close()
                host.ctl("remove", "more")
                host.ctl("save", f"nic{turn % 4}", f"{host.folder}/state")
        finally:
            end.set()
            for thread in threads:
                thread.join()
        assert len(host.ctl("list")["nics"]) == 4


PROGRAM = """<card name='slow' title='Slow' extends='e1000'>
<module kind='process' command='python3' file='slow.py' memory='512M'/>
<bank name='csr'><register name='X' at='0x1f000' module='read'/></bank></card>"""
SLOW = """import socket, struct, time
link = socket.socket(fileno=3)
link.send(struct.pack('<HHIQQ', 1, 0, 0, 1, 16))
while link.recv(1000):
    time.sleep(0.04)
    link.send(struct.pack('<HHIQ', 3, 4, 0, 77))
"""


def test_a_slow_program_keeps_nobody_else_waiting():
    """Each access to its card takes 40 ms; others are answered meanwhile."""
    with tempfile.TemporaryDirectory(prefix="anynic-slow-") as folder:
        for name, text in (("card.xml", PROGRAM), ("slow.py", SLOW)):
            with open(f"{folder}/{name}", "w", encoding="ascii") as file:
                file.write(text)
        with Host([f"{folder}/card.xml,net=lan", "e1000,net=lan"], ["lan=switch"]) as host, \
                Client(host.sockets[0]) as slow, Client(host.sockets[1]) as other:
            slow.decode()
            other.decode()
            end, answers = threading.Event(), []

            def ask():
                while not end.is_set():
                    answers.append(slow.read(0, 0x1f000, 4))

            thread = threading.Thread(target=ask)
            thread.start()
            times = []
            for _ in range(2000):
                begin = time.monotonic()
                other.read(0, 8, 4)
                times.append(time.monotonic() - begin)
            end.set()
            thread.join()
            worst = sorted(times)[len(times) * 99 // 100]
            print(f"  beside {len(answers)} slow answers, 99 % within {worst * 1e3:.2f} ms")
            assert set(answers) == {(77).to_bytes(4, "little")}, set(answers)
            assert worst <= 0.005, worst


# ---- guests ----

FOUR = [("e1000", "e1000"), ("rtl8139cp", "8139cp"), ("i82559", "e100"), ("pcnet", "pcnet32")]
PIECE = 512 << 10
PROMISED = 0.1  # s, for any answer


def all_pairs(guests):
    """Every guest sends to every other at once; what arrives is compared."""
    pairs = [(i, k) for i in range(4) for k in range(4) if i != k]
    for vm in guests:
        vm.check(f"dd if=/dev/urandom of=/tmp/data bs=1024 count={PIECE >> 10} 2>/dev/null")
    sums = [vm.check("md5sum /tmp/data").split()[0] for vm in guests]
    for i, k in pairs:  # nc that has nothing to say would hang up
        guests[k].check(f"mkfifo /tmp/q{i}; (nc -l -p {7000 + i} <>/tmp/q{i} | md5sum >/tmp/got{i}) "
                        ">/dev/null 2>&1 &")
    for i, k in pairs:
        guests[i].check(f"(until nc 10.9.1.{k + 1} {7000 + i} </tmp/data; do sleep 0.2; done) "
                        ">/dev/null 2>&1 &")
    for i, k in pairs:
        text = guests[k].check(f"until [ -s /tmp/got{i} ]; do sleep 0.2; done; cat /tmp/got{i}", 240)
        assert text.split()[0] == sums[i], (i, k, text)


def malformed(path, end, refused):
    """Whatever is no message, as fast as it goes; how often it was thrown out."""
    while not end.is_set():
        try:
            with Client(path, greet=False) as client:
                for _ in range(50):
                    client.socket.sendall(os.urandom(64))
        except OSError:
            refused.append(path)


def timed(path, end, waits):
    """A client that reads all the while: how long each answer took."""
    with Client(path) as client:
        client.decode()
        while not end.is_set():
            begin = time.monotonic()
            client.read(0, 8, 4)
            waits.append(time.monotonic() - begin)
            time.sleep(0.002)


def pair_figures(vm):
    """Mb/s and round trips a second of the first guest with the second."""
    size = 4 << 20
    begin = time.monotonic()
    vm.check(f"dd if=/dev/zero bs=65536 count={size >> 16} 2>/dev/null | "
             "nc 10.9.1.2 7900", 120)
    rate = size * 8 / (time.monotonic() - begin) / 1e6
    times = sorted(float(line.split("time=")[1].split()[0]) for line in
                   vm.check("ping -A -c 200 -w 60 10.9.1.2", 90).splitlines() if "time=" in line)
    return rate, times[len(times) * 99 // 100], len(times)


def test_four_guests_of_which_three_misbehave():
    lab, end = build.prepare(), threading.Event()
    # besides the four, one card on each thread whose answers are timed
    with Host([f"{card},net=lan" for card, _ in [*FOUR, FOUR[0], FOUR[0]]], ["lan=switch"],
              arguments=["--workers", "2"]) as host, \
            guest.Guest(lab, [host.sockets[0]], modules="e1000", memory=256) as first, \
            guest.Guest(lab, [host.sockets[1]], modules="8139cp", memory=256,
                        cpu_model="qemu64") as second, \
            guest.Guest(lab, [host.sockets[3]], modules="pcnet32", memory=256) as fourth:
        with guest.Guest(lab, [host.sockets[2]], modules="e100", memory=256) as third:
            guests = [first, second, third, fourth]
            for number, vm in enumerate(guests, 1):
                address(vm, number)
            first.check("until ping -c 1 -W 2 10.9.1.4; do sleep 0.2; done", 60)
            all_pairs(guests)
            second.check("(while :; do nc -l -p 7900 >/dev/null; done) >/dev/null 2>&1 &")
            time.sleep(1)
            before = pair_figures(first)
            # the third VM is killed within what follows
        refused, waits = [], ([], [])
        threads = [threading.Thread(target=malformed, args=(host.sockets[2], end, refused)),
                   *(threading.Thread(target=timed, args=(host.sockets[4 + k], end, waits[k]))
                     for k in (0, 1))]
        for thread in threads:
            thread.start()
        fourth.start("while :; do ping -f -c 5000 -s 1400 10.9.1.255 -b; ping -A -c 5000 10.9.1.9; done")
        try:
            during = pair_figures(first)
        finally:
            end.set()
            for thread in threads:
                thread.join()
        for took in waits:
            print(f"  {len(took)} answers to a client beside, the last within "
                  f"{max(took) * 1e3:.1f} ms")
            assert len(took) > 100 and max(took) < 5 * PROMISED, max(took)
        for name, (rate, worst, answers) in (("before", before), ("meanwhile", during)):
            print(f"  {name}: {rate:.0f} Mb/s, 99 % of {answers} pings within {worst:.1f} ms")
            assert answers >= 100, answers
        assert len(refused) >= 10, len(refused)
