# SPDX-License-Identifier: Apache-2.0
"""`anynic check`: every mistake, in its line, and nothing that makes it slow or large."""

import glob
import os
import re
import subprocess
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
ANYNIC = os.environ.get("ANYNIC") or os.path.join(ROOT, "build", "anynic")
EXPECT = re.compile(r"<!-- expect: (\d+): (.*) -->")
ERROR = re.compile(r"(?::(\d+))?: error: (.*)")

PROMISED_SECONDS, PROMISED_KIB = 0.1, 64 << 10
SLACK = 5  # a busy machine is not a broken promise


def check(*paths):
    return subprocess.run([ANYNIC, "check", *paths], capture_output=True, text=True, timeout=30)


def reported(path):
    """(exit status, [(line, text)…]) in the order they were printed."""
    run = check(path)
    found = []
    for line in run.stderr.splitlines():
        assert line.startswith(path), line
        match = ERROR.fullmatch(line[len(path):])
        assert match, line
        found.append((int(match[1] or 0), match[2]))
    return run.returncode, found


def test_every_bad_description_says_what_is_wrong():
    files = sorted(glob.glob(f"{HERE}/bad/*.xml"))
    assert len(files) >= 400, len(files)
    wrong = []
    for path in files:
        with open(path, encoding="utf-8") as file:
            expected = [(int(line), text) for line, text in EXPECT.findall(file.read())]
        assert expected, f"{path} expects nothing"
        status, found = reported(path)
        if status != 1 or sorted(found) != sorted(expected):
            wrong.append(f"{path}: status {status}\n  expected {expected}\n  reported {found}")
        elif [line for line, _ in found] != sorted(line for line, _ in found):
            wrong.append(f"{path}: not in the order of lines: {found}")
    assert not wrong, "\n".join(wrong)
    print(f"  {len(files)} bad descriptions")


def test_shipped_cards_are_right():
    for path in glob.glob(f"{ROOT}/cards/*/card.xml"):
        run = check(path)
        assert run.returncode == 0 and not run.stderr, run.stderr


def test_several_files_and_wrong_usage():
    bad = sorted(glob.glob(f"{HERE}/bad/*.xml"))[:2]
    run = check(f"{ROOT}/cards/e1000/card.xml", *bad)
    assert run.returncode == 1 and all(path in run.stderr for path in bad), run.stderr
    assert check().returncode == 2


# ---- extends ----

def written(folder, **cards):
    for name, text in cards.items():
        os.makedirs(f"{folder}/{name}", exist_ok=True)
        with open(f"{folder}/{name}/card.xml", "w", encoding="utf-8") as file:
            file.write(text)


