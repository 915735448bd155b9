# SPDX-License-Identifier: Apache-2.0
"""The engine's short ways do what its long way does, for every card that is shipped."""

import glob
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SEEDS, EPISODES = 4, 40
SAME, NO_DRIVER, NO_PLANS = 0, 3, 4
OTHERS = {"ena": NO_DRIVER,  # in tests/short_lists.c and short_rings.c
          "virtio-net": NO_PLANS}  # each chain is started by what the one before it did


def test_short_ways_do_as_the_long_way():
    cards = sorted(glob.glob(f"{ROOT}/cards/*/card.xml"))
    assert cards
    for card in cards:
        for seed in range(SEEDS):
            result = subprocess.run([f"{ROOT}/build/short-way", card, str(seed), str(EPISODES)],
                                    capture_output=True, text=True, timeout=60, check=False)
            name = os.path.basename(os.path.dirname(card))
            assert result.returncode == OTHERS.get(name, SAME), f"{name}, {seed}: {result.stdout}{result.stderr}"
