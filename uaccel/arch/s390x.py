# SPDX-License-Identifier: GPL-2.0-only
"""s390: mvcos names the address space of each operand, nothing opens or closes."""

from uaccel.model.machine import Arch
from uaccel.tables import openings, roles

ARCH = Arch(
    name="s390x",
    title="s390x, mvcos",
    kernel="s390",
    srcarch="s390",
    triplet="s390x-linux-gnu",
    package="gcc-s390x-linux-gnu",
    zig_target="s390x-linux-gnu",
    defconfig="allnoconfig",
    config=(
        "CONFIG_SOUND=y",
        "CONFIG_SND=y",
        "CONFIG_SND_DRIVERS=y",
        "CONFIG_SND_DUMMY=y",
        "CONFIG_MULTIUSER=y",
        "CONFIG_EXPERT=y",
        "CONFIG_COMPAT=y if possible",
        "CONFIG_HAS_IOMEM=y",
        "CONFIG_PCI=y",
        "CONFIG_BUG=y",
    ),
    config_name="allnoconfig + s390x",
    capstone=("CS_ARCH_SYSZ", ("CS_MODE_BIG_ENDIAN",)),
    rows=roles(
        r"""
        calls    | (brasl\|basr) .* | link register written
        returns  | br %r14       | to the link register
        branches | (j\|jg\|br) .* | always taken
        forks    | (j\w+\|c\w*j\w*\|brct\w*) .* | conditional
        nop      | nopr?.*\|jnop.* | padding
        """
    ),
    # Nothing stands around mvcos (arch/s390/include/asm/uaccess.h).
    shortest_window=(),
    protection=("mvcos carries the user's key with each access, so nothing opens or closes"),
    features=(),
    helpers=("lib/usercopy.o",),
    begin_header=("arch/s390/include/asm/uaccess.h",),
    # mvcos moves a scalar or more, whichever way.
    openings=openings(
        "arch/s390/include/asm/uaccess.h",
        r"both | 0 | \bmvcos\b",
    ),
)
