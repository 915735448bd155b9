# SPDX-License-Identifier: Apache-2.0
"""What an operator finds beside the program: manual pages, completion, unit files, the package."""

import glob
import os
import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as xml

from lablib import bare
from lablib.program import Card
from wire_client import CONFIG, Client

SIDE_BY_SIDE = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.abspath(os.environ.get("ANYNIC_BUILD") or f"{ROOT}/build")
ANYNIC = f"{BUILD}/anynic"


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **{"timeout": 300, **options})
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


def needs(*packages):
    run([f"{ROOT}/tools/deps", *packages])


def commands():
    return re.findall(r"^  ([a-z]+) ", run([ANYNIC, "help"]), re.M)


def source_options():
    """Long options as the source takes them, whatever the help says: {command: names}."""
    found = {}
    for path in glob.glob(f"{ROOT}/src/cli/*.c"):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        names = set(re.findall(r'\{"([a-z-]+)", (?:no|required|optional)_argument', text))
        names |= {name for name in re.findall(r'"--([a-z-]+)"', text)}
        found[os.path.basename(path)[:-2]] = names - {"help", "version"}
    return found


def page_of(command):
    name = f"{BUILD}/anynic-{command}.1" if command else f"{BUILD}/anynic.1"
    done = subprocess.run(["man", "--warnings", "-l", name], capture_output=True, text=True,
                          env={**os.environ, "MANWIDTH": "200", "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0 and not re.search(r"warning: (?!.*cannot adjust)", done.stderr), done
    return re.sub(".\b", "", done.stdout).replace("\u2010\n", "-")


def test_every_option_is_in_the_manual():
    needs("man-db")
    assert commands(), "no commands"
    pages = {command: page_of(command) for command in commands()}
    for command in pages:
        assert command in page_of(""), command
        for option in re.findall(r"--[a-z-]+", run([ANYNIC, "help", command])):
            assert option in pages[command], (command, option)
    everything = "".join(pages.values())
    for file, names in source_options().items():
        for name in names:
            assert f"--{name}" in everything, (file, name)


def test_every_page_says_what_it_is_for():
    needs("man-db")
    for command in ["", *commands()]:
        page = page_of(command)
        assert re.search(r"^NAME\n +anynic\S* - \w+", page, re.M), page[:300]
        assert "\nDESCRIPTION\n" in page and "\nSEE ALSO\n" in page, command


COMPLETE = """
. "$1"
PATH=$2:$PATH
shift 2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_anynic
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completions(*words):
    return run(["bash", "-c", COMPLETE, "bash", f"{ROOT}/service/anynic.bash", BUILD, *words]).split()


def test_completion():
    assert set(commands()) < set(completions("anynic", ""))
    assert completions("anynic", "sch") == ["schema"]
    assert "--socket-path" in completions("anynic", "run", "e1000", "--")
    assert {"stats", "port", "add-net"} < set(completions("anynic", "ctl", "/run/x", ""))
    assert completions("anynic", "ctl", "/run/x", "port", "a", "iso") == ["isolated=on"]
    assert completions("anynic", "run", "rtl8139") == ["rtl8139", "rtl8139cp"]
    assert "tap" in completions("anynic", "run", "e1000", "--net", "")


def test_a_domain_of_libvirt():
    needs("libvirt-clients", "libxml2-utils")
    run(["virt-xml-validate", f"{ROOT}/service/libvirt.xml", "domain"])
    text = xml.parse(f"{ROOT}/service/libvirt.xml").getroot()
    spaces = {"qemu": "http://libvirt.org/schemas/domain/qemu/1.0"}
    words = [node.get("value") for node in text.findall("qemu:commandline/qemu:arg", spaces)]
    assert words[0] == "-device" and '"driver":"vfio-user-pci"' in words[1], words
    assert text.find("memoryBacking/access").get("mode") == "shared"


def packages(folder):
    """Built from what git knows, as a checkout has it."""
    tree = f"{folder}/anynic"
    names = run(["git", "-c", "safe.directory=*", "ls-files"], cwd=ROOT).split("\n")
    for name in filter(None, names):
        os.makedirs(os.path.dirname(f"{tree}/{name}"), exist_ok=True)
        shutil.copy2(f"{ROOT}/{name}", f"{tree}/{name}")
    run(["dpkg-buildpackage", "-b", "-us", "-uc"], cwd=tree, timeout=900)
    return glob.glob(f"{folder}/*.deb"), glob.glob(f"{folder}/*.changes")[0]


class Installed:
    """The program of a package, as a Card's netns."""

    def __init__(self, root):
        self.root = root

    def command(self, command):
        return self.root.command(["/usr/bin/anynic", *command[1:]])


def installs(deb):
    """On a bare Debian, with apt and what it fetches; and serves a card there."""
    with bare.copy() as root:
        root.put(deb, f"/opt/{os.path.basename(deb)}")
        root.check(f"apt-get update -q && apt-get install -q -y /opt/{os.path.basename(deb)}")
        assert "e1000" in root.check("anynic list")
        with Card("e1000", net="null", netns=Installed(root)) as card, \
                Client(card.socket) as client:
            client.decode()
            assert client.read(CONFIG, 0, 4) == b"\x86\x80\x0e\x10"
            client.write(0, 0x28, b"\1\2\3\4")  # FCAL
            assert client.read(0, 0x28, 4) == b"\1\2\3\4"
        root.check("apt-get remove -q -y anynic && ! test -e /usr/bin/anynic")


def test_the_package():
    needs("debhelper", "lintian")
    with tempfile.TemporaryDirectory(prefix="anynic-deb-") as folder:
        debs, changes = packages(folder)
        said = subprocess.run(["lintian", "--allow-root", changes], capture_output=True, text=True,
                              timeout=300)
        assert said.returncode == 0 and not re.search(r"^E:", said.stdout, re.M), said.stdout
        for deb in debs:
            run(["dpkg-deb", "-x", deb, f"{folder}/root"])
        installs(*[deb for deb in debs if os.path.basename(deb).startswith("anynic_")])
        root = f"{folder}/root/usr"
        assert "e1000" in run([f"{root}/bin/anynic", "list"])
        for name in ("share/man/man1/anynic-run.1.gz", "lib/systemd/system/anynic@.socket",
                     "share/bash-completion/completions/anynic", "share/anynic/card.rng",
                     "include/anynic/anynic.h"):
            assert os.path.exists(f"{root}/{name}"), name
