# SPDX-License-Identifier: GPL-2.0-only
"""arm with CONFIG_CPU_SW_DOMAIN_PAN: the domain access register keeps the kernel out."""

from uaccel.model.machine import Arch, Spelling
from uaccel.model.run import Emulation, FixupFormat, Furniture, Gate
from uaccel.model.source import Direction
from uaccel.tables import openings, roles

# arch/arm/mm/extable.c: nothing is done but to go on elsewhere.
FIXUPS = FixupFormat(size=8, relative=False)

# How GNU objdump writes it.
SPELLING = Spelling(
    rows=roles(
        r"""
        toggles  | mcr 15, 0, \w+, cr3, cr0, \{0\} | DACR
        calls    | bl(x\|eq\|ne\|[clhv][cs]\|lo\|mi\|pl\|hi\|[gl][et])? .* | link register written
        returns  | bx lr\|pop .*pc.*\|ldm\w* .*pc.* | to lr or from the stack
        branches | b [^.]*      | always taken
        forks    | b(eq\|ne\|[clhv][cs]\|lo\|mi\|pl\|hi\|[gl][et]) .* | conditional
        nop      | nop( \{0\})?          | padding
        """
    ),
    values=roles(
        r"""
        opens    | orr \w+, \w+, #4 | the user's domain is client
        opens    | mov \w+, #(85\|21\|5) | the same as a constant
        closes   | mrc 15, 0, \w+, cr3, cr0, \{0\} | as it was before
        closes   | bic \w+, \w+, #12 | no access
        """
    ),
    family=(
        r"[a-z]\w*(\.\w)?"
        r"( (?!.*%)(?!.*,[^ ])(?!.*\b[wx]\d)"
        r"(.*(\b(r\d+|sl|fp|ip|sp|lr|pc)\b| ).*|[0-9a-f]+|\{0\}|#?\w+))?"
    ),
    register=r"\b(r\d+|sl|fp|ip|sp|lr)\b",
    loads=r"ldrs?[bh]?t?(eq|ne|[clhv][cs]|mi|pl|hi|[gl][et])? .*",
    stores=r"strs?[bh]?t?(eq|ne|[clhv][cs]|mi|pl|hi|[gl][et])? .*",
    own=r"\[sp",
    keeps=r"(st\w+|cmp\w*|cmn\w*|tst\w*|teq\w*|mcr|dmb|dsb|isb|push) .*|isb|nop",
    flags=r"(cmp|cmn|tst|teq)\w* .*|(add|sub|rsb|and|orr|bic|mov|sbc|adc|mvn|lsl|lsr)s\w* .*",
    check=r"b(hi|ls|cc|cs|lo|hs) .*",
    zero=r"cmp (\w+), #0",
    moves=r"mov \w+, [a-z]\w*",
    beside=r"isb( sy)?|mrc 15, 0, \w+, cr3, cr0, \{0\}",
    alone=r"(ldr|str)s?[bh]?t .*",
    passed=("r0", "r2"),
    arguments=("r0", "r1", "r2"),
)

