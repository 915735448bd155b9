#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A vfio-user client that imitates QEMU and cloud-hypervisor, and then worse.

    tests/wire.py SOCKET [WORD…]    runs the tests (whose name holds a WORD)
                                    against the server that listens there

Works against any device with BAR 0; tests of guest memory and interrupts need
the device of front_stub.c and are skipped without it. The last line is
"N passed, N failed".
"""

import mmap
import os
import random
import select
import signal
import struct
import sys
import time
import traceback

from wire_client import *  # the vocabulary of the tests below


# What servers are known to get wrong, worst first, and the test that shows it.
TRAPS = [
    (1, "a reply waits for a DMA reply: deadlock with the VMM",
     "message_memory"),
    (2, "a late reply kills the device",
     "replies_are_in_time"),
    (3, "the client's own partial writes: DMA messages of 16 KiB",
     "message_memory"),
    (4, "one write a message; what the socket does not take waits",
     "answers_wait_for_a_slow_reader client_that_never_reads"),
    (5, "headers and bodies in pieces; descriptors come with the first byte",
     "every_message_split_at_every_byte descriptor_with_a_split_message "
     "descriptor_behind_messages_without no_descriptor_is_kept"),
    (6, "unknown and oversize messages: the stream stays in step",
     "unknown_commands undersize_payloads impossible_sizes_end_the_connection"),
    (7, "NO_REPLY holds for errors",
     "no_reply_is_honoured_for_errors"),
    (8, "exact reply sizes",
     "every_message_split_at_every_byte qemu_start cloud_hypervisor_start"),
    (9, "no command to a client that serves none",
     "no_dma_message_to_a_client_that_shares_all"),
    (10, "commands and replies interleave",
     "message_memory stray_replies_are_ignored"),
    (11, "an interrupt overtakes the data",
     "interrupt_waits_for_the_data"),
    (12, "UNMAP while in use; a file that shrinks",
     "unmap_while_reads_are_under_way memory_that_is_cut_short "
     "memory_comes_and_goes"),
    (13, "a new descriptor with every map; too many maps",
     "storm_of_maps as_many_maps_as_there_may_be"),
    (14, "sums that wrap, zero, odd sizes; frames over a seam",
     "wrong_maps mapped_memory seam_between_file_and_messages"),
    (15, "the line: automask, unmask, resample; a table an index; count 1 without descriptors",
     "line_masks_itself line_resampled messages vector_without_descriptor"),
    (16, "an eventfd that is full",
     "full_eventfd"),
    (17, "sizing of BARs; they are never used for decoding",
     "cloud_hypervisor_start bar_needs_decoding capability_list_ends"),
    (18, "identity that the VMM overrides",
     "identity_is_read_only"),
    (19, "a region that can be mapped ends posted writes",
     "qemu_start posted_writes_are_silent_and_in_order"),
    (20, "accesses of 1 to 8 bytes anywhere; all of configuration space",
     "accesses_of_every_size accesses_out_of_range_answer_all_ones"),
    (21, "reset at any time",
     "reset_forgets_reads_under_way qemu_start"),
    (22, "the client is gone; the next one waits already",
     "sessions_after_one_another no_descriptor_is_kept"),
    (23, "what the client says of itself",
     "versions before_version"),
    (24, "the error interrupt stops the VM; features nobody has",
     "nothing_that_stops_the_vm"),
    (25, "memory that only looks shared",
     "memory_that_only_looks_shared shared_memory_is_proven "
     "shared_memory_where_a_driver_is_quicker_than_its_answers"),
]
ELSEWHERE = {"interrupt_waits_for_the_data"}  # test_memory.py: it takes a card


def requests():
    """One of each request that may come at any time, with its answer's size."""
    config = struct.pack("<QII", 0, CONFIG, 64)
    yield GET_INFO, struct.pack("<IIII", 16, 0, 0, 0), 16
    yield GET_REGION_INFO, struct.pack("<IIIIQQ", 32, 0, CONFIG, 0, 0, 0), 32
    yield GET_IRQ_INFO, struct.pack("<IIII", 16, 0, 0, 0), 16
    yield SET_IRQS, struct.pack("<IIIII", 20, 0x21, 0, 0, 0), 0
    yield REGION_READ, config, 80
    yield REGION_WRITE, struct.pack("<QIII", 0x3c, CONFIG, 4, 0), 16
    yield DEVICE_RESET, b"", 0
    yield DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, 1 << 40, 4096), 0
    yield DMA_UNMAP, struct.pack("<IIQQ", 24, 0, 1 << 40, 4096), 24


# ---- what the two clients do ----

