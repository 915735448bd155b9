# SPDX-License-Identifier: Apache-2.0
"""A bare Debian 12 in a folder, as debootstrap's smallest variant has it, and copies of it.

    with bare.copy() as root:
        root.check("apt-get install -y /tmp/x.deb")

Made once below the lab's folder; packages that are installed in a copy are fetched once.
A command runs in a mount namespace of its own, with the host's /tmp, where sockets are,
and its network.
"""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import tempfile

from . import apt, build
from .apt import LabError, say

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RELEASE = "bookworm"
ENTER = """root=$1 archives=$2; shift 2
mount --bind /tmp "$root/tmp" && mount -t proc proc "$root/proc" &&
mount --bind "$archives" "$root/var/cache/apt/archives" && exec chroot "$root" "$@"
"""


class Root:
    def __init__(self, folder, archives):
        self.folder, self.archives = folder, archives

    def command(self, words):
        """As that of a network namespace; see Card."""
        return ["unshare", "-m", "--propagation", "private", "sh", "-c", ENTER, "sh", self.folder,
                self.archives, *words]

    def check(self, command, seconds=300):
        done = subprocess.run(self.command(["sh", "-c", command]), capture_output=True, text=True,
                              timeout=seconds, stdin=subprocess.DEVNULL,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                                   "DEBIAN_FRONTEND": "noninteractive",
                                   **{key: value for key, value in os.environ.items()
                                      if key.lower().endswith("_proxy")}})
        if done.returncode:
            raise OSError(f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def put(self, path, at):
        """A file of the host's, unless there is one."""
        to = self.folder + at
        if not os.path.exists(to):
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copy(path, to)

    def put_program(self, path, at):
        """And the libraries that it loads."""
        self.put(path, at)
        text = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"(?:=> |^\s+)(/\S+) \(", text, re.M):
            self.put(library, library)


def _make(folder, archives):
    subprocess.run([f"{HERE}/deps", "debootstrap"], check=True)
    say(f"a bare Debian ({RELEASE})")
    shutil.rmtree(folder + ".new", ignore_errors=True)
    done = subprocess.run(["debootstrap", "--variant=minbase", RELEASE, folder + ".new",
                           apt.mirror()], capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"debootstrap failed:\n{done.stdout[-1500:]}{done.stderr[-500:]}")
    shutil.rmtree(f"{folder}.new/var/cache/apt/archives")
    os.makedirs(f"{folder}.new/var/cache/apt/archives")
    shutil.copy("/etc/resolv.conf", f"{folder}.new/etc/resolv.conf")
    with open(f"{folder}.new/etc/apt/apt.conf.d/50keep", "w", encoding="ascii") as out:
        out.write('APT::Keep-Downloaded-Packages "true";\nAPT::Install-Recommends "false";\n'
                  'Acquire::Languages "none";\nAPT::Sandbox::User "root";\n')
    os.rename(folder + ".new", folder)


def prepare():
    """The folder, which is not to be changed, and that of packages."""
    lab = build.default_folder()
    folder, archives = os.path.join(lab, "bare"), os.path.join(lab, "bare-archives")
    os.makedirs(f"{archives}/partial", exist_ok=True)
    with open(os.path.join(lab, "bare.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(folder):
            _make(folder, archives)
    return folder, archives


@contextlib.contextmanager
def copy():
    folder, archives = prepare()
    with tempfile.TemporaryDirectory(prefix="anynic-bare-") as place:
        subprocess.run(["cp", "-a", "--reflink=auto", folder, f"{place}/root"], check=True)
        yield Root(f"{place}/root", archives)
