# SPDX-License-Identifier: Apache-2.0
"""Modules: the interface they rely on, what they may add to a card, and what becomes of bad ones."""

import concurrent.futures
import contextlib
import glob
import json
import mmap
import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time

from hosts import Host
from lablib import bare, build, guest
from lablib.netns import Netns
from lablib.program import Card
from test_net import frames_of
from wire_client import RAM, Client, memory

SIDE_BY_SIDE = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INCLUDE = f"-I{ROOT}/include"
EVERY_HOOK = f"{ROOT}/tests/module_abi.c"
BUILD = os.path.abspath(os.environ.get("ANYNIC_BUILD") or f"{ROOT}/build")
COMPILERS = [  # those that a module may be compiled by, and how
    ["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers"],
    ["gcc", "-std=c99", "-pedantic", "-Wall", "-Werror"],
    ["tcc", "-Wall", "-Werror"],
    ["clang", "-Wall", "-pedantic", "-Werror"],
]


def program():
    return f"{BUILD}/anynic"


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def test_what_modules_rely_on_is_still_there():
    """Numbers, offsets, services and the entry; what is new stands behind what was."""
    with open(f"{ROOT}/tests/module_abi.txt", encoding="ascii") as file:
        recorded = file.read().splitlines()
    with tempfile.TemporaryDirectory() as folder:
        for compiler in COMPILERS:
            if compiler[0] != "gcc" and not shutil.which(compiler[0]):
                print(f"  {compiler[0]} is not there")
                continue
            run(*compiler, INCLUDE, EVERY_HOOK, "-o", f"{folder}/abi")
            now = run(f"{folder}/abi").replace("* ", "*").splitlines()
            gone = [line for line in recorded if line not in now]
            assert not gone, f"{compiler[0]}: gone or changed: {gone}"
            assert now == recorded, \
                f"new, to be recorded: {[line for line in now if line not in recorded]}"


def test_a_module_has_one_symbol():
    """And asks for none."""
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/module.c", "w", encoding="ascii") as file:
            file.write("#include <anynic/module.h>\n"
                       "static int32_t start(struct anynic_nic *nic)\n"
                       "{\n\treturn anynic_find(nic, ANYNIC_RING, \"tx\");\n}\n"
                       "ANYNIC_MODULE(.start = start)\n")
        run("gcc", "-shared", "-fPIC", "-O2", INCLUDE, f"{folder}/module.c", "-o",
            f"{folder}/module.so")
        symbols = [line.split() for line in run("nm", "-D", f"{folder}/module.so").splitlines()]
        assert [line[-1] for line in symbols if line[-2] not in "wv"] == ["anynic_module"], symbols
        if shutil.which("clang") and shutil.which("wasm-ld"):
            run("clang", "--target=wasm32", "-nostdlib", "-O2", "-Wall", "-Werror", INCLUDE,
                "-Wl,--no-entry", "-Wl,--export-table", f"{folder}/module.c", "-o",
                f"{folder}/module.wasm")


def alike(value):
    """Numbers by what they are, texts without the way they were broken into lines."""
    if isinstance(value, dict):
        return {name: alike(part) for name, part in value.items()}
    if isinstance(value, list):
        return [alike(part) for part in value]
    if isinstance(value, str):
        try:
            return int(value, 0)
        except ValueError:
            return " ".join(value.split())
    return value


def test_a_card_that_is_configured_by_its_module_is_the_same():
    shown = [alike(json.loads(run(program(), "show", "--json", f"{ROOT}/{path}/card.xml")))
             for path in ("cards/e1000", "examples/modules/configured")]
    assert [part["word"] for part in shown[1]["parts"]].count("module") == 1
    shown[1]["parts"] = [part for part in shown[1]["parts"] if part["word"] != "module"]
    for name, part in shown[0].items():
        assert shown[1][name] == part, name
    assert shown[0] == shown[1]
    assert len(shown[0]["banks"][1]["registers"]) > 100


# ---- where modules come from, and where they run ----

