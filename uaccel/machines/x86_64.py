# SPDX-License-Identifier: GPL-2.0-only
"""A PC with SMAP that runs 32-bit programs too."""

from uaccel.fragments import BOOTS, LIBRARIES, lines
from uaccel.model.boot import Machine, Userland

MACHINE = Machine(
    name="x86_64",
    title="PC (q35), x86-64, SMAP",
    arch="x86_64",
    kernel="x86_64",
    srcarch="x86",
    triplet="x86_64-linux-gnu",
    package="gcc-x86-64-linux-gnu",
    emulator="qemu-system-x86_64",
    emulator_package="qemu-system-x86",
    options=("-M", "q35", "-cpu", "max", "-m", "256", "-nic", "none"),
    console="ttyS0",
    config=(
        *BOOTS,
        *LIBRARIES,
        *lines(
            """
            64BIT
            DEVTMPFS_MOUNT
            SERIAL_8250
            SERIAL_8250_CONSOLE
            ACPI
            PCI
            HYPERVISOR_GUEST
            PVH
            IA32_EMULATION
            SND_ALOOP
            """
        ),
    ),
    image="vmlinux",
    rows=(),
    userlands=(
        Userland("i386", "x86-linux-musl", True),
        Userland("amd64", "x86_64-linux-musl", True),
    ),
    megabytes=140,
    seconds=434,
    objects=944,
)