def test_qemu_start(path):
    with Client(path, greet=False) as client:
        answer = client.version()
        assert answer[:4] == bytes(4) and answer[-1] == 0 and len(answer) <= 4 + len(QEMU)
        assert b'"capabilities"' in answer
        fd = memory()
        assert client.map(0, 0x80000, fd) == 0
        assert client.map(0xfffc0000, 0x40000, access=1) == 0
        flags, regions, irqs = struct.unpack("<III", client.ok(GET_INFO, bytes(16), size=16)[4:])
        assert flags & 3 == 3 and 8 <= regions <= 100 and 3 <= irqs <= 50
        for region in [0, 1, 2, 3, 4, 5, 7]:
            info = client.ok(GET_REGION_INFO, struct.pack("<IIIIQQ", 32, 0, region, 0, 0, 0), size=32)
            _, flags, index, _, size, _ = struct.unpack("<IIIIQQ", info)
            assert index == region and (flags & 3 == 3) == (size > 0), region
            assert not flags & 4, "a region that can be mapped ends posted writes"
            assert region != 7 or size in (256, 4096)
        for index in (3, 2):
            client.ok(GET_IRQ_INFO, struct.pack("<IIII", 16, 0, index, 0), size=16)
        client.read(CONFIG, 0, 256)
        assert client.irqs(0, 0x24, 0, 1, [os.eventfd(0)]) == 0
        assert client.irqs(3, 0x24, 0, 1, [os.eventfd(0)]) == 0
        assert client.irqs(0, 0x21, 0, 0) == 0
        client.decode(0)
        client.ok(DEVICE_RESET, size=0)
        assert client.unmap(0, 0x80000)[0] == 0
        assert client.map(0, 0x20000, fd) == 0 and client.map(0x20000, 0x60000, fd, 0x20000) == 0


def test_cloud_hypervisor_start(path):
    with Client(path, greet=False) as client:
        answer = client.version(CLOUD, 1)
        assert b'"capabilities"' in answer
        regions = struct.unpack("<IIII", client.ok(GET_INFO, struct.pack("<IIII", 32, 0, 0, 0), size=16))[2]
        for region in range(regions):
            client.ok(GET_REGION_INFO, struct.pack("<IIIIQQ", 32, 0, region, 0, 0, 0), size=32)
        for bar in list(range(0x10, 0x28, 4)) + [0x30]:
            client.write(CONFIG, bar, b"\xff" * 4)
            value, = struct.unpack("<I", client.read(CONFIG, bar, 4))
            assert bar != 0x30 or value == 0, "there is no ROM"
            base = value & ~(3 if value & 1 else 15)
            assert not base or -base & 0xffffffff == base & -base & 0xffffffff, hex(value)
            client.write(CONFIG, bar, bytes(4))
        answer = client.unmap(1 << 30, 4096)[1]
        assert client.map(1 << 32, RAM, memory()) == 0
        assert client.unmap(1 << 32, RAM) == (0, struct.pack("<IIQQ", 24, 0, 1 << 32, RAM))


def test_capability_list_ends(path):
    with Client(path) as client:
        config, seen = client.read(CONFIG, 0, 256), set()
        at = config[0x34] if config[6] & 0x10 else 0
        while at:
            assert at not in seen and 0x40 <= at <= 0xfc
            seen.add(at)
            at = config[at + 1]


def test_identity_is_read_only(path):
    with Client(path) as client:
        before = client.read(CONFIG, 0, 4)
        client.write(CONFIG, 0, b"\xa5" * 4)
        assert client.read(CONFIG, 0, 4) == before


def test_bar_needs_decoding(path):
    with Client(path) as client:
        client.decode(0)
        assert client.read(0, 0, 4) == b"\xff" * 4
    with Client(path) as client:
        client.stub()
        client.write(0, 8, b"12345678")
        assert client.read(0, 8, 8) == b"12345678"
        client.decode(0)
        assert client.read(0, 8, 8) == b"\xff" * 8


def test_accesses_out_of_range_answer_all_ones(path):
    with Client(path) as client:
        client.decode()
        for region, offset, count in [(0, 1 << 40, 4), (0, 2**64 - 2, 4), (0, 0, 3), (5, 0, 4),
                                      (6, 0, 4), (8, 0, 4), (99, 0, 4), (2**32 - 1, 0, 1),
                                      (CONFIG, 256, 4), (CONFIG, 2**64 - 1, 4), (0, 0, 0)]:
            assert client.read(region, offset, count) == b"\xff" * count, (region, offset, count)
            client.write(region, offset, b"\x5a" * count)
        assert client.read(CONFIG, 254, 4)[2:] == b"\xff\xff"


def test_accesses_of_every_size(path):
    with Client(path) as client:
        client.stub()
        data = bytes(range(1, 65))
        for width in (1, 2, 4, 8):
            for at in range(0, 65 - width):
                client.write(0, at, data[at:at + width])
                assert client.read(0, at, width) == data[at:at + width], (width, at)
        for at in range(0, 256, 3):
            assert len(client.read(CONFIG, at, 4096 - at)) == 4096 - at


def test_posted_writes_are_silent_and_in_order(path):
    with Client(path) as client:
        client.stub()
        for value in range(1000):
            client.write(0, 16, struct.pack("<I", value), NO_REPLY)
        assert client.read(0, 16, 4) == struct.pack("<I", 999)


def test_no_reply_is_honoured_for_errors(path):
    with Client(path) as client:
        client.send(client.message(77, b"", NO_REPLY))
        client.send(client.message(GET_REGION_INFO, b"", NO_REPLY))
        client.read(CONFIG, 0, 4)  # the first answer is to this


def test_write_multi(path):
    with Client(path) as client:
        client.stub()
        entries = b"".join(struct.pack("<QIIQ", 4 * i, 0, 4, i + 1) for i in range(200))
        client.send(client.message(WRITE_MULTI, struct.pack("<Q", 200) + entries, NO_REPLY))
        assert client.read(0, 4 * 199, 4) == struct.pack("<I", 200)
        for count, data in [(2**61, entries[:24]), (2, entries[:24]), (0, entries[:24])]:
            assert client.call(WRITE_MULTI, struct.pack("<Q", count) + data)[0] == INVALID
        odd = struct.pack("<QIIQ", 0, 0, 9, 0)
        client.ok(WRITE_MULTI, struct.pack("<Q", 1) + odd, size=8)


