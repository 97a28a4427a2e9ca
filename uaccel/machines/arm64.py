# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's own arm64 board, with PAN in the processor."""

from uaccel.fragments import BOOTS, LIBRARIES, lines
from uaccel.model.boot import Machine, Userland

MACHINE = Machine(
    name="arm64",
    title="virt, arm64, hardware PAN",
    arch="arm64",
    kernel="arm64",
    srcarch="arm64",
    triplet="aarch64-linux-gnu",
    package="gcc-aarch64-linux-gnu",
    emulator="qemu-system-aarch64",
    emulator_package="qemu-system-arm",
    options=("-M", "virt", "-cpu", "max", "-m", "256", "-nic", "none"),
    console="ttyAMA0",
    config=(
        *BOOTS,
        *LIBRARIES,
        *lines(
            """
            DEVTMPFS_MOUNT
            SERIAL_AMBA_PL011
            SERIAL_AMBA_PL011_CONSOLE
            COMPAT
            ARM64_PAN if possible
            """
        ),
    ),
    image="arch/arm64/boot/Image",
    rows=(),
    # Programs of 32 bits are the ones whose SYNC_PTR is not a struct copy already.
    userlands=(
        Userland("armhf", "arm-linux-musleabihf", True),
        Userland("arm64", "aarch64-linux-musl", True),
    ),
    megabytes=90,
    seconds=449,
    objects=632,
)
