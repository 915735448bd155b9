# SPDX-License-Identifier: Apache-2.0
"""The library as it is installed: a VMM built outside the tree has a card in it."""

import os
import shutil
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get("ANYNIC_BUILD") or f"{ROOT}/build")
HEADERS = ["anynic.h", "module.h"]


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


def installed(folder):
    """Where `meson install` puts the library, moved to FOLDER as a package would be."""
    run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet"],
        env={**os.environ, "DESTDIR": folder})
    found = subprocess.run(["find", folder, "-name", "anynic.pc"], capture_output=True,
                           text=True).stdout.split()
    assert len(found) == 1, found
    with open(found[0], encoding="utf-8") as file:
        lines = file.read().splitlines()
    prefix = next(line[7:] for line in lines if line.startswith("prefix="))
    with open(found[0], "w", encoding="utf-8") as file:
        file.write("\n".join([f"prefix={folder}{prefix}" if line.startswith("prefix=") else line
                              for line in lines]) + "\n")
    assert sorted(os.listdir(f"{folder}{prefix}/include/anynic")) == HEADERS
    return os.path.dirname(found[0])


def test_a_vmm_outside_the_tree():
    with tempfile.TemporaryDirectory(prefix="anynic-embed-") as folder:
        where = installed(f"{folder}/root")
        shutil.copytree(f"{ROOT}/examples/embed", f"{folder}/vmm")
        environment = {**os.environ, "PKG_CONFIG_PATH": where}
        run(["make", "-C", f"{folder}/vmm"], env=environment)
        said = run([f"{folder}/vmm/vmm"])
        assert said.splitlines() == ["address 52:54:00:12:34:56", "interrupts 1, line high",
                                     "acknowledged, line low", "received hello"], said
        wrong = subprocess.run([f"{folder}/vmm/vmm", "nonsense"], capture_output=True, text=True)
        assert wrong.returncode == 1 and "no such card" in wrong.stderr, wrong


def test_the_library_shows_nothing_but_its_interface():
    names = run(["nm", "-g", "--defined-only", f"{BUILD}/libanynic.a"]).split("\n")
    shown = {line.split()[2] for line in names if len(line.split()) == 3}
    with open(f"{ROOT}/include/anynic/anynic.h", encoding="utf-8") as file:
        header = file.read()
    assert shown and all(name.startswith("anynic_") and f"{name}(" in header for name in shown), shown
