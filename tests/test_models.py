# SPDX-License-Identifier: Apache-2.0
"""Our cards beside QEMU's own models, both in stock QEMU, driven by the same
scripts (models/cards/): they agree, or the card's NOTES.md says who is right."""

import importlib
import os

from models import compare

SIDE_BY_SIDE = True
CARDS = (  # ours, whose scripts, QEMU's
    ("e1000", "e1000", "e1000"),
    ("e1000-82545em", "e1000", "e1000-82545em"),
    ("rtl8139", "rtl8139", "rtl8139"),
    ("rtl8139cp", "rtl8139cp", "rtl8139"),
    ("pcnet", "pcnet", "pcnet"),
    ("tulip", "tulip", "tulip"),
    ("ne2000", "ne2000", "ne2k_pci"),
    ("i82559", "i82559", "i82559c"),
)

# of QEMU's, in its own sources
LINES = {"ne2000": 824, "rtl8139": 3468, "rtl8139cp": 3468, "pcnet": 2038, "tulip": 1317,
         "i82559": 2106, "e1000": 2106}
WIDTH = 100  # a longer line counts as several
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

report = []


def add(card, scripts, model):
    module = importlib.import_module(f"models.cards.{scripts}")

    def test():
        bad, compared = compare.compare(module, card, model, module.SCRIPTS)
        assert not bad, "\n".join(bad)
        report.append(f"{card}: {compared} results compared with those of QEMU's {model}")

    globals()[f"test_{card}".replace("-", "_")] = test


for names in CARDS:
    add(*names)


def lines(card):
    """Of its description, and of its modules, that are not blank."""
    count = 0
    for folder, _, names in os.walk(f"{ROOT}/cards/{card}"):
        for name in names:
            if name.endswith((".xml", ".c", ".h")):
                with open(f"{folder}/{name}", encoding="utf-8") as text:
                    count += sum(-(-len(line.strip()) // WIDTH) for line in text)
    return count


def test_a_description_is_a_third_of_a_model():
    for card, model in LINES.items():
        assert 20 < lines(card) <= model / 3, f"{card}: {lines(card)} lines, QEMU's has {model}"
    report.append("lines, ours of QEMU's: " + ", ".join(
        f"{card} {lines(card)} of {model}" for card, model in LINES.items()))


def last_words():
    """What tests/run prints before its summary."""
    return report
