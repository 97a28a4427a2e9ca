# SPDX-License-Identifier: GPL-2.0-only
"""arm64 with hardware PAN: unprivileged loads and stores need no opening."""

from uaccel.model.machine import Arch
from uaccel.tables import openings, roles

ARCH = Arch(
    name="arm64",
    title="arm64, hardware PAN",
    kernel="arm64",
    srcarch="arm64",
    triplet="aarch64-linux-gnu",
    package="gcc-aarch64-linux-gnu",
    zig_target="aarch64-linux-gnu",
    defconfig="allnoconfig",
    config=(
        "CONFIG_MMU=y",
        "CONFIG_64BIT=y",
        "CONFIG_SOUND=y",
        "CONFIG_SND=y",
        "CONFIG_SND_DRIVERS=y",
        "CONFIG_SND_DUMMY=y",
        "CONFIG_COMPAT=y",
        "CONFIG_MULTIUSER=y",
        "CONFIG_EXPERT=y",
        "CONFIG_HAS_IOMEM=y",
        "CONFIG_NO_HZ_IDLE=y",
        "CONFIG_SMP=y",
        "CONFIG_BUG=y",
        "CONFIG_ARM64_PAN=y if possible",
        "# CONFIG_ARM64_SW_TTBR0_PAN is not set",
    ),
    config_name="allnoconfig + arm64",
    capstone=("CS_ARCH_ARM64", ("CS_MODE_LITTLE_ENDIAN",)),
    rows=roles(
        r"""
        toggles  | msr pan, .* | PSTATE.PAN
        calls    | blr? .*      | link register written
        returns  | ret.*        | to x30
        branches | b [^.]*\|br .* | always taken
        forks    | (b\.\w+\|cbn?z\|tbn?z) .* | conditional
        nop      | nop          | patched alternatives
        """
    ),
    # With hardware PAN nothing stands around ldtr and sttr (arch/arm64/include/asm/uaccess.h).
    shortest_window=(),
    protection=(
        "hardware PAN: get_user() and put_user() use ldtr and sttr, so nothing opens or closes;"
        " only instructions can be saved"
    ),
    features=(),
    helpers=("lib/usercopy.o",),
    begin_header=("arch/arm64/include/asm/uaccess.h",),
    # Privileged loads and stores would need an opening; ldtr and sttr need none.
    openings=openings(
        "arch/arm64/include/asm/uaccess.h",
        r"""
        read  | 0 | __raw_get_mem\("ldtr"
        write | 0 | __raw_put_mem\("sttr"
        """,
    ),
)
