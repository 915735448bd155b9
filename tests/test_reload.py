# SPDX-License-Identifier: Apache-2.0
"""Descriptions that are changed while a guest uses the card."""

import contextlib
import json
import os
import re
import subprocess
import tempfile
import time

from lablib import build, guest
from lablib.netns import Netns
from lablib.program import ANYNIC, ROOT, Card
from machines import GUEST, HOST, complaints, echo, machine, up, warnings
from test_cli import until
from test_hotplug import Control, stays, used

SIDE_BY_SIDE = True
LEDCTL = ('name="LEDCTL" at="0x0e00" reset="0x07068302"', 0xe00)


class Description:
    """A card's description to be changed, as e1000.xml in a folder of its own."""

    def __init__(self, name, folder):
        with open(f"{ROOT}/cards/{name}/card.xml", encoding="utf-8") as file:
            self.text = file.read()
        self.path = os.path.join(folder, f"{name}.xml")
        self.change()

    def change(self, what="", into=""):
        """The shipped one with WHAT in other words, put in its place as an editor does."""
        assert not what or self.text.count(what) == 1, what
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            file.write(self.text.replace(what, into) if what else self.text)
        os.rename(self.path + ".new", self.path)


@contextlib.contextmanager
def description(name="e1000"):
    with tempfile.TemporaryDirectory(prefix="anynic-reload-") as folder:
        yield Description(name, folder)


def reload(card, *words):
    return card.ctl("reload", "nic0", *words).strip()


def refused(card, *words):
    """What is said of it."""
    done = subprocess.run([ANYNIC, "ctl", card.control, "reload", "nic0", *words],
                          capture_output=True, text=True, timeout=90)
    assert done.returncode == 1 and not done.stdout, done
    return done.stderr


# ---- the driver notices nothing ----

def test_a_hundred_times_under_a_connection():
    with machine() as (net, card, vm):
        net.start(["iperf3", "-s"], stdout=-3)
        measure = vm.start(f"until iperf3 -c {HOST} -t 15 --bidir -J >/tmp/result; do :; done; "
                           "cat /tmp/result")
        time.sleep(1.5)
        for _ in range(100):
            assert reload(card) == "carried"
            time.sleep(0.1)
        status, text = vm.wait(measure, 90)
        result = json.loads(text)
        assert status == 0 and "error" not in result, text[-500:]
        for way in ("sum_received", "sum_received_bidir_reverse"):
            assert result["end"][way]["bytes"] > 1 << 20, result["end"][way]
        # no second in which it stood still
        still = [i for i in result["intervals"] if not i["sum"]["bytes"]]
        assert not still, still
        assert not warnings(vm), warnings(vm)


def in_short(name, driver, size):
    """Thirty times under a flood, then all that was sent is right."""
    with machine(name, modules=driver) as (net, card, vm):
        flood = net.start(["ping", "-q", "-i", "0.003", GUEST], stdout=-3)
        for _ in range(30):
            assert reload(card) == "carried"
            time.sleep(0.02)
        flood.kill()
        echo(net, vm, HOST, kib=size >> 10)
        assert not complaints(vm, driver), complaints(vm, driver)


def test_list_of_commands_and_blocks():
    in_short("i82559", "e100", 1 << 20)


def test_frames_in_one_stream():
    in_short("rtl8139", "8139too", 1 << 20)


def test_own_bits_and_setup_frames():
    in_short("tulip", "tulip", 1 << 20)


def test_a_block_that_says_where_rings_are():
    in_short("pcnet", "pcnet32", 1 << 20)


def test_memory_on_the_card():
    in_short("ne2000", "ne2k-pci", 96 << 10)


def test_without_shared_memory():
    with machine(shared=False) as (net, card, vm):
        flood = net.start(["ping", "-q", "-i", "0.01", GUEST], stdout=-3)
        for _ in range(20):
            assert reload(card) == "carried"
        flood.kill()
        vm.check(f"ping -c 3 -w 20 -s 1400 {HOST}", 30)
        assert not warnings(vm), warnings(vm)


# ---- it is another one ----

def register(vm, offset):
    base = int(vm.check("head -n 1 /sys/class/net/eth0/device/resource").split()[0], 16)
    return int(vm.check(f"devmem {base + offset:#x} 32"), 16)


