# SPDX-License-Identifier: Apache-2.0
"""A shipped card with a Linux driver, on a kernel of the lab: the parts run, one after another."""

import contextlib
import glob
import json
import os
import re
import time
import traceback
import xml.etree.ElementTree as xml

import card_parts
from lablib import build, guest
from lablib.netns import Netns
from lablib.program import Card
from machines import HOST, up

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RESULTS = os.path.join(ROOT, "build", "cards")
KERNELS = ("6.12", "6.1")  # of those of the lab


def drivers():
    """(card, Linux driver) of every shipped description."""
    for path in sorted(glob.glob(f"{ROOT}/cards/*/card.xml")):
        for word in xml.parse(path).getroot().get("drivers", "").split():
            system, _, name = word.partition(":")
            if system == "linux":
                yield os.path.basename(os.path.dirname(path)), name


@contextlib.contextmanager
def bench(card, driver, version, long):
    with Netns() as net:
        net.tap("tap0", f"{HOST}/24")
        net.check("sysctl -qw net.ipv6.conf.tap0.disable_ipv6=1")
        with Card(card, net="tap,ifname=tap0", netns=net) as served, \
                guest.Guest(build.prepare(version=version), [served.socket], netns=net.name,
                            modules=f"{driver},8021q,af_packet", memory=256) as vm:
            vm.check("echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6")
            yield card_parts.Bench(card, driver, net, served, vm, long)


def run(card, driver, version, parts, long=False):
    """{part: (word for the table, seconds, what went wrong)}; a part that fails is not the end."""
    results = {}
    with bench(card, driver, version, long) as on:
        for part in parts:
            begin, word, wrong = time.monotonic(), "✓", ""
            try:
                if len(results) > 1:
                    up(on.vm)
                word = part(on) or word
            except Exception:  # a part fails by any exception
                word, wrong = "✗", traceback.format_exc()
            results[part.__name__] = (word, round(time.monotonic() - begin, 1), wrong)
    return results


def failures(results):
    return "\n".join(f"{name}:\n{wrong}" for name, (_, _, wrong) in results.items() if wrong)


def keep(card, driver, version, results):
    os.makedirs(RESULTS, exist_ok=True)
    with open(f"{RESULTS}/{card}.{driver}.{version}.json", "w", encoding="utf-8") as out:
        json.dump({name: word for name, (word, _, _) in results.items()}, out, indent=1)


# ---- the table in the README ----

README = os.path.join(ROOT, "README.md")
HEAD = ["card", "driver", *(card_parts.TITLES.get(part.__name__, part.__name__)
                            for part in card_parts.PARTS)]
TABLE = re.compile(r"(\| card \| driver .*\n\|[-|]+\|\n)((?:\|.*\|\n)*)")


def table_rows():
    """Cells of each row, as they stand there."""
    with open(README, encoding="utf-8") as text:
        rows = TABLE.search(text.read())[2].splitlines()
    return [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows]


def results_of(card, driver):
    """{kernel: {part: word}} of the last long forms, or None where one is missing."""
    found = {}
    for version in KERNELS:
        path = f"{RESULTS}/{card}.{driver}.{version}.json"
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as text:
            found[version] = json.load(text)
    return found


def cell(found, part):
    """One word where the kernels agree, else each with its kernel."""
    words = {version: found[version].get(part, "✗") for version in found}
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    return ", ".join(f"{version}: {word}" for version, word in words.items())


def table_write():
    """Rows of what was run; the others stay as they are while there is such a card."""
    rows = {row[:2]: row for row in table_rows()}
    wanted = []
    for pair in drivers():
        found = results_of(*pair)
        if found:
            rows[pair] = (*pair, *(cell(found, part.__name__) for part in card_parts.PARTS))
        if pair in rows:
            wanted.append(rows[pair])
    lines = ["| " + " | ".join(row) + " |\n" for row in wanted]
    head = "| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD) + "\n"
    with open(README, encoding="utf-8") as text:
        old = text.read()
    new = TABLE.sub(lambda match: head + "".join(lines), old, count=1)
    if new != old:
        with open(README, "w", encoding="utf-8") as out:
            out.write(new)
        print("README.md: the table of cards has changed")
