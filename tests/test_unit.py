# SPDX-License-Identifier: Apache-2.0
"""The tests in C: tests/unit/*.c, one program that names what failed. They and
the wire tests are run again in a build that watches memory, and in one that
counts lines."""

import os
import subprocess
import sys

from lablib import coverage

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get("ANYNIC_BUILD") or f"{ROOT}/build")
FOLDERS = ["src/nic", "src/vmm", "src/card", "src/front"]
LEAST = 90  # percent of lines
WATCH = {"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}

report = []


def run(command, **environment):
    done = subprocess.run(command, timeout=600, capture_output=True, text=True,
                          env={**os.environ, **environment})
    bad = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert done.returncode == 0 and not bad, "\n".join(bad) + done.stdout[-2000:] + done.stderr[-6000:]


def build(name, *options, targets=("unit", "front-stub", "anynic")):
    """A build beside the usual one; only what the tests below run."""
    folder = f"{ROOT}/build/{name}"
    if not os.path.exists(f"{folder}/build.ninja"):
        run(["meson", "setup", folder, ROOT, *options])
    run(["ninja", "-C", folder, *targets])
    return folder


def others(folder, **environment):
    """With more patience: these builds are slow, and what is late is told by the usual one."""
    run([sys.executable, f"{ROOT}/tests/run", "wire.", "every_bad", "shipped_cards", "several_files",
         "check.extends", "of_extending"], ANYNIC_BUILD=folder, ANYNIC=f"{folder}/anynic",
        ANYNIC_LATE="5", **environment)


def test_unit():
    run([f"{BUILD}/unit", ROOT])


def test_sanitized():
    folder = build("asan", "-Db_sanitize=address,undefined", "-Db_lundef=false")
    run([f"{folder}/unit", ROOT], **WATCH)
    others(folder, **WATCH)


def test_sanitized_card_in_a_guest():
    folder = build("asan", "-Db_sanitize=address,undefined", "-Db_lundef=false")
    run([sys.executable, f"{ROOT}/tests/run", "guest.driver_binds", "guest.tcp_both"],
        ANYNIC=f"{folder}/anynic", **WATCH)


def test_threads():
    """What several threads do, watched for races."""
    folder = build("tsan", "-Db_sanitize=thread", "-Db_lundef=false", "-Dc_args=-Wno-tsan",
                   targets=["unit", "anynic"])
    run([f"{folder}/unit", ROOT, "bridge."], TSAN_OPTIONS="halt_on_error=1")
    run([sys.executable, f"{ROOT}/tests/run", "workers.commands"], ANYNIC=f"{folder}/anynic",
        TSAN_OPTIONS="halt_on_error=1")


def test_coverage():
    folder = build("coverage", "-Db_coverage=true", "-Dbuildtype=debug")
    coverage.forget(folder)
    run([f"{folder}/unit", ROOT])
    others(folder)
    files = coverage.read(folder, FOLDERS)
    report.extend(coverage.table(files, FOLDERS))
    lines = coverage.percent(files, "lines")
    assert lines >= LEAST, f"{lines:.1f} % of lines are run by tests, expected {LEAST} %"


def last_words():
    """What tests/run prints before its summary."""
    return report
