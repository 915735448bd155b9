#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the shipped descriptions as a C table:  embed.py OUT CARD.xml…"""

import os
import sys


def literal(data):
    return ",".join(str(byte) for byte in data)


def main():
    rows = []
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write('/* generated from cards/ */\n#include "instance/catalog.h"\n')
        for index, path in enumerate(sorted(sys.argv[2:])):
            with open(path, "rb") as source:
                data = source.read()
            name = os.path.basename(os.path.dirname(path))
            out.write(f"static const char text{index}[] = {{{literal(data)},0}};\n")
            rows.append(f'{{"{name}", text{index}, {len(data)}}},')
        out.write("const struct shipped_card shipped_cards[] = {" + "".join(rows) + "};\n")
        out.write(f"const unsigned shipped_cards_count = {len(rows)};\n")


main()
