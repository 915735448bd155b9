# SPDX-License-Identifier: Apache-2.0
"""What any card can be asked, from its description alone."""

PATTERNS = (0xffffffffffffffff, 0, 0xa5a5a5a5a5a5a5a5, 0x5a5a5a5a5a5a5a5a)


def config(dev):
    """Identity, BARs, pin, capabilities."""
    for name, at, width in (("vendor", 0, 2), ("device", 2, 2), ("revision", 8, 1), ("class", 9, 1),
                            ("class", 10, 2), ("header", 14, 1), ("subsystem_vendor", 0x2c, 2),
                            ("subsystem", 0x2e, 2), ("pin", 0x3d, 1), ("status", 6, 2)):
        dev.see(name, dev.config(at, width))
    for index, space, size in dev.sizes:
        dev.see(f"bar{index}", f"{space} {size:#x}")
    at = dev.config(0x34, 1) if dev.config(6, 2) & 0x10 else 0
    while at:
        dev.see("capability", dev.config(at, 1))
        at = dev.config(at + 1, 1)
    dev.config_write(4, 2, 0xffff)
    dev.see("command", dev.config(4, 2))


def elements(register):
    """The first, the second and the last of an array."""
    count = register["count"]
    return sorted({0, min(1, count - 1), count - 1})


def wanted(dev, banks, skip):
    for name, register in dev.registers.items():
        if register["bank"] in banks and name not in skip:
            for k in elements(register):
                yield name, k, f"{name}({k})" if register["count"] > 1 else name


def see_reset(dev, banks=("csr",), skip=()):
    """All registers that a driver can read, as they come out of a reset."""
    for name, k, label in wanted(dev, banks, skip):
        if dev.registers[name]["access"] not in ("wo", "self-clear"):
            dev.see(label, dev.read(name, k))


def see_masks(dev, banks=("csr",), skip=(), reset=None):
    """Which bits keep what is written, after each pattern."""
    for name, k, label in wanted(dev, banks, skip):
        if reset:
            reset(dev)
        got = []
        for pattern in PATTERNS:
            dev.write(name, pattern, k)
            got.append(dev.read(name, k))
        dev.see(label, " ".join(f"{value:x}" for value in got))