def test_a_reset_value_shows_at_once():
    with description() as own, machine(own.path, append="iomem=relaxed") as (_, card, vm):
        assert register(vm, LEDCTL[1]) == 0x07068302
        own.change(LEDCTL[0], LEDCTL[0].replace("0x07068302", "0x11223344"))
        assert reload(card) == "carried"
        assert register(vm, LEDCTL[1]) == 0x11223344
        vm.check(f"ping -c 2 -w 20 {HOST}", 30)
        assert not warnings(vm), warnings(vm)


def test_what_is_wrong_leaves_the_old_one_running():
    with description() as own, machine(own.path) as (net, card, vm):
        before = card.ctl("list")
        own.change('reset="0x07068302"', 'reset="0x0706830z"')
        said = refused(card)
        line = own.text[:own.text.index("LEDCTL")].count("\n") + 1
        assert re.match(rf"{own.path}:{line}: error: .*0x0706830z", said), said
        os.remove(own.path)
        assert "No such file" in refused(card)
        assert card.ctl("list") == before
        vm.check(f"ping -c 2 -w 20 {HOST}", 30)
        # right, but not for a driver at work
        own.change('base="TDBAH:TDBAL"', 'base="(TDBAH:TDBAL) + 16"')
        assert "ring tx is in use, and lies elsewhere" in refused(card)
        own.change('device="0x100e"', 'device="0x100f"')
        assert "another identity" in refused(card, "--reset")
        vm.check(f"ping -c 2 -w 20 {HOST}", 30)
        assert not warnings(vm), warnings(vm)


def test_as_a_reset():
    """The driver's watchdog finds a card that does nothing, and starts it again."""
    with description() as own, machine(own.path) as (net, card, vm):
        own.change('<record name="rx-legacy" size="16">', '<record name="rx-legacy" size="32">')
        refused(card)
        assert reload(card, "--reset") == "reset"
        own.change()
        reload(card, "--reset")
        vm.check(f"until ping -c 1 -W 1 {HOST}; do :; done", 60)
        echo(net, vm, HOST, kib=1 << 10)


# ---- unplugged and plugged in again ----

def monitor(vm):
    return f"{vm.folder}/qmp"


def test_unplugged_and_plugged_in_again():
    with description() as own, machine(own.path) as (net, card, vm):
        assert "100e" in vm.check("cat /sys/class/net/eth0/device/device")
        own.change('device="0x100e"', 'device="0x100f"')
        refused(card)
        assert reload(card, "--qmp", monitor(vm)) == "afresh"
        vm.check("until [ -e /sys/class/net/eth0 ]; do sleep 0.1; done", 20)
        assert "100f" in vm.check("cat /sys/class/net/eth0/device/device")
        up(vm)
        echo(net, vm, HOST, kib=1 << 10)
        # nothing that a guest would have to see: no need to
        own.change('device="0x100e"', 'device="0x100f" ')
        assert reload(card, "--qmp", monitor(vm)) == "carried"
        assert not warnings(vm), warnings(vm)


def test_behind_a_port_of_pci_express():
    """By name; the guest lets go by its own driver of the port."""
    with description() as own, Netns() as net:
        net.tap("tap0", f"{HOST}/24")
        with Card(own.path, net="tap,ifname=tap0", netns=net) as card:
            devices = ["pcie-root-port,id=lane,chassis=1",
                       guest.vfio_user_device(card.socket, id="nic", bus="lane")]
            with guest.Guest(build.prepare(), devices=devices, machine="q35",
                             netns=net.name) as vm:
                up(vm)
                own.change('size="128K"', 'size="256K"')
                assert "other BARs" in refused(card)
                assert "no vfio-user-pci device \"other\"" in refused(
                    card, "--qmp", monitor(vm), "--id", "other")
                assert reload(card, "--qmp", monitor(vm), "--id", "nic") == "afresh"
                vm.check("until [ -e /sys/class/net/eth0 ]; do sleep 0.1; done", 20)
                up(vm)
                assert not warnings(vm), warnings(vm)


def test_a_monitor_that_is_none():
    with description() as own, Card(own.path, net="null") as card:
        # nobody has it: nothing to unplug
        own.change('device="0x100e"', 'device="0x100f"')
        assert reload(card, "--qmp", "/no/such") == "afresh"
        with guest.Guest(build.prepare(), [card.socket], modules=""):
            own.change()
            assert "/no/such: No such file" in refused(card, "--qmp", "/no/such")
            assert "not answer as QEMU" in refused(card, "--qmp", card.control)