def test_region_write_with_another_count(path):
    with Client(path) as client:
        client.stub()
        for count in (3, 5, 2**32 - 1):
            answer = client.ok(REGION_WRITE, struct.pack("<QIII", 0, 0, count, 0x55555555), size=16)
            assert struct.unpack("<QII", answer) == (0, 0, count)
        assert client.read(0, 0, 4) == bytes(4)


# ---- the stream ----

def test_every_message_split_at_every_byte(path):
    with Client(path) as client:
        for command, payload, size in requests():
            for at in range(1, 16 + len(payload)):
                if command == DMA_UNMAP:
                    assert client.map(1 << 40, 4096) == 0
                message = client.message(command, payload)
                client.send(message[:at])
                time.sleep(0.0005)
                client.send(message[at:])
                error, answer = client.reply(command, client.id)
                assert (error, len(answer)) == (0, size), (command, at, error, len(answer))
                if command == DMA_MAP:
                    assert client.unmap(1 << 40, 4096)[0] == 0


def test_descriptor_with_a_split_message(path):
    payload = struct.pack("<IIQQQ", 32, 3, 0, 0, RAM)
    fd = memory()
    with Client(path) as client:
        for at in range(1, 16 + len(payload)):
            message = client.message(DMA_MAP, payload)
            client.send(message[:at], [fd])
            time.sleep(0.0005)
            client.send(message[at:])
            assert client.reply(DMA_MAP, client.id)[0] == 0
            assert client.unmap(0, RAM)[0] == 0


def test_byte_by_byte(path):
    with Client(path) as client:
        for byte in client.message(REGION_READ, struct.pack("<QII", 0, CONFIG, 256)):
            client.send(bytes([byte]))
        assert len(client.reply(REGION_READ)[1]) == 272


def test_many_messages_in_one_write(path):
    fd = memory()
    with Client(path) as client:
        batch = b"".join(client.message(command, payload) for command, payload, _ in requests()
                         if command != DEVICE_RESET)
        client.send(batch)
        sizes = [len(client.reply()[1]) for _ in range(8)]
        assert sizes == [size for command, _, size in requests() if command != DEVICE_RESET]
        for i in range(16):  # as QEMU: maps pipelined, a descriptor each
            client.send(client.message(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, i * RAM, RAM)), [fd])
        assert [client.reply(DMA_MAP)[0] for i in range(16)] == [0] * 16


def test_descriptor_behind_messages_without(path):
    server, fd = server_of(path), memory()
    with Client(path) as client:
        client.read(CONFIG, 0, 4)
        os.kill(server, signal.SIGSTOP)  # so that it reads all of this at once
        try:
            for _ in range(3):
                client.send(client.message(GET_INFO, bytes(16)))
            for i in range(2):  # longer than the file: refused if the file is seen
                client.send(client.message(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, i << 30, 2 * RAM)),
                            [fd])
        finally:
            os.kill(server, signal.SIGCONT)
        assert [client.reply()[0] for _ in range(5)] == [0, 0, 0, INVALID, INVALID]


def test_unknown_commands(path):
    with Client(path) as client:
        for command in [0, GET_REGION_IO_FDS, DMA_READ, DMA_WRITE, 14, 16, 17, 255, 65535]:
            for payload in (b"", b"x" * 100, b"y" * 100000):
                error, answer = client.call(command, payload)
                assert error == NOT_SUPPORTED and answer == b"", (command, error)
        client.read(CONFIG, 0, 4)


def test_undersize_payloads(path):
    with Client(path) as client:
        for command, payload, _ in requests():
            least = 4 if command == GET_INFO else min(len(payload), 16 if command == REGION_WRITE else 99)
            for length in range(0, least):
                error, answer = client.call(command, payload[:length])
                assert error == INVALID and answer == b"", (command, length)
            assert not least or client.took < LATE
        client.read(CONFIG, 0, 4)


def test_impossible_sizes_end_the_connection(path):
    for size in [0, 1, 15, 2**21, 2**31, 2**32 - 1]:
        with Client(path) as client:
            client.send(client.message(GET_INFO, bytes(16), size=size))
            assert client.gone(), size


def test_largest_message(path):
    with Client(path) as client:
        payload = struct.pack("<QII", 0, 0, 1 << 20) + bytes(1 << 20)
        client.ok(REGION_WRITE, payload, size=16)
        client.read(CONFIG, 0, 4)


def test_before_version(path):
    with Client(path, greet=False) as client:
        for command, payload, _ in requests():
            assert client.call(command, payload)[0] == INVALID
        client.version()
        assert client.call(VERSION, bytes(4) + QEMU)[0] == INVALID


def test_versions(path):
    with Client(path, greet=False) as client:
        assert client.call(VERSION, struct.pack("<HH", 1, 0) + QEMU)[0] == INVALID
    for text in [b"", b"\0", b"{}", b"{" * 10000, b'{"capabilities":{"max_msg_fds":1e999}}', b"\xff" * 500]:
        with Client(path, greet=False) as client:
            answer = client.ok(VERSION, bytes(4) + text)
            assert answer.endswith(b"}}\0"), text


def test_stray_replies_are_ignored(path):
    with Client(path) as client:
        for command in (DMA_READ, DMA_WRITE, GET_INFO, 0):
            client.send(client.message(command, b"z" * 64, REPLY))
        client.read(CONFIG, 0, 4)


