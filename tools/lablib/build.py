# SPDX-License-Identifier: Apache-2.0
"""Puts the lab together below one folder: QEMU, kernel, initramfs."""

import fcntl
import glob
import hashlib
import os
import shutil
import subprocess

from . import apt, cpio, kernel
from .apt import LabError, say
from .arch import AARCH64, X86_64

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUITES = ["trixie", "trixie-backports"]
# with the machine it is for, the release and the package that bring it; the first is usual
KERNELS = {"6.12": (X86_64, "trixie", "linux-image-amd64"),
           "6.1": (X86_64, "bookworm", "linux-image-amd64"),
           "6.12-cloud": (X86_64, "trixie", "linux-image-cloud-amd64"),
           "6.1-cloud": (X86_64, "bookworm", "linux-image-cloud-amd64"),
           "6.12-arm64": (AARCH64, "trixie", "linux-image-arm64")}
GUEST_PACKAGES = ["busybox-static", "iperf3", "ethtool"]
# not needed to run a guest without a screen
SKIP = ("python3", "perl", "systemd", "linux-headers", "initramfs")

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin HOME=/
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
ip link set lo up
wanted=$(sed -n 's/.*modules=\\([^ ]*\\).*/\\1/p' /proc/cmdline)
for name in $(echo "$wanted" | tr , ' '); do
	[ -f "/modules/$name" ] && for file in $(cat "/modules/$name"); do insmod "/modules/$file" 2>/dev/null; done
done
echo 4 >/proc/sys/kernel/printk
exec </dev/@1 >/dev/@1 2>&1
stty raw -echo 2>/dev/null
echo ANYNIC-READY
while read -r token timeout command; do
	sh -c "$(echo "$command" | base64 -d)" </dev/null 2>&1
	echo "ANYNIC-DONE $token $?"
done
poweroff -f
"""

DHCP = """#!/bin/sh
[ "$1" = bound ] || [ "$1" = renew ] || exit 0
ip addr flush dev "$interface"
ip addr add "$ip/${mask:-24}" dev "$interface"
[ -n "$router" ] && ip route replace default via "$router" dev "$interface"
exit 0
"""


def _sources():
    """Names what the initramfs is made of, so that a change makes a new one."""
    digest = hashlib.sha256()
    for name in ("lablib/apt.py", "lablib/arch.py", "lablib/build.py", "lablib/cpio.py",
                 "lablib/kernel.py", "rr.c"):
        with open(f"{HERE}/{name}", "rb") as source:
            digest.update(source.read())
    return digest.hexdigest()[:12]


class Lab:
    """The prepared parts with one of the kernels; paths only."""

    def __init__(self, folder, version):
        self.folder, self.version = os.path.abspath(folder), version
        self.arch = KERNELS[version][0]
        self.qemu = os.path.join(self.folder, "bin", self.arch.qemu)
        self.initramfs = os.path.join(self.folder, f"initramfs-{version}-{_sources()}.cpio")
        self.image = os.path.join(self.folder, f"vmlinuz-{version}")

    def ready(self):
        return all(os.path.exists(path) for path in (self.qemu, self.initramfs, self.image))

    def part(self, name):
        """A file or folder of which each kind of machine has its own."""
        return os.path.join(self.folder, name + ("" if self.arch == X86_64 else f"-{self.arch.debian}"))

    def packages(self, release=SUITES[0]):
        """Where its packages come from: for the usual machine also those of the programs here."""
        return apt.PrivateApt(
            self.part("apt" if release in SUITES else f"apt-{release}"),
            SUITES if release in SUITES else [release], self.arch.debian)


def default_folder():
    return os.environ.get("ANYNIC_LAB") or os.path.join(os.path.dirname(HERE), "build", "lab")


def prepare(folder=None, version=next(iter(KERNELS))):
    lab = Lab(folder or default_folder(), version)
    if not lab.ready():
        os.makedirs(os.path.join(lab.folder, "bin"), exist_ok=True)
        with open(os.path.join(lab.folder, "lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _make(lab)
    return lab


def _make(lab):
    if not lab.ready():  # another run may have been at it
        _qemu(lab)
        _guest(lab, _kernel(lab))
        say(f"ready in {lab.folder}, Linux {lab.version}")


def has_vfio_user(qemu):
    try:
        done = subprocess.run([qemu, "-device", "vfio-user-pci,help"], capture_output=True,
                              text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _write_program(path, text):
    with open(path + ".new", "w", encoding="utf-8") as out:
        out.write(text)
    os.chmod(path + ".new", 0o755)
    os.rename(path + ".new", path)


def _own(lab):
    """For programs that run here, whatever the guest is."""
    return apt.PrivateApt(os.path.join(lab.folder, "apt"), SUITES)


def passt(lab):
    """A newer passt than Debian 12 has, whose TCP stalls; the path of the program."""
    path = os.path.join(lab.folder, "bin/passt")
    if not os.path.exists(path):
        with open(os.path.join(lab.folder, "lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tree = os.path.join(lab.folder, "passt")
            apt.unpack(_own(lab).download(["passt"]), tree)
            _write_program(path, "#!/bin/sh\n" +
                           f"exec {_loaded(tree)} {tree}/usr/bin/passt \"$@\"\n")
    return path


def _loaded(tree, *more):
    """How a program of another release is started: by that release's own loader."""
    multi = "x86_64-linux-gnu"
    parts = (f"usr/lib/{multi}", f"lib/{multi}", *more, "usr/lib")
    loader = glob.glob(f"{tree}/usr/lib/{multi}/ld-linux-x86-64.so.2") + \
        glob.glob(f"{tree}/lib/{multi}/ld-linux-x86-64.so.2")
    if not loader:
        raise LabError(f"the packages in {tree} brought no program loader")
    return f"{loader[0]} --library-path {':'.join(f'{tree}/{part}' for part in parts)}"


