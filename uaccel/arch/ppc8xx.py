# SPDX-License-Identifier: GPL-2.0-only
"""PowerPC 8xx: MD_AP keeps the kernel out of user pages."""

from dataclasses import replace

from uaccel.arch.ppc32 import SPELLING as KIN
from uaccel.model.machine import Arch
from uaccel.model.run import Emulation, FixupFormat, Furniture, Gate
from uaccel.model.source import Direction
from uaccel.tables import openings, roles

# arch/powerpc/include/asm/extable.h: nothing is done but to go on elsewhere.
FIXUPS = FixupFormat(size=8, relative=True)

# How GNU objdump writes it.
SPELLING = replace(
    KIN,
    rows=roles(
        r"""
        toggles  | mtspr 794,.*\|mtmd_ap .* | MD_AP: 0xdc000000 opens, 0xde000000 closes
        calls    | bla? .*\|b(ct\|l)rl[+-]?\|bcl[+-]? .* | link register written
        returns  | blr         | to the link register
        branches | b .*\|bctr | always taken
        forks    | b\w+[+-]? .*    | conditional
        nop      | nop         | ori 0,0,0
        """
    ),
    values=roles(
        r"""
        opens    | lis \w+,-9216 | 0xdc000000
        closes   | lis \w+,-8704 | 0xde000000
        """
    ),
    beside="",
)

ARCH = Arch(
    name="ppc8xx",
    title="PowerPC 8xx, KUAP",
    kernel="powerpc",
    srcarch="powerpc",
    triplet="powerpc-linux-gnu",
    package="gcc-powerpc-linux-gnu",
    zig_target="powerpc-linux-gnueabi",
    defconfig="allnoconfig",
    config=(
        "CONFIG_PPC_8xx=y",
        "CONFIG_PPC_KUAP=y",
        "CONFIG_SOUND=y",
        "CONFIG_SND=y",
        "CONFIG_SND_DRIVERS=y",
        "CONFIG_SND_DUMMY=y",
        "CONFIG_MULTIUSER=y",
        "CONFIG_EXPERT=y",
        "CONFIG_BUG=y",
    ),
    config_name="allnoconfig + ppc8xx",
    capstone=("CS_ARCH_PPC", ("CS_MODE_32", "CS_MODE_BIG_ENDIAN")),
    rows=roles(
        r"""
        toggles  | mtspr 0x31a, .* | MD_AP: 0xdc000000 opens, 0xde000000 closes
        calls    | bla? .*\|b(ct\|l)rl\|bcl .* | link register written
        returns  | blr         | to the link register
        branches | b .*\|bctr | always taken
        forks    | b\w+[+-]? .*    | conditional
        nop      | nop         | ori 0,0,0
        """
    ),
    # uaccess_begin_8xx() and uaccess_end_8xx() of arch/powerpc/include/asm/nohash/32/kup-8xx.h.
    shortest_window=(
        "lis r9, -0x2400",
        "mtspr 0x31a, r9",
        "lis r9, -0x2200",
        "mtspr 0x31a, r9",
    ),
    protection=("KUAP: mtspr 794 (MD_AP) opens and closes, for reads and writes alike"),
    features=(),
    helpers=("lib/usercopy.o",),
    # arch/powerpc/include/asm/uaccess.h: raw_copy_from_user() opens around it.
    inside=r"__copy_tofrom_user|__arch_clear_user",
    # Linux 6.1, arch/powerpc/include/asm/kup.h: kuap_is_disabled() where no code is patched.
    switches=r"disable_kuap_key",
    begin_header=("arch/powerpc/include/asm/uaccess.h",),
    # allow_user_access(), which stands around every access of asm/uaccess.h.
    openings=openings(
        "arch/powerpc/include/asm/nohash/32/kup-8xx.h",
        r"both | 1 | allow_user_access\([^)]*\) \{ (mtspr\(SPRN_MD_AP\|uaccess_begin_8xx\()",
    ),
    fixups=FIXUPS,
    emulation=Emulation(
        machine=("UC_ARCH_PPC", ("UC_MODE_PPC32", "UC_MODE_BIG_ENDIAN")),
        cpu="",
        registers="UC_PPC_REG_",
        numbered=tuple(f"{number}" for number in range(32)),
        counter="PC",
        stack="1",
        link="LR",
        result="3",
        wide=("4", "3"),
        arguments=tuple(f"{number}" for number in range(3, 11)),
        furniture=(Furniture("task_struct", "2"),),
        settings=(),
        pairs=True,
        references=True,
        text=0xC2000000,
        user_end=0x80000000,  # CONFIG_TASK_SIZE
        returning="4e800020",
        nothing="60000000",
        calls=(10,),  # R_PPC_REL24
        operand=r"mtspr 0x31a, r(\d+)",
        gates=(
            Gate(Direction.READ, 0xFFFFFFFF, 0xDC000000),
            Gate(Direction.WRITE, 0xFFFFFFFF, 0xDC000000),
        ),
        above=8,
        clears=r"dcbz (?:0|r(\d+)), r(\d+)",
        line=16,  # L1_CACHE_BYTES of arch/powerpc/include/asm/cache.h
        links=(
            "arch/powerpc/lib/copy_32.o",
            "arch/powerpc/lib/string_32.o",
            "arch/powerpc/lib/crtsavres.o",
            "arch/powerpc/lib/div64.o",
            "lib/math/div64.o",
        ),
    ),
    spelling=SPELLING,
)
