# SPDX-License-Identifier: Apache-2.0
"""`anynic show`: a card as its datasheet has it, for people and for programs."""

import glob
import json
import os
import re
import subprocess
import tempfile
import xml.etree.ElementTree as xml

from lablib.program import ANYNIC, ROOT

SIDE_BY_SIDE = True
CARDS = sorted(glob.glob(f"{ROOT}/cards/*/card.xml"))


def show(*words):
    return subprocess.run([ANYNIC, "show", *words], capture_output=True, text=True, check=True,
                          timeout=20).stdout


def show_json(*words):
    return json.loads(show(*words, "--json"))


SMALL = """<card name="small" title="Small" drivers="linux:small">
  <pci vendor="0x1234" device="0x5678" class="0x020000" interrupt="INTA"/>
  <bank name="b">
    <register name="CTL" at="0" doc="page 7"><field name="GO" bits="0" do="raise CAUSE.TX"/>
      <field name="UP" bits="1" shows="link.up" doc="the link"/>
      <field name="OP" bits="5:4"><value is="2" name="STOP" do="clear CTL.GO"/></field></register>
    <register name="CAUSE" at="4" access="w1c"><field name="TX" bits="0" doc="sent"/><field name="RX" bits="5"/></register>
    <register name="MASK" at="8"/>
    <register name="HEAD" at="12"/> <register name="TAIL" at="16"/> <register name="BASE" at="20"/> <register name="SIZE" at="24"/>
  </bank>
  <bar index="0" space="memory" size="4K" bank="b"/>
  <record name="slot" size="14">
    <field name="address" bits="31:0" doc="of the buffer"/>
    <field name="length" bits="47:32"/><field name="status" bits="55:48"/><field name="DONE" bits="48"/>
    <field name="wide" bits="111:64"/>
  </record>
  <ring name="tx" for="transmit" when="CTL.GO" next="array" base="BASE" end="entries SIZE"
        cursor="HEAD" ready="until TAIL">
    <use record="slot" as="data"><buffer address="address" length="length"/></use>
    <complete write="DONE = 1" do="raise
      CAUSE.TX"/>
  </ring>
  <interrupt line="INTA" cause="CAUSE" mask="MASK"/>
</card>"""

TABLE = """\
  record slot, 14 bytes
       31            2423            1615             8 7             0
       +---------------------------------------------------------------+
     0 |                            address                            |
       +---------------+-------------+-+-------------------------------+
     4 |               |   status    |a|            length             |
       +---------------+-------------+-+-------------------------------+
     8 |                             wide                              |
       +-------------------------------+-------------------------------+
    12                                 |             wide              |
                                       +-------------------------------+
       a      48  DONE
            31:0  address  doc: of the buffer
"""


def small():
    folder = tempfile.mkdtemp(prefix="anynic-show-")
    path = f"{folder}/card.xml"
    with open(path, "w", encoding="utf-8") as file:
        file.write(SMALL)
    return path


def test_a_record_is_drawn():
    text = show(small())
    assert TABLE in text, text[text.index("  record"):]


def test_what_is_behind_registers():
    text = show(small())
    for line in ("drivers linux:small",
                 "00000  CTL         32 bits, rw  doc: page 7",
                 "0  GO         rw  do: raise CAUSE.TX",
                 "1  UP         ro  shows: link.up  doc: the link",
                 "5:4  OP         rw\n                         value STOP  is: 2  do: clear CTL.GO",
                 "00004  CAUSE       32 bits, w1c",
                 "ring tx: transmit", "base     BASE",
                 "use slot  as: data", "buffer  address: address  length: length",
                 "complete  write: DONE = 1  do: raise CAUSE.TX",
                 "cause  0  CAUSE.TX  sent", "cause  5  CAUSE.RX",
                 "interrupt INTA  cause: CAUSE  mask: MASK"):
        assert line in text, (line, text)


def test_the_same_for_programs():
    got = show_json(small())
    assert got["drivers"] == "linux:small"
    registers = {reg["name"]: reg for reg in got["banks"][0]["registers"]}
    assert registers["CTL"]["doc"] == "page 7"
    assert {field["name"]: field.get("doc") for field in registers["CTL"]["fields"]} == {
        "GO": None, "UP": "the link", "OP": None}
    record = got["records"][0]
    assert record["name"] == "slot" and record["size"] == 14
    assert record["fields"][1] == {"name": "length", "low": 32, "width": 16}
    assert got["interrupts"] == [{"register": "CAUSE", "causes": [{"name": "TX", "low": 0},
                                                                  {"name": "RX", "low": 5}]}]
    ring = [part for part in got["parts"] if part["word"] == "ring"][0]
    assert ring["attributes"]["base"] == "BASE"
    assert [part["word"] for part in ring["parts"]] == ["use", "complete"]


def test_every_shipped_card():
    for path in CARDS:
        root = xml.parse(path).getroot()
        name = os.path.basename(os.path.dirname(path))
        text, got = show(name), show_json(name)
        records = {record["name"]: record for record in got["records"]}
        for record in root.iter("record"):
            assert len(records[record.get("name")]["fields"]) == len(record.findall("field"))
            assert f"record {record.get('name')}, " in text
        for part in list(root.iter("ring")) + list(root.iter("accept")):
            key = part.get("name") or part.get("class")
            assert re.search(rf"{part.tag} {key}\b", text), (name, part.tag, key)
        for line in text.splitlines():
            assert line == line.rstrip() and "\t" not in line, (name, line)
        width = {len(line) for line in text.splitlines() if re.match(r"  [ \d]{4} .*\|$", line)}
        assert width <= {72}, (name, width)
