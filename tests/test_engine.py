# SPDX-License-Identifier: Apache-2.0
"""The engine's short ways do what its long way does."""

import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def test_short_ways_do_as_the_long_way():
    for seed in range(20):
        subprocess.run([f"{ROOT}/build/short-way", f"{ROOT}/cards/e1000/card.xml", str(seed),
                        "2000"], check=True, stdout=subprocess.DEVNULL, timeout=60)