def _qemu(lab):
    if os.path.exists(lab.qemu):
        return
    host = shutil.which(lab.arch.qemu)
    if host and has_vfio_user(host):
        say(f"using the host's QEMU, {host}")
        _write_program(lab.qemu, f'#!/bin/sh\nexec {host} "$@"\n')
        return
    tree = lab.part("qemu")
    apt.unpack(_own(lab).download([lab.arch.package], "trixie-backports"), tree, SKIP)
    multi = "x86_64-linux-gnu"
    data = " ".join(f"-L {tree}/usr/share/{part}" for part in ("qemu", "seabios"))
    _write_program(lab.qemu, "#!/bin/sh\n"
                   f"QEMU_MODULE_DIR={tree}/usr/lib/{multi}/qemu exec "
                   f"{_loaded(tree, f'usr/lib/{multi}/pulseaudio')} {tree}/usr/bin/{lab.arch.qemu} {data} \"$@\"\n")
    if not has_vfio_user(lab.qemu):
        os.remove(lab.qemu)
        raise LabError("the unpacked QEMU has no vfio-user-pci device")


def _kernel(lab):
    tree = os.path.join(lab.folder, f"kernel-{lab.version}")
    if not glob.glob(f"{tree}/boot/vmlinuz-*"):
        _, release, package = KERNELS[lab.version]
        root = lab.packages(release)
        packages = root.depends(package)
        apt.unpack(root.fetch([name for name in packages if name.startswith("linux-image")]), tree)
    return kernel.Kernel(tree)


def _guest(lab, chosen):
    shutil.copyfile(chosen.image, lab.image)
    programs = lab.part("programs")
    apt.unpack(lab.packages().download(GUEST_PACKAGES), programs)
    say("initramfs")
    with open(lab.initramfs + ".new", "wb") as out:
        archive = cpio.Archive(out)
        _base(archive, programs, lab.arch)
        _modules(archive, chosen)
        _clients(archive, lab)
        archive.close()
    os.rename(lab.initramfs + ".new", lab.initramfs)


def _base(archive, programs, arch):
    for name in ("proc", "sys", "dev", "tmp", "run", "etc", "var", "root", "usr/bin"):
        archive.folder(name)
    archive.node("dev/console", 5, 1)
    archive.node("dev/null", 1, 3)
    busybox = [p for p in (f"{programs}/usr/bin/busybox", f"{programs}/bin/busybox")
               if os.path.exists(p)][0]
    archive.file("bin/busybox", open(busybox, "rb").read(), 0o755)
    archive.link("bin/sh", "busybox")
    archive.file("init", INIT.replace("@", arch.serial).encode(), 0o755)
    archive.file("etc/dhcp", DHCP.encode(), 0o755)
    for path, name in _programs(programs, arch):
        archive.file(name, open(path, "rb").read(), 0o755)


def _programs(tree, arch):
    """iperf3 and ethtool, with every shared library they load."""
    libraries = {os.path.basename(path): path
                 for path in glob.glob(f"{tree}/**/*.so*", recursive=True) if os.path.isfile(path)}
    found = {}
    for name in ("iperf3", "ethtool"):
        for folder in ("usr/bin", "usr/sbin", "sbin", "bin"):
            path = f"{tree}/{folder}/{name}"
            if os.path.exists(path):
                found[f"usr/bin/{name}"] = path
    queue = list(found.values())
    while queue:
        text = subprocess.run(["readelf", "-d", queue.pop()], capture_output=True, text=True).stdout
        for line in text.splitlines():
            if "(NEEDED)" in line:
                need = line.split("[")[1].rstrip("]")
                place = f"lib/{need}" if need != os.path.basename(arch.loader) else arch.loader
                if place not in found and need in libraries:
                    found[place] = libraries[need]
                    queue.append(libraries[need])
    for place in (arch.loader, "lib/libgcc_s.so.1"):  # loaded without being named
        found.setdefault(place, libraries[os.path.basename(place)])
    return [(path, place) for place, path in found.items()]


def _modules(archive, chosen):
    """Each driver's modules, and a list of them in loading order under its name."""
    written = set()
    for driver in kernel.DRIVERS:
        modules = chosen.modules_for([driver])
        for name, data in modules:
            if name not in written:
                written.add(name)
                archive.file(f"modules/{name}.ko", data)
        archive.file(f"modules/{driver}", "\n".join(f"{name}.ko" for name, _ in modules).encode())


def _clients(archive, lab):
    tree = lab.part("headers")
    if lab.arch.headers:
        apt.unpack(lab.packages().fetch(lab.arch.headers), tree)
    for name in ("rr",):
        out = lab.part(name)
        command = [word.format(tree) for word in lab.arch.compiler]
        done = subprocess.run([*command, "-O2", "-static", "-o", out, f"{HERE}/{name}.c"],
                              capture_output=True, text=True)
        if done.returncode:
            raise LabError(f"cannot build {name}: {done.stderr}")
        archive.file(f"bin/{name}", open(out, "rb").read(), 0o755)
