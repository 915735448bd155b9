# SPDX-License-Identifier: Apache-2.0
"""Our cards beside QEMU's own models, both in stock QEMU, driven by the same
scripts (models/cards/): they agree, or the card's NOTES.md says who is right."""

import importlib

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


def last_words():
    """What tests/run prints before its summary."""
    return report
