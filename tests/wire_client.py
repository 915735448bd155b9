# SPDX-License-Identifier: Apache-2.0
"""One vfio-user client, by hand: what wire.py says to a server."""

import array
import os
import select
import socket
import struct
import time

(VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, GET_REGION_INFO, GET_REGION_IO_FDS, GET_IRQ_INFO,
 SET_IRQS, REGION_READ, REGION_WRITE, DMA_READ, DMA_WRITE, DEVICE_RESET) = range(1, 14)
WRITE_MULTI = 15
REPLY, NO_REPLY, ERROR = 1, 0x10, 0x20
CONFIG = 7
EXIST, NOT_THERE, INVALID, NOT_SUPPORTED, NO_SPACE = 17, 2, 22, 95, 28
LATE = float(os.environ.get("ANYNIC_LATE", 0.1))  # s: no reply may take longer
PATIENCE = 5
QEMU = (b'{"capabilities": {"pgsizes": 4096, "max_msg_fds": 16, "max_dma_maps": 65535, '
        b'"max_data_xfer_size": 1048576, "migration": {"max_bitmap_size": 268435456, '
        b'"pgsize": 4096}, "write_multiple": true}}\0')
CLOUD = (b'{"capabilities":{"max_msg_fds":1,"max_data_xfer_size":1048576,'
         b'"migration":{"pgsize":4096}}}\0')
RAM = 1 << 20


class Gone(Exception):
    """The server closed the connection."""


class Skip(Exception):
    """Needs a device that is not there."""


class Client:
    def __init__(self, path, greet=True):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        for _ in range(100):  # the path is there a moment before it is listened on
            try:
                self.socket.connect(path)
                break
            except ConnectionRefusedError:
                time.sleep(0.01)
        else:
            self.socket.connect(path)
        self.id = 0
        self.commands = []  # the server's own, that came while we waited for a reply
        if greet:
            self.version()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def message(self, command, payload=b"", flags=0, size=None):
        self.id = (self.id + 1) & 0xffff
        size = 16 + len(payload) if size is None else size
        return struct.pack("<HHIII", self.id, command, size, flags, 0) + payload

    def send(self, data, fds=()):
        try:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
            sent = self.socket.sendmsg([data], rights)
            if sent < len(data):
                self.socket.sendall(data[sent:])
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Gone from error

    def exactly(self, count):
        data = b""
        while len(data) < count:
            try:
                more = self.socket.recv(count - len(data))
            except ConnectionResetError as error:
                raise Gone from error
            if not more:
                raise Gone
            data += more
        return data

    def receive(self):
        """One message: id, command, flags, error, payload."""
        number, command, size, flags, error = struct.unpack("<HHIII", self.exactly(16))
        return number, command, flags, error, self.exactly(size - 16)

    def reply(self, command=None, number=None):
        while True:
            message = self.receive()
            if message[2] & 0xf == REPLY:
                break
            self.commands.append(message)
        assert command is None or message[1] == command, message
        assert number is None or message[0] == number, message
        return message[3] if message[2] & ERROR else 0, message[4]

    def call(self, command, payload=b"", fds=(), flags=0):
        """Sends and returns (error, payload); the reply must be in time."""
        begin = time.monotonic()
        self.send(self.message(command, payload, flags), fds)
        result = self.reply(command, self.id)
        self.took = time.monotonic() - begin
        return result

    def ok(self, command, payload=b"", fds=(), size=None):
        error, answer = self.call(command, payload, fds)
        assert error == 0, f"command {command}: error {error}"
        assert size is None or len(answer) == size, f"command {command}: {len(answer)} bytes"
        return answer

    def version(self, capabilities=QEMU, minor=0):
        return self.ok(VERSION, struct.pack("<HH", 0, minor) + capabilities)

    def read(self, region, offset, count):
        head = struct.pack("<QII", offset, region, count)
        answer = self.ok(REGION_READ, head, size=16 + count)
        assert answer[:16] == head
        return answer[16:]

    def write(self, region, offset, data, flags=0):
        payload = struct.pack("<QII", offset, region, len(data))
        if flags & NO_REPLY:
            return self.send(self.message(REGION_WRITE, payload + data, flags))
        answer = self.ok(REGION_WRITE, payload + data, size=16)
        assert answer == payload
        return None

    def map(self, address, size, fd=None, offset=0, access=3):
        return self.call(DMA_MAP, struct.pack("<IIQQQ", 32, access, offset, address, size),
                         () if fd is None else (fd,))[0]

    def unmap(self, address, size, flags=0):
        return self.call(DMA_UNMAP, struct.pack("<IIQQ", 24, flags, address, size))

    def irqs(self, index, flags, start, count, fds=(), data=b""):
        return self.call(SET_IRQS, struct.pack("<IIIII", 20 + len(data), flags, index, start, count)
                         + data, fds)[0]

    def decode(self, command=7):
        self.write(CONFIG, 4, struct.pack("<H", command))

    def stub(self):
        if self.read(CONFIG, 0, 4) != bytes.fromhex("34127856"):
            raise Skip
        self.ok(DEVICE_RESET)
        self.decode()

    def copy(self, source, destination, length):
        self.write(0, 0xf00, struct.pack("<Q", source))
        self.write(0, 0xf08, struct.pack("<Q", destination))
        self.write(0, 0xf10, struct.pack("<I", length))

    def copies(self):
        return struct.unpack("<I", self.read(0, 0xf14, 4))[0], \
            struct.unpack("<I", self.read(0, 0xf18, 4))[0]

    def gone(self):
        """True if the server has closed the connection or does so soon."""
        try:
            while True:
                self.receive()
        except Gone:
            return True
        except TimeoutError:
            return False


