# SPDX-License-Identifier: Apache-2.0
"""Modules that are wrong: each gives one clear message, and nothing else of it is left."""

import concurrent.futures
import os
import subprocess
import tempfile
import time

from lablib.program import ANYNIC, ROOT, Card
from wire_client import Client, Gone

SIDE_BY_SIDE = True
INCLUDE = "#include <anynic/module.h>\n"
CONFIGURE = INCLUDE + "static int32_t configure(struct anynic_draft *draft)\n{\n%s\nreturn 0;\n}\n" \
    "ANYNIC_MODULE(.configure = configure)\n"
START = INCLUDE + "static int32_t start(struct anynic_nic *nic)\n{\n%s\nreturn 0;\n}\n" \
    "ANYNIC_MODULE(.start = start)\n"
CALL = INCLUDE + "static void call(struct anynic_nic *nic, uint32_t called, uint32_t index, " \
    "uint64_t value)\n{\n%s\n}\nANYNIC_MODULE(.call = call)\n"
NOTHING = INCLUDE + "static void stop(struct anynic_nic *nic) {}\nANYNIC_MODULE(.stop = stop)\n"
RAW = INCLUDE + "const struct anynic_services *anynic_services;\n" \
    "static int32_t start(struct anynic_nic *nic) { return 0; }\n" \
    "static %s table = %s;\n" \
    "ANYNIC_EXPORT const struct anynic_module *anynic_module(const struct anynic_services *s);\n" \
    "const struct anynic_module *anynic_module(const struct anynic_services *s)\n{\n%s\n}\n"
TABLE = "return (const void *)&table;"
BIGGER = "struct { struct anynic_module known; void (*more)(void); }"
RECURSES = "static int deeper(int i) { volatile char c[4096]; c[0] = i; return deeper(i + 1) + c[0]; }\n"
WRITE = '<bank name="csr"><register name="WRITE" at="0x1f000" %s/></bank>'
ENDS = "does not return; the process ends"
CRASHED = "touched memory that is not there; the process ends"

