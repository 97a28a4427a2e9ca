# SPDX-License-Identifier: GPL-2.0-only
"""s390: mvcos names the address space of each operand, nothing opens or closes."""

from uaccel.model.machine import Arch, Spelling
from uaccel.model.run import Emulation, FixupFormat, Furniture
from uaccel.tables import fixup_fields, fixup_rows, openings, roles

# arch/s390/mm/extable.c
FIXUPS = FixupFormat(
    size=12,
    relative=True,
    header="arch/s390/include/asm/asm-extable.h",
    fields=fixup_fields("type:0:16 err:16:4 addr:20:4 len:24:4"),
    rows=fixup_rows(
        """
        EX_TYPE_FIXUP           | -
        EX_TYPE_UA_STORE        | err := -14
        EX_TYPE_UA_FAULT        | err := -14
        EX_TYPE_UA_LOAD_MEM     | err := -14; zero len at addr
        EX_TYPE_UA_LOAD_REG     | err := -14; addr := 0
        EX_TYPE_UA_MVCOS_TO     | shorten the move
        EX_TYPE_UA_MVCOS_FROM   | shorten the move
        EX_TYPE_UA_LOAD_REGPAIR | err := -14; addr := 0; addr+1 := 0
        """
    ),
)

# How GNU objdump writes it.
SPELLING = Spelling(
    rows=roles(
        r"""
        calls    | (brasl\|basr) .* | link register written
        returns  | br %r14       | to the link register
        branches | (j\|jg\|br) .* | always taken
        forks    | (j\w+\|c\w*j\w*\|brct\w*) .* | conditional
        nop      | nopr?.*\|jnop.* | padding
        """
    ),
    values=(),
    family=r"[a-z]\w*( (?!.*%[re][^\d])(.*%[ra]\d+.*|[0-9a-f]+|[\d,()-]+))?",
    register=r"%(r\d+)",
    loads=r"l(g|gf|lgf|lc|lgc|h|gh|lh|lgh|gb|b)?y? .*\(.*|mvcos -?\d+\(%r15\),.*",
    stores=r"st(g|c|h|cy|hy|y)? .*|mv(i|hi|ghi|hhi) .*|mvcos [^,]*,-?\d+\(%r15\),.*",
    own=r"\((%r\d+,)?%r15\)",
    keeps=r"(st\w*|c|cl|cg|clg|c[lg]?[hf]?i|clf?hsi|clgrj\w*|c\w+|tm\w*|mv\w*) .*",
    flags=r"(c\w*|lt\w*|tm\w*|n\w*|o\w*|x\w*|a\w*|s[lgr]\w*) .*",
    check=r"(clg?r?|clg?f?i|clr) .*|cl\w*j\w* .*",
    zero=r"lt(?:g|gf)?r %(r\d+),%\1|c[gl]*[ih]j\w* %(r\d+),0,.*",
    moves=r"l(g|gf|lgf)?r .*",
    alone=r"mvcos .*",
    passed=("r0",),  # which operand is the user's
    arguments=("r2", "r3", "r4"),
)

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
    fixups=FIXUPS,
    emulation=Emulation(
        machine=("UC_ARCH_S390X", ("UC_MODE_BIG_ENDIAN",)),
        cpu="",
        registers="UC_S390X_REG_",
        numbered=tuple(f"R{number}" for number in range(16)),
        counter="PC",
        stack="R15",
        link="R14",
        result="R2",
        arguments=("R2", "R3", "R4", "R5", "R6"),
        furniture=(
            Furniture("task_struct"),
            Furniture("lowcore", members=(("current_task", "task_struct"),), address=0),
        ),
        settings=(("PSWM", 0x180000000),),  # addresses of 64 bits
        references=True,
        gap=True,
        text=0x82000000,
        user_end=(1 << 64) - 0x1000,  # TASK_SIZE_MAX
        returning="07fe",
        nothing="c00400000000",
        calls=(20,),  # R_390_PLT32DBL
        above=160,
        moves=r"mvcos .*",
        links=("arch/s390/lib/uaccess.o", "arch/s390/lib/mem.o"),
    ),
    spelling=SPELLING,
)
