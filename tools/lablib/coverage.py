# SPDX-License-Identifier: Apache-2.0
"""Line and branch coverage of a build with -Db_coverage=true, by gcov."""

import glob
import json
import os
import subprocess


def data(folder):
    return glob.glob(f"{folder}/**/*.gcda", recursive=True)


def forget(folder):
    for path in data(folder):
        os.unlink(path)


def read(folder, wanted):
    """{path: {"lines": {number: count}, "branches": {(number, k): count}}} below the folders WANTED."""
    root = os.path.dirname(os.path.dirname(folder))
    files = {}
    for path in data(folder):
        text = subprocess.run(["gcov", "--json-format", "--branch-probabilities", "--stdout", path],
                              cwd=folder, capture_output=True, text=True, check=True).stdout
        for unit in map(json.loads, text.splitlines()):
            for file in unit["files"]:
                name = os.path.relpath(os.path.join(folder, file["file"]), root)
                if any(name.startswith(f"{start}/") for start in wanted):
                    add(files.setdefault(name, {"lines": {}, "branches": {}}), file["lines"])
    return files


def add(file, lines):
    for line in lines:
        number = line["line_number"]
        file["lines"][number] = file["lines"].get(number, 0) + line["count"]
        for k, branch in enumerate(line["branches"]):
            key = (number, k)
            file["branches"][key] = file["branches"].get(key, 0) + branch["count"]


def percent(files, what):
    counts = [count for file in files.values() for count in file[what].values()]
    return 100 * sum(map(bool, counts)) / max(len(counts), 1)


def table(files, folders):
    """A line a folder and a sum, and the files that have most to gain."""
    yield f"{'coverage':<28} lines  branches"
    for folder in folders:
        part = {name: file for name, file in files.items() if name.startswith(folder + "/")}
        yield f"  {folder:<24} {percent(part, 'lines'):6.1f} %{percent(part, 'branches'):8.1f} %"
    yield f"  {'all':<24} {percent(files, 'lines'):6.1f} %{percent(files, 'branches'):8.1f} %"


def missed(files):
    """PATH: line numbers that never ran, for people."""
    for name, file in sorted(files.items()):
        lines = [str(number) for number, count in sorted(file["lines"].items()) if not count]
        if lines:
            yield f"{name}: {' '.join(lines)}"