class Bare:
    """A Debian without compilers, headers and C libraries to link with, as a Card's netns."""

    def __init__(self, root):
        self.root = root
        root.put_program(program(), "/opt/anynic")

    def command(self, command):
        return self.root.command(["/opt/anynic", *command[1:]])


def clock_of(client):
    """The example's register: microseconds since the card was reset."""
    return int.from_bytes(client.read(0, 0x1f000, 4), "little")


def works(card, **options):
    with Card(card, net="null", **options) as served, Client(served.socket) as client:
        client.decode()
        before = clock_of(client)
        time.sleep(0.01)
        assert 10000 <= clock_of(client) - before < 5000000
        client.write(0, 0x1f004, b"\7\0\0\0")
        client.write(0, 0x1f004, b"\x08\0\0\0")
        assert client.read(0, 0x1f004, 4) == b"\7\0\0\0"


def test_a_host_without_compiler_and_headers():
    with bare.copy() as root:
        assert not root.check("which cc gcc tcc clang c99 as ld || true")
        assert not root.check("find /usr /opt -name '*.h' -o -name 'crt1.o' -o -name 'libc.so' "
                              "-o -name 'libtcc*'")
        for name in os.listdir(f"{ROOT}/examples/modules/counter"):
            root.put(f"{ROOT}/examples/modules/counter/{name}", f"/opt/counter/{name}")
        works("/opt/counter/card.xml", netns=Bare(root))


def test_in_a_pack():
    with tempfile.TemporaryDirectory() as folder:
        pack = f"{folder}/x.pack"
        shutil.copytree(f"{ROOT}/examples/modules/counter", f"{folder}/counter")
        said = run(program(), "pack", "create", pack, f"{folder}/counter")
        assert "1 cards, 2 files" in said, said
        row, = json.loads(run(program(), "pack", "--json", "list", pack))
        assert row["title"].startswith("Intel 82540EM"), row
        assert "only with --allow-programs" in row["wrong"], row
        os.rename(f"{folder}/counter", f"{folder}/gone")
        done = subprocess.run([program(), "show", "counter", "--cards", pack], capture_output=True,
                              text=True, timeout=20)
        assert done.returncode == 1 and done.stderr.strip().endswith(
            "counter:5: error: counter.c is from a pack and may do anything: it runs only with "
            "--allow-programs"), done
        listed = run(program(), "list", "--cards", pack)
        assert "--allow-programs" in listed, listed
        assert "code: c counter.c" in run(program(), "show", "counter", "--cards", pack,
                                          "--allow-programs")
        works("counter", arguments=("--cards", pack, "--allow-programs"))


def test_other_kinds_of_the_same_source():
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(f"{ROOT}/examples/modules/counter/counter.c", folder)
        with open(f"{ROOT}/examples/modules/counter/card.xml", encoding="utf-8") as file:
            text = file.read()
        for words, cache in (('kind="c" file="counter.c" compiler="cc"', 1),
                             ('kind="native" file="counter.so"', 0)):
            shutil.rmtree(f"{folder}/cache", ignore_errors=True)
            os.mkdir(f"{folder}/cache")
            run("gcc", "-shared", "-fPIC", "-O2", INCLUDE, f"{folder}/counter.c", "-o",
                f"{folder}/counter.so")
            with open(f"{folder}/card.xml", "w", encoding="utf-8") as file:
                file.write(text.replace('kind="c" file="counter.c"', words))
            os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
            try:
                works(f"{folder}/card.xml")
                works(f"{folder}/card.xml")
            finally:
                del os.environ["XDG_CACHE_HOME"]
            kept = glob.glob(f"{folder}/cache/anynic/modules/*.so")
            assert len(kept) == cache, kept


# ---- in a guest ----

TAGGED = b"\x81\0\0\x64"  # VLAN 100, as the example has it
PEER = f"{ROOT}/tests/vlan_peer.py"


