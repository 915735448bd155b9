# SPDX-License-Identifier: Apache-2.0
"""One card as a script uses it: ours or QEMU's, the rest is the same.

Registers have the names of our description. What a script wants to compare it
says by see(); `seen` is all of that.
"""

import json
import subprocess
import time

from lablib.program import ANYNIC, Card, connected

from .packets import MAC, describe
from .qtest import Qtest
from .wires import Wire

SLOT = 5
PORTS, MAPPED = 0xc000, 0xe0000000
MAC_TEXT = ":".join(f"{byte:02x}" for byte in MAC)


def described(name):
    done = subprocess.run([ANYNIC, "show", name, "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


class Ours:
    """A card in a process of its own, connected by QEMU's client."""

    name = "ours"

    def __init__(self, card):
        self.wire = Wire()
        self.card = card

    def __enter__(self):
        self.wire.__enter__()
        self.served = Card(self.card, net=self.wire.ours(),
                           arguments=["--mac", MAC_TEXT]).__enter__()
        self.link = connected(self.served.control, time.monotonic() + 5)
        self.control = self.link.makefile("rw")
        return self

    def __exit__(self, *_):
        self.control.close()
        self.link.close()
        self.served.__exit__(None, None, None)
        self.wire.__exit__()

    def arguments(self):
        return ["-device", json.dumps({"driver": "vfio-user-pci", "addr": str(SLOT),
                                       "socket": {"type": "unix", "path": self.served.socket}})]

    def wait(self, _, seconds):
        time.sleep(seconds)  # its clock is the real one

    def skip(self, _, seconds):
        pass

    def settle(self, touch):
        """Memory is reached by messages until it is known to be the guest's."""
        quiet = 0
        while quiet < 2:
            touch()
            self.control.write('{"command":"stats"}\n')
            self.control.flush()
            stats = json.loads(self.control.readline())["stats"]
            quiet = 0 if stats["client"]["dma_waiting"] else quiet + 1
        touch()


class Theirs:
    """QEMU's own."""

    name = "theirs"

    def __init__(self, model):
        self.wire = Wire()
        self.model = model

    def __enter__(self):
        self.wire.__enter__()
        return self

    def __exit__(self, *_):
        self.wire.__exit__()

    def arguments(self):
        return [*self.wire.theirs("net0"),
                "-device", f"{self.model},netdev=net0,addr={SLOT},mac={MAC_TEXT}"]

    def wait(self, vm, seconds):
        vm.step(int(seconds * 1e9))

    skip = wait
    def settle(self, touch):
        for _ in range(3):
            touch()


class Device:
    """What a script has. Some cards extend it."""

    space = "memory"  # of the BAR that registers are reached by

    def __init__(self, card, side, qemu):
        self.side, self.wire = side, side.wire
        self.seen, self.label, self.posted = {}, "", False
        self.card = card
        self.registers = {}
        for bank in card["banks"]:
            for register in bank["registers"]:
                self.registers.setdefault(register["name"], {**register, "bank": bank["name"]})
        self.vm = Qtest(qemu, side.arguments())
        self.memory = self.vm.memory
        self.plug()

    def close(self):
        self.vm.__exit__()

    # ---- the bus ----

    def plug(self):
        """Finds and places the BARs, as firmware does."""
        self.bars, self.sizes = {}, []
        places = {"io": PORTS, "memory": MAPPED}
        for index in range(6):
            at = 0x10 + 4 * index
            self.config_write(at, 4, 0xffffffff)
            mask = self.config(at, 4)
            if not mask:
                continue
            space = "io" if mask & 1 else "memory"
            size = -(mask & (~3 if mask & 1 else ~15)) & 0xffffffff
            self.config_write(at, 4, places[space])
            self.bars.setdefault(space, places[space])
            self.sizes.append((index, space, size))
            places[space] += max(size, 0x100000 if space == "memory" else 0x100)
        self.config_write(0x3c, 1, 11)
        self.config_write(4, 2, 7)

    def config(self, offset, width):
        return self.vm.config_read(SLOT, offset, width)

    def config_write(self, offset, width, value):
        self.vm.config_write(SLOT, offset, width, value)

    def line(self):
        """Its interrupt line, as it says itself."""
        return self.config(6, 2) >> 3 & 1

    # ---- registers ----

    def place(self, name, k=0):
        register = self.registers[name]
        return register["at"] + k * register["stride"], register["bytes"]

    def get(self, at, width, space=None):
        space = space or self.space
        return self.vm.read(self.bars[space] + at, width, io=space == "io")

    def put(self, at, width, value, space=None):
        space = space or self.space
        self.vm.write(self.bars[space] + at, width, value, io=space == "io")
        self.posted = True

    def read(self, name, k=0):
        return self.get(*self.place(name, k))

    def write(self, name, value, k=0):
        at, width = self.place(name, k)
        self.put(at, width, value)

    # ---- guest memory ----

    def fill(self, at, data):
        if self.posted:  # what was written to registers comes first
            self.config(0x2c, 4)
            self.posted = False
        self.memory[at:at + len(data)] = data

    def bytes(self, at, length):
        return self.memory[at:at + length]

    # ---- the network, and time ----

    def offer(self, *frames):
        for frame in frames:
            self.wire.send(frame)
            self.settle()

    def settle(self):
        """Each answer means that whatever was ready before was looked at, on either side."""
        self.side.settle(lambda: self.config(0x2c, 4))

    def wait(self, seconds):
        self.settle()
        self.side.wait(self.vm, seconds)
        self.settle()

    def skip(self, seconds):
        """Time that only QEMU's model takes."""
        self.side.skip(self.vm, seconds)

    # ---- what is compared ----

    def see(self, name, value):
        key, again = f"{self.label}.{name}", 2
        while key in self.seen:
            key, again = f"{self.label}.{name}#{again}", again + 1
        self.seen[key] = value

    def see_registers(self, names, label=""):
        for name in names.split():
            self.see(f"{label}{name}", self.read(name))

    def see_memory(self, name, at, length):
        self.see(name, self.memory[at:at + length])

    def see_line(self, name="line"):
        self.skip(0.01)  # QEMU's may hold an interrupt back for a while
        self.see(name, self.line())

    def see_raised(self, name="reached the controller"):
        """Interrupts since the last time, or since the machine began to listen."""
        self.settle()
        self.see(name, self.vm.raised > 0)
        self.vm.raised = 0

    def see_sent(self, name="sent"):
        """Every frame that went out since the last time."""
        self.settle()
        for i, frame in enumerate(self.wire.take()):
            self.see(f"{name} sent {i}", describe(frame))
