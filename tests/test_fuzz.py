# SPDX-License-Identifier: Apache-2.0
"""The reader fuzzed, in short: what was once of use, and a minute of something new."""

import importlib.machinery
import importlib.util
import os

SIDE_BY_SIDE = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SECONDS = 60


def test_reader():
    loader = importlib.machinery.SourceFileLoader("fuzz_run", f"{ROOT}/fuzz/run")
    fuzz = importlib.util.module_from_spec(importlib.util.spec_from_loader("fuzz_run", loader))
    loader.exec_module(fuzz)
    fuzz.build()
    os.makedirs(fuzz.FOUND, exist_ok=True)
    assert fuzz.replay() > 100
    print("  " + fuzz.fuzz(SECONDS))