def test_a_guest_in_a_vlan_that_it_does_not_know_of():
    """Its frames are tagged on the wire, and ARP for 10.0.0.1 never gets there."""
    with tempfile.TemporaryDirectory() as folder, Netns() as net:
        net.tap("tap0", "10.0.0.8/24")
        for address in ("10.0.0.1", "10.0.0.9"):
            net.start(["python3", PEER, "tap0", "answer", "100", address])
        with Card(f"{ROOT}/examples/modules/tagger/card.xml", net="tap,ifname=tap0", netns=net,
                  arguments=["--capture", f"{folder}/wire.pcap"]) as card, \
                guest.Guest(build.prepare(), [card.socket], netns=net.name) as vm:
            vm.check("ip addr add 10.0.0.2/24 dev eth0; ip link set eth0 up")
            mac = bytes.fromhex(vm.check("cat /sys/class/net/eth0/address").replace(":", ""))
            for address in ("10.0.0.9", "10.0.0.1"):
                vm.check(f"for i in $(seq 10); do ping -c 1 -W 2 {address} && exit; done; exit 1",
                         40)
                vm.check(f"ping -q -c 20 -i 0.05 -w 20 -s 1472 {address}", 30)
            assert vm.check("ip neigh show 10.0.0.1").split()[4] == "02:00:00:00:00:01"
            assert vm.check("ip neigh show 10.0.0.9").split()[4] == "02:00:00:00:05:05"
            assert net.run("ping -c 2 -i 0.2 -W 1 10.0.0.2").returncode, "that had no tag"
        wire = frames_of(f"{folder}/wire.pcap")
        sent = [frame for frame in wire if frame[6:12] == mac]
        assert len(sent) > 40 and all(frame[12:16] == TAGGED for frame in sent), sent[0]
        asked = [frame[42:46] for frame in sent if frame[16:18] == b"\x08\x06"]
        assert socket.inet_aton("10.0.0.9") in asked, asked
        assert socket.inet_aton("10.0.0.1") not in asked, asked
        assert any(frame[12:14] != TAGGED[:2] for frame in wire), "the host's were not tagged"


# ---- changed while it runs ----

ANSWERS = """#include <anynic/module.h>
#include "answer.h"
static uint32_t asked;
static uint64_t read(struct anynic_nic *nic, uint32_t place, uint32_t index, uint64_t value)
{
	return ++asked * 0x10000 + ANSWER;
}
static int32_t save(struct anynic_nic *nic, void *to, uint32_t room)
{
	*(uint32_t *)to = asked;
	return 4;
}
static int32_t restore(struct anynic_nic *nic, const void *from, uint32_t length)
{
	asked = *(const uint32_t *)from;
	return length == 4 && ANSWER != 13 ? ANYNIC_OK : ANYNIC_INVALID;
}
ANYNIC_MODULE(.read = read, .save = save, .restore = restore)
"""


def answers(folder, number):
    with open(f"{folder}/answer.h.new", "w", encoding="ascii") as file:
        file.write(f"#define ANSWER {number}\n")
    os.rename(f"{folder}/answer.h.new", f"{folder}/answer.h")


def answering(folder):
    with open(f"{folder}/m.c", "w", encoding="ascii") as file:
        file.write(ANSWERS)
    with open(f"{folder}/card.xml", "w", encoding="ascii") as file:
        file.write('<card name="m" title="M" extends="e1000"><module kind="c" file="m.c"/>'
                   '<bank name="csr"><register name="ASKED" at="0x1f000" module="read"/></bank>'
                   '</card>')
    answers(folder, 1)
    return f"{folder}/card.xml"


def test_reloaded_under_a_guest():
    with tempfile.TemporaryDirectory() as folder, \
            Card(answering(folder), net="null") as served, Client(served.socket) as client:
        client.decode()
        assert clock_of(client) == 0x10001
        for turn in range(2, 102):
            answers(folder, turn % 10 + 100)
            served.ctl("reload", "nic0")
            assert clock_of(client) == turn * 0x10000 + turn % 10 + 100
        for number, why in (("= 1", "answer.h:1: error:"), ("13", "does not take what")):
            answers(folder, number)
            try:
                served.ctl("reload", "nic0")
            except OSError as error:
                assert why in str(error) or "m.c:" in str(error), error
            else:
                raise AssertionError(f"ANSWER {number} was taken")
            turn += 1
            assert clock_of(client) == turn * 0x10000 + 101, "the old one goes on"


