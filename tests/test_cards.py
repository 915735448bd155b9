# SPDX-License-Identifier: Apache-2.0
"""Every shipped card with every Linux driver its description names, in short.

Each `linux:DRIVER` in a card's drivers= goes through all parts of card_parts.py on one
kernel, and through the first of them on the others. `tests/run cards.NAME` runs those of
one card, `tests/card NAME` their long form on every kernel.
"""

import re

import card_forms
import card_parts

SIDE_BY_SIDE = True


def add(card, driver, version, parts, name):
    def test():
        wrong = card_forms.failures(card_forms.run(card, driver, version, parts))
        assert not wrong, wrong
    globals()[f"test_{name}".replace("-", "_").replace(".", "_")] = test


for usual, kernel in enumerate(card_forms.KERNELS):
    for pair in card_forms.drivers():
        add(*pair, kernel, card_parts.SHORTER if usual else card_parts.PARTS,
            f"{'_'.join(pair)}_on_{kernel}")


def test_the_readme_has_every_card_and_driver():
    """`tests/card CARD` puts it there, with what failed; ? is what it has not been asked for yet."""
    rows = card_forms.table_rows()
    assert {row[:2] for row in rows} == set(card_forms.drivers()), "tests/card CARD, and commit"
    assert all(re.search(r"[✓✗–?]|^\d+$", cell) for row in rows for cell in row[2:]), rows