def peer_of(client):
    got = client.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return struct.unpack("iii", got)[0]


def server_of(path):
    with Client(path) as client:
        return peer_of(client)


def cpu_of(pid):
    """Seconds of CPU time so far."""
    with open(f"/proc/{pid}/schedstat") as line:
        return int(line.read().split()[0]) / 1e9


def descriptors(path):
    """Open descriptors of the server, when it has no client but the one that asks."""
    pid = server_of(path)
    with Client(path):
        return len(os.listdir(f"/proc/{pid}/fd"))


def memory(size=RAM):
    fd = os.memfd_create("ram")
    os.ftruncate(fd, size)
    return fd


def fired(fd, wait=1.0):
    ready = select.select([fd], [], [], wait)[0]
    return os.eventfd_read(fd) if ready else 0


class Guest:
    """Serves DMA messages out of its own memory, or what it is given."""

    def __init__(self, client, ram=None):
        self.client, self.ram, self.longest = client, ram or bytearray(RAM), 0
        self.ram[0:RAM // 2] = os.urandom(RAM // 2)

    def serve(self, message, fail=False, skipped=0):
        number, command, _, _, payload = message
        address, count = struct.unpack_from("<QQ", payload)
        self.longest = max(self.longest, count)
        answer = payload[:16]
        if command == DMA_READ:
            answer += self.ram[address + skipped:address + count] + bytes(skipped)
        else:
            assert command == DMA_WRITE and len(payload) == 16 + count
            self.ram[address:address + count] = payload[16:]
        flags, answer = (REPLY | ERROR, b"") if fail else (REPLY, answer)
        self.client.send(struct.pack("<HHIII", number, command, 16 + len(answer), flags, 14) + answer)

    def messages(self, wait=0.3):
        got = self.client.commands
        self.client.commands = []
        while select.select([self.client.socket], [], [], wait)[0]:
            got.append(self.client.receive())
        return got

    def introduce(self, **how):
        """The one read that is asked for ahead: from then on we are waited for."""
        self.client.decode(2)
        self.client.decode(6)
        if not self.client.commands:
            select.select([self.client.socket], [], [], PATIENCE)
        asked = self.messages(0)
        assert [message[1] for message in asked] == [DMA_READ], asked
        self.serve(asked[0], **how)

    def run(self, copies, **how):
        """Serves until that many copies are done or refused; how many messages it took."""
        served, end = 0, time.monotonic() + PATIENCE
        while time.monotonic() < end:
            done = sum(self.client.copies())
            got = self.messages(0)
            for message in got:
                self.serve(message, **how)
            served += len(got)
            if done >= copies and not got:
                return served
        raise TimeoutError(f"{self.client.copies()} of {copies} copies")