def test_reloaded_when_its_files_change():
    with tempfile.TemporaryDirectory() as folder, \
            Card(answering(folder), net="null", arguments=("--watch",)) as served, \
            Client(served.socket) as client:
        client.decode()
        for number in (55, 66):
            answers(folder, number)
            end = time.monotonic() + 10
            while clock_of(client) & 0xffff != number:
                assert time.monotonic() < end, served.output()
                time.sleep(0.05)


def change(card, before, after):
    with open(card, encoding="ascii") as file:
        text = file.read()
    assert before in text, text
    with open(card, "w", encoding="ascii") as file:
        file.write(text.replace(before, after))


def test_a_compiler_takes_its_time_and_nobody_waits():
    """Reloading with one that needs a second and a half; the other card answers meanwhile."""
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        with open(f"{folder}/slow", "w", encoding="ascii") as file:
            file.write('#!/bin/sh\nsleep 1.5\nexec cc "$@"\n')
        os.chmod(f"{folder}/slow", 0o755)
        card, slow = answering(folder), {"CC": f"{folder}/slow", "XDG_CACHE_HOME": folder}
        os.environ.update(slow)
        try:
            host = Host([f"{card},net=lan,name=a", "e1000,net=lan,name=b"], ["lan=switch"])
            host.__enter__()
        finally:
            for name in slow:
                del os.environ[name]
        with contextlib.ExitStack() as ends:
            ends.push(host)
            other = ends.enter_context(Client(host.sockets[1]))
            other.decode()
            change(card, 'file="m.c"', 'file="m.c" compiler="cc"')
            job, late, begin = pool.submit(host.ctl, "reload", "a"), 0, time.monotonic()
            while not job.done():
                before = time.monotonic()
                other.read(0, 8, 4)
                late = max(late, time.monotonic() - before)
            assert job.result() is not None and time.monotonic() - begin > 1.4
            assert late < 0.5, f"the other card waited for {late:.3f} s"


def test_a_module_that_may_wait_shares_no_thread():
    """A card is not reloaded into one; removed and added it has a thread of its own."""
    with tempfile.TemporaryDirectory() as folder:
        card = answering(folder)
        with open(f"{folder}/m.py", "w", encoding="ascii") as file:
            with open(f"{ROOT}/examples/modules/called/called.py", encoding="utf-8") as called:
                file.write(called.read().split("# ---- this module ----")[0] +
                           'serve({"read": lambda call: 77})\n')
        with Host([f"{card},net=lan,name=a", "e1000,net=lan,name=b"], ["lan=switch"]) as host:
            change(card, 'kind="c" file="m.c"', 'kind="process" command="python3" file="m.py"')
            try:
                host.ctl("reload", "a")
            except OSError as error:
                assert "which other NICs share: remove the NIC and add it again" in str(error), error
            else:
                raise AssertionError("it was reloaded")
            host.ctl("remove", "a")
            host.ctl("add", f"{card},net=lan,name=a,socket={host.sockets[0]}")
            with Client(host.sockets[0]) as client:
                client.decode()
                assert clock_of(client) == 77
        # alone it harms nobody
        change(card, 'kind="process" command="python3" file="m.py"', 'kind="c" file="m.c"')
        with Card(card, net="null") as served, Client(served.socket) as client:
            client.decode()
            change(card, 'kind="c" file="m.c"', 'kind="process" command="python3" file="m.py"')
            served.ctl("reload", "nic0")
            assert clock_of(client) == 77


def test_state_goes_into_a_file():
    with tempfile.TemporaryDirectory() as folder:
        card = answering(folder)
        with Card(card, net="null") as served, Client(served.socket) as client:
            client.decode()
            for _ in range(5):
                clock_of(client)
            served.ctl("save", "nic0", f"{folder}/state")
        with Card(card, net="null") as served, Client(served.socket) as client:
            served.ctl("load", "nic0", f"{folder}/state")
            client.decode()
            assert clock_of(client) == 0x60001


