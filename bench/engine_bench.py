# SPDX-License-Identifier: Apache-2.0
"""The engine alone beside QEMU's devices, and one loop by hand: see bench/engine.c."""

import os
import subprocess

from lablib import build

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CARDS = "e1000", "rtl8139", "rtl8139cp", "pcnet", "tulip", "ne2000", "i82559"


def run(card=None, workload=None, *arguments):
    folder = os.path.join(ROOT, "build")
    for name in [card] if card else CARDS:
        subprocess.run([f"{folder}/bench-engine", f"{ROOT}/cards/{name}/card.xml",
                        f"qemu={build.prepare().qemu}", f"preload={folder}/libsink.so",
                        *([f"only={workload}"] if workload else []), *arguments], check=True)
