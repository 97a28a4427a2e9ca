# SPDX-License-Identifier: GPL-2.0-only
"""PowerPC book3s/32 (603, 750, 74xx): the Ks bit of a segment guards writes."""

from uaccel.model.machine import Arch, Spelling
from uaccel.model.run import Emulation, FixupFormat, Furniture, Gate
from uaccel.model.source import Direction
from uaccel.tables import openings, roles

# arch/powerpc/include/asm/extable.h: nothing is done but to go on elsewhere.
FIXUPS = FixupFormat(size=8, relative=True)

# How GNU objdump writes it.
SPELLING = Spelling(
    rows=roles(
        r"""
        toggles  | mtsr(in)? .* | Ks of one 256 MB segment
        calls    | bla? .*\|b(ct\|l)rl[+-]?\|bcl[+-]? .* | link register written
        returns  | blr         | to the link register
        branches | b .*\|bctr | always taken
        forks    | b\w+[+-]? .*    | conditional
        nop      | nop         | ori 0,0,0
        """
    ),
    values=roles(
        r"""
        opens    | rlwinm \w+,\w+,0,2,0 | Ks goes
        closes   | oris \w+,\w+,16384   | Ks comes
        """
    ),
    family=r"[a-z]\w*[.+-]?( (?!.*\b(sp|ra|[ast]\d+)\b)[^ %#\[]+)?",
    register=r"\b(c?r\d+)\b",
    loads=r"l(bz|hz|ha|wz|wa|d|hbr|wbr|dbr)u?x? .*",
    stores=r"st(b|h|w|d|hbr|wbr|dbr)u?x? .*",
    own=r"\(r(1|2|13)\)",
    keeps=r"(st|mt|dcb|cmp\w* [^c]|tw|td).*|(e?ieio|i?sync|lwsync|nop|ptesync)",
    flags=r"cmp\w* [^c].*|\w+\. .*",
    check=r"cmpl[wd]i? .*",
    zero=r"cmp[wd]i (?:cr\d,)?(\w+),0",
    moves=r"mr .*",
    # The thread remembers what it has opened.
    beside=r"isync|stw r\d+,\d+\(r2\)",
    arguments=("r3", "r4", "r5"),
)

ARCH = Arch(
    name="ppc32",
    title="PowerPC book3s/32, KUAP",
    kernel="powerpc",
    srcarch="powerpc",
    triplet="powerpc-linux-gnu",
    package="gcc-powerpc-linux-gnu",
    zig_target="powerpc-linux-gnueabi",
    defconfig="allnoconfig",
    config=(
        "CONFIG_PPC_BOOK3S_32=y",
        "CONFIG_PPC_PMAC=y",
        "CONFIG_PPC_OF_BOOT_TRAMPOLINE=y",
        "CONFIG_PPC_KUAP=y",
        "CONFIG_SOUND=y",
        "CONFIG_SND=y",
        "CONFIG_SND_DRIVERS=y",
        "CONFIG_SND_DUMMY=y",
        "CONFIG_MULTIUSER=y",
        "CONFIG_EXPERT=y",
        "CONFIG_BUG=y",
    ),
    config_name="allnoconfig + ppc32",
    capstone=("CS_ARCH_PPC", ("CS_MODE_32", "CS_MODE_BIG_ENDIAN")),
    rows=roles(
        r"""
        toggles  | mtsr(in)? .* | Ks of one 256 MB segment
        calls    | bla? .*\|b(ct\|l)rl\|bcl .* | link register written
        returns  | blr         | to the link register
        branches | b .*\|bctr | always taken
        forks    | b\w+[+-]? .*    | conditional
        nop      | nop         | ori 0,0,0
        """
    ),
    # uaccess_begin_32s() and uaccess_end_32s() of arch/powerpc/include/asm/book3s/32/kup.h; what
    # the thread remembers between them comes on top.
    shortest_window=(
        "mfsrin r9, r3",
        "rlwinm r9, r9, 0, 2, 0",
        "mtsrin r9, r3",
        "isync",
        "mfsrin r9, r3",
        "oris r9, r9, 0x4000",
        "mtsrin r9, r3",
        "isync",
    ),
    protection=("KUAP: mtsrin + isync open and close one segment, for writes only"),
    features=(),
    helpers=("lib/usercopy.o",),
    # arch/powerpc/include/asm/uaccess.h: raw_copy_from_user() opens around it.
    inside=r"__copy_tofrom_user|__arch_clear_user",
    # Linux 6.1, arch/powerpc/include/asm/kup.h: kuap_is_disabled() where no code is patched.
    switches=r"disable_kuap_key",
    begin_header=("arch/powerpc/include/asm/uaccess.h",),
    # allow_user_access(), around every access of asm/uaccess.h, returns unless it writes.
    openings=openings(
        "arch/powerpc/include/asm/book3s/32/kup.h",
        r"""
        read  | 0 | if \(!\(dir & KUAP_WRITE\)\) return; current->thread\.kuap = [^;]*; \w+\(
        write | 1 | return; current->thread\.kuap = [^;]*; (kuap_unlock_one\|uaccess_begin_32s)\(
        """,
    ),
    guards_reads=False,
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
        furniture=(
            # asm/book3s/32/kup.h: KUAP_NONE, no segment is open.
            Furniture("task_struct", "2", members=(("thread.kuap", 0xFFFFFFFF),)),
        ),
        settings=(),
        pairs=True,
        references=True,
        text=0xC2000000,
        user_end=0xC0000000,  # CONFIG_TASK_SIZE
        returning="4e800020",
        nothing="60000000",
        calls=(10,),  # R_PPC_REL24
        operand=r"mtsrin r(\d+), r\d+|mtsr \d+, r(\d+)",
        gates=(
            Gate(Direction.WRITE, 0x40000000, 0),  # Ks
        ),
        above=8,
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
