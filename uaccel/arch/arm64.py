# SPDX-License-Identifier: GPL-2.0-only
"""arm64 with hardware PAN: unprivileged loads and stores need no opening."""

from uaccel.model.machine import Arch, Spelling
from uaccel.model.run import Emulation, FixupFormat, Furniture
from uaccel.tables import fixup_fields, fixup_rows, openings, roles

# arch/arm64/mm/extable.c; register 31 is the one that always holds zero.
FIXUPS = FixupFormat(
    size=12,
    relative=True,
    header="arch/arm64/include/asm/asm-extable.h",
    fields=fixup_fields("type:0:16 err:16:5 zero:21:5"),
    rows=fixup_rows(
        """
        EX_TYPE_UACCESS_ERR_ZERO | err := -14; zero := 0
        EX_TYPE_KACCESS_ERR_ZERO | err := -14; zero := 0
        """
    ),
    ignored=31,
)

# How GNU objdump writes it.
SPELLING = Spelling(
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
    values=roles(
        r"""
        opens    | msr pan, #0x0 | the kernel may
        closes   | msr pan, #0x1 | it may not
        """
    ),
    family=(
        r"[a-z][\w.]*( (?!.*%)(?!.*\br\d)"
        r"(.*\b([wxdsqvbh](\d+|zr)|sp|daif\w*|pan|\w+_el\d)\b.*|[0-9a-f]+|#?\w+))?"
    ),
    register=r"\b[wx](\d+)\b|\b(sp)\b",
    loads=r"ld(u?r|t?r)s?[bhw]* .*|ldar\w* .*",
    stores=r"st(u?r|t?r|lr)[bh]? .*",
    own=r"\[sp",
    keeps=r"(st\w+|cmp|cmn|tst|ccm[pn]|msr|dmb|dsb|prfm) .*|[a-z]+",
    flags=r"(cmp|cmn|tst|ccm[pn]|subs|adds|ands|bics) .*",
    check=r"b\.(hi|ls|cc|cs|lo|hs) .*",
    zero=r"cbn?z [wx](\d+), .*",
    moves=r"mov [wx]\d+, [wx]\d+",
    alone=r"(ldtr|sttr)\w* .*",
    arguments=("0", "1", "2"),
)

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
    # arch/arm64/include/asm/uaccess.h: raw_copy_from_user() opens around it.
    inside=r"__arch_(?:copy_(?:from|to)|clear)_user",
    begin_header=("arch/arm64/include/asm/uaccess.h",),
    # Privileged loads and stores would need an opening; ldtr and sttr need none.
    openings=openings(
        "arch/arm64/include/asm/uaccess.h",
        r"""
        read  | 0 | __raw_get_mem\("ldtr"
        write | 0 | __raw_put_mem\("sttr"
        """,
    ),
    fixups=FIXUPS,
    emulation=Emulation(
        machine=("UC_ARCH_ARM64", ("UC_MODE_ARM",)),
        cpu="UC_CPU_ARM64_MAX",
        registers="UC_ARM64_REG_",
        numbered=(*(f"X{number}" for number in range(31)), "XZR"),
        counter="PC",
        stack="SP",
        link="X30",
        result="X0",
        arguments=tuple(f"X{number}" for number in range(8)),
        furniture=(Furniture("task_struct", "SP_EL0"),),
        settings=(),
        text=0xFFFFFFC082000000,
        user_end=1 << 52,  # CONFIG_ARM64_VA_BITS
        clocks=r"mrs (x\d+), cntvct(?:ss)?_el0",
        returning="c0035fd6",
        nothing="1f2003d5",
        calls=(282, 283),  # R_AARCH64_JUMP26, R_AARCH64_CALL26
        links=(
            "arch/arm64/lib/copy_from_user.o",
            "arch/arm64/lib/copy_to_user.o",
            "arch/arm64/lib/clear_user.o",
            "arch/arm64/lib/memcpy.o",
            "arch/arm64/lib/memset.o",
        ),
    ),
    spelling=SPELLING,
)
