# SPDX-License-Identifier: GPL-2.0-only
"""POWER9 under a hypervisor: book3s/64 with radix tables, where AMR guards user memory."""

from uaccel.fragments import BOOTS, LIBRARIES, lines
from uaccel.model.boot import Machine, Userland

MACHINE = Machine(
    name="pseries",
    title="pseries with POWER9, book3s/64 radix, KUAP by AMR",
    arch="ppc64le",
    kernel="powerpc",
    srcarch="powerpc",
    triplet="powerpc64le-linux-gnu",
    package="gcc-powerpc64le-linux-gnu",
    emulator="qemu-system-ppc64",
    emulator_package="qemu-system-ppc",
    # x-vof: no firmware of its own, which takes longer than the kernel.
    options=("-M", "pseries,x-vof=on", "-cpu", "power9", "-m", "512", "-nic", "none"),
    console="hvc0",
    config=(
        *BOOTS,
        *LIBRARIES,
        *lines(
            """
            PPC64
            PPC_BOOK3S_64
            CPU_LITTLE_ENDIAN
            PPC_PSERIES
            PPC_RADIX_MMU
            PPC_RADIX_MMU_DEFAULT
            PPC_64S_HASH_MMU
            PPC_KUAP
            PPC_FPU
            ALTIVEC
            VSX
            PPC_OF_BOOT_TRAMPOLINE
            HVC_CONSOLE
            """
        ),
    ),
    image="vmlinux",
    rows=(),
    userlands=(Userland("ppc64el", "powerpc64le-linux-musl", True),),
    megabytes=100,
    seconds=424,
    objects=715,
    # `or n,n,n`, which sets the priority of a thread: QEMU, gen_or() in target/ppc/translate.c.
    rests=tuple((0x7C000378 | n * 0x210800).to_bytes(4, "little") for n in range(1, 32)),
)