def test_client_that_never_reads(path):
    request = struct.pack("<QII", 0, CONFIG, 4096)
    with Client(path) as client:
        batch = b"".join(client.message(REGION_READ, request) for _ in range(2000))
        client.socket.settimeout(2)
        try:
            for _ in range(10):
                client.send(batch)
            assert False, "80 MB of answers are kept for a client that does not read"
        except (Gone, TimeoutError):
            pass
    with Client(path) as client:
        client.read(CONFIG, 0, 4)


def test_answers_wait_for_a_slow_reader(path):
    request = struct.pack("<QII", 0, CONFIG, 4096)
    with Client(path) as client:
        for _ in range(1000):
            client.send(client.message(REGION_READ, request))
        for _ in range(1000):
            assert len(client.reply(REGION_READ)[1]) == 4112


def test_sessions_after_one_another(path):
    with Client(path) as first, Client(path, greet=False) as second:
        second.send(second.message(VERSION, bytes(4) + QEMU))
        first.read(CONFIG, 0, 4)
        first.socket.close()
        assert second.reply(VERSION)[0] == 0
    for _ in range(50):
        with Client(path) as client:
            client.send(client.message(REGION_READ, bytes(16))[:20])


# ---- descriptors ----

def test_no_descriptor_is_kept(path):
    before, ram = descriptors(path), memory()
    for count in list(range(0, 20)) + [64, 253]:
        with Client(path) as client:
            try:
                client.send(client.message(GET_INFO, bytes(16)), [ram] * count)
                client.reply()
                assert count <= 16, count
                client.send(client.message(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, 0, RAM)), [ram] * count)
                client.reply()
            except Gone:
                assert count > 16, count
    with Client(path) as client:
        for index in (0, 1, 2, 3, 4, 5):
            client.irqs(index, 0x24, 0, 1, [os.eventfd(0)])
        message = client.message(DMA_MAP, bytes(32))
        client.send(message[:20], [ram])  # and never the rest
    for _ in range(20):
        if descriptors(path) == before:
            return
        time.sleep(0.05)
    assert descriptors(path) == before, (before, descriptors(path))


def test_wrong_maps(path):
    ram, pipe = memory(), os.pipe()
    folder = os.open("/", os.O_RDONLY)
    with Client(path) as client:
        assert client.map(0, RAM, ram) == 0
        assert client.map(RAM - 4096, 8192, ram) == EXIST
        assert client.map(0, 4096) == EXIST
        for address, size, fd, offset in [
                (1 << 32, 0, ram, 0), (1 << 32, 0, None, 0), (2**64 - 4096, 8192, ram, 0),
                (2**64 - 4096, 8192, None, 0), (1 << 32, RAM + 1, ram, 0), (1 << 32, RAM, ram, 4096),
                (1 << 32, RAM, ram, 2**64 - 4096), (1 << 32, 2**63, ram, 0), (1 << 32, 4096, pipe[0], 0),
                (1 << 32, 4096, folder, 0)]:
            assert client.map(address, size, fd, offset) != 0, (address, size, offset)
        assert client.unmap(1 << 32, 4096)[0] == NOT_THERE
        assert client.unmap(0, 0)[0] == INVALID
        for address, size in ((4096, 4096), (0, 4096), (RAM - 4096, 8192), (4096, RAM), (1, 2**64 - 1)):
            assert client.unmap(address, size)[0] == INVALID, "it would be cut"
        assert client.map(RAM, 4096, ram) == 0
        assert client.unmap(0, RAM + 1)[0] == INVALID, "not even the range that is whole"
        assert client.map(0, 4096) == EXIST
        for flags in (1, 4, 0x80000000, 3):
            assert client.unmap(0, RAM, flags)[0] == INVALID, "dirty pages are not kept"
        assert client.unmap(0, 4096, 2)[0] == INVALID
        assert client.unmap(4096, 0, 2)[0] == INVALID
        assert client.unmap(0, 0, 2)[0] == 0
        assert client.map(0, RAM, ram) == 0


def maps(client, pages, base=1 << 30):
    """One write with a map of each page, by messages."""
    return b"".join(client.message(DMA_MAP, struct.pack("<IIQQQ", 32, 3, 0, base + page * 4096, 4096))
                    for page in pages)


def unmaps(client, pages, base=1 << 30):
    return b"".join(client.message(DMA_UNMAP, struct.pack("<IIQQ", 24, 0, base + page * 4096, 4096))
                    for page in pages)


def in_bulk(client, make, pages):
    """Their answers' errors; 100 thousand a second of the server's time, with slack."""
    server, errors = peer_of(client), []
    begin = cpu_of(server)
    for at in range(0, len(pages), 1000):
        part = pages[at:at + 1000]
        client.send(make(client, part))
        errors += [client.reply()[0] for _ in part]
    spent = cpu_of(server) - begin
    assert spent / len(pages) < 10e-6 * 5 * (LATE / 0.1), f"{len(pages) / spent:.0f} a second"
    return errors