def loads(folder, kind, times):
    """In one process, with a NIC and a reload each time: memory and descriptors stay."""
    said = subprocess.run([f"{BUILD}/unit", ROOT, f"module_life.{kind}"], capture_output=True,
                          text=True, timeout=500,
                          env={**os.environ, "ANYNIC_LOADS": str(times), "ANYNIC_MODULES": folder,
                               "XDG_CACHE_HOME": folder})
    assert said.returncode == 0 and f"{times} times" in said.stdout, said.stdout + said.stderr
    print(f"  {said.stdout.splitlines()[0]}")


def test_loaded_ten_thousand_times():
    """Each time an instance of the NIC and one of its successor, and often that which configures."""
    source = f"{ROOT}/examples/modules/counter/counter.c"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(source, folder)
        run("gcc", "-shared", "-fPIC", "-O2", INCLUDE, source, "-o", f"{folder}/counter.so")
        run("gcc", "-O2", "-static", INCLUDE, source, f"{ROOT}/src/module/glue/program.c", "-o",
            f"{folder}/counter")
        run("clang", "--target=wasm32", "-O2", "-nostdlib", INCLUDE, "-Wl,--no-entry",
            "-Wl,--export-table", source, "-o", f"{folder}/counter.wasm")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda kind: loads(folder, kind, 10000),
                          ("webassembly", "source", "program", "compiler", "shared_object")))


# ---- docs/writing-a-module.md, as it stands there ----

def blocks():
    with open(f"{ROOT}/docs/writing-a-module.md", encoding="utf-8") as file:
        text = file.read()
    found = {kind: re.search(rf"```{kind}\n(.*?)```", text, re.S)[1]
             for kind in ("xml", "c", "python")}
    ways = re.findall(r"^\| [^|]+ \| `(kind=[^`]+)` \| (?:`([^`]+)`|[^|]+) \|$", text, re.M)
    assert len(ways) == 6, ways
    return found, ways


def sends(card):
    """Two frames of which one is too long: what the card says that it has dropped."""
    ram = memory()
    with mmap.mmap(ram, RAM) as guest, Card(card, net="null") as served, \
            Client(served.socket) as client:
        assert client.map(0, RAM, ram) == 0
        client.decode()

        def register(at, value):
            client.write(0, at, struct.pack("<I", value))

        for i, length in enumerate((100, 1200)):
            guest[0x1000 + i * 16:0x1010 + i * 16] = struct.pack("<QHBBI", 0x2000, length, 0, 9, 0)
        for at, value in ((0x3800, 0x1000), (0x3804, 0), (0x3808, 256), (0x3810, 0), (0x400, 2),
                          (0x3818, 2)):
            register(at, value)
        end = time.monotonic() + 5
        while client.read(0, 0x3810, 4) != b"\2\0\0\0" and time.monotonic() < end:
            time.sleep(0.01)
        assert client.read(0, 0x1f000, 4) == struct.pack("<I", 1000)
        return struct.unpack("<I", client.read(0, 0x1f004, 4))[0]


def test_the_guide():
    found, ways = blocks()
    with open(f"{ROOT}/examples/modules/called/called.py", encoding="utf-8") as file:
        messages = file.read().split("# ---- this module ----")[0]
    tried = []
    for words, command in ways:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("short.c", found["c"]), ("short.py", messages + found["python"]),
                               ("card.xml", found["xml"].replace('kind="c" file="short.c"', words))):
                with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                    file.write(text)
            if not all(shutil.which(tool) for tool in
                       (["clang", "wasm-ld", "wasm2c"] if "wasm" in words else [])):
                print(f"  what makes {words} is not there")
                continue
            if command:
                command = command.replace("/usr/share/anynic", f"{ROOT}/src/module/glue")
                subprocess.run(command.split() + [INCLUDE], cwd=folder, check=True, timeout=60)
            assert sends(f"{folder}/card.xml") == 1, words
            tried.append(words)
    assert len(tried) >= 4, tried
