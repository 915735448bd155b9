# SPDX-License-Identifier: Apache-2.0
"""Packages of another Debian release, without touching the machine's own.

A private apt root has its own lists, cache and (empty) status file; packages
are downloaded with their dependencies and unpacked with dpkg-deb. The mirror
is the one the machine's own apt sources name.
"""

import glob
import os
import re
import subprocess

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class LabError(Exception):
    """Something the lab needs is not to be had; the text is for the user."""


def say(text):
    print(f"lab: {text}", flush=True)


def _deb822_entries(text):
    for block in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^(\w[\w-]*):[ \t]*(.*)$", block, re.M))
        if "deb" in fields.get("Types", "").split():
            yield (fields.get("URIs", "").split(), fields.get("Suites", ""),
                   fields.get("Components", ""))


def _line_entries(text):
    for line in text.splitlines():
        match = re.match(r"^deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$", line)
        if match:
            yield [match[1]], match[2], match[3]


def mirror():
    """The first plain Debian archive of the machine's apt sources."""
    found = []
    for path in sorted(glob.glob("/etc/apt/sources.list.d/*.sources")):
        found += _deb822_entries(open(path, encoding="utf-8").read())
    for path in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*.list"))]:
        if os.path.exists(path):
            found += _line_entries(open(path, encoding="utf-8").read())
    for uris, suites, components in found:
        if "main" in components.split() and "security" not in uris[0] + suites:
            if uris[0].rstrip("/").endswith("debian"):
                return uris[0].rstrip("/")
    raise LabError("no Debian mirror in the machine's apt sources")


class PrivateApt:
    """An apt root of its own under `root`, for the given suites."""

    def __init__(self, root, suites, arch="amd64"):
        self.root, self.suites, self.arch = os.path.abspath(root), suites, arch
        for folder in ("lists/partial", "cache/archives/partial", "etc", "debs"):
            os.makedirs(os.path.join(self.root, folder), exist_ok=True)
        self._write("status", "")
        trusted = f"[signed-by={KEYRING}] " if os.path.exists(KEYRING) else ""
        self._write("etc/sources.list",
                    "".join(f"deb {trusted}{mirror()} {suite} main\n" for suite in suites))

    def _write(self, name, text):
        with open(os.path.join(self.root, name), "w", encoding="utf-8") as out:
            out.write(text)

    def _options(self):
        values = {
            "Dir::Etc::sourcelist": f"{self.root}/etc/sources.list",
            "Dir::Etc::sourceparts": "-", "Dir::Etc::main": "-", "Dir::Etc::parts": "-",
            "Dir::Etc::preferencesparts": "-", "Dir::Etc::preferences": "-",
            "Dir::State": self.root, "Dir::State::lists": f"{self.root}/lists",
            "Dir::State::status": f"{self.root}/status", "Dir::Cache": f"{self.root}/cache",
            "APT::Architecture": self.arch, "APT::Architectures": self.arch,
            "APT::Install-Recommends": "false", "APT::Install-Suggests": "false",
            "APT::Get::AllowUnauthenticated": "false", "Debug::NoLocking": "true",
            "APT::Sandbox::User": "root", "Acquire::Languages": "none",
        }
        return [word for key, value in values.items() for word in ("-o", f"{key}={value}")]

    def _run(self, *words):
        done = subprocess.run([words[0], *self._options(), *words[1:]], text=True,
                              capture_output=True, env={**os.environ, "LC_ALL": "C"})
        if done.returncode:
            raise LabError(f"{' '.join(words[:2])} failed:\n{done.stderr.strip()[-1500:]}")
        return done.stdout

    def update(self):
        if not glob.glob(f"{self.root}/lists/*Packages*"):
            say(f"package lists of {', '.join(self.suites)}")
            self._run("apt-get", "update", "-q")

    def download(self, packages, target_release=None):
        """Fetches packages and what they depend on; the paths of their .debs.

        apt names only what is still to be fetched, so the first plan is kept.
        """
        self.update()
        archives = os.path.join(self.root, "cache/archives")
        note = os.path.join(self.root, f"plan-{packages[0]}")
        command = ["apt-get", "install", "-qq", "-y",
                   *(["-t", target_release] if target_release else []), *packages]
        if not os.path.exists(note):
            plan = self._run(*command, "--print-uris")
            found = set(re.findall(r"^'[^']+' (\S+_\S+\.deb) ", plan, re.M))
            simulated = self._run(*command, "--simulate")
            for name, version in re.findall(r"^Inst (\S+) \((\S+) ", simulated, re.M):
                found.update(os.path.basename(path) for path in glob.glob(
                    f"{archives}/{name}_{version.replace(':', '%3a')}_*.deb"))
            if not found:
                raise LabError(f"the mirror has no {' '.join(packages)}")
            self._write(os.path.basename(note), "\n".join(sorted(found)))
        files = open(note, encoding="utf-8").read().split()
        if any(not os.path.exists(os.path.join(archives, name)) for name in files):
            say(f"download {len(files)} packages for {' '.join(packages)}")
            self._run(*command, "--download-only")
        return [os.path.join(archives, name) for name in files]

    def fetch(self, packages):
        """Fetches just these packages; the paths of their .debs."""
        self.update()
        folder = os.path.join(self.root, "debs")
        wanted = [name for name in packages if not glob.glob(f"{folder}/{name}_*.deb")]
        if wanted:
            say(f"download {' '.join(wanted)}")
            done = subprocess.run(["apt-get", *self._options(), "download", "-qq", *wanted],
                                  cwd=folder, capture_output=True, text=True)
            if done.returncode:
                raise LabError(f"cannot download {' '.join(wanted)}: {done.stderr.strip()}")
        return [glob.glob(f"{folder}/{name}_*.deb")[0] for name in packages]

    def depends(self, package):
        """The packages that `package` names in Depends."""
        self.update()
        text = self._run("apt-cache", "depends", package)
        return re.findall(r"^\s+Depends: (\S+)", text, re.M)


def unpack(debs, folder, skip=()):
    os.makedirs(folder, exist_ok=True)
    for deb in debs:
        if not os.path.basename(deb).startswith(tuple(skip) or ("\0",)):
            done = subprocess.run(["dpkg-deb", "-x", deb, folder], capture_output=True, text=True)
            if done.returncode:
                raise LabError(f"cannot unpack {deb}: {done.stderr.strip()}")