# name, what else the card has, the source, what is said; "{m}" is the module's file, "{x}" the card's
SOURCES = [
    ("syntax", "", INCLUDE + "\nint x = = 1; int y;\n", "{m}:3: error: "),
    ("syntax_in_what_it_includes", "", '#include "beside.h"\n' + NOTHING, "beside.h:2: error: "),
    ("no_such_header", "", "#include <stdio.h>\n" + NOTHING,
     "{m}:1: error: include file 'stdio.h' not found"),
    ("a_header_of_the_host", "", '#include "/usr/include/stdio.h"\n' + NOTHING,
     "{m}:1: error: include file"),
    ("undefined", "", CONFIGURE % "extern int nobody(void); nobody();",
     "{m}: error: undefined symbol 'nobody'"),
    ("of_the_host", "", CONFIGURE % "extern int system(const char *); system(\"true\");",
     "{m}: error: undefined symbol 'system'"),
    ("no_entry", "", INCLUDE + "int x;\n", "{x}:2: error: {m} has no function anynic_module(), "
     "the entry of a module"),
    ("gives_nothing", "", RAW % ("int", "1", "(void)table; (void)start; return 0;"),
     "{x}:2: error: {m}: anynic_module() gave nothing"),
    ("newer_version", "", RAW % ("struct anynic_module", "{sizeof(table), 2, .start = start}", TABLE),
     "{x}:2: error: {m} is for version 2 of the module interface, this is version 1"),
    ("version_0", "", RAW % ("struct anynic_module", "{sizeof(table), 0, .start = start}", TABLE),
     "for version 0 of the module interface"),
    ("too_small", "", RAW % ("struct anynic_module", "{4, 1, .start = start}", TABLE),
     "its table of hooks has a size of 4, which is none"),
    ("too_large", "", RAW % ("struct anynic_module", "{1 << 30, 1, .start = start}", TABLE),
     "its table of hooks has a size of 1073741824, which is none"),
    ("half_a_hook", "", RAW % ("struct anynic_module", "{20, 1, .start = start}", TABLE),
     "a size of 20, which is none"),
    ("unknown_hook", "", RAW % (BIGGER, "{{sizeof(table), 1, .start = start}, (void *)start}",
                                TABLE),
     "{m} has hooks that this program does not know"),
    ("no_hook", "", RAW % ("struct anynic_module", "{sizeof(table), 1}", TABLE + "(void)start;"),
     "{m} has no hook"),
    ("refuses", "", CONFIGURE % "return -3;", "{x}:2: error: {m}: its configure() says -3"),
    ("not_ended", "", CONFIGURE % 'anynic_element(draft, "bank");',
     "{m}:4: error: <bank> was begun by configure() and not ended"),
    ("unknown_word", "", CONFIGURE % 'anynic_element(draft, "bnak");\nanynic_attribute('
     'draft, "name", "x");\nanynic_end(draft);',
     "{m}:4: error: <bnak> is not a word of the language; did you mean bank?"),
    ("unknown_attribute", "", CONFIGURE % 'anynic_element(draft, "timer");\nanynic_attribute(draft, '
     '"nmae", "t");\nanynic_attribute(draft, "every", "1s");\nanynic_attribute(draft, "do", '
     '"raise ICR.LSC");\nanynic_end(draft);', "{m}:4: error: <timer> has no attribute nmae="),
    ("bad_reference", "", CONFIGURE % '\nanynic_text(draft, "<card><on event=\'link\' do=\'raise '
     'NOWHERE.X\'/></card>");', "{m}:5: error: "),
    ("no_xml", "", CONFIGURE % 'anynic_text(draft, "<card>\\n<bank>\\n</card>");',
     "{m}:6: error: </card> where <bank> of line 2 is open"),
    ("no_card", "", CONFIGURE % 'anynic_text(draft, "<bank name=\'x\'/>");',
     "{m}:4: error: expected a <card>, not a <bank>"),
    ("its_own_mistake", "", CONFIGURE % '\n\nanynic_wrong(draft, "no such thing");',
     "{m}:6: error: no such thing"),
    ("without_end", "", CONFIGURE % 'for (;;) { anynic_element(draft, "bank"); anynic_end(draft); }',
     "m.c: configure() " + ENDS),
    ("without_end_of_text", "", CONFIGURE % 'while (anynic_text(draft, "<card/>") != ANYNIC_FULL);',
     "{x}:2: error: the module describes more than the 1024 KiB a description may have"),
    ("never_returns", "", CONFIGURE % "for (;;);", "m.c: configure() " + ENDS),
    ("recurses", "", INCLUDE + RECURSES + CONFIGURE.replace(INCLUDE, "") % "return deeper(0);",
     "m.c: configure() " + CRASHED),
    ("crashes", "", CONFIGURE % "*(volatile int *)8 = 1;", "m.c: configure() " + CRASHED),
    ("jumps_to_nowhere", "", CONFIGURE % "((void (*)(void))16)();", "m.c: configure() " + CRASHED),
    ("writes_to_its_code", "", INCLUDE + "static const int x = 1;\n" +
     CONFIGURE.replace(INCLUDE, "") % "int *p = (int *)(unsigned long)0xffffffffff600000; *p = x;",
     "m.c: configure() " + CRASHED),
    ("divides_by_zero", "", CONFIGURE % "volatile int zero = 0; return 1 / zero;",
     "m.c: configure() divided by zero; the process ends"),
    ("aborts", "", CONFIGURE % "extern void abort(void); abort();",
     "m.c: configure() gave up by abort(); the process ends"),
    ("entry_never_returns", "", RAW % ("int", "1", "(void)table; (void)start; for (;;); return 0;"),
     "m.c: anynic_module() " + ENDS),
    ("no_read", WRITE % 'module="read"', NOTHING, "{m} has no hook read(), which"),
    ("no_write", WRITE % 'module="write"', NOTHING, "{m} has no hook write(), which"),
    ("no_call", WRITE % 'do="call x"', NOTHING, "{m} has no hook call(), which"),
    ("no_kick", WRITE % 'do="kick x"', NOTHING, "{m} has no hook kick(), which"),
    ("no_command", WRITE % 'do="command x"', NOTHING, "{m} has no hook command(), which"),
    ("no_timer", '<timer name="t" every="1s"/>', NOTHING, "{m} has no hook timer(), which"),
    ("called_oddly", WRITE % 'do="call a b"', CALL % "", '{x}:3: error: "call a b": expected call '
     "NAME with VALUE"),
    ("empty", "", "", "{m}: error: empty"),
]

