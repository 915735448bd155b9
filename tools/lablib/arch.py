# SPDX-License-Identifier: Apache-2.0
"""What differs between the machines that guests may be."""

import typing


class Arch(typing.NamedTuple):
    debian: str  # Debian's name of it
    qemu: str  # the program, and the Debian package that brings it
    package: str
    machine: str
    cpu: str
    serial: str  # the console is its 0, the shell's line its 1
    append: str  # what only its kernel knows
    loader: str  # of its programs, where they look for it
    compiler: tuple = ("gcc",)  # for static programs; {} is a tree of the packages below
    headers: tuple = ()


X86_64 = Arch("amd64", "qemu-system-x86_64", "qemu-system-x86", "pc", "qemu64", "ttyS",
              "tsc=reliable no_timer_check", "lib64/ld-linux-x86-64.so.2")
AARCH64 = Arch("arm64", "qemu-system-aarch64", "qemu-system-arm",
               "virt,gic-version=3,its=on", "cortex-a72", "ttyAMA", "",
               "lib/ld-linux-aarch64.so.1",
               ("clang", "--target=aarch64-linux-gnu", "--sysroot={}", "-fuse-ld=lld"),
               ("libc6-dev", "linux-libc-dev", "libgcc-14-dev"))
