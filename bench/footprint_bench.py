# SPDX-License-Identifier: Apache-2.0
"""What a card costs before it does anything: `value NAME NUMBER`, lower is better.

rss_kib: resident memory of a card that has a client. listens_ms: from exec
until a client is connected, the best of several. idle_us: CPU time of two
seconds without work, with a client; wake_ups: how often it ran in them.
"""

import socket
import time

from lablib.program import Card, footprint, usage

SECONDS = 2


def idle(net):
    with Card("e1000", net=net) as card, socket.socket(socket.AF_UNIX) as link:
        link.connect(card.socket)
        time.sleep(0.3)
        before = usage(card.process.pid)
        time.sleep(SECONDS)
        after = usage(card.process.pid)
    return {"idle_us": (after[0] - before[0]) / 1000, "wake_ups": after[1] - before[1]}


def run():
    for net in ("null", "user"):
        for name, value in {**footprint(net), **idle(net)}.items():
            print(f"value footprint.{net}.{name} {value:.1f}", flush=True)
