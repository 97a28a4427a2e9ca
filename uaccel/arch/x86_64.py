# SPDX-License-Identifier: GPL-2.0-only
"""x86-64: EFLAGS.AC suspends SMAP."""

from uaccel.model.machine import Arch, Spelling
from uaccel.model.run import Emulation, FixupFormat, Furniture
from uaccel.tables import fixup_fields, fixup_rows, openings, roles

# arch/x86/mm/extable.c; registers are numbered as instructions number them: 0 ax, 1 cx, 2 dx.
FIXUPS = FixupFormat(
    size=12,
    relative=True,
    header="arch/x86/include/asm/extable_fixup_types.h",
    fields=fixup_fields("type:0:8 reg:8:4 clear_ax:12:1 clear_dx:13:1 imm:16:16:signed"),
    rows=fixup_rows(
        """
        EX_TYPE_DEFAULT          | 0 := 0 if clear_ax; 2 := 0 if clear_dx
        EX_TYPE_UACCESS          | 0 := 0 if clear_ax; 2 := 0 if clear_dx
        EX_TYPE_COPY             | 0 := 0 if clear_ax; 2 := 0 if clear_dx
        EX_TYPE_DEFAULT_MCE_SAFE | 0 := 0 if clear_ax; 2 := 0 if clear_dx
        EX_TYPE_FAULT            | 0 := 14; 0 := 0 if clear_ax; 2 := 0 if clear_dx
        EX_TYPE_FAULT_MCE_SAFE   | 0 := 14; 0 := 0 if clear_ax; 2 := 0 if clear_dx
        EX_TYPE_IMM_REG          | reg := imm; 0 := 0 if clear_ax; 2 := 0 if clear_dx
        EX_TYPE_UCOPY_LEN        | 1 := reg + imm * 1; 0 := 0 if clear_ax; 2 := 0 if clear_dx
        """
    ),
)

# arch/x86/lib/retpoline.S: a return, and jumps through the register that the name says.
THUNKS = (
    ("__x86_return_thunk|__fentry__", "c3"),
    *(
        (f"__x86_indirect_(call_|jump_)?thunk_r{name}", code)
        for name, code in (
            *(("ax", "ffe0"), ("cx", "ffe1"), ("dx", "ffe2"), ("bx", "ffe3"), ("bp", "ffe5")),
            *(("si", "ffe6"), ("di", "ffe7"), ("8", "41ffe0"), ("9", "41ffe1")),
            *(("10", "41ffe2"), ("11", "41ffe3"), ("12", "41ffe4"), ("13", "41ffe5")),
            *(("14", "41ffe6"), ("15", "41ffe7")),
        )
    ),
)

# How GNU objdump writes it.
SPELLING = Spelling(
    rows=roles(
        r"""
        opens    | stac       | EFLAGS.AC := 1
        closes   | clac       | EFLAGS.AC := 0
        calls    | (cs )?callq? .*    | direct or indirect
        returns  | retq?( .*)?      | near return
        branches | (notrack )?jmpq? .* | always taken
        forks    | j\w+(,p[nt])? .*   | conditional
        nop      | (data16 \|cs )*nop.*\|xchg %?ax,%?ax      | padding of alternatives
        """
    ),
    values=(),
    family=(
        r"(?!.*\(%e)(.*%(?!r\d+[,)]).*|.*\b[re]?([abcd][xlh]|[sd]il?|[sb]pl?|r([89]|1\d)[dwb]?)\b.*"
        r"|([a-z]\w* )?[a-z]\w*(,p[nt])?( [$*]?-?(0x)?[0-9a-f]+)?)"
    ),
    register=r"\b[re]?([abcd])[xlh]\b|\b[re]?([sd]i|[sb]p)l?\b|\b(r\d+)[dwb]?\b",
    loads=r"mov[bwlqsz]*x?d? (.*\),%.*|.*, ?[^,]*\[.*)",
    stores=r"mov[bwlq]? ([^(]*,[^,]*\(.*|[^,]*\[.*)",
    own=r"[(\[]%?[re]?[sb]p|%?[gf]s:|%?rip[)\]+-]",
    keeps=(
        r"(cmp|test|push|j\w+|call|nop|bt)[bwlq]? .*|[a-z]\w* .*,[^,]*\)"
        r"|[a-z]\w* [^,]*\[.*|[a-z]\w*"
    ),
    flags=r"(cmp|test|add|sub|and|or|xor|sbb|adc|neg|inc|dec|bt|sh[lr]|sar|cmpxchg)[bwlq]? .*",
    check=r"j(a|b|n[abc]|c)e?(,p[nt])? .*",
    zero=r"test[bwlq]? %?(\w+), ?%?\1",
    moves=r"mov[bwlq]? [^()\[\]]*",
    beside=r"lfence",
    copies=r"rep (movs|stos).*",
    last=r".*%.*",
    passed=("a", "c"),
    arguments=("di", "si", "d"),
)

