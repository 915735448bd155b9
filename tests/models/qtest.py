# SPDX-License-Identifier: Apache-2.0
"""Stock QEMU without a processor: a script stands in for the driver.

    with Qtest(lab.qemu, ["-device", …]) as vm:
        vm.write(0xe0000000, 4, 1); vm.memory[0x1000:0x1010] = bytes(16)

Guest memory is a file that is mapped here too. The virtual clock stands still
but for step().
"""

import mmap
import os
import shutil
import socket
import subprocess
import tempfile

MEMORY = 32 << 20
IRQ = 11
LETTER = {1: "b", 2: "w", 4: "l", 8: "q"}


class QtestError(Exception):
    """QEMU did not start, did not answer, or refused."""


class Qtest:
    def __init__(self, qemu, arguments):
        self.folder = tempfile.mkdtemp(prefix="anynic-qtest-")
        self.raised = 0  # interrupts that reached the controller, see listen()
        self.buffer = b""
        path = f"{self.folder}/ram"
        with open(path, "wb") as ram:
            ram.truncate(MEMORY)
        with open(path, "r+b") as ram:
            self.memory = mmap.mmap(ram.fileno(), MEMORY)
        self._start(qemu, [
            "-m", str(MEMORY >> 20), "-machine", "pc,memory-backend=ram",
            "-object", f"memory-backend-file,id=ram,size={MEMORY},share=on,mem-path={path}",
            *arguments])

    def _start(self, qemu, arguments):
        with socket.socket(socket.AF_UNIX) as server, open(f"{self.folder}/log", "wb") as log:
            server.bind(f"{self.folder}/qtest")
            server.listen(1)
            server.settimeout(20)
            self.process = subprocess.Popen(
                [qemu, "-nodefaults", "-no-user-config", "-display", "none", "-accel", "qtest",
                 "-qtest", f"unix:{self.folder}/qtest", "-qtest-log", "none", *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            try:
                self.link = server.accept()[0]
            except TimeoutError:
                self.process.kill()
                raise QtestError(self.log()) from None
        self.link.settimeout(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.link.close()
        self.memory.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        with open(f"{self.folder}/log", errors="replace") as log:
            return log.read()

    def ask(self, line):
        try:
            self.link.sendall(line.encode() + b"\n")
            while True:
                while b"\n" not in self.buffer:
                    data = self.link.recv(4096)
                    if not data:
                        raise QtestError(f"QEMU is gone: {self.log()}")
                    self.buffer += data
                answer, self.buffer = self.buffer.split(b"\n", 1)
                if not answer.startswith(b"IRQ"):
                    break
                self.raised += answer == b"IRQ raise %d" % IRQ
        except OSError as error:
            raise QtestError(f"{line}: {error}: {self.log()}") from error
        words = answer.decode().split()
        if words[0] != "OK":
            raise QtestError(f"{line}: {answer.decode()}")
        return words[1:]

    def read(self, address, width, io=False):
        verb = f"in{LETTER[width]}" if io else f"read{LETTER[width]}"
        return int(self.ask(f"{verb} {address:#x}")[0], 16)

    def write(self, address, width, value, io=False):
        verb = f"out{LETTER[width]}" if io else f"write{LETTER[width]}"
        self.ask(f"{verb} {address:#x} {value & (1 << 8 * width) - 1:#x}")

    def step(self, ns):
        self.ask(f"clock_step {ns}")

    def listen(self):
        """From now on interrupts are counted on their way to the controller."""
        for pin in range(4):
            self.config_write(1, 0x60 + pin, 1, IRQ)  # as the PIIX shall send each pin
        self.ask("irq_intercept_in ioapic")

    def config_read(self, slot, offset, width):
        self.write(0xcf8, 4, 1 << 31 | slot << 11 | offset & 0xfc, io=True)
        return self.read(0xcfc + (offset & 3), width, io=True)

    def config_write(self, slot, offset, width, value):
        self.write(0xcf8, 4, 1 << 31 | slot << 11 | offset & 0xfc, io=True)
        self.write(0xcfc + (offset & 3), width, value, io=True)
