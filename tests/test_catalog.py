# SPDX-License-Identifier: Apache-2.0
"""Where cards come from: folders, packs, the program; by name, by identity, like a
device of the host."""

import contextlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
import time

from lablib.program import ANYNIC, ROOT
from wire_client import Client

SIDE_BY_SIDE = True
CARD = """<card name="{name}" title="{title}">
  <pci vendor="0x1234" device="{device}" subsystem-vendor="0x1" subsystem="{subsystem}"
       revision="{revision}" class="0x020000"/>
  <bank name="b"><register name="ONE" at="0"/></bank>
  <bar index="0" space="memory" size="4K" bank="b"/>
</card>"""


def text(name, title="T", device=1, subsystem=1, revision=0):
    return CARD.format(**locals())


def run(*words, status=0, **environment):
    bare = {key: value for key, value in os.environ.items()
            if not key.startswith(("XDG_", "ANYNIC_CARDS", "ANYNIC_SYSFS"))}
    done = subprocess.run([ANYNIC, *words], capture_output=True, text=True, timeout=30,
                          env={**bare, "HOME": "/nowhere", **environment})
    assert done.returncode == status, (words, done)
    return done


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="anynic-catalog-") as path:
        yield path


def write(at, **cards):
    for name, content in cards.items():
        os.makedirs(f"{at}/{name}", exist_ok=True)
        with open(f"{at}/{name}/card.xml", "w", encoding="utf-8") as file:
            file.write(content)
    return at


def pack(at, name="a.pack", **cards):
    """A pack in AT of cards that lie elsewhere."""
    with folder() as cards_at:
        write(cards_at, **cards)
        run("pack", "create", f"{at}/{name}", cards_at)
    return f"{at}/{name}"


def title(*words, **environment):
    return run("show", *words, **environment).stdout.splitlines()[0].split(": ")[1]


# ---- packs ----

def test_create_list_show():
    with folder() as at:
        path = f"{at}/shipped.pack"
        said = run("pack", "create", path, f"{ROOT}/cards").stdout
        names = sorted(os.listdir(f"{ROOT}/cards"))
        files = sum(len(os.listdir(f"{ROOT}/cards/{name}")) for name in names)
        assert f"{len(names)} cards, {files} files" in said, said
        rows = json.loads(run("pack", "list", path, "--json").stdout)
        assert [row["name"] for row in rows] == names, rows
        assert all(row["title"] and row["bytes"] > 100 for row in rows), rows
        for name in names:
            assert name in run("pack", "list", path).stdout
            assert run("show", name, "--cards", path, "--allow-programs").stdout == \
                run("show", name).stdout
        listed = json.loads(run("list", "--json", "--cards", path, "--allow-programs").stdout)
        assert all(one["source"] == path and one["hides"] == ["built in"] for one in listed), listed
        assert os.listdir(at) == ["shipped.pack"]


def test_the_same_again_is_the_same_pack():
    with folder() as at:
        for name in ("a", "b"):
            run("pack", "create", f"{at}/{name}.pack", f"{ROOT}/cards")
        with open(f"{at}/a.pack", "rb") as a, open(f"{at}/b.pack", "rb") as b:
            assert a.read() == b.read()


def test_other_files_go_in_and_folders_and_links_do_not():
    with folder() as at:
        write(at, mine=text("mine"))
        with open(f"{at}/mine/quirks.c", "wb") as file:
            file.write(b"int\0x;")
        os.makedirs(f"{at}/mine/sub")
        os.symlink("/etc/passwd", f"{at}/mine/link")
        run("pack", "create", f"{at}/p.pack", f"{at}/mine")
        with contextlib.closing(sqlite3.connect(f"{at}/p.pack")) as db:
            files = dict(db.execute("SELECT name, data FROM file"))
        assert sorted(files) == ["card.xml", "quirks.c"], files
        assert files["quirks.c"] == b"int\0x;"


def test_what_cannot_be_packed_leaves_nothing():
    with folder() as at:
        write(f"{at}/cards", good=text("good"), bad="<card name='bad'>")
        write(f"{at}/odd", **{"a b": text("x")})
        os.makedirs(f"{at}/empty")
        for words, said, status in (
                ([f"{at}/p.pack", f"{at}/cards"], "bad/card.xml:1: error:", 1),
                ([f"{at}/p.pack", f"{at}/odd"], "no name of a card", 1),
                ([f"{at}/p.pack", f"{at}/empty"], "no card.xml in it", 1),
                ([f"{at}/p.pack", f"{at}/none"], "none: No such file", 1),
                ([f"{at}/p.pack", f"{at}/cards/good", f"{at}/cards/good"], "UNIQUE", 1),
                ([f"{at}/no/p.pack", f"{at}/cards/good"], "no/p.pack", 1),
                ([f"{at}/p.sqlite", f"{at}/cards/good"], "ends in .pack", 2),
                ([f"{at}/p.pack"], "expected create PACK DIR", 2)):
            done = run("pack", "create", *words, status=status)
            assert said in done.stderr, (words, done.stderr)
            assert sorted(os.listdir(at)) == ["cards", "empty", "odd"], os.listdir(at)