ARCH = Arch(
    name="x86_64",
    title="x86-64, SMAP",
    kernel="x86_64",
    srcarch="x86",
    triplet="x86_64-linux-gnu",
    package="gcc-x86-64-linux-gnu",
    zig_target="x86_64-linux-gnu",
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
        "CONFIG_IA32_EMULATION=y",
        "CONFIG_X86_X32_ABI=y",
    ),
    config_name="allnoconfig + x86_64",
    capstone=("CS_ARCH_X86", ("CS_MODE_64",)),
    rows=roles(
        r"""
        opens    | stac       | EFLAGS.AC := 1
        closes   | clac       | EFLAGS.AC := 0
        calls    | call .*    | direct or indirect
        returns  | ret.*      | near return
        branches | (notrack )?jmp .* | always taken
        forks    | j\w+ .*   | conditional
        nop      | nop.*      | padding of alternatives
        """
    ),
    # stac() and clac() of arch/x86/include/asm/smap.h.
    shortest_window=(
        "stac",
        "clac",
    ),
    inside=r"rep_(?:movs|stos)_alternative",
    protection=("SMAP: stac opens, clac closes (patched in at boot), for reads and writes alike"),
    features=("SMAP", "LFENCE_RDTSC"),
    helpers=("arch/x86/lib/getuser.o", "arch/x86/lib/putuser.o", "lib/usercopy.o"),
    begin_header=("arch/x86/include/asm/uaccess.h", "arch/x86/include/asm/uaccess_64.h"),
    # get_user() and put_user() call what these files hold.
    openings=(
        *openings("arch/x86/lib/getuser.S", r"read | 1 | \bASM_STAC\b"),
        *openings("arch/x86/lib/putuser.S", r"write | 1 | \bASM_STAC\b"),
    ),
    fixups=FIXUPS,
    emulation=Emulation(
        machine=("UC_ARCH_X86", ("UC_MODE_64",)),
        cpu="UC_CPU_X86_SKYLAKE_CLIENT",
        registers="UC_X86_REG_",
        numbered=tuple("RAX RCX RDX RBX RSP RBP RSI RDI R8 R9 R10 R11 R12 R13 R14 R15".split()),
        counter="RIP",
        stack="RSP",
        link="",
        result="RAX",
        arguments=("RDI", "RSI", "RDX", "RCX", "R8", "R9"),
        furniture=(
            # asm/current.h; the base of the per-CPU area is 0 here.
            Furniture(
                "task_struct",
                symbols=("pcpu_hot", "const_pcpu_hot", "current_task", "const_current_task"),
            ),
        ),
        settings=(),
        gap=True,
        text=0xFFFFFFFF82000000,
        user_end=0x7FFFFFFFF000,  # TASK_SIZE_MAX
        returning="c3",
        nothing="0f1f00",
        calls=(4,),  # R_X86_64_PLT32
        constants=(("USER_PTR_MAX", 0x7FFFFFFFF000),),  # arch/x86/kernel/cpu/common.c
        above=8,
        thunks=THUNKS,
        repeats=r"rep\w* .*",
        clocks="rdtscp?",
        clocked=("RAX", "RDX"),
        links=(
            "arch/x86/lib/copy_user_64.o",
            "arch/x86/lib/memcpy_64.o",
            "arch/x86/lib/memmove_64.o",
            "arch/x86/lib/memset_64.o",
        ),
    ),
    spelling=SPELLING,
)
