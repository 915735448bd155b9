# SPDX-License-Identifier: Apache-2.0
"""The tests in C: tests/unit/*.c, one program that names what failed."""

import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get("ANYNIC_BUILD") or f"{ROOT}/build")


def test_unit():
    run = subprocess.run([f"{BUILD}/unit", ROOT], timeout=300, capture_output=True, text=True)
    bad = [line for line in run.stdout.splitlines() if line.startswith("FAILED")]
    assert run.returncode == 0 and not bad, "\n".join(bad) + run.stdout[-2000:] + run.stderr[-4000:]
