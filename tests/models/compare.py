# SPDX-License-Identifier: Apache-2.0
"""A script on both sides, and what came of it against what is known.

A card's NOTES.md lists what is known in a table below "## Beside QEMU's model":
| `script.what` | ours | QEMU's | who is right, by whose word |
`what` may hold *, ? and [letters]; values may be left out (…) where there are several.
What differs must be listed, what is listed must differ, and in that way.
"""

import contextlib
import fnmatch
import os
import re
import xml.etree.ElementTree as xml

from lablib import build
from lablib.program import ROOT

from . import device

HEADING = "## Beside QEMU's model"
MANY = "…"


def text(value):
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    return hex(value) if isinstance(value, int) else str(value)


def listed(card):
    """{pattern: (ours, theirs, own)}: a card's own, and those of the card it extends."""
    path = f"{ROOT}/cards/{card}"
    with open(f"{path}/NOTES.md") as notes:
        part = notes.read().partition(HEADING)[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([^`|]+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", part, re.M)
    lines = [line for line in part.splitlines() if line.startswith("|")]
    assert len(lines) == len(rows) + (2 if lines else 0), f"{path}: a row that is none"
    for row in rows:
        assert re.match(r"(here|QEMU's|either|neither)( \w+)?: .", row[3]), f"{path}: {row[0]}: no reason"
    known = {row[0]: (row[1].strip(), row[2].strip(), True) for row in rows}
    other = xml.parse(f"{path}/card.xml").getroot().get("extends")
    for pattern, row in (listed(other) if other else {}).items():
        known.setdefault(pattern, (*row[:2], False))
    return known


def run(script, make, card, side):
    with side:
        with contextlib.closing(make(card, side, build.prepare().qemu)) as dev:
            dev.label = script.__name__
            script(dev)
            return dev.seen


def differences(ours, theirs):
    """{what: (ours, theirs)} in the order of the script."""
    found = {}
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        pair = text(ours.get(key, "nothing")), text(theirs.get(key, "nothing"))
        if pair[0] != pair[1]:
            found[key] = pair
    return found


def check(found, known, scripts):
    """Complaints."""
    used, bad = set(), []
    for key, (ours, theirs) in found.items():
        for pattern, (a, b, _) in known.items():
            if fnmatch.fnmatchcase(key, pattern):
                used.add(pattern)
                if a not in (MANY, ours) or b not in (MANY, theirs):
                    bad.append(f"`{key}`: {ours} here, {theirs} with QEMU's; listed as {a}, {b}")
                break
        else:
            bad.append(f"`{key}`: {ours} here, {theirs} with QEMU's; not listed")
    for pattern, row in known.items():
        if row[2] and pattern not in used and fnmatch.filter(scripts, pattern.partition(".")[0]):
            bad.append(f"`{pattern}`: listed, but there is no difference")
    return bad


def compare(module, name, model, scripts):
    """Scripts of a module for our card NAME; complaints, and how many results there were."""
    card, found, compared = device.described(name), {}, 0
    make = getattr(module, "Card", device.Device)
    for script in scripts:
        ours = run(script, make, card, device.Ours(name))
        theirs = run(script, make, card, device.Theirs(model))
        assert ours or theirs, f"{script.__name__} compares nothing"
        compared += len({**ours, **theirs})
        found.update(differences(ours, theirs))
    return check(found, listed(name), [script.__name__ for script in scripts]), compared
