# SPDX-License-Identifier: Apache-2.0
"""What a module costs: the same one, of each kind, beside none. See bench/modules.c."""

import os
import shutil
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KINDS = {"c": 'kind="c" file="pass.c"', "cc": 'kind="c" file="pass.c" compiler="cc"',
         "native": 'kind="native" file="pass.so"',
         "wasm": 'kind="wasm" file="pass.wasm" memory="1M"',
         "process": 'kind="process" file="pass"'}
MADE = {  # by what, of pass.c; the others are made when the card is loaded
    "native": ["cc", "-shared", "-fPIC", "-O2", "pass.c", "-o", "pass.so"],
    "wasm": ["clang", "--target=wasm32", "-O2", "-nostdlib", "-Wl,--no-entry",
             "-Wl,--export-table", "pass.c", "-o", "pass.wasm"],
    "process": ["cc", "-O2", "pass.c", f"{ROOT}/src/module/glue/program.c", "-o", "pass"],
}
CARD = '<card name="{0}" title="Passes everything on" extends="e1000"><module {1}/></card>\n'


def run(kind=None, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        cards = [f"{ROOT}/cards/e1000/card.xml"]
        os.symlink(f"{ROOT}/cards/e1000", f"{folder}/e1000")
        for name, words in KINDS.items():
            if kind not in (None, name):
                continue
            os.mkdir(f"{folder}/{name}")
            shutil.copy(f"{ROOT}/bench/pass.c", f"{folder}/{name}")
            if name in MADE:
                subprocess.run([*MADE[name], f"-I{ROOT}/include"], check=True,
                               cwd=f"{folder}/{name}")
            with open(f"{folder}/{name}/card.xml", "w", encoding="ascii") as file:
                file.write(CARD.format(name, words))
            cards.append(f"{name}={folder}/{name}/card.xml")
        subprocess.run([f"{ROOT}/build/bench-modules", *cards, *arguments], check=True)
