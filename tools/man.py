#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""man.py ANYNIC FOLDER COMMAND OUTPUT: the manual page of one command, "anynic" for the program.

What a command takes is what its --help says, so that no option can be missing; the rest is
FOLDER/COMMAND.txt: "# SECTION" lines, paragraphs, and indented lines that stay as they are.
"""

import re
import subprocess
import sys

COLUMN = 22  # of what an option is, in --help; deeper lines stay apart


def escape(text):
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("…", "...")


def line(text):
    """A line of running text: never taken for a request; `code` is bold."""
    text = re.sub(r"`([^`]*)`", r"\\fB\1\\fR", escape(text))
    return "\\&" + text if text.startswith(".") else text


def prose(text):
    verbatim = False
    for raw in text.splitlines():
        indented = raw.startswith("  ")
        if indented != verbatim and raw.strip():
            yield ".RS 4\n.nf" if indented else ".fi\n.RE"
            verbatim = indented
        if raw.startswith("# "):
            yield f".SH {raw[2:]}"
        elif not raw.strip():
            yield ".PP" if not verbatim else ""
        else:
            yield line(raw.strip() if not indented else raw[2:])
    if verbatim:
        yield ".fi\n.RE"


def options(text):
    """Lines of help: "  TERM  what it is", deeper ones go on, others are headings."""
    for raw in text.splitlines():
        found = re.match(r"  {0,2}(\S.*?)(?:  +(.*))?$", raw) if not raw.startswith("     ") else None
        if raw.startswith("  ") and found:
            yield f".TP\n.B {escape(found[1])}"
            if found[2]:
                yield line(found[2])
        elif raw.startswith("  "):
            yield (".br\n" if raw.startswith(" " * (COLUMN + 1)) else "") + line(raw.strip())
        elif raw.strip() and raw != "options:":
            yield ".PP\n" + line(raw.strip())


def page(anynic, folder, command):
    words = ["help"] + ([] if command == "anynic" else [command])
    said = subprocess.run([anynic, *words], capture_output=True, text=True, check=True).stdout
    usage, _, rest = said.partition("\n")
    name = command if command == "anynic" else f"anynic-{command}"
    if command == "anynic":
        what, heading, body = "network cards that exist only as a description", "COMMANDS", rest
    else:
        what, _, body = rest.partition("\n")
        heading = "OPTIONS"
    with open(f"{folder}/{command}.txt", encoding="utf-8") as file:
        text = file.read()
    yield f'.\\" SPDX-License-Identifier: Apache-2.0\n.TH {name.upper()} 1 "" anynic anynic'
    yield f".SH NAME\n{escape(name)} \\- {escape(what)}"
    yield f".SH SYNOPSIS\n.B {escape(usage.removeprefix('usage: '))}"
    first, *others = text.split("\n# ")
    yield from prose(first)
    if body.strip():
        yield f".SH {heading}"
        yield from options(body)
    for section in others:
        yield from prose("# " + section)


def main():
    anynic, folder, command, output = sys.argv[1:]
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n".join(page(anynic, folder, command)) + "\n")


main()