CARD = '<card name="bad" title="Bad" extends="e1000">\n  <module kind="%s" file="%s"%s/>\n%s\n</card>\n'


def card(folder, kind="c", file="m.c", more="", attributes=""):
    with open(f"{folder}/card.xml", "w", encoding="utf-8") as out:
        out.write(CARD % (kind, file, attributes, more))
    return f"{folder}/card.xml"


def put(path, text):
    with open(path, "w" if isinstance(text, str) else "wb") as out:
        out.write(text)


def said(path, **options):
    """One line, whatever the status: a fault ends the process by its signal."""
    done = subprocess.run([ANYNIC, "check", path], capture_output=True, text=True, timeout=60,
                          **options)
    lines = done.stderr.splitlines()
    assert done.returncode and len(lines) == 1 and not done.stdout, (path, done)
    return lines[0]


def source_says(name, more, source, expected, attributes=""):
    with tempfile.TemporaryDirectory(prefix=f"anynic-{name}-") as folder:
        put(f"{folder}/m.c", source)
        put(f"{folder}/beside.h", "#define NONE\nint nothing(;\n")
        line = said(card(folder, more=more, attributes=attributes),
                    env={**os.environ, "XDG_CACHE_HOME": folder})
        expected = expected.replace("{x}", f"{folder}/card.xml")
        if ":" in expected.split(" ")[0] and expected.startswith("{m}"):
            expected = expected.replace("{m}", f"{folder}/m.c")
        return (name, line, expected.replace("{m}", "m.c"))


def hold(results):
    wrong = [(name, line, expected) for name, line, expected in results if expected not in line]
    assert not wrong, "\n".join(f"{name}: {line}\n  expected {expected}"
                                for name, line, expected in wrong)
    print(f"  {len(results)} bad modules")


def test_source():
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        hold(list(pool.map(lambda row: source_says(*row), SOURCES)))


def test_source_for_the_system_compiler():
    cases = [(f"cc_{name}", more, source, expected, ' compiler="cc"')
             for name, more, source, expected in SOURCES
             if name in ("newer_version", "no_hook", "refuses", "crashes", "recurses", "aborts",
                         "empty", "no_read", "gives_nothing")]
    cases += [("cc_syntax", "", INCLUDE + "\nint x = ;\n", "{m}:3: error: ", ' compiler="cc"'),
              ("cc_beside", "", '#include "beside.h"\n' + NOTHING, "beside.h:2: error: ",
               ' compiler="cc"'),
              ("cc_undefined", "", CONFIGURE % "extern int nobody(void); nobody();",
               "{x}:2: error: m.c: undefined symbol: nobody", ' compiler="cc"'),
              ("cc_no_entry", "", INCLUDE + "int x;\n",
               "{x}:2: error: m.c has no symbol anynic_module, the entry of a module",
               ' compiler="cc"')]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        hold(list(pool.map(lambda row: source_says(*row), cases)))
    with tempfile.TemporaryDirectory() as folder:
        put(f"{folder}/m.c", NOTHING)
        path = card(folder, attributes=' compiler="cc"')
        line = said(path, env={"PATH": "/nowhere", "XDG_CACHE_HOME": folder})
        assert "there is no compiler cc" in line, line


# ---- shared objects ----

def shared(folder, source, *options):
    put(f"{folder}/so.c", source)
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-w", f"-I{ROOT}/include", f"{folder}/so.c",
                    "-o", f"{folder}/m.so", *options], check=True, timeout=60)
    with open(f"{folder}/m.so", "rb") as file:
        return file.read()


