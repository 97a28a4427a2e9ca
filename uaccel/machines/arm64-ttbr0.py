# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's own arm64 board, with a processor that lacks PAN: TTBR0 guards user memory."""

from uaccel.fragments import BOOTS, LIBRARIES, lines
from uaccel.model.boot import Machine, Userland

MACHINE = Machine(
    name="arm64-ttbr0",
    title="virt with Cortex-A53, arm64, software PAN through TTBR0",
    arch="arm64-ttbr0",
    kernel="arm64",
    srcarch="arm64",
    triplet="aarch64-linux-gnu",
    package="gcc-aarch64-linux-gnu",
    emulator="qemu-system-aarch64",
    emulator_package="qemu-system-arm",
    options=("-M", "virt", "-cpu", "cortex-a53", "-m", "256", "-nic", "none"),
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
            ARM64_SW_TTBR0_PAN
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
    seconds=390,
    objects=632,
)
