# SPDX-License-Identifier: Apache-2.0
"""docs/writing-a-card.md: its steps are right, its commands say what it says they do, and
what it makes of a data sheet sends, interrupts and answers ping in a guest with a stock driver."""

import contextlib
import os
import re
import subprocess
import tempfile

from lablib import build, guest
from lablib.netns import Netns
from lablib.program import Card

SIDE_BY_SIDE = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ANYNIC = os.environ.get("ANYNIC") or f"{ROOT}/build/anynic"
DRIVER = "epic100"
STEPS = [f"epic{n}" for n in range(1, 9)]  # the ninth is for no driver
SENDS, ANSWERS = STEPS[4:], STEPS[6:]


def blocks(language):
    """[(what stands behind the language, the text)…] of the guide's fences."""
    with open(f"{ROOT}/docs/writing-a-card.md", encoding="utf-8") as file:
        return re.findall(rf"^```{language} ?(\S*)\n(.*?)^```$", file.read(), re.M | re.S)


@contextlib.contextmanager
def steps():
    with tempfile.TemporaryDirectory() as folder:
        for path, text in blocks("xml"):
            os.makedirs(os.path.dirname(f"{folder}/{path}"))
            with open(f"{folder}/{path}", "w", encoding="utf-8") as file:
                file.write(text)
        yield folder


def says(folder, command):
    done = subprocess.run([ANYNIC, *command.split()[1:], *(
        ["--cards", "."] if " show " in command else [])], cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_steps_are_right():
    with steps() as folder:
        names = sorted(os.listdir(folder))
        assert set(STEPS) < set(names), names
        for name in names:
            said = says(folder, f"anynic check {name}/card.xml")
            assert bool(said) == (name == "wrong"), said


def test_commands_say_what_is_written():
    with steps() as folder:
        found = blocks("console")
        assert found
        for _, text in found:
            command, *expected = text.splitlines()
            assert command.startswith("$ anynic "), command
            said = says(folder, command[2:]).splitlines()
            if expected[-1] == "…":
                expected.pop()
                said = said[:len(expected)]
            assert said == expected, (command, said)


def traced(path, wanted):
    """The lines of a trace without their times hold these, in this order."""
    with open(path, encoding="utf-8") as file:
        lines = [line.split(" ", 1)[1].strip() for line in file if " " in line]
    at = 0
    for want in wanted.splitlines():
        while at < len(lines) and not lines[at].startswith(want):
            at += 1
        assert at < len(lines), (path, want, lines[:200])


def sent(card):
    return int(re.search(r"\btx_frames\W+(\d+)", card.ctl("--json", "stats"))[1])


def address(index):
    return f"02:00:00:00:01:{index:02x}"


def test_card_answers_in_a_guest():
    """All steps in one guest, a card each."""
    with steps() as folder, Netns() as net, contextlib.ExitStack() as cards:
        served = {}
        for index, name in enumerate(STEPS):
            host = f"10.9.{index}.1/24"
            if name in ANSWERS:
                net.tap(f"tap{index}", host)
            served[name] = cards.enter_context(Card(
                name, net=f"tap,ifname=tap{index}" if name in ANSWERS else "null", netns=net,
                arguments=["--cards", folder, "--mac", address(index),
                           "--trace", f"registers,rings:{folder}/{name}.log"]))
        vm = cards.enter_context(guest.Guest(build.prepare(), [c.socket for c in served.values()],
                                             netns=net.name, modules=DRIVER))
        for index, name in enumerate(STEPS):
            eth = f"eth{index}"
            assert vm.check(f"readlink /sys/class/net/{eth}/device/driver/module").strip().endswith(
                DRIVER), name
            mac = vm.check(f"cat /sys/class/net/{eth}/address").strip()
            assert mac == (address(index) if index >= 2 else "00:00:00:00:00:00"), (name, mac)
            if index < 2:
                continue  # nobody brings up an interface without an address
            vm.check(f"ip addr add 10.9.{index}.2/24 dev {eth}; ip link set {eth} up")
            status, _ = vm.run(f"ping -c {3 if name in ANSWERS else 1} -w 10 10.9.{index}.1", 30)
            assert (status == 0) == (name in ANSWERS), name
            assert bool(sent(served[name])) == (name in SENDS), name
        vm.run("dmesg >/dev/null")
        log = vm.check("dmesg")
        for name, text in blocks("dmesg"):
            for line in text.splitlines():
                assert log.count(line) == len(STEPS) - STEPS.index(name), (name, log)
        for name, text in blocks("trace"):
            traced(f"{folder}/{name}.log", text)
