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

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUITES = ["trixie", "trixie-backports"]
# and the release and the package that bring it; the first is usual
KERNELS = {"6.12": ("trixie", "linux-image-amd64"), "6.1": ("bookworm", "linux-image-amd64"),
           "6.12-cloud": ("trixie", "linux-image-cloud-amd64"),
           "6.1-cloud": ("bookworm", "linux-image-cloud-amd64")}
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
exec </dev/ttyS1 >/dev/ttyS1 2>&1
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
    for name in ("lablib/apt.py", "lablib/build.py", "lablib/cpio.py", "lablib/kernel.py", "rr.c"):
        with open(f"{HERE}/{name}", "rb") as source:
            digest.update(source.read())
    return digest.hexdigest()[:12]


class Lab:
    """The prepared parts with one of the kernels; paths only."""

    def __init__(self, folder, version):
        self.folder, self.version = os.path.abspath(folder), version
        self.qemu = os.path.join(self.folder, "bin/qemu-system-x86_64")
        self.initramfs = os.path.join(self.folder, f"initramfs-{version}-{_sources()}.cpio")
        self.image = os.path.join(self.folder, f"vmlinuz-{version}")

    def ready(self):
        return all(os.path.exists(path) for path in (self.qemu, self.initramfs, self.image))


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
        root = apt.PrivateApt(os.path.join(lab.folder, "apt"), SUITES)
        _qemu(lab, root)
        _guest(lab, root, _kernel(lab, root))
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


def passt(lab):
    """A newer passt than Debian 12 has, whose TCP stalls; the path of the program."""
    path = os.path.join(lab.folder, "bin/passt")
    if not os.path.exists(path):
        with open(os.path.join(lab.folder, "lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            tree = os.path.join(lab.folder, "passt")
            root = apt.PrivateApt(os.path.join(lab.folder, "apt"), SUITES)
            apt.unpack(root.download(["passt"]), tree)
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


def _qemu(lab, root):
    if os.path.exists(lab.qemu):
        return
    host = shutil.which("qemu-system-x86_64")
    if host and has_vfio_user(host):
        say(f"using the host's QEMU, {host}")
        _write_program(lab.qemu, f'#!/bin/sh\nexec {host} "$@"\n')
        return
    tree = os.path.join(lab.folder, "qemu")
    apt.unpack(root.download(["qemu-system-x86"], "trixie-backports"), tree, SKIP)
    multi = "x86_64-linux-gnu"
    data = " ".join(f"-L {tree}/usr/share/{part}" for part in ("qemu", "seabios"))
    _write_program(lab.qemu, "#!/bin/sh\n"
                   f"QEMU_MODULE_DIR={tree}/usr/lib/{multi}/qemu exec "
                   f"{_loaded(tree, f'usr/lib/{multi}/pulseaudio')} {tree}/usr/bin/qemu-system-x86_64 {data} \"$@\"\n")
    if not has_vfio_user(lab.qemu):
        os.remove(lab.qemu)
        raise LabError("the unpacked QEMU has no vfio-user-pci device")


def _kernel(lab, root):
    tree = os.path.join(lab.folder, f"kernel-{lab.version}")
    if not glob.glob(f"{tree}/boot/vmlinuz-*"):
        release, package = KERNELS[lab.version]
        if release not in SUITES:
            root = apt.PrivateApt(os.path.join(lab.folder, f"apt-{release}"), [release])
        packages = root.depends(package)
        apt.unpack(root.fetch([name for name in packages if name.startswith("linux-image")]), tree)
    return kernel.Kernel(tree)


def _guest(lab, root, chosen):
    shutil.copyfile(chosen.image, lab.image)
    programs = os.path.join(lab.folder, "programs")
    apt.unpack(root.download(GUEST_PACKAGES), programs)
    say("initramfs")
    with open(lab.initramfs + ".new", "wb") as out:
        archive = cpio.Archive(out)
        _base(archive, programs)
        _modules(archive, chosen)
        _clients(archive, lab)
        archive.close()
    os.rename(lab.initramfs + ".new", lab.initramfs)


def _base(archive, programs):
    for name in ("proc", "sys", "dev", "tmp", "run", "etc", "var", "root", "usr/bin"):
        archive.folder(name)
    archive.node("dev/console", 5, 1)
    archive.node("dev/null", 1, 3)
    busybox = [p for p in (f"{programs}/usr/bin/busybox", f"{programs}/bin/busybox")
               if os.path.exists(p)][0]
    archive.file("bin/busybox", open(busybox, "rb").read(), 0o755)
    archive.link("bin/sh", "busybox")
    archive.file("init", INIT.encode(), 0o755)
    archive.file("etc/dhcp", DHCP.encode(), 0o755)
    for path, name in _programs(programs):
        archive.file(name, open(path, "rb").read(), 0o755)


def _programs(tree):
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
                place = f"lib64/{need}" if need.startswith("ld-linux") else f"lib/{need}"
                if place not in found and need in libraries:
                    found[place] = libraries[need]
                    queue.append(libraries[need])
    for name, place in (("ld-linux-x86-64.so.2", "lib64"), ("libgcc_s.so.1", "lib")):
        found.setdefault(f"{place}/{name}", libraries[name])  # loaded without being named
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
    for name in ("rr",):
        out = os.path.join(lab.folder, name)
        done = subprocess.run(["gcc", "-O2", "-static", "-o", out, f"{HERE}/{name}.c"],
                              capture_output=True, text=True)
        if done.returncode:
            raise LabError(f"cannot build {name}: {done.stderr}")
        archive.file(f"bin/{name}", open(out, "rb").read(), 0o755)
