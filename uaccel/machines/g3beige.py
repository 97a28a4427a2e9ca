# SPDX-License-Identifier: GPL-2.0-only
"""PowerMac G3: book3s/32, where the Ks bit of a segment guards writes."""

from uaccel.fragments import BOOTS, lines
from uaccel.model.boot import Machine, Userland

MACHINE = Machine(
    name="g3beige",
    title="PowerMac G3 (750), book3s/32, KUAP by segments",
    arch="ppc32",
    kernel="powerpc",
    srcarch="powerpc",
    triplet="powerpc-linux-gnu",
    package="gcc-powerpc-linux-gnu",
    emulator="qemu-system-ppc",
    emulator_package="qemu-system-ppc",
    options=("-M", "g3beige", "-m", "256", "-nic", "none"),
    console="ttyPZ0",
    config=(
        *BOOTS,
        *lines(
            """
            PPC_BOOK3S_32
            PPC_PMAC
            PPC_KUAP
            PPC_OF_BOOT_TRAMPOLINE
            SERIAL_PMACZILOG
            SERIAL_PMACZILOG_CONSOLE
            MACINTOSH_DRIVERS
            ADB
            ADB_CUDA
            """
        ),
    ),
    image="vmlinux",
    rows=(),
    userlands=(Userland("powerpc", "powerpc-linux-musleabi", False),),
    megabytes=80,
    seconds=383,
    objects=600,
)
