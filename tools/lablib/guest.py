# SPDX-License-Identifier: Apache-2.0
"""A guest: stock QEMU, Debian's kernel, a shell on its second serial port.

    with Guest(lab, sockets=["/run/a.sock"]) as guest:
        status, text = guest.run("ip -br link")

The shell's protocol is one line each way: the host sends TOKEN, seconds and
the command in base64; the guest prints the command's output, then
ANYNIC-DONE, the token and the exit status.
"""

import base64
import json
import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import time


class GuestError(Exception):
    """The guest did not do what was asked in time."""


def vfio_user_device(path, **more):
    return json.dumps({"driver": "vfio-user-pci", "socket": {"type": "unix", "path": path}, **more})


class Guest:
    def __init__(self, lab, sockets=(), devices=(), modules="e1000,8021q", memory=512,
                 shared=True, netns=None, cpus=None, append="", arguments=(), cpu_model=None,
                 prefix=(), reboots=False, machine=None):
        self.folder = tempfile.mkdtemp(prefix="anynic-guest-")
        self.log = os.path.join(self.folder, "kernel.log")
        self.tokens = 0
        self.buffer = b""
        self.closing = False
        machine = machine or lab.arch.machine
        command = [*prefix, lab.qemu, "-nodefaults", "-no-user-config", "-display", "none",
                   "-accel", "tcg", "-cpu", cpu_model or lab.arch.cpu, "-m", str(memory), "-kernel", lab.image,
                   "-initrd", lab.initramfs, *([] if reboots else ["-no-reboot"]),
                   "-append", f"console={lab.arch.serial}0 quiet panic=-1 random.trust_cpu=on "
                              f"{lab.arch.append} mitigations=off modules={modules} {append}",
                   "-chardev", f"file,id=log,path={self.log}", "-serial", "chardev:log",
                   "-chardev", f"socket,id=shell,path={self.folder}/shell,server=on,wait=off",
                   "-serial", "chardev:shell",
                   "-qmp", f"unix:{self.folder}/qmp,server=on,wait=off"]
        if shared:  # "off": the card gets a file that the guest does not write to
            share = "off" if shared == "off" else "on"
            command += ["-object", f"memory-backend-memfd,id=ram,size={memory}M,share={share}"]
            machine += ",memory-backend=ram"
        command += ["-machine", machine]
        for path in sockets:
            command += ["-device", vfio_user_device(path)]
        for device in devices:
            command += ["-device", device]
        command += list(arguments)
        if netns:
            command = ["ip", "netns", "exec", netns, *command]
        self.errors = open(os.path.join(self.folder, "qemu.log"), "wb")
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors,
            preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None)
        self.shell = self._connect("shell")

    def __enter__(self):
        return self.boot()

    def __exit__(self, *_):
        self.kill()

    def _connect(self, name, seconds=20):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                link = socket.socket(socket.AF_UNIX)
                link.connect(os.path.join(self.folder, name))
                return link
            except OSError:
                link.close()
                time.sleep(0.02)
        raise GuestError(f"QEMU did not start:\n{self.qemu_log()}")

    def qemu_log(self):
        with open(os.path.join(self.folder, "qemu.log"), errors="replace") as log:
            return log.read()

    def dmesg(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def boot(self, seconds=90):
        try:
            self._until(rb"ANYNIC-READY\r?\n", seconds)
        except GuestError as error:
            self.kill()
            raise GuestError(f"{error}\n{self.dmesg()[-2000:]}\n{self.qemu_log()}") from None
        return self

    def _until(self, pattern, seconds, stream=None):
        deadline = time.monotonic() + seconds
        while True:
            match = re.search(pattern, self.buffer)
            if match:
                before, self.buffer = self.buffer[:match.start()], self.buffer[match.end():]
                return before, match
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.shell], [], [], left)[0]:
                raise GuestError(f"no answer in {seconds} s; so far: {self.buffer[-800:]!r}")
            data = self.shell.recv(65536)
            if not data:
                raise GuestError(f"the guest is gone:\n{self.dmesg()[-1500:]}\n{self.qemu_log()}")
            self.buffer += data
            if stream:
                stream(data)

    def start(self, command):
        """Sends a command; its token for wait()."""
        self.tokens += 1
        coded = base64.b64encode(command.encode()).decode()
        self.shell.sendall(f"{self.tokens} 0 {coded}\n".encode())
        return self.tokens

    def wait(self, token, seconds=60, stream=None):
        text, match = self._until(rb"ANYNIC-DONE %d (\d+)\r?\n" % token, seconds, stream)
        return int(match[1]), text.decode(errors="replace").replace("\r\n", "\n")

    def run(self, command, seconds=60, stream=None):
        return self.wait(self.start(command), seconds, stream)

    def check(self, command, seconds=60):
        """As run(), but a status other than 0 is an error."""
        status, text = self.run(command, seconds)
        if status:
            raise GuestError(f"`{command}` ended with {status}:\n{text}")
        return text

    def reboot(self):
        """Warm: the machine is reset, QEMU and what is connected to it stay."""
        self.start("reboot -f")
        return self.boot()

    def qmp(self, execute, **arguments):
        link = self._connect("qmp")
        with link, link.makefile("rw") as lines:
            lines.readline()
            for request in ({"execute": "qmp_capabilities"},
                            {"execute": execute, "arguments": arguments}):
                lines.write(json.dumps(request) + "\n")
                lines.flush()
                while True:
                    answer = json.loads(lines.readline())
                    if "return" in answer or "error" in answer:
                        break
        if "error" in answer:
            raise GuestError(f"QMP {execute}: {answer['error']}")
        return answer["return"]

    def kill(self, how=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait()
        self.shell.close()
        self.errors.close()
