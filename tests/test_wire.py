# SPDX-License-Identifier: Apache-2.0
"""The vfio-user server against wire.py, with a plain device behind it."""

import os
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("ANYNIC_BUILD") or os.path.join(os.path.dirname(HERE), "build")
STUB = os.environ.get("FRONT_STUB") or os.path.join(BUILD, "front-stub")


class Stub:
    def __init__(self, path):
        self.process = subprocess.Popen([STUB, path], stderr=subprocess.PIPE)
        end = time.monotonic() + 5
        while self.process.poll() is None and time.monotonic() < end:
            try:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(path)
                return
            except OSError:
                time.sleep(0.01)
        raise AssertionError(f"{STUB} does not listen: {self.process.stderr.read()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Ends it in good order, so that leaks and coverage are told."""
        self.process.terminate()
        self.errors = errors = self.process.communicate(timeout=10)[1].decode()
        assert self.process.returncode in (0, -9), errors
        assert "Sanitizer" not in errors and "runtime error" not in errors, errors


def test_wire():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/s"
        with Stub(path) as stub:
            run = subprocess.run([sys.executable, f"{HERE}/wire.py", path], timeout=300,
                                 capture_output=True, text=True)
            assert run.returncode == 0, run.stdout + run.stderr
            assert " 0 failed" in run.stdout and "skipped" not in run.stdout, run.stdout
            assert stub.process.poll() is None, "the server died"


def log_of(word):
    with tempfile.TemporaryDirectory() as folder:
        with Stub(f"{folder}/s") as stub:
            subprocess.run([sys.executable, f"{HERE}/wire.py", f"{folder}/s", word], timeout=60,
                           check=True, stdout=subprocess.DEVNULL)
        return stub.errors


def test_memory_that_is_not_what_it_seems_is_told_once():
    assert log_of("cut_short").count("is gone") == 2  # two clients did it
    assert log_of("only_looks_shared").count("not shared (share=on?)") == 2
    assert "not shared" not in log_of("is_proven")


def test_socket_paths():
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/s"
        with Stub(path) as stub:
            second = subprocess.run([STUB, path], timeout=5, capture_output=True, text=True)
            assert second.returncode == 1 and "another process" in second.stderr, second
            stub.process.kill()
        assert os.path.exists(path), "killed: its socket stays"
        with Stub(path):
            pass
        with open(f"{folder}/file", "w") as file:
            file.write("precious")
        refused = subprocess.run([STUB, f"{folder}/file"], timeout=5, capture_output=True, text=True)
        assert refused.returncode == 1 and "not a socket" in refused.stderr, refused
        with open(f"{folder}/file") as file:
            assert file.read() == "precious"