def show(folder, name):
    run = subprocess.run([ANYNIC, "show", name, "--cards", folder], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


BASE = """<card name="base" title="Base" drivers="linux:base">
  <pci vendor="0x1234" device="1" class="0x020000" revision="7"/>
  <bank name="b">
    <register name="ONE" at="0" reset="1"><field name="F" bits="0"/></register>
    <register name="TWO" at="4" reset="2"/>
  </bank>
  <bar index="0" space="memory" size="4K" bank="b"/>
  <eeprom words="16"><word at="3" value="3"/></eeprom>
</card>"""


def test_extends_replaces_merges_and_adds():
    with tempfile.TemporaryDirectory() as folder:
        written(folder, base=BASE, mid="""<card name="mid" title="Mid" extends="base">
  <pci device="2"/>
  <bank name="b">
    <register name="ONE" at="0" reset="0x11"/>
    <register name="THREE" at="8" reset="3"/>
  </bank>
  <bank name="more"><register name="X" at="0"/></bank>
  <eeprom><word at="0x3" value="4"/><word at="4" value="4"/></eeprom>
</card>""", top="""<card name="top" title="Top" extends="mid">
  <pci revision="9"/>
  <bar index="0" space="memory" size="8K" bank="b"/>
</card>""")
        text = show(folder, "top")
        assert "top: Top" in text and "1234:0002" in text and "revision 09" in text, text
        assert "reset 0x11" in text and " F " not in text, text  # ONE is replaced as a whole
        assert "TWO" in text and "THREE" in text and "registers more" in text, text
        assert "8192 bytes" in text and "4096 bytes" not in text, text
        run = check(f"{folder}/top/card.xml")  # found beside it, without --cards
        assert run.returncode == 0, run.stderr


def test_extends_a_built_in_card():
    with tempfile.TemporaryDirectory() as folder:
        written(folder, mine='<card name="mine" title="Mine" extends="e1000"><pci device="3"/></card>')
        assert "8086:0003" in show(folder, "mine")


def test_mistakes_of_extending():
    card = '<card name="{0}" title="T" extends="{1}"/>'
    with tempfile.TemporaryDirectory() as folder:
        written(folder, a=card.format("a", "b"), b=card.format("b", "a"), c=card.format("c", "c"),
                d=card.format("d", "none"), e=card.format("e", "../a"),
                f=BASE.replace('at="4"', 'at="5"'), g=card.format("g", "f"),
                h='<card name="h" title="H" extends="f">\n<bank name="b">\n'
                  '<register name="TWO" at="0"/></bank></card>',
                i='<card name="i" extends="j"/>', j=BASE,
                **{f"n{k}": card.format(f"n{k}", f"n{k + 1}") for k in range(10)})
        for name, place, text in (
                ("a", "b/card.xml:1", 'extends="a" comes back to a card that extends it'),
                ("c", "c/card.xml:1", 'extends="c" comes back to a card that extends it'),
                ("d", "d/card.xml:1", 'extends="none": there is no such card'),
                ("e", "e/card.xml:1", 'extends="../a" is not the name of a card'),
                ("g", "f/card.xml:5", 'at="5" is not a multiple of 4 bytes'),
                ("h", "h/card.xml:3", f"TWO overlaps ONE of line 4 of {folder}/h/../f/card.xml, which has no when="),
                ("i", "i/card.xml:1", "<card> needs title="),
                ("n0", "n7/card.xml:1", "extends=: more than 8 cards, one after another")):
            run = check(f"{folder}/{name}/card.xml")
            said = run.stderr.splitlines()
            assert run.returncode == 1 and len(said) == 1, (name, run.stderr)
            assert said[0].endswith(f"{place}: error: {text}"), (name, said[0])


# ---- what is generated from the words ----

def test_schema_accepts_every_shipped_card():
    with tempfile.TemporaryDirectory() as folder:
        schema = f"{folder}/card.rng"
        with open(schema, "wb") as file:
            subprocess.run([ANYNIC, "schema"], stdout=file, check=True)

        def valid(path):
            return subprocess.run(["xmllint", "--noout", "--relaxng", schema, path],
                                  capture_output=True).returncode == 0

        cards = glob.glob(f"{ROOT}/cards/*/card.xml")
        assert cards and all(valid(path) for path in cards)
        for name in ("word-unknown", "word-place", "attribute-unknown", "attribute-missing",
                     "card-no-pci", "card-two-pci", "bar-space", "pci-octal", "register-name",
                     "field-bits-text", "ring-end-keyword", "record-field-attribute"):
            assert not valid(f"{HERE}/bad/{name}.xml"), name


def test_language_is_documented():
    said = subprocess.run([ANYNIC, "schema", "--markdown"], capture_output=True, text=True,
                          check=True).stdout
    with open(f"{ROOT}/docs/language.md", encoding="utf-8") as file:
        text = file.read()
    generated = text[text.index("## Every word"):]
    assert generated == said, "docs/language.md is old: put `anynic schema --markdown` at its end"


# ---- what would make it slow or large ----

def measured(path, stdin=None):
    """(exit status, seconds, KiB, what it said) of checking PATH."""
    with tempfile.TemporaryFile() as said:
        begin = time.monotonic()
        process = subprocess.Popen([ANYNIC, "check", path], stdin=stdin, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        return process.returncode, seconds, usage.ru_maxrss, said.read().decode(errors="replace")


def held(name, result, fails=True):
    status, seconds, kib, said = result
    print(f"  {name:<28} {seconds * 1000:6.0f} ms {kib / 1024:5.1f} MiB  {said.splitlines()[:1]}")
    assert status == (1 if fails else 0), (name, status, said[:500])
    assert bool(said) == fails, (name, said)
    assert seconds < PROMISED_SECONDS * SLACK, (name, seconds)
    assert kib <= PROMISED_KIB, (name, kib)


def card(inside, attributes=""):
    return (f'<card name="a" title="A" {attributes}>'
            f'<pci vendor="1" device="1" class="0x020000"/>{inside}</card>')


def bank(registers):
    return card(f'<bank name="b">{"".join(registers)}</bank>')


LAUGHS = "".join(f'<!ENTITY l{k} "{"&l%d;" % (k - 1) * 10}">' for k in range(1, 10))
MIB = 1 << 20

BOMBS = {
    "entities": lambda: f'<!DOCTYPE card [<!ENTITY l0 "ha">{LAUGHS}]><card name="&l9;"/>',
    "external entity": lambda: '<!DOCTYPE card [<!ENTITY x SYSTEM "file:///etc/passwd">]><card name="&x;"/>',
    "external DTD": lambda: '<!DOCTYPE card SYSTEM "http://127.0.0.1:9/card.dtd"><card/>',
    "parameter entity": lambda: '<!DOCTYPE card [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><card/>',
    "depth 100000": lambda: "<a>" * 100000 + "</a>" * 100000,
    "depth 17": lambda: "<card>" * 17 + "</card>" * 17,
    "elements": lambda: card("<bank/>" * (MIB // 8)),
    "unknown elements": lambda: card("<bnak/>" * 16000),
    "attributes": lambda: card("<bank " + " ".join(f'a{k}=""' for k in range(80000)) + "/>"),
    "long attribute": lambda: card(f'<bank name="{"a" * (MIB - 200)}"/>'),
    "long attribute name": lambda: card(f'<bank {"a" * (MIB - 200)}="1"/>'),
    "long element name": lambda: card(f'<{"a" * (MIB - 200)}/>'),
    "comments": lambda: card("<!---->" * (MIB // 8)),
    "long comment": lambda: card("<!--" + "a" * (MIB - 200)),
    "references": lambda: card(f'<bank name="{"&#65;" * 800}"/>' * 200),
    "empty": lambda: "",
    "blank": lambda: " " * MIB,
    "less-than signs": lambda: "<" * MIB,
    "quotes": lambda: '<a b="' * (MIB // 6),
    "UTF-16": lambda: card("").encode("utf-16"),
    "not UTF-8": lambda: card('<bank name="b"/>').encode().replace(b"A", b"\xff"),
    "4 GiB of state": lambda: bank(f'<register name="R{k}" at="0" count="4096" stride="8"/>'
                           for k in range(10000)),
    "aliases": lambda: bank(['<register name="R" at="0" count="4096"/>'] +
                    [f'<register name="R{k}" at="0" count="4096" alias="R"/>'
                     for k in range(10000)]),
    "registers": lambda: bank(f'<register name="R{k}" at="{k * 4}"/>' for k in range(16000)),
    "same name": lambda: bank('<register name="R" at="0"/>' for _ in range(16000)),
    "unknown names": lambda: bank(f'<register name="Register_number_{k}" at="{k * 4}" '
                          f'shows="Register_numbre_{k}"/>' for k in range(4000)),
    "long expressions": lambda: bank(f'<register name="R{k}" at="{k * 4}" shows="{"(" * 4000}"/>'
                             for k in range(240)),
    "chains of not": lambda: bank(f'<register name="R{k}" at="{k * 4}" shows="{"not " * 1000}1"/>'
                          for k in range(240)),
    "long lists": lambda: bank(f'<register name="R{k}" at="{k * 4}" do="{"set R0;" * 60}"/>'
                       for k in range(2000)),
    "reset lists": lambda: card('<bank name="b">' + "".join(f'<register name="R{k}" at="{k * 4}"/>'
                                                    for k in range(4096)) + "</bank>" +
                        "".join(f'<reset name="s{n}" clears="{"R* " * 16}"/>'
                                for n in range(32))),
    "reset web": lambda: card("".join(f'<reset name="s{n}" do="' + "; ".join(
        f"reset s{k}" for k in range(n + 1, 32)) + '"/>' for n in range(31)) +
                              '<reset name="s31"/>'),
    "banks cleared": lambda: card('<bank name="b">' + "".join(
        f'<register name="R{k}" at="{k * 4}"/>' for k in range(4096)) + "</bank>" + "".join(
            f'<reset name="s{n}" clears="{"b " * 256}" keeps="{"b " * 256}"/>'
            for n in range(32))),
    "bars": lambda: card("".join(f'<bank name="bank_{k}"/>' for k in range(64)) + "".join(
        f'<bar index="{k % 6}" space="memory" size="4K" bank="bank_63"/>' for k in range(15000))),
    "actions": lambda: bank(f'<register name="R{k}" at="{k * 4}" do="{"R1 = 0;" * 64}"/>'
                            for k in range(1800)),
    "second ones": lambda: card("<eeprom words=\"64\"/>" * 8000 + "<window/>" * 8000),
    "fields spoken of": lambda: card(
        '<bank name="b"><register name="X" at="0"/></bank>' + "".join(
            f'<record name="d{n}" size="64">' + "".join(
                f'<field name="F{k:03}" bits="{k}"/>' for k in range(256)) + "</record>"
            for n in range(8)) + "".join(
                f'<ring name="t{n}" for="transmit" next="array" base="X" end="bytes X" '
                'ready="until X" cursor="X">' + "".join(
                    f'<use record="d{k}" as="data" when="X"><buffer address="X" length="X"/></use>'
                    for k in range(8)) + "".join(
                        f'<complete write="{"F255 = F255+F255+F255+F255+F255;" * 64}"/>'
                        for k in range(8)) + "</ring>" for n in range(32))),
    "fields": lambda: card(f'<record name="d" size="64">' + "".join(
        f'<field name="F{k}" bits="{k % 512}"/>' for k in range(16000)) + "</record>"),
    "values": lambda: bank(['<register name="R" at="0"><field name="F" bits="31:0">' + "".join(
        f'<value is="{k}" do="clear R"/>' for k in range(16000)) + "</field></register>"]),
}

HARMLESS = ("reset lists", "banks cleared", "fields spoken of")


def test_bombs():
    with tempfile.TemporaryDirectory() as folder:
        for name, make in BOMBS.items():
            path = f"{folder}/bomb.xml"
            text = make()
            with open(path, "wb") as file:
                file.write(text if isinstance(text, bytes) else text.encode())
            del text
            held(name, measured(path), fails=name not in HARMLESS)


def test_huge_files():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/sparse.xml"
        with open(path, "wb") as file:
            file.write(b'<card name="')
            file.seek(1 << 30)
            file.write(b'"/>')
        held("1 GiB attribute, sparse", measured(path))
        held("endless zeros", measured("/dev/zero"))
        held("endless noise", measured("/dev/urandom"))
        held("a folder", measured(folder))
        held("no file", measured(f"{folder}/none.xml"))


def feed(write, head, body, count):
    with os.fdopen(write, "wb", closefd=True) as pipe:
        try:
            pipe.write(head)
            for _ in range(count):
                pipe.write(body)
            pipe.flush()
        except BrokenPipeError:
            pass


def test_streams():
    for name, head, body in (("1 GiB attribute, streamed", b'<card name="', b"a" * MIB),
                             ("1 GiB of elements, streamed", b"<card>", b"<bank/>" * (MIB // 7)),
                             ("1 GiB of depth, streamed", b"", b"<card>" * (MIB // 6))):
        read, write = os.pipe()
        feeder = threading.Thread(target=feed, args=(write, head, body, 1024), daemon=True)
        feeder.start()
        result = measured("/dev/stdin", stdin=read)
        os.close(read)
        feeder.join(10)
        assert not feeder.is_alive(), "it read on after it had said no"
        assert "larger than" in result[3], result
        held(name, result)
