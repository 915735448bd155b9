#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes files as C tables:
embed.py cards OUT FILE…         the shipped cards: card.xml of each folder, and what lies beside
embed.py files OUT NAME=PATH…    what modules in C are compiled with"""

import os
import sys


def literal(path):
    with open(path, "rb") as file:
        data = file.read()
    return "{" + ",".join(str(byte) for byte in data) + ",0}", len(data)


def constant(out, name, path):
    text, length = literal(path)
    out.write(f"static const unsigned char {name}[] = {text};\n")
    return f"(const char *){name}, {length}"


def cards(out, paths):
    folders, rows = {}, []
    for path in sorted(paths):
        folders.setdefault(os.path.dirname(path), []).append(path)
    out.write('/* generated from cards/ */\n#include "instance/catalog.h"\n')
    for index, (folder, inside) in enumerate(sorted(folders.items())):
        card = os.path.join(folder, "card.xml")
        text = constant(out, f"card{index}", card)
        beside = [f'{{"{os.path.basename(path)}", {constant(out, f"file{index}_{k}", path)}}}'
                  for k, path in enumerate(inside) if path != card]
        if beside:
            out.write(f"static const struct shipped_file files{index}[] = "
                      f"{{{','.join(beside)}}};\n")
        rows.append(f'{{"{os.path.basename(folder)}", {text}, '
                    f'{f"files{index}" if beside else "0"}, {len(beside)}}},')
    out.write("const struct shipped_card shipped_cards[] = {" + "".join(rows) + "};\n")
    out.write(f"const unsigned shipped_cards_count = {len(rows)};\n")


def files(out, pairs):
    out.write('/* generated */\n#include "module/embedded.h"\n')
    rows = [f'{{"{name}", {constant(out, f"file{index}", path)}}},'
            for index, (name, path) in enumerate(pair.split("=", 1) for pair in pairs)]
    out.write("const struct embedded embedded_files[] = {" + "".join(rows) + "};\n")
    out.write(f"const unsigned embedded_files_count = {len(rows)};\n")


with open(sys.argv[2], "w", encoding="ascii") as result:
    {"cards": cards, "files": files}[sys.argv[1]](result, sys.argv[3:])
