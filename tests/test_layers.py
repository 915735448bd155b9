# SPDX-License-Identifier: Apache-2.0
"""What must hold of the source as a whole, read from the source."""

import glob
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as tree

SIDE_BY_SIDE = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LINES_MAX = 600
FORMATTER = "14"  # another release formats otherwise
# names of registers that are words of ours: placeholders in texts and comments
WORDS = {
    "ADDRESS": "a placeholder in messages",
    "BYTES": "a placeholder in comments",
    "MDIO": "802.3 clause 22",
    "ANENABLE": "802.3 clause 22",
    "PME": "of PCI's power management",
    "SPEED100": "802.3 clause 22", "SPEED1000": "802.3 clause 22",
    "ADDR": "of an address register pair; a field of a record in comments",
    "DATA": "a kind of slot, and a register of any kind in comments",
    "BAR": "PCI's base address register",
    "MAC": "an address, of 802.3",
    "VLAN": "802.1Q",
    "CRC": "the sum",
    "DONE": "what a pass is",
    "ERR": "an error at set-up",
    "LINK": "an event",
    "LOOP": "of a PHY, 802.3 clause 22",
    "MISS": "what is not found",
    "PHY": "the part of a card",
    "ANENABLE": "of a PHY, 802.3 clause 22", "DUPLEX": "of a PHY, 802.3 clause 22",
    "RESET": "of a PHY, 802.3 clause 22",
    "RESTART": "of a PHY, 802.3 clause 22",
    "SERR": "of PCI's command register",
    "ANAR": "802.3 clause 22", "BMSR": "802.3 clause 22", "ESTATUS": "802.3 clause 22",
    "PHYID1": "802.3 clause 22", "PHYID2": "802.3 clause 22",
    "REG": "any register, in messages",
    "RFC": "a standard",
    "INDEX": "SQL, in packs",
    "TABLE": "SQL, in packs",
    "SIZE": "a placeholder in what `anynic run` prints",
}
# drivers whose name the host has for something else
HEADERS = {"virtio_net": "of a tap's frames, linux/virtio_net.h"}
# namespaces of schemas, and who wrote the licence
HOSTS = {"libvirt.org", "relaxng.org", "www.w3.org", "127.0.0.1", "www.apache.org"}


def sources(*patterns):
    return sorted(path for pattern in patterns or ("src/*/*.[ch]",)
                  for path in glob.glob(f"{ROOT}/{pattern}", recursive=True))