def test_a_base_in_the_pack_or_elsewhere():
    extends = '<card name="{0}" title="{1}" extends="{2}"><pci device="{3}"/></card>'
    with folder() as at:
        path = pack(at, base=text("base"), child=extends.format("child", "Child", "base", 7),
                    mine=extends.format("mine", "Mine", "e1000", 9))
        assert "1234:0007" in run("show", "child", "--cards", path).stdout
        assert "8086:0009" in run("show", "mine", "--cards", at).stdout
        # a folder's card may be put over one of a pack
        write(at, over=extends.format("over", "Over", "child", 8))
        assert "1234:0008" in run("show", "over", "--cards", at).stdout
        with folder() as alone:
            write(alone, lost=extends.format("lost", "Lost", "nothing", 1))
            done = run("pack", "create", f"{at}/l.pack", alone, status=1)
            assert 'extends="nothing"' in done.stderr, done.stderr


# ---- which one counts ----

def test_which_one_counts():
    with folder() as at:
        places = [f"{at}/{i}" for i in range(4)]
        for place in places:
            os.makedirs(f"{place}/anynic/cards")
        user, system = f"{places[2]}/anynic/cards", f"{places[3]}/anynic/cards"
        environment = {"ANYNIC_CARDS": f"{places[1]}", "XDG_DATA_HOME": places[2],
                       "XDG_DATA_DIRS": places[3]}
        winner = None
        steps = [(system, True), (system, False), (user, True), (user, False),
                 (places[1], True), (places[1], False), (places[0], True), (places[0], False)]
        assert "Intel" in title("e1000", **environment)
        for step, (place, packed) in enumerate(steps):
            card = text("e1000", title=f"Step {step}")
            if packed:
                winner = pack(place, e1000=card)
            else:
                winner = f"{write(place, e1000=card)}/e1000/card.xml"
            words = ("--cards", places[0]) if step >= 6 else ()
            assert title("e1000", *words, **environment) == f"Step {step}"
            listed = json.loads(run("list", "--json", *words, **environment).stdout)
            one = [card for card in listed if card["name"] == "e1000"][0]
            assert one["source"] == winner and len(one["hides"]) == step + 1, one
            assert one["hides"][-1] == "built in", one
        shown = run("list", "--cards", places[0], **environment).stdout
        assert shown.count("hides") == 8, shown


def test_packs_in_a_folder_by_their_names():
    with folder() as at:
        pack(at, "b.pack", one=text("one", title="B"), two=text("two", title="B"))
        pack(at, "a.pack", one=text("one", title="A"))
        pack(at, ".hidden.pack", three=text("three"))
        assert title("one", "--cards", at) == "A" and title("two", "--cards", at) == "B"
        run("show", "three", "--cards", at, status=1)


def test_by_identity():
    with folder() as at:
        pack(at, old=text("old", revision=1), new=text("new", revision=3, subsystem=2))
        write(at, middle=text("middle", revision=2), other=text("other", device=2, revision=9))
        done = run("show", "1234:0001", "--cards", at)
        assert done.stdout.startswith("new:"), done
        assert f"new ({at}/a.pack), the newest revision of 3 cards" in done.stderr, done
        done = run("show", "1234:1:1:1", "--cards", at)
        assert done.stdout.startswith("middle:") and "of 2 cards" in done.stderr, done
        assert run("show", "1234:0002", "--cards", at).stderr == ""
        for words in ("1234:3", "1234:1:1:9"):
            assert "no card has that identity" in run("show", words, "--cards", at,
                                                      status=1).stderr
        for words in ("1234:1:1", "12345:1", "1234:-1", "1234: 1", "1234:1:1:1:1"):
            assert "no such card" in run("show", words, "--cards", at, status=1).stderr


def sysfs(at, slot="0000:03:00.0", vendor="0x1234", device="0x0001", subsystem_vendor="0x0001",
          subsystem_device="0x0001", revision="0x02"):
    place = f"{at}/bus/pci/devices/{slot}"
    os.makedirs(place, exist_ok=True)
    for name, value in locals().items():
        if name not in ("at", "slot", "place"):
            with open(f"{place}/{name}", "w", encoding="utf-8") as file:
                file.write(value + "\n")
    return {"ANYNIC_SYSFS": at}


