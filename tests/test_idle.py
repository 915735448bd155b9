# SPDX-License-Identifier: Apache-2.0
"""What a card costs that has nothing to do, and how soon it can be connected to.

Time is given with slack for machines that are busy; what it is here is printed
by bench/run footprint.
"""

import os
import time

from lablib.program import Card, footprint, usage
from wire_client import RAM, Client, memory

SLACK = 5
IDLE_NS = 1000000  # of 2 s
RSS_KIB = 12288
LISTENS_MS = 20


def idle(card, seconds=2):
    time.sleep(0.3)
    before = usage(card.process.pid)
    time.sleep(seconds)
    after = usage(card.process.pid)
    spent, woken = (b - a for a, b in zip(before, after))
    assert spent <= SLACK * IDLE_NS and woken <= 1, (spent, woken)  # a timer would be more


def test_no_time_without_work():
    for net in ("null", "user"):
        for arguments in ([], ["--poll-us", "300"], ["--cpu", str(min(os.sched_getaffinity(0)))]):
            with Card("e1000", net=net, arguments=arguments) as card:
                with Client(card.socket) as client:
                    client.decode()
                    assert client.map(0, RAM, memory()) == 0
                    idle(card)
                idle(card, 0.5)  # and when it has gone


def test_memory_and_time_to_start():
    for net in ("null", "user"):
        got = footprint(net)
        assert got["rss_kib"] <= RSS_KIB, got
        assert got["listens_ms"] <= SLACK * LISTENS_MS, got
