# SPDX-License-Identifier: Apache-2.0
"""Modules: the interface they rely on, what they may add to a card, and what becomes of bad ones."""

import json
import os
import shutil
import subprocess
import tempfile

SIDE_BY_SIDE = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INCLUDE = f"-I{ROOT}/include"
EVERY_HOOK = f"{ROOT}/tests/module_abi.c"
BUILD = os.path.abspath(os.environ.get("ANYNIC_BUILD") or f"{ROOT}/build")
COMPILERS = [  # those that a module may be compiled by, and how
    ["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers"],
    ["gcc", "-std=c99", "-pedantic", "-Wall", "-Werror"],
    ["tcc", "-Wall", "-Werror"],
    ["clang", "-Wall", "-pedantic", "-Werror"],
]


def program():
    return f"{BUILD}/anynic"


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def test_what_modules_rely_on_is_still_there():
    """Numbers, offsets, services and the entry; what is new stands behind what was."""
    with open(f"{ROOT}/tests/module_abi.txt", encoding="ascii") as file:
        recorded = file.read().splitlines()
    with tempfile.TemporaryDirectory() as folder:
        for compiler in COMPILERS:
            if compiler[0] != "gcc" and not shutil.which(compiler[0]):
                print(f"  {compiler[0]} is not there")
                continue
            run(*compiler, INCLUDE, EVERY_HOOK, "-o", f"{folder}/abi")
            now = run(f"{folder}/abi").splitlines()
            gone = [line for line in recorded if line not in now]
            assert not gone, f"{compiler[0]}: gone or changed: {gone}"
            assert now == recorded, \
                f"new, to be recorded: {[line for line in now if line not in recorded]}"


def test_a_module_has_one_symbol():
    """And asks for none."""
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/module.c", "w", encoding="ascii") as file:
            file.write("#include <anynic/module.h>\n"
                       "static int32_t start(struct anynic_nic *nic)\n"
                       "{\n\treturn anynic_find(nic, ANYNIC_RING, \"tx\");\n}\n"
                       "ANYNIC_MODULE(.start = start)\n")
        run("gcc", "-shared", "-fPIC", "-O2", INCLUDE, f"{folder}/module.c", "-o",
            f"{folder}/module.so")
        symbols = [line.split() for line in run("nm", "-D", f"{folder}/module.so").splitlines()]
        assert [line[-1] for line in symbols if line[-2] not in "wv"] == ["anynic_module"], symbols
        if shutil.which("clang") and shutil.which("wasm-ld"):
            run("clang", "--target=wasm32", "-nostdlib", "-O2", "-Wall", "-Werror", INCLUDE,
                "-Wl,--no-entry", "-Wl,--export-table", f"{folder}/module.c", "-o",
                f"{folder}/module.wasm")


def alike(value):
    """Numbers by what they are, texts without the way they were broken into lines."""
    if isinstance(value, dict):
        return {name: alike(part) for name, part in value.items()}
    if isinstance(value, list):
        return [alike(part) for part in value]
    if isinstance(value, str):
        try:
            return int(value, 0)
        except ValueError:
            return " ".join(value.split())
    return value


def test_a_card_that_is_configured_by_its_module_is_the_same():
    shown = [alike(json.loads(run(program(), "show", "--json", f"{ROOT}/{path}/card.xml")))
             for path in ("cards/e1000", "examples/modules/configured")]
    assert [part["word"] for part in shown[1]["parts"]].count("module") == 1
    shown[1]["parts"] = [part for part in shown[1]["parts"] if part["word"] != "module"]
    for name, part in shown[0].items():
        assert shown[1][name] == part, name
    assert shown[0] == shown[1]
    assert len(shown[0]["banks"][1]["registers"]) > 100
