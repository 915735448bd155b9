# SPDX-License-Identifier: Apache-2.0
"""The program for another processor: compiled here, against Debian's libraries for it
below the lab's folder, and run by QEMU's emulation of single programs."""

import fcntl
import os
import shutil
import subprocess

from . import apt, build
from .apt import LabError

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGES = ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "qemu-user-static"]
SUITE = "bookworm"  # that of the compiler
LIBRARIES = ["libxml2-dev", "libslirp-dev", "libpcap-dev", "libjson-c-dev", "libdeflate-dev",
             "libsqlite3-dev", "libxdp-dev", "libbpf-dev", "libtcc-dev", "tcc", "libc6-dev"]
DESCRIBED = ["libglib2.0-dev", "libpcre2-dev"]  # headers only; what they depend on is large
SKIP = ("dpkg_", "tar_", "sed_", "icu-devtools")  # nothing of it is compiled with
PREFIX = "aarch64-linux-gnu"

CROSS = """[binaries]
c = ['{prefix}-gcc', '--sysroot={root}']
ar = '{prefix}-ar'
ld = '{prefix}-ld'
objcopy = '{prefix}-objcopy'
strip = '{prefix}-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64-static', '-L', '{root}']
[properties]
sys_root = '{root}'
pkg_config_libdir = '{root}/usr/lib/{prefix}/pkgconfig:{root}/usr/share/pkgconfig'
[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
"""


def _run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"{' '.join(command)}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _libraries(folder):
    """The root of the other machine's file system, as far as there is one."""
    root, note = f"{folder}/arm64", f"{folder}/arm64/unpacked"
    if not os.path.exists(note):
        private = apt.PrivateApt(f"{folder}/apt-{SUITE}-arm64", [SUITE], arch="arm64")
        apt.unpack(private.download(LIBRARIES), root, SKIP)
        apt.unpack(private.fetch(DESCRIBED), root)
        with open(note, "w", encoding="ascii"):
            pass
    return root


def _set_up(folder, root):
    """Without optimisation, which is soon done: here nothing is to be fast."""
    path, text = f"{folder}.ini", CROSS.format(prefix=PREFIX, root=root)
    there = os.path.exists(path) and open(path, encoding="utf-8").read() == text
    if there and os.path.exists(f"{folder}/build.ninja"):
        return
    shutil.rmtree(folder, ignore_errors=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    _run(["meson", "setup", folder, ROOT, "--cross-file", path, "-Doptimization=0",
          "-Ddebug=false"])


def prepare(targets):
    """Builds TARGETS; the folder they are in, the words in front of one that is run, and
    what goes into its environment: a compiler that makes modules for that processor."""
    _run([f"{ROOT}/tools/deps", *PACKAGES])
    lab, folder = build.default_folder(), f"{ROOT}/build/arm64"
    os.makedirs(lab, exist_ok=True)
    os.makedirs(f"{ROOT}/build", exist_ok=True)
    with open(f"{lab}/lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        root = _libraries(lab)
    _set_up(folder, root)
    _run(["ninja", "-C", folder, *targets])
    return folder, ["qemu-aarch64-static", "-L", root], {"CC": f"{PREFIX}-gcc"}
