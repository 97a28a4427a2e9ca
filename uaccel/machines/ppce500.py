# SPDX-License-Identifier: GPL-2.0-only
"""The e500 board that QEMU invented: booke, where the PID register guards user memory."""

from uaccel.fragments import BOOTS, lines
from uaccel.model.boot import Machine, Userland
from uaccel.tables import roles

MACHINE = Machine(
    name="ppce500",
    title="ppce500 with e500mc, booke, KUAP by PID",
    arch="",
    kernel="powerpc",
    srcarch="powerpc",
    triplet="powerpc-linux-gnu",
    package="gcc-powerpc-linux-gnu",
    emulator="qemu-system-ppc",
    emulator_package="qemu-system-ppc",
    options=("-M", "ppce500", "-cpu", "e500mc", "-m", "256", "-nic", "none"),
    console="ttyS0",
    config=(
        *BOOTS,
        *lines(
            """
            PPC_85xx
            PPC_E500MC
            PPC_QEMU_E500
            PPC_KUAP
            FSL_SOC_BOOKE
            PHYS_64BIT
            PCI
            SERIAL_8250
            SERIAL_8250_CONSOLE
            SERIAL_OF_PLATFORM
            """
        ),
    ),
    image="vmlinux",
    # arch/powerpc/include/asm/nohash/kup-booke.h: the task's number opens, zero closes.
    rows=roles(
        r"""
        toggles  | mtpid \w+\|mtspr 0x30, .* | PID: the task's opens, zero closes
        calls    | bla? .*\|b(ct\|l)rl[+-]?\|bcl[+-]? .* | link register written
        returns  | blr         | to the link register
        branches | b .*\|bctr | always taken
        forks    | b\w+[+-]? .*    | conditional
        nop      | nop         | ori 0,0,0
        """
    ),
    userlands=(Userland("powerpc", "powerpc-linux-musleabi", False),),
    megabytes=80,
    seconds=318,
    objects=614,
)
