# SPDX-License-Identifier: Apache-2.0
"""The life of a card with its driver, written down: alike whatever its module was made into.

tests/life has the programs that live it, and what they are to write: of the first of two lives in
full, of both the sum. ANYNIC_RECORD=1 tests/run life writes that again."""

import hashlib
import os
import shutil
import subprocess
import tempfile

from lablib import cross

SIDE_BY_SIDE = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get("ANYNIC_BUILD") or f"{ROOT}/build")
RECORD = f"{ROOT}/tests/life/ena.txt"
WRITTEN = '<module kind="c" file="admin.c"/>'  # in the description
INCLUDE = [f"-I{ROOT}/include"]
WASM = ["clang", "--target=wasm32", "-O2", "-nostdlib", "-Wl,--no-entry", "-Wl,--export-table",
        *INCLUDE]

# how the description names the module; what makes it
KINDS = {
    "c": (WRITTEN, None),
    "cc": ('<module kind="c" file="admin.c" compiler="cc"/>', None),
    "native": ('<module kind="native" file="admin.so"/>',
               ["gcc", "-O2", "-shared", "-fPIC", *INCLUDE, "admin.c", "-o", "admin.so"]),
    "wasm": ('<module kind="wasm" file="admin.wasm"/>', [*WASM, "admin.c", "-o", "admin.wasm"]),
    "process": ('<module kind="process" file="admin"/>',
                ["gcc", "-O2", *INCLUDE, "admin.c", f"{ROOT}/src/module/glue/program.c", "-o",
                 "admin"]),
}


def run(command, **options):
    done = subprocess.run(command, capture_output=True, timeout=300, **options)
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def make(folder, kind):
    """The card from cards/ena with its module as KIND; the path of its description."""
    words, command = KINDS[kind]
    shutil.copytree(f"{ROOT}/cards/ena", folder)
    with open(f"{folder}/card.xml", encoding="utf-8") as file:
        text = file.read()
    assert text.count(WRITTEN) == 1
    with open(f"{folder}/card.xml", "w", encoding="utf-8") as file:
        file.write(text.replace(WRITTEN, words))
    if command:
        run(command, cwd=folder)
        os.remove(f"{folder}/admin.c")  # nobody else needs it
    return f"{folder}/card.xml"


def life(card, program=(f"{BUILD}/life-ena",), **environment):
    with tempfile.TemporaryDirectory() as cache:
        return run([*program, card],
                   env={**os.environ, "XDG_CACHE_HOME": cache, **environment}).decode()


def recorded(log):
    """What is kept of a log."""
    lives = log.split("a card is found:")
    assert len(lives) == 3, len(lives)
    return (f"a card is found:{lives[1]}"
            f"both lives: {hashlib.sha256(log.encode()).hexdigest()}\n")


def differs(kind, log, other):
    for number, (one, two) in enumerate(zip(log.splitlines(), other.splitlines()), 1):
        assert one == two, f"{kind}: line {number} is\n{one}\nexpected\n{two}"
    assert log == other, f"{kind}: {len(log)} bytes, expected {len(other)}"


def test_a_module_in_each_kind():
    with open(RECORD, encoding="ascii") as file:
        record = file.read()
    logs = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            logs[kind] = life(make(f"{folder}/{kind}", kind))
            differs(kind, logs[kind], logs["c"])
    if os.environ.get("ANYNIC_RECORD"):
        with open(RECORD, "w", encoding="ascii") as file:
            file.write(recorded(logs["c"]))
    else:
        differs("c", recorded(logs["c"]), record)
    seen = logs["c"].splitlines()
    for what, least in (("  sent ", 70), ("  vector ", 400), ("  memory ", 1000), ("command ", 300)):
        count = sum(line.startswith(what) for line in seen)
        assert count >= least, (what, count)


def test_the_same_webassembly_on_another_processor():
    folder, words, environment = cross.prepare(["life-ena", "anynic"])
    with tempfile.TemporaryDirectory() as made:
        card = make(f"{made}/wasm", "wasm")
        said = run([*words, f"{folder}/anynic", "check", card],
                   env={**os.environ, **environment}).decode()
        assert not said, said
        here = life(card)
        differs("aarch64", life(card, (*words, f"{folder}/life-ena"), **environment), here)
        # libtcc makes code for where it runs
        differs("aarch64, c", life(make(f"{made}/c", "c"), (*words, f"{folder}/life-ena")), here)
