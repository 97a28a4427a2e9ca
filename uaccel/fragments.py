# SPDX-License-Identifier: GPL-2.0-only
"""Configuration lines that many kernels need alike, beginning from allnoconfig."""

from __future__ import annotations

from uaccel.errors import BrokenInvariant


def lines(text: str) -> tuple[str, ...]:
    """Return the lines for words like `PRINTK`, one a line; what says more stands as it is."""
    return tuple(_line(row.strip()) for row in text.strip().splitlines())


def _line(row: str) -> str:
    name, *rest = row.split(" ", 1)
    if not row or name.startswith("CONFIG_"):
        raise BrokenInvariant(f"no name of an option: {row!r}")
    assigned = name if "=" in name else f"{name}=y"
    return " ".join((f"CONFIG_{assigned}", *rest))


# A kernel that runs a program of its initramfs, with a sound card that needs no hardware.
BOOTS = lines(
    """
    EXPERT
    MULTIUSER
    PRINTK
    BUG
    FUTEX
    KALLSYMS
    BINFMT_ELF
    BINFMT_SCRIPT
    BLK_DEV_INITRD
    INITRAMFS_SOURCE=""
    RD_GZIP
    DEVTMPFS
    TMPFS
    SHMEM
    PROC_FS
    SYSFS
    TTY
    UNIX98_PTYS
    HIGH_RES_TIMERS
    POSIX_TIMERS
    COMPAT_32BIT_TIME if possible
    SOUND
    SND
    SND_DRIVERS
    SND_DUMMY
    CC_OPTIMIZE_FOR_PERFORMANCE
    STACKPROTECTOR if possible
    STACKPROTECTOR_STRONG if possible
    INIT_STACK_ALL_ZERO if possible
    """
)
# What a distribution's C library and its sound library ask for besides.
LIBRARIES = lines(
    """
    EPOLL
    EVENTFD
    SIGNALFD
    TIMERFD
    SYSVIPC
    FILE_LOCKING
    ADVISE_SYSCALLS
    PROC_SYSCTL or CONFIG_SYSCTL=y
    SND_PROC_FS
    SND_PCM_TIMER
    NO_HZ_IDLE
    """
)