# ---- files that are watched ----

def said_since(card, before):
    return card.output()[len(before):]


@contextlib.contextmanager
def watched(path):
    with Card(path, net="null", arguments=["--watch"]) as card:
        until(lambda: os.path.exists(card.control))  # which comes after all else
        yield card


def test_watched_files():
    with description() as own, watched(own.path) as card:
        for value in ("100f", "1010"):
            before = card.output()
            own.change('device="0x100e"', f'device="0x{value}"')
            until(lambda: f"nic0: {own.path} reloaded; no VM has it\n" in said_since(card, before))
            assert value in card.ctl("list")
        before = card.output()
        own.change('device="0x100e"', 'devise="0x100e"')
        until(lambda: "goes on with what it was" in said_since(card, before))
        time.sleep(0.3)
        said = said_since(card, before).splitlines()
        assert len(said) == 2 and said[0].startswith(f"{own.path}:5: error: "), said
        assert "1010" in card.ctl("list")
        before = card.output()
        with open(own.path, "w", encoding="utf-8") as file:  # in two steps, and in place
            file.write(own.text[:1000])
            file.flush()
            time.sleep(0.2)
            file.write(own.text[1000:])
        until(lambda: "reloaded" in said_since(card, before))
        assert "error" not in said_since(card, before) and "100e" in card.ctl("list")


def test_watched_bases_and_links():
    with description() as own:
        folder = os.path.dirname(own.path)
        other = os.path.join(folder, "other.xml")
        link = os.path.join(folder, "links", "card.xml")
        os.mkdir(os.path.dirname(link))
        with open(other, "w", encoding="utf-8") as file:
            file.write('<card name="other" title="Other" extends="e1000"/>')
        os.symlink(other, link)
        with watched(other) as card, watched(link) as linked:
            own.change('device="0x100e"', 'device="0x1010"')
            until(lambda: "1010" in card.ctl("list"))
            # a base that is broken, put right
            before = card.output()
            own.change('device="0x100e"', 'device="eight"')
            until(lambda: "goes on with what it was" in said_since(card, before))
            own.change()
            until(lambda: "100e" in card.ctl("list"))
            with open(other, "w", encoding="utf-8") as file:
                file.write('<card name="other" title="New" extends="e1000">'
                           '<pci device="0x1011"/></card>')
            until(lambda: "1011" in card.ctl("list"))
            until(lambda: "there is no such card" in linked.output() or
                  "1011" in linked.ctl("list"))


def test_watched_under_a_guest():
    with description() as own, machine(own.path, arguments=["--watch=reset"],
                                       append="iomem=relaxed") as (net, card, vm):
        own.change(LEDCTL[0], LEDCTL[0].replace("0x07068302", "0x55"))
        until(lambda: "the driver goes on" in card.output())
        assert register(vm, LEDCTL[1]) == 0x55
        own.change('device="0x100e"', 'device="0x100f"')
        until(lambda: "nic0: not reloaded: the new description has another identity" in card.output())
        own.change('<record name="rx-legacy" size="16">', '<record name="rx-legacy" size="32">')
        until(lambda: "as after a reset" in card.output())
        own.change()
        vm.check(f"until ping -c 1 -W 1 {HOST}; do :; done", 60)


# ---- nothing grows ----

def test_ten_thousand_times_in_one_process():
    """Each from the file on, with a driver at work between them."""
    folder = os.environ.get("ANYNIC_BUILD") or f"{ROOT}/build"
    done = subprocess.run([f"{folder}/unit", ROOT, "reload.many_times"], capture_output=True,
                          text=True, timeout=600, env={**os.environ, "UNIT_RELOADS": "10000"})
    assert done.returncode == 0 and "1 ok" in done.stdout, done.stdout


def test_memory_and_descriptors_stay():
    with description() as own, watched(own.path) as card, \
            contextlib.closing(Control(card.control)) as control:
        sizes = []
        for i in range(1000):
            assert control("reload", nic="nic0")["reload"] == "afresh"
            if i % 50 == 49:
                sizes.append(used(card, control))
        stays(sizes, 32 << 10)  # the one before may not have been freed yet
