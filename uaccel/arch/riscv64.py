# SPDX-License-Identifier: GPL-2.0-only
"""RISC-V, 64 bits: the SUM bit of sstatus lets the kernel touch user pages."""

from uaccel.model.machine import Arch, Spelling
from uaccel.model.run import Emulation, FixupFormat, Furniture
from uaccel.tables import fixup_fields, fixup_rows, openings, roles

# arch/riscv/mm/extable.c; register 0 always holds zero.
FIXUPS = FixupFormat(
    size=12,
    relative=True,
    header="arch/riscv/include/asm/asm-extable.h",
    fields=fixup_fields("type:0:16 err:16:5 zero:21:5"),
    rows=fixup_rows(
        """
        EX_TYPE_FIXUP            | -
        EX_TYPE_UACCESS_ERR_ZERO | err := -14; zero := 0
        """
    ),
    ignored=0,
)

# How GNU objdump writes it.
SPELLING = Spelling(
    rows=roles(
        r"""
        opens    | csrs sstatus,[a-z]\w+ | sets SUM
        closes   | csrc sstatus,[a-z]\w+ | clears SUM
        calls    | jalr? .*    | link register written
        returns  | ret | jalr zero, 0(ra)
        branches | (j\|jr) .* | always taken
        forks    | b\w+ .*    | conditional
        nop      | nop        | padding
        """
    ),
    values=(),
    family=r"[a-z][\w.]*( (?!.*[%#\[])(.*\b([ast]\d+|[rsgt]p|ra|zero)\b.*|[0-9a-f]+|[iorw,]+))?",
    register=r"\b([ast]\d+|ra|sp|gp|tp)\b",
    loads=r"l[bhwd]u? .*",
    stores=r"s[bhwd] .*",
    own=r"\((sp|tp)\)",
    keeps=r"(s[bhwd]|b\w+|j|jr|fence\S*|csr[csw]i?) .*|[a-z]+",
    flags=r"(?!)",
    check=r"b(lt|ge|gt|le)u .*",
    zero=r"b(?:nez|eqz) (\w+),.*",
    moves=r"mv .*",
    asks=r"srli? \w+,\w+,0xb",  # a thread of 32 bits has a limit of its own
    arguments=("a0", "a1", "a2"),
)

ARCH = Arch(
    name="riscv64",
    title="riscv64, SUM",
    kernel="riscv",
    srcarch="riscv",
    triplet="riscv64-linux-gnu",
    package="gcc-riscv64-linux-gnu",
    zig_target="riscv64-linux-gnu",
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
        "CONFIG_NONPORTABLE=y",
        "CONFIG_ARCH_RV64I=y",
    ),
    config_name="allnoconfig + riscv64",
    capstone=("CS_ARCH_RISCV", ("CS_MODE_RISCV64", "CS_MODE_RISCVC")),
    rows=roles(
        r"""
        opens    | csrs sstatus, .* | sets SUM
        closes   | csrc sstatus, .* | clears SUM
        calls    | (c\.)?jalr? .*    | link register written
        returns  | ret\|c\.jr ra    | jalr zero, 0(ra)
        branches | (c\.)?(j\|jr) .* | always taken
        forks    | (c\.)?b\w+ .*    | conditional
        nop      | (c\.)?nop        | padding
        """
    ),
    # __enable_user_access() and __disable_user_access() of arch/riscv/include/asm/uaccess.h.
    shortest_window=(
        "lui a4, 0x40",
        "csrs sstatus, a4",
        "csrc sstatus, a4",
    ),
    protection=("SUM: csrs and csrc of sstatus open and close, for reads and writes alike"),
    features=(),
    helpers=("lib/usercopy.o",),
    # Linux 7.3, arch/riscv/include/asm/uaccess.h: called where user memory is open already.
    inside=r"__asm_copy_(?:from|to)_user_sum_enabled",
    begin_header=("arch/riscv/include/asm/uaccess.h",),
    # __get_user() and __put_user() open around the access itself.
    openings=openings(
        "arch/riscv/include/asm/uaccess.h",
        r"""
        read  | 1 | __enable_user_access\(\); __get_user_\w+\(
        write | 1 | __enable_user_access\(\); __put_user_\w+\(
        """,
    ),
    fixups=FIXUPS,
    emulation=Emulation(
        machine=("UC_ARCH_RISCV", ("UC_MODE_RISCV64",)),
        cpu="",
        registers="UC_RISCV_REG_",
        numbered=tuple(f"X{number}" for number in range(32)),
        counter="PC",
        stack="X2",
        link="X1",
        result="X10",
        arguments=tuple(f"X{number}" for number in range(10, 18)),
        furniture=(Furniture("task_struct", "X4"),),
        settings=(),
        signs=True,
        text=0xFFFFFFFF82000000,
        user_end=1 << 38,  # Sv39, which pgtable_l4_enabled and pgtable_l5_enabled = 0 say
        clocks=r"rdtime (\w+)",
        returning="67800000",
        nothing="13000000",
        calls=(17, 18, 19),  # R_RISCV_JAL, R_RISCV_CALL, R_RISCV_CALL_PLT
        links=(
            "arch/riscv/lib/uaccess.o",
            "arch/riscv/lib/memcpy.o",
            "arch/riscv/lib/memmove.o",
            "arch/riscv/lib/memset.o",
        ),
    ),
    spelling=SPELLING,
)