def bent(whole):
    """Damaged ones, and what is said of each."""
    head = bytearray(whole)
    head[18:20] = b"\xf3\x00"  # RISC-V
    yield "other_machine", bytes(head), "is for another machine"
    head = bytearray(whole)
    head[4] = 1
    yield "of_32_bits", bytes(head), "is for another machine"
    head = bytearray(whole)
    head[16] = 1
    yield "not_linked", bytes(head), "is not a shared object"
    yield "a_text", b"int main(void) { return 0; }\n" * 10, "is not a shared object"
    yield "nothing", b"", "empty"
    for length in (4, 20, 63, 64, 100, 700, len(whole) // 4, len(whole) // 2):
        yield f"cut_at_{length}", whole[:length], "is cut short"
    head = bytearray(whole)
    head[32:40] = (2**63).to_bytes(8, "little")
    yield "headers_elsewhere", bytes(head), "is cut short"
    head = bytearray(whole)
    head[56:58] = b"\xff\xff"
    yield "headers_too_many", bytes(head), "is cut short"


CONSTRUCTOR = "__attribute__((constructor)) static void begin(void) { %s }\n"
OBJECTS = [
    ("no_entry", "int x;\n", "m.so has no symbol anynic_module, the entry of a module"),
    ("undefined", CONFIGURE % "extern int nobody(void); return nobody();",
     "m.so: undefined symbol: nobody"),
    ("newer_version", RAW % ("struct anynic_module", "{sizeof(table), 2, .start = start}", TABLE),
     "m.so is for version 2 of the module interface, this is version 1"),
    ("no_hook", RAW % ("struct anynic_module", "{sizeof(table), 1}", TABLE + "(void)start;"),
     "m.so has no hook"),
    ("crashes_when_loaded", NOTHING + CONSTRUCTOR % "*(volatile int *)8 = 1;",
     "m.so: dlopen() " + CRASHED),
    ("never_loaded", NOTHING + CONSTRUCTOR % "for (;;);", "m.so: dlopen() " + ENDS),
    ("crashes", CONFIGURE % "*(volatile int *)8 = 1;", "m.so: configure() " + CRASHED),
    ("traps", CONFIGURE % "__builtin_trap();", "m.so: configure() ran into no instruction"),
    ("recurses", INCLUDE + "#pragma GCC optimize(\"O0\")\n" + RECURSES +
     CONFIGURE.replace(INCLUDE, "") % "return deeper(0);", "m.so: configure() " + CRASHED),
    ("never_returns", CONFIGURE % "for (;;);", "m.so: configure() " + ENDS),
    ("sleeps", "#include <unistd.h>\n" + CONFIGURE % "for (;;) sleep(1000);", "m.so: configure() " + ENDS),
]


def object_says(row):
    name, source, expected = row
    with tempfile.TemporaryDirectory(prefix=f"anynic-{name}-") as folder:
        shared(folder, source)
        return name, said(card(folder, "native", "m.so")), expected


def test_shared_objects():
    results = []
    with tempfile.TemporaryDirectory() as folder:
        path = card(folder, "native", "m.so")
        whole = shared(folder, NOTHING)
        subprocess.run([ANYNIC, "check", path], check=True)
        for name, data, expected in bent(whole):
            put(f"{folder}/m.so", data)
            results.append((name, said(path), expected))
        shared(folder, NOTHING, "-Wl,--no-as-needed", "-Wl,-soname,nowhere.so")
        os.rename(f"{folder}/m.so", f"{folder}/nowhere.so")
        shared(folder, NOTHING, "-Wl,--no-as-needed", f"{folder}/nowhere.so")
        os.unlink(f"{folder}/nowhere.so")
        results.append(("needs_another", said(path), "m.so: nowhere.so: cannot open shared object"))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results += pool.map(object_says, OBJECTS)
    hold(results)


def test_files():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/a")
        put(f"{folder}/a/m.c", NOTHING)
        for file, expected in (("none.c", "none.c: no such file of at most 16 MiB"),
                               ("a", "a: no such file"),
                               ("a/m.c", 'file="a/m.c" is not the name of a file beside'),
                               ("../m.c", "is not the name of a file beside"),
                               (".m.c", "is not the name of a file beside")):
            line = said(card(folder, file=file))
            assert line.startswith(f"{folder}/card.xml:2: error: ") and expected in line, line
        with open(f"{folder}/m.c", "wb") as file:
            file.truncate(17 << 20)
        assert "no such file of at most 16 MiB" in said(card(folder))
        put(f"{folder}/m.c", NOTHING)
        assert "kind=" in said(card(folder, kind="java"))
        put(f"{folder}/card.xml", CARD.replace("</card>", '<module kind="c" file="m.c"/></card>')
            % ("c", "m.c", "", ""))
        assert "a second <module> in <card>" in said(f"{folder}/card.xml")
        put(f"{folder}/card.xml", '<card name="a" title="A" extends="e1000"><bank name="csr">'
            '<register name="X" at="0x1f000" do="call x"/></bank></card>')
        assert "the card has no <module>" in said(f"{folder}/card.xml")


# ---- while it runs ----

def run_says(source, *expected):
    with tempfile.TemporaryDirectory() as folder:
        put(f"{folder}/m.c", source)
        path, end = f"{folder}/s", time.monotonic() + 30
        done = subprocess.run([ANYNIC, "run", card(folder), "--socket-path", path, "--control",
                               f"{folder}/c", "--net", "null"], capture_output=True, text=True,
                              timeout=end - time.monotonic())
        lines = done.stderr.splitlines()
        assert done.returncode and len(lines) == 1, done
        assert all(text in lines[0] for text in expected), lines
        assert not os.path.exists(path) and not os.path.exists(f"{folder}/c")


def test_it_does_not_start():
    run_says(START % "return -3;", "m.c: its start() says -3")
    run_says(START % "for (;;);", "m.c: start() " + ENDS)
    run_says(START % "return *(volatile int *)8;", "m.c: start() " + CRASHED)


def touched(source, more, touch):
    """What the process says when the driver does something; its sockets are gone then."""
    with tempfile.TemporaryDirectory() as folder:
        put(f"{folder}/m.c", source)
        with Card(card(folder, more=more), net="null") as served:
            with Client(served.socket) as client:
                client.decode()
                try:
                    touch(client)
                except (Gone, TimeoutError):
                    pass
            served.process.wait(20)
            assert not os.path.exists(served.socket) and not os.path.exists(served.control)
            lines = [line for line in served.output().splitlines() if "the process ends" in line]
            assert len(lines) == 1, served.output()
            return lines[0]


def test_it_ends_the_process_and_removes_its_sockets():
    register = WRITE % 'do="call x"'

    def write(client):
        client.write(0, 0x1f000, b"\1\0\0\0")

    def read(client):
        client.read(0, 0x1f000, 4)

    assert touched(CALL % "for (;;);", register, write) == f"anynic: m.c: call() {ENDS}"
    assert touched(CALL % "*(volatile int *)8 = 1;", register, write) == \
        f"anynic: m.c: call() {CRASHED}"
    assert touched(INCLUDE + "static uint64_t read(struct anynic_nic *nic, uint32_t place, "
                   "uint32_t index, uint64_t value) { for (;;); return 0; }\n"
                   "ANYNIC_MODULE(.read = read)\n", WRITE % 'module="read"', read) == \
        f"anynic: m.c: read() {ENDS}"


def test_it_works_for_long_and_sleeps():
    """A module that is called again and again is not one that does not return; idle costs nothing."""
    with tempfile.TemporaryDirectory() as folder:
        put(f"{folder}/m.c", CALL % "for (volatile int i = 0; i < 1000; i++);")
        with Card(card(folder, more=WRITE % 'do="call x"'), net="null") as served:
            with Client(served.socket) as client:
                client.decode()
                end = time.monotonic() + 5
                while time.monotonic() < end:
                    client.write(0, 0x1f000, b"\1\0\0\0")
                time.sleep(4.5)
                before = switches(served.process.pid)
                time.sleep(3)
                assert switches(served.process.pid) == before
            assert served.process.poll() is None, served.output()


def switches(pid):
    with open(f"/proc/{pid}/status") as lines:
        return [line for line in lines if line.startswith("voluntary_ctxt_switches")]