def test_like_a_device_of_the_host():
    with folder() as at, folder() as host:
        write(at, a=text("a", revision=2), b=text("b", revision=9),
              c=text("c", revision=5, subsystem=7))
        pack(at, p=text("p", revision=4, subsystem=7), q=text("q", device=5))
        words = ("--cards", at)
        for facts, name in (({}, "a"),  # the revision too
                            ({"revision": "0x01"}, "b"),  # of its subsystem the newest
                            ({"subsystem_device": "0x0007"}, "c"),
                            ({"subsystem_device": "0x0007", "revision": "0x04"}, "p"),
                            ({"subsystem_device": "0x0063", "revision": "0x04"}, "p"),
                            ({"subsystem_device": "0x0063"}, "a"),
                            ({"device": "0x0005"}, "q")):
            done = run("show", "--like", "0000:03:00.0", *words, **sysfs(host, **facts))
            assert done.stdout.startswith(f"{name}:"), (facts, done)
            assert f"is {name} (" in done.stderr and "0000:03:00.0 is 1234:" in done.stderr, done
        assert run("show", "--like", "03:00.0", *words, ANYNIC_SYSFS=host).stdout.startswith("q:")
        sysfs(host, "0000:04:00.0", device="0x0063")
        sysfs(host, "0000:05:00.0", vendor="nonsense")
        for slot, said in (("0000:04:00.0", "no card has that identity"),
                           ("0000:05:00.0", "not a number of a PCI device"),
                           ("0000:06:00.0", "the host has no such PCI device"),
                           ("../../../etc", "expected 0000:03:00.0"), ("", "expected 0000:03:00.0")):
            done = run("show", "--like", slot, *words, status=1, ANYNIC_SYSFS=host)
            assert said in done.stderr and len(done.stderr.splitlines()) == 1, done
        for command in (["run", "--like", "0000:06:00.0", "--socket-path", f"{at}/s"],
                        ["run", "--nic", f"like=0000:06:00.0,socket={at}/s"]):
            done = run(*command, status=1, ANYNIC_SYSFS=host)
            assert "the host has no such PCI device" in done.stderr, done
        assert "one word too many" in run("run", "e1000", "--like", "3:0.0", status=2).stderr


# ---- packs that are not ours ----

def refused(path, *texts):
    """As the place that was asked for; and as one that lies about, harmless."""
    for words in (["pack", "list", path], ["show", "mine", "--cards", path]):
        done = run(*words, status=1)
        assert any(text in done.stderr for text in texts), (words, done.stderr)
        assert len(done.stderr.splitlines()) == 1, done.stderr
    with folder() as at:
        shutil.copy(path, f"{at}/z.pack")
        listed = {one["name"]: one for one in json.loads(run("list", "--json", "--cards",
                                                             at).stdout)}
        assert "e1000" in listed, listed
        assert any("broken" in one for one in listed.values()), listed


def changed(at, *statements):
    path = pack(at, mine=text("mine"))
    with contextlib.closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()
    return path


def test_what_is_no_pack():
    with folder() as at:
        path = f"{at}/x.pack"
        for data in (b"", b"hello", b"SQLite format 3\0", b"\0" * 4096, os.urandom(4096)):
            with open(path, "wb") as file:
                file.write(data)
            refused(path, "not a pack of cards")
        os.unlink(path)
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE card(name)")
        refused(path, "not a pack of cards")
        os.unlink(path)
        with open(path, "wb") as file:
            file.truncate(65 << 20)
        refused(path, "not a pack of cards")
        refused(changed(at, "PRAGMA user_version = 2"), "a pack of version 2, expected 1")
        os.mkfifo(f"{at}/fifo.pack")
        assert "not a pack" in run("pack", "list", f"{at}/fifo.pack", status=1).stderr
        run("list", "--cards", at)  # and does not wait for it