def text_of(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def short(path):
    return os.path.relpath(path, ROOT)


def tracked():
    """Everything that is part of the project: what git knows, or else what is there."""
    names = []
    if shutil.which("git"):
        names = subprocess.run(["git", "-c", "safe.directory=*", "ls-files"], cwd=ROOT,
                               capture_output=True, text=True).stdout.split()
    names = names or [short(path) for path in glob.glob(f"{ROOT}/**", recursive=True)]
    return [f"{ROOT}/{name}" for name in names if os.path.isfile(f"{ROOT}/{name}")
            and not name.startswith("build/") and "__pycache__" not in name]


# ---- who includes whom ----

def table():
    """folder: (folders it may include, libraries it may use), from docs/architecture.md."""
    rows = re.findall(r"^\| `src/(\w+)/` \|.*\| ([^|]+) \| ([^|]+) \|$",
                      text_of(f"{ROOT}/docs/architecture.md"), re.M)
    assert {row[0] for row in rows} == set(os.listdir(f"{ROOT}/src")), rows
    folders = {name for name, _, _ in rows} | {"anynic"}  # include/anynic
    return {name: (may_include(name, text, folders), set(libraries.split(", ")) - {"–"})
            for name, text, libraries in rows}


def may_include(name, text, folders):
    if text.startswith("all but "):
        return folders - set(text[8:].split(", "))
    named = {name if word == "itself" else word for word in text.split(", ")}
    assert named <= folders, text
    return named | {name}


LIBRARIES = {"libxml/": "libxml2", "libslirp.h": "libslirp", "pcap/": "libpcap",
             "json-c/": "json-c", "sqlite3.h": "sqlite", "libdeflate.h": "libdeflate",
             "libtcc.h": "libtcc", "sys/socket.h": "sockets",
             "sys/un.h": "sockets", "linux/if_tun.h": "tun", "linux/virtio_net.h": "tun",
             "linux/if_packet.h": "packet sockets", "linux/filter.h": "packet sockets",
             "xdp/": "libxdp", "bpf/": "libxdp", "linux/bpf.h": "libxdp", "linux/if_link.h": "libxdp",
             "linux/rtnetlink.h": "netlink", "linux/ethtool.h": "netlink",
             "linux/sockios.h": "netlink", "linux/if_ether.h": "packet sockets",
             "pthread.h": "threads", "semaphore.h": "threads"}
SYSTEM = re.compile(r"(?:[a-z]+|sys/[a-z0-9]+|arpa/inet|net/if)\.h")


def library(header):
    for start, name in LIBRARIES.items():
        if header.startswith(start):
            return name
    assert SYSTEM.fullmatch(header) and header not in ("pthread.h", "threads.h"), header
    return None


def test_includes_point_the_way_the_table_says():
    allowed, wrong = table(), []
    for path in sources():
        folder = short(path).split("/")[1]
        for kind, header in re.findall(r'^\s*#\s*include ([<"])(.*)[">]', text_of(path), re.M):
            if kind == '"' and header.split("/")[0] not in allowed[folder][0]:
                wrong.append(f"{short(path)}: {header}")
            if kind == "<" and library(header) not in allowed[folder][1] | {None}:
                wrong.append(f"{short(path)}: <{header}>")
    assert not wrong, "\n".join(wrong)


# ---- no card in the engine ----

def identities(card):
    """Words that are this card and no other: names, numbers, drivers."""
    yield card.get("name")
    yield from (word for word in re.findall(r"[\w-]+", card.get("title"))
                if len(word) >= 4 and re.search(r"\d", word))
    yield from (driver.split(":")[-1] for driver in card.get("drivers", "").split())
    pci = card.find("pci")
    for key in ("vendor", "device"):
        if pci is not None and pci.get(key):
            number = f"{int(pci.get(key), 0):04x}"
            if not number.endswith("000") and number > "00ff":  # small and round are anybody's
                yield number


def names(card):
    """Of registers, and of fields where they are no plain words."""
    for element in card.iter():
        name = element.get("name") or ""
        if element.tag in ("register", "counter", "field") and len(name) >= 3:
            if name != name.lower():
                yield name


def test_no_card_occurs_in_the_source():
    cards = [tree.parse(path).getroot() for path in sources("cards/*/card.xml")]
    known = {word.lower() for card in cards for word in identities(card)}
    registers = {name for card in cards for name in names(card)}
    wrong = []
    for path in sources():
        for number, line in enumerate(text_of(path).splitlines(), 1):
            words = set(re.findall(r"[\w-]+|\w+", line)) | set(re.findall(r"\w+", line))
            bare = {re.sub(r"^0x", "", word.lower()) for word in words}
            for word in bare & (known - set(HEADERS)) | words & (registers - set(WORDS)):
                wrong.append(f"{short(path)}:{number}: {word}")
    assert not wrong, "\n".join(wrong)
    unused = set(WORDS) - registers
    assert not unused, f"no card has a register {unused} any more"


# ---- form ----

def test_every_source_file_names_its_licence():
    files = [path for path in tracked()
             if re.search(r"\.(c|h|py|build)$|Makefile$|card\.xml$", path)
             or text_of(path).startswith("#!")]
    wrong = [short(path) for path in files
             if "SPDX-License-Identifier: Apache-2.0" not in text_of(path)[:300]]
    assert len(files) > 150 and not wrong, wrong


def test_files_are_short():
    lines = {short(path): len(text_of(path).splitlines()) for path in sources()}
    long = {path: count for path, count in lines.items() if count > LINES_MAX}
    assert not long, long
    middle = sorted(lines.values())[len(lines) // 2]
    print(f"  {len(lines)} files, {middle} lines in the middle, {max(lines.values())} at most")


def test_format():
    program = shutil.which("clang-format")
    version = program and subprocess.run([program, "--version"], capture_output=True, text=True)
    if not version or f"version {FORMATTER}." not in version.stdout:
        print(f"  clang-format {FORMATTER} is not there; the format is not looked at")
        return
    done = subprocess.run([program, "--dry-run", "-Werror", "--style=file",
                           *sources("src/*/*.[ch]", "tests/unit/*.[ch]")], cwd=ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def test_nothing_of_a_machine_is_in_the_project():
    wrong = []
    for path in tracked():
        for number, line in enumerate(text_of(path).splitlines(), 1):
            hosts = set(re.findall(r"https?://([\w.-]+)", line)) | \
                set(re.findall(r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org)\b", line))
            if hosts - HOSTS or re.search(r"(?<![\w.$}])/(?:wor[k]|roo[t])\b", line):
                wrong.append(f"{short(path)}:{number}: {line.strip()[:100]}")
    assert not wrong, "\n".join(wrong)