def test_as_many_maps_as_there_may_be(path):
    ram = memory(8192)
    pages = list(range(65535))
    random.Random(1).shuffle(pages)
    with Client(path) as client:
        client.stub()
        for i in range(500):
            assert client.map(i * 8192, 4096, ram, 4096 * (i % 2)) == 0
        assert not any(in_bulk(client, maps, pages[:65035]))
        os.pwrite(ram, b"there", 0)
        client.copy(0, 8192, 5)
        time.sleep(0.2)  # we do not answer messages
        assert client.copies() == (1, 0) and os.pread(ram, 5, 4096) == b"there"
        client.map(1 << 50, 4096)
        assert client.map(1 << 51, 4096) == NO_SPACE and client.map(1 << 51, 4096, ram) == NO_SPACE
        assert not any(in_bulk(client, unmaps, pages[:65035:2]))
        assert not any(in_bulk(client, maps, pages[:65035:2]))
        assert client.unmap(1 << 30, 65536 * 4096)[0] == 0 and client.took < LATE
        assert client.unmap(0, 500 * 8192)[0] == 0
        assert client.map(0, 4096, ram) == 0


def test_storm_of_maps(path):
    before, ram = descriptors(path), memory()
    with Client(path) as client:
        for _ in range(20):
            pages = list(range(1000))
            assert not any(in_bulk(client, maps, pages) + in_bulk(client, unmaps, pages))
        for i in range(2000):  # as firmware does: all of it again and again, a new descriptor each
            fd = os.dup(ram)
            assert client.map(0, RAM // 2, fd) == 0 and client.map(RAM // 2, RAM // 2, fd) == 0
            os.close(fd)
            assert client.unmap(0, RAM)[0] == 0
    assert descriptors(path) == before


def test_memory_comes_and_goes(path):
    """The table against one that is too simple to be wrong."""
    chance, ram, there = random.Random(2), memory(), {}
    with Client(path) as client:
        client.stub()
        for turn in range(4000):
            base, size = chance.randrange(400), chance.randrange(1, 9)
            touched = [b for b, s in there.items() if b < base + size and base < b + s]
            if chance.random() < 0.5 + 0.3 * (turn % 1000 < 500):
                want = EXIST if touched else 0
                if not want:
                    there[base] = size
                assert client.map(base * 4096, size * 4096, ram) == want
            else:
                cut = [b for b in touched if b < base or b + there[b] > base + size]
                want = INVALID if cut else 0 if touched else NOT_THERE
                for b in touched if not want else ():
                    del there[b]
                assert client.unmap(base * 4096, size * 4096)[0] == want
            if turn % 50 == 0:
                done, refused = client.copies()
                page = chance.randrange(400)
                held = any(b <= page < b + s for b, s in there.items())
                client.copy(page * 4096, page * 4096, 16)
                assert client.copies() == (done + held, refused + (not held)), page


def test_replies_are_in_time(path):
    ram = memory()
    with Client(path) as client:
        client.stub()
        assert client.map(1 << 41, RAM, ram) == 0
        client.copy(1 << 41, (1 << 41) + RAM // 2, 256 << 10)
        for command, payload, _ in list(requests()) * 3:
            client.call(command, payload)
            assert client.took < LATE, command


# ---- guest memory ----

def test_mapped_memory(path):
    fd = memory()
    ram = mmap.mmap(fd, RAM)
    ram[0:5000] = bytes(i % 251 for i in range(5000))
    with Client(path) as client:
        client.stub()
        assert client.map(0, 4096, fd) == 0 and client.map(4096, RAM - 4096, fd, 4096) == 0
        client.copy(0, 65536, 5000)  # over the seam
        assert client.copies() == (1, 0) and ram[65536:70536] == ram[0:5000]
        client.copy(RAM - 8, 0, 16)
        client.copy(2**64 - 8, 0, 16)
        assert client.copies() == (1, 2)
        client.decode(2)  # no bus mastering
        client.copy(0, 131072, 16)
        assert client.copies() == (1, 3) and ram[131072:131088] == bytes(16)
        client.decode(6)
        assert client.unmap(0, 4096)[0] == 0
        client.copy(0, 131072, 16)
        client.copy(4096, 131072, 16)
        assert client.copies() == (2, 4)


def test_read_only_memory(path):
    fd = memory()
    with Client(path) as client:
        client.stub()
        assert client.map(0, RAM, fd, access=1) == 0
        client.copy(0, 4096, 16)
        assert client.copies() == (0, 1)


def test_message_memory(path):
    with Client(path) as client:
        client.stub()
        guest = Guest(client)
        assert client.map(0, RAM) == 0
        for length in (1, 16, 4096, 16384, 16385, 200000):
            client.copy(7, RAM // 2, length)
            reads = guest.messages()
            assert len(reads) == -(-length // 16384), "reads are under way at once"
            client.read(CONFIG, 0, 4)
            assert client.took < LATE, "a request is answered while reads are outstanding"
            for message in reversed(reads):  # in any order
                guest.serve(message)
            for message in guest.messages():
                guest.serve(message)
            assert guest.ram[RAM // 2:RAM // 2 + length] == guest.ram[7:7 + length], length
        assert guest.longest <= 16384 and client.copies() == (6, 0)


def test_message_memory_that_fails(path):
    with Client(path) as client:
        client.stub()
        guest = Guest(client)
        assert client.map(0, RAM) == 0
        client.copy(0, RAM // 2, 40000)
        for message in guest.messages():
            guest.serve(message, fail=True)
        assert client.copies() == (0, 1)
        client.copy(0, RAM // 2, 100)
        reads = guest.messages()
        for payload in (b"", b"x" * 15, b"x" * 16, b"x" * 4000):  # one answer, and of a wrong size
            client.send(struct.pack("<HHIII", reads[0][0], DMA_READ, 16 + len(payload), REPLY, 0) + payload)
        assert client.copies() == (0, 2)


def test_reset_forgets_reads_under_way(path):
    with Client(path) as client:
        client.stub()
        guest = Guest(client)
        assert client.map(0, RAM) == 0
        client.copy(0, RAM // 2, 100)
        old = guest.messages()
        client.stub()
        guest.ram[0:100] = b"n" * 100
        client.copy(0, RAM // 2, 100)
        new = guest.messages()
        assert len(new) == 1 and client.copies() == (0, 0)
        guest.ram[0:100] = b"o" * 100
        guest.serve(old[0])
        assert client.copies() == (0, 0)
        guest.ram[0:100] = b"n" * 100
        guest.serve(new[0])
        for message in guest.messages():
            guest.serve(message)
        assert guest.ram[RAM // 2:RAM // 2 + 100] == b"n" * 100


def test_unmap_while_reads_are_under_way(path):
    with Client(path) as client:
        client.stub()
        guest = Guest(client)
        assert client.map(0, RAM) == 0
        client.copy(0, RAM // 2, 40000)
        asked = guest.messages(0.05)
        assert client.unmap(0, RAM)[0] == 0 and client.took < LATE
        for message in asked:
            guest.serve(message)
        assert client.copies() == (0, 1) and not guest.messages(0.05)
        assert client.map(0, RAM, memory()) == 0
        client.copy(0, RAM // 2, 40000)
        guest.run(2)
        assert client.copies() == (1, 1)


def test_seam_between_file_and_messages(path):
    fd = memory()
    with Client(path) as client:
        client.stub()
        guest = Guest(client, mmap.mmap(fd, RAM))
        assert client.map(0, 8192, fd) == 0 and client.map(8192, RAM - 8192) == 0
        guest.introduce()
        for turn in range(8):
            guest.ram[4096:12288] = data = os.urandom(8192)
            client.copy(4096, 16384 + 8192 * turn, 8192)  # from both
            guest.run(2 * turn + 1)
            assert guest.ram[16384 + 8192 * turn:24576 + 8192 * turn] == data
            client.copy(16384 + 8192 * turn, 4096 - 64, 8192)  # to both
            guest.run(2 * turn + 2)
            assert guest.ram[4032:12224] == data and client.copies() == (2 * turn + 2, 0)


def test_no_dma_message_to_a_client_that_shares_all(path):
    with Client(path, greet=False) as client:
        client.version(CLOUD, 1)
        client.stub()
        assert client.map(0, RAM, memory()) == 0
        client.copy(RAM, 0, 16)
        assert client.copies() == (0, 1) and client.commands == []


def copy_and_compare(client, guest, turn, ram, **how):
    """One copy of new data; how many messages it took."""
    data = os.urandom(100)
    guest.ram[4096:4196] = data
    client.copy(4096, 8192 + 128 * turn, 100)
    asked = guest.run(turn + 1, **how)
    assert bytes(ram[8192 + 128 * turn:8192 + 128 * turn + 100]) == data, turn
    assert client.copies() == (turn + 1, 0), client.copies()
    return asked


def test_shared_memory_is_proven(path):
    fd = memory()
    with Client(path) as client:
        client.stub()
        assert client.map(0, RAM // 2, fd) == 0 and client.map(RAM, 4096, access=1) == 0
        assert client.map(RAM // 2, RAM // 2, fd, RAM // 2) == 0
        guest = Guest(client, mmap.mmap(fd, RAM))
        guest.introduce()
        asked = [copy_and_compare(client, guest, turn, guest.ram) for turn in range(12)]
        assert asked[0] == 2 and sum(asked) <= 10 and not any(asked[6:]), asked
        client.copy(4096, RAM - 4096, 100)
        assert not guest.messages(0.05) and guest.ram[RAM - 4096:RAM - 3996] == guest.ram[4096:4196]


def test_shared_memory_where_a_driver_is_quicker_than_its_answers(path):
    """It takes what was written, and uses the place again, before the server knows of it."""
    fd = memory()
    with Client(path) as client:
        client.stub()
        assert client.map(RAM, 4096, access=1) == 0 and client.map(0, RAM, fd) == 0
        guest = Guest(client, mmap.mmap(fd, RAM))
        guest.introduce()
        for turn in range(8):
            guest.ram[0:8] = data = os.urandom(8)
            client.copy(0, 4096, 8)
            guest.serve(guest.messages()[0])
            write = guest.messages()[0]
            guest.ram[4096:4104] = write[4][16:24]
            assert write[4][16:24] == data
            guest.ram[4096:4098] = b"??"
            client.send(struct.pack("<HHIII", write[0], DMA_WRITE, 32, REPLY, 0) + write[4][:16])
            assert client.copies() == (turn + 1, 0)
        asked = [copy_and_compare(client, guest, turn, guest.ram) for turn in range(8, 16)]
        assert sum(asked) <= 4 and not any(asked[4:]), asked


def test_memory_that_only_looks_shared(path):
    for prepared in (False, True):  # the file may hold what the guest began with
        fd, ram = memory(), bytearray(os.urandom(RAM))
        if prepared:
            os.pwrite(fd, ram, 0)
        with Client(path) as client:
            client.stub()
            assert client.map(RAM, 4096, access=1) == 0 and client.map(0, RAM, fd) == 0
            guest = Guest(client)
            guest.ram = ram
            guest.introduce()
            for turn in range(8):
                assert copy_and_compare(client, guest, turn, ram) >= 2, turn
            for turn in range(8, 16):  # what is asked agrees, what is written would not
                ram[0:64] = os.pread(fd, 64, 0)
                client.copy(0, 65536, 64)
                assert guest.run(turn + 1) == 2 and ram[65536:65600] == ram[0:64]
            assert client.map(2 * RAM, 4096, fd, 4096) == 0, "known by its file"
            client.copy(4096, 2 * RAM, 16)
            assert len(guest.messages()) == 1


def test_changing_memory_is_not_used_before_it_agrees(path):
    fd = memory()
    with Client(path) as client:
        client.stub()
        assert client.map(0, RAM, fd) == 0 and client.map(RAM, 4096, access=1) == 0
        guest = Guest(client, mmap.mmap(fd, RAM))
        guest.introduce()
        guest.ram[0:4] = b"old!"
        client.copy(0, 4096, 4)
        asked = guest.messages()
        answer = asked[0][4][:16] + guest.ram[0:4]
        guest.ram[0:4] = b"new!"  # after it was read, before the answer is seen
        client.send(struct.pack("<HHIII", asked[0][0], DMA_READ, 16 + len(answer), REPLY, 0) + answer)
        assert guest.run(1) == 2 and guest.ram[4096:4100] == b"new!"
        assert sum(copy_and_compare(client, guest, turn, guest.ram) for turn in range(1, 8)) <= 10


def test_shared_memory_of_a_client_without_messages(path):
    for how in ({"fail": True}, {"skipped": 4}, None):
        fd = memory()
        with Client(path) as client:
            client.stub()
            assert client.map(0, RAM, fd) == 0 and client.map(RAM, 4096, access=1) == 0
            guest = Guest(client, mmap.mmap(fd, RAM))
            guest.ram[0:100] = data = os.urandom(100)
            client.copy(0, 4096, 100)
            if how:
                guest.run(1, **how)
            else:
                time.sleep(2 * LATE + 0.1)  # and says nothing
            assert client.copies() == (1, 0) and guest.ram[4096:4196] == data, how
            client.commands = []
            client.copy(0, 8192, 100)
            assert client.copies() == (2, 0) and not client.commands, how


def test_an_answer_that_comes_late(path):
    with Client(path) as client:
        client.stub()
        assert client.map(0, RAM, memory()) == 0 and client.map(RAM, 4096, access=1) == 0
        guest = Guest(client)
        client.copy(0, 4096, 100)
        asked = guest.messages()
        time.sleep(2 * LATE + 0.1)
        assert client.copies() == (1, 0), "taken for shared"
        for message in asked:
            guest.serve(message)
        for turn in range(1, 8):
            guest.ram[4096:4196] = data = os.urandom(100)
            client.copy(4096, 8192 + 128 * turn, 100)
            time.sleep(0.15)  # it answers: it is waited for
            assert client.copies() == (turn, 0)
            assert guest.run(turn + 1) >= 2 and client.copies() == (turn + 1, 0)
            assert guest.ram[8192 + 128 * turn:8292 + 128 * turn] == data


def test_one_read_is_asked_for_ahead(path):
    for answered in (True, False):
        with Client(path) as client:
            client.stub()
            client.decode(2)
            assert client.map(0, RAM, memory()) == 0 and client.map(RAM, 4096, access=1) == 0
            guest = Guest(client)
            for command in (6, 2, 6):
                client.decode(command)
            asked = guest.messages(0.1)
            assert [message[1] for message in asked] == [DMA_READ]
            if answered:
                guest.serve(asked[0])
            guest.ram[0:16] = b"is not asked for"  # later than that copy
            time.sleep(0.15)
            client.copy(0, 4096, 16)
            if not answered:  # in time for this all the same
                assert client.copies() == (1, 0)
                guest.serve(asked[0])
                client.copy(0, 4096, 16)
            guest.run(1 if answered else 2)
            assert guest.ram[4096:4112] == b"is not asked for"


def test_memory_that_is_cut_short(path):
    for hole in (0, 8192):
        ram, other = memory(), memory()
        with Client(path) as client:
            client.stub()
            for k in range(4):  # of one file in pieces, and another file between
                assert client.map(k * RAM // 4, RAM // 4, ram, k * RAM // 4) == 0
            assert client.map(RAM, RAM, other) == 0
            os.pwrite(other, b"o" * 4096, 0)
            os.pwrite(ram, b"r" * 4096, 0)
            client.copy(0, RAM, 4096)
            os.ftruncate(ram, hole)
            for source, target in ((RAM // 4, RAM), (RAM, RAM // 2), (0, RAM + 8192), (RAM - 4096, 4096)):
                client.copy(source, target, 4096)
            assert client.copies() == (5, 0)
            assert os.pread(other, 4096, 0) == bytes(4096), "zeros in the place of what is gone"
            assert os.pread(other, 4096, 8192) == (b"r" if hole else b"\0") * 4096
            assert client.unmap(0, RAM)[0] == 0
            os.ftruncate(ram, RAM)
            os.pwrite(ram, b"again", 12288)
            assert client.map(0, RAM, ram) == 0, "the file again, not the zeros"
            client.copy(12288, RAM, 5)
            assert client.copies() == (6, 0) and os.pread(other, 5, 0) == b"again"
            os.ftruncate(other, 0)
            client.copy(0, RAM, 4096)
            assert client.copies() == (7, 0)
    with Client(path) as client:
        client.read(CONFIG, 0, 4)


# ---- interrupts ----

def test_line_masks_itself(path):
    line = os.eventfd(0)
    with Client(path) as client:
        client.stub()
        assert client.irqs(0, 0x24, 0, 1, [line]) == 0
        client.write(0, 0xf20, b"\1")
        assert fired(line) == 1
        client.write(0, 0xf20, b"\1")
        assert fired(line, 0.05) == 0, "masked"
        assert client.irqs(0, 0x11, 0, 1) == 0
        assert fired(line) == 1, "still high"
        client.write(0, 0xf20, b"\0")
        assert client.irqs(0, 0x11, 0, 1) == 0 and fired(line, 0.05) == 0
        client.decode(0x407)
        client.write(0, 0xf20, b"\1")
        assert fired(line, 0.05) == 0, "disabled in COMMAND"
        client.decode()
        assert fired(line) == 1
        assert client.irqs(0, 0x21, 0, 0) == 0
        client.write(0, 0xf20, b"\1")
        assert fired(line, 0.05) == 0


def test_line_resampled(path):
    line, resample = os.eventfd(0), os.eventfd(0)
    with Client(path) as client:
        client.stub()
        assert client.irqs(0, 0x24, 0, 1, [line]) == 0
        assert client.irqs(0, 0x09, 0, 1) == 0
        assert client.irqs(0, 0x14, 0, 1, [resample]) == 0
        assert client.irqs(0, 0x11, 0, 1) == 0
        client.write(0, 0xf20, b"\1")
        assert fired(line) == 1
        os.eventfd_write(resample, 1)
        assert fired(line) == 1


def test_messages(path):
    vectors = [os.eventfd(0) for _ in range(4)]
    with Client(path) as client:
        client.stub()
        count = struct.unpack("<IIII", client.ok(GET_IRQ_INFO, struct.pack("<IIII", 16, 0, 1, 0)))[3]
        assert count == 4
        client.write(0, 0xf24, b"\0\0\0\0")
        assert client.irqs(1, 0x24, 0, 4, vectors) == 0
        for i in (3, 0):
            client.write(0, 0xf24, struct.pack("<I", i))
            assert fired(vectors[i]) == 1 and not select.select(vectors, [], [], 0)[0]
        for i in (4, 2047, 2**32 - 1):
            client.write(0, 0xf24, struct.pack("<I", i))
        assert client.irqs(1, 0x24, 3, 1) == 0  # de-assign the last
        client.write(0, 0xf24, struct.pack("<I", 3))
        assert not select.select(vectors, [], [], 0.05)[0]
        assert client.irqs(1, 0x22, 0, 2, data=b"\0\1") == 0 and fired(vectors[1]) == 1
        assert client.irqs(1, 0x21, 0, 0) == 0
        client.write(0, 0xf24, b"\0\0\0\0")
        assert not select.select(vectors, [], [], 0.05)[0]


def test_vector_without_descriptor(path):
    vector = os.eventfd(0)
    with Client(path) as client:
        client.stub()
        assert client.irqs(1, 0x24, 0, 1) == 0  # messages are on, and none can be sent
        client.write(0, 0xf24, b"\0\0\0\0")
        assert client.irqs(1, 0x24, 0, 1, [vector]) == 0
        client.write(0, 0xf24, b"\0\0\0\0")
        assert fired(vector) == 1


def test_full_eventfd(path):
    line = os.eventfd(2**32 - 2)
    os.eventfd_write(line, 2**64 - 2**32)
    with Client(path) as client:
        client.stub()
        assert client.irqs(0, 0x24, 0, 1, [line]) == 0
        client.write(0, 0xf20, b"\1")
        assert client.took < LATE and fired(line)


def test_nothing_that_stops_the_vm(path):
    error = os.eventfd(0)
    with Client(path, greet=False) as client:
        answer = client.version()
        assert b"twin" not in answer and b"migration" not in answer
        assert client.irqs(3, 0x24, 0, 1, [error]) == 0
        for command in range(20):
            client.call(command, b"\xff" * 64)
        client.ok(DEVICE_RESET)
        client.irqs(3, 0x21, 0, 1)
        assert fired(error, 0.05) == 0


def test_wrong_interrupts(path):
    with Client(path) as client:
        for index, flags, start, count, data in [
                (5, 0x21, 0, 0, b""), (2**32 - 1, 0x24, 0, 1, b""), (0, 0x24, 2, 0, b""),
                (0, 0x24, 0, 2, b""), (1, 0x24, 1, 2**32 - 1, b""), (1, 0x24, 2**32 - 1, 2, b""),
                (0, 0x22, 0, 1, b""), (2, 0x24, 0, 5000, b"")]:
            assert client.irqs(index, flags, start, count, data=data) == INVALID, (index, start, count)
        read, write = os.pipe()
        client.irqs(0, 0x24, 0, 1, [write])
        os.close(read)
        os.close(write)
        client.decode()
        client.irqs(0, 0x21, 0, 1)  # trigger it ourselves: must not be a SIGPIPE
        client.read(CONFIG, 0, 4)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    path, words = sys.argv[1], sys.argv[2:]
    shown = {name for _, _, names in TRAPS for name in names.split()}
    unknown = [name for name in shown - ELSEWHERE if f"test_{name}" not in globals()]
    assert not unknown, unknown
    passed = failed = skipped = 0
    for name, function in list(globals().items()):
        if not name.startswith("test_") or words and not any(word in name for word in words):
            continue
        try:
            function(path)
            passed += 1
        except Skip:
            skipped += 1
        except Exception:  # a test fails by any exception
            failed += 1
            print(f"FAILED {name}\n{traceback.format_exc()}", flush=True)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