def test_tables_that_are_others():
    view = ("CREATE VIEW card AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT 'mine' AS name, i AS vendor, 1 AS device, 1 AS subsystem_vendor, "
            "1 AS subsystem, 1 AS revision FROM n")
    for statements in (["DROP TABLE card", view], ["DROP INDEX card_identity"],
                       ["CREATE TABLE more(x)"], ["CREATE VIEW v AS SELECT 1"],
                       ["CREATE TRIGGER t AFTER INSERT ON card BEGIN SELECT 1; END"],
                       ["ALTER TABLE card ADD COLUMN more"], ["DROP TABLE file"],
                       ["PRAGMA writable_schema = ON",
                        "UPDATE sqlite_schema SET sql = 'CREATE TABLE file(card, name, data "
                        "AS (randomblob(1000000000)))' WHERE name = 'file'"],
                       ["PRAGMA writable_schema = ON",
                        "UPDATE sqlite_schema SET rootpage = 1 WHERE name = 'file'"],
                       ["PRAGMA writable_schema = ON", "DELETE FROM sqlite_schema"]):
        with folder() as at:
            refused(changed(at, *statements), "not a sound pack", "no such card")


def test_rows_that_lie():
    long = "x" * 100
    for statement, said in (
            ("UPDATE card SET name = '../../etc'", "a card is none"),
            (f"UPDATE card SET name = '{long}'", "a card is none"),
            ("UPDATE card SET name = ''", "a card is none"),
            ("UPDATE card SET name = CAST(x'6d0065' AS TEXT)", "a card is none"),
            ("UPDATE card SET vendor = 65536", "a card is none"),
            ("UPDATE card SET device = -1", "a card is none"),
            ("UPDATE card SET revision = 'two'", "a card is none")):
        with folder() as at:
            done = run("pack", "list", changed(at, statement), status=1)
            assert said in done.stderr, (statement, done)
    for statement, said in (
            ("UPDATE card SET vendor = 0x8086, device = 0x100e, revision = 255",
             "its table says another identity of mine"),
            ("DELETE FROM file", "no description"),
            ("UPDATE file SET data = x''", "error:"),
            ("UPDATE file SET data = zeroblob(3000000)", "error:"),
            ("UPDATE file SET data = CAST('<card' AS BLOB)", "error:")):
        with folder() as at:
            path = changed(at, statement)
            listed = {one["name"]: one
                      for one in json.loads(run("list", "--json", "--cards", path).stdout)}
            assert said in listed["mine"]["broken"], (statement, listed["mine"])
            assert "82540EM" in title("8086:100e", "--cards", path)  # not taken by the lie
    with folder() as at:  # longer than any file of ours
        run("pack", "list", changed(at, "UPDATE file SET data = zeroblob(9000000)"), status=0)


def test_damaged_packs():
    """Bytes changed at random: refused or read, never more."""
    noise = random.Random(7)
    with folder() as at:
        with open(pack(at, mine=text("mine"), more=text("more", device=2)), "rb") as file:
            whole = file.read()
        path = f"{at}/d.pack"
        for _ in range(150):
            data = bytearray(whole)
            for _ in range(noise.choice((1, 3, 30))):
                data[noise.randrange(len(data))] = noise.randrange(256)
            if noise.random() < 0.3:
                del data[noise.randrange(len(data)):]
            with open(path, "wb") as file:
                file.write(data)
            for words in (["pack", "list", path], ["show", "mine", "--cards", path],
                          ["show", "1234:1", "--cards", path]):
                done = subprocess.run([ANYNIC, *words], capture_output=True, timeout=10)
                assert done.returncode in (0, 1), (words, done)


def test_a_pack_is_only_read():
    with folder() as at:
        path = pack(at, mine=text("mine"))
        # what a writer that died would have left
        for tail in ("-journal", "-wal"):
            with open(path + tail, "wb") as file:
                file.write(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(600))
        before = {name: os.stat(f"{at}/{name}").st_mtime_ns for name in os.listdir(at)}
        with open(path, "rb") as file:
            whole = file.read()
        assert title("mine", "--cards", path) == "T"
        assert {name: os.stat(f"{at}/{name}").st_mtime_ns for name in os.listdir(at)} == before
        with open(path, "rb") as file:
            assert file.read() == whole


def test_programs_of_packs_need_leave():
    with folder() as at:
        run("pack", "create", f"{at}/p.pack", f"{ROOT}/examples/modules")
        words = [ANYNIC, "run", "called", "--cards", f"{at}/p.pack", "--net", "null",
                 "--socket-path", f"{at}/s"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30)
        assert done.returncode == 1 and "--allow-programs" in done.stderr, done
        with subprocess.Popen([*words, "--allow-programs"], stdout=subprocess.DEVNULL) as process:
            try:
                while not os.path.exists(f"{at}/s") and process.poll() is None:
                    time.sleep(0.01)
                with Client(f"{at}/s") as client:
                    client.decode()
                    assert client.read(0, 0x1f000, 4) == bytes(4)
            finally:
                process.terminate()
        assert process.returncode == 0, process.returncode
