# SPDX-License-Identifier: Apache-2.0
"""A card saved and loaded under a guest that stands still meanwhile."""

import json
import os
import tempfile

from machines import GUEST, HOST, echo, machine

SIDE_BY_SIDE = True


def test_saved_and_loaded_under_traffic():
    with tempfile.TemporaryDirectory() as folder, machine() as (net, card, vm):
        flood = net.start(["ping", "-q", "-i", "0.002", GUEST], stdout=-3)
        for turn in range(5):
            vm.qmp("stop")
            path = os.path.join(folder, f"state{turn}")
            card.ctl("save", "nic0", path)
            with open(path, encoding="utf-8") as file:
                values = json.load(file)["values"]
            assert values["csr.TDT"] == values["csr.TDH"], (values["csr.TDT"], values["csr.TDH"])
            card.ctl("load", "nic0", path)
            vm.qmp("cont")
            net.check(f"ping -q -c 5 -i 0.05 -w 20 {GUEST}")
        flood.kill()
        echo(net, vm, HOST, kib=4 << 10)
        lines = [line for line in vm.dmesg().splitlines() if "Hang" in line or "WATCHDOG" in line]
        assert not lines, lines
