# SPDX-License-Identifier: Apache-2.0
"""A Debian kernel and the modules a guest needs of it."""

import glob
import lzma
import os
import re

# those of the cards in cards/, and of cards that somebody may describe
DRIVERS = ["e1000", "8021q", "af_packet", "ne2k-pci", "8139too", "8139cp", "realtek", "r8169",
           "pcnet32", "tulip", "natsemi", "sis900", "e100", "via-rhine", "ena",
           "3c59x", "alx", "amd8111e", "atl1", "atl1c", "atl1e", "atl2", "cassini", "de2104x",
           "dl2k", "dmfe", "e1000e", "epic100", "forcedeth", "gve", "hamachi", "igb", "igc",
           "ixgbe", "ixgbevf", "jme", "ns83820", "r6040", "sis190", "skge", "sky2", "starfire",
           "sundance", "sungem", "sunhme", "tg3", "tlan", "typhoon", "uli526x", "via-velocity",
           "virtio_net", "vmxnet3", "winbond-840", "yellowfin"]
SOFT = {"r8169": ["realtek"],  # asked for by the driver when it runs
        "virtio_net": ["virtio_pci"]}  # what shows it its device


class Kernel:
    def __init__(self, folder):
        self.image = glob.glob(f"{folder}/boot/vmlinuz-*")[0]
        release = os.path.basename(self.image)[len("vmlinuz-"):]
        found = glob.glob(f"{folder}/usr/lib/modules/{release}") + \
            glob.glob(f"{folder}/lib/modules/{release}")
        self.paths = {module_name(path): path
                      for path in glob.glob(f"{found[0]}/**/*.ko*", recursive=True)}

    def modules_for(self, names):
        """(name, contents) in loading order, what each depends on first."""
        order = {}

        def add(name):
            path = self.paths.get(name.replace("-", "_"))
            if not path or name in order:  # absent: built in
                return
            data = read_module(path)
            for need in depends(data):
                add(need)
            order[name] = data

        for name in names:
            for need in SOFT.get(name, ()):
                add(need)
            add(name)
        return list(order.items())


def depends(data):
    """The names in the module's own `depends=` note."""
    match = re.search(rb"\0depends=([^\0]*)\0", data)
    return [name for name in match[1].decode().split(",") if name] if match else []


def read_module(path):
    with open(path, "rb") as source:
        data = source.read()
    return lzma.decompress(data) if path.endswith(".xz") else data


def module_name(path):
    return os.path.basename(path).split(".ko")[0].replace("-", "_")
