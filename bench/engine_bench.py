# SPDX-License-Identifier: Apache-2.0
"""The engine alone beside QEMU's device and a loop by hand: see bench/engine.c."""

import os
import subprocess

from lablib import build

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run(*arguments):
    folder = os.path.join(ROOT, "build")
    subprocess.run([f"{folder}/bench-engine", f"{ROOT}/cards/e1000/card.xml",
                    f"qemu={build.prepare().qemu}", f"preload={folder}/libsink.so", *arguments],
                   check=True)