ARCH = Arch(
    name="arm",
    title="arm, domains",
    kernel="arm",
    srcarch="arm",
    triplet="arm-linux-gnueabihf",
    package="gcc-arm-linux-gnueabihf",
    zig_target="arm-linux-gnueabihf",
    defconfig="allnoconfig",
    config=(
        "CONFIG_MMU=y",
        "CONFIG_ARCH_MULTIPLATFORM=y",
        "CONFIG_ARCH_MULTI_V7=y",
        "CONFIG_ARCH_VIRT=y",
        "CONFIG_ARM_PAN=y or CONFIG_CPU_SW_DOMAIN_PAN=y",
        "CONFIG_CPU_SW_DOMAIN_PAN=y",
        "CONFIG_AEABI=y",
        "CONFIG_SOUND=y",
        "CONFIG_SND=y",
        "CONFIG_SND_DRIVERS=y",
        "CONFIG_SND_DUMMY=y",
        "CONFIG_MULTIUSER=y",
        "CONFIG_EXPERT=y",
        "CONFIG_BUG=y",
    ),
    config_name="allnoconfig + arm",
    capstone=("CS_ARCH_ARM", ("CS_MODE_ARM",)),
    rows=roles(
        r"""
        toggles  | mcr p15, #?0, \w+, c3, c0, #?0 | DACR
        calls    | bl(x\|eq\|ne\|[clhv][cs]\|lo\|mi\|pl\|hi\|[gl][et])? .* | link register written
        returns  | bx lr\|pop .*pc.*\|ldm\w* .*pc.* | to lr or from the stack
        branches | b [^.]*      | always taken
        forks    | b(eq\|ne\|[clhv][cs]\|lo\|mi\|pl\|hi\|[gl][et]) .* | conditional
        nop      | nop          | padding
        """
    ),
    # uaccess_save_and_enable() and uaccess_restore() of arch/arm/include/asm/uaccess.h;
    # set_domain() of arch/arm/include/asm/domain.h ends with an isb.
    shortest_window=(
        "mrc p15, #0, r7, c3, c0, #0",
        "bic r3, r7, #0xc",
        "orr r3, r3, #4",
        "mcr p15, #0, r3, c3, c0, #0",
        "isb sy",
        "mcr p15, #0, r7, c3, c0, #0",
        "isb sy",
    ),
    protection=(
        "domains: mcr p15,0,rX,c3,c0,0 (DACR) opens and closes, for reads and writes alike"
    ),
    features=(),
    helpers=("lib/usercopy.o", "arch/arm/lib/getuser.o", "arch/arm/lib/putuser.o"),
    # The macros of arch/arm/include/asm/uaccess.h open around what arch/arm/lib has.
    inside=r"__(?:get|put)_user_\w+|(?:arm_copy|__copy)_(?:from|to)_user(?:_std)?|(?:arm|__)_?clear_user(?:_std)?",
    begin_header=("arch/arm/include/asm/uaccess.h",),
    # get_user() and put_user() open within these two.
    openings=openings(
        "arch/arm/include/asm/uaccess.h",
        r"""
        read  | 1 | __get_user_check\(x, ?p\) .{,400}= uaccess_save_and_enable\(\)
        write | 1 | __put_user_switch\(x, ?ptr, [^)]*\) .{,400}= uaccess_save_and_enable\(\)
        """,
    ),
    fixups=FIXUPS,
    emulation=Emulation(
        machine=("UC_ARCH_ARM", ("UC_MODE_ARM",)),
        cpu="UC_CPU_ARM_CORTEX_A15",
        registers="UC_ARM_REG_",
        numbered=(*(f"R{number}" for number in range(13)), "SP", "LR"),
        counter="PC",
        stack="SP",
        link="LR",
        result="R0",
        wide=("R0", "R1"),
        arguments=("R0", "R1", "R2", "R3"),
        furniture=(Furniture("task_struct", "C13_C0_3"),),  # TPIDRURO
        settings=(("CPSR", 0x1D3),),  # supervisor mode, interrupts off
        pairs=True,
        text=0xC2000000,
        user_end=0xBF000000,  # TASK_SIZE, 16 MB below CONFIG_PAGE_OFFSET
        returning="1eff2fe1",
        nothing="00f020e3",
        calls=(28, 29),  # R_ARM_CALL, R_ARM_JUMP24
        operand=r"mcr p15, #?0, (\w+), c3, c0, #?0",
        gates=(  # asm/domain.h: the user's domain is client
            Gate(Direction.READ, 0xC, 0x4),
            Gate(Direction.WRITE, 0xC, 0x4),
        ),
        links=(
            "arch/arm/lib/copy_from_user.o",
            "arch/arm/lib/copy_to_user.o",
            "arch/arm/lib/clear_user.o",
            "arch/arm/lib/memcpy.o",
            "arch/arm/lib/memmove.o",
            "arch/arm/lib/memset.o",
            "arch/arm/lib/lib1funcs.o",
            "arch/arm/lib/div64.o",
            "arch/arm/lib/ashldi3.o",
            "arch/arm/lib/ashrdi3.o",
            "arch/arm/lib/lshrdi3.o",
            "arch/arm/lib/muldi3.o",
            "lib/math/div64.o",
        ),
    ),
    spelling=SPELLING,
)
