# SPDX-License-Identifier: GPL-2.0-only
"""i386: EFLAGS.AC suspends SMAP."""

from dataclasses import replace

from uaccel.arch.x86_64 import FIXUPS
from uaccel.arch.x86_64 import SPELLING as KIN
from uaccel.model.machine import Arch
from uaccel.model.run import Emulation, Furniture
from uaccel.tables import openings, roles

# arch/x86/lib/retpoline.S: a return, and jumps through the register that the name says.
THUNKS = (
    ("__x86_return_thunk|__fentry__", "c3"),
    ("__x86_indirect_(call_|jump_)?thunk_eax", "ffe0"),
    ("__x86_indirect_(call_|jump_)?thunk_ecx", "ffe1"),
    ("__x86_indirect_(call_|jump_)?thunk_edx", "ffe2"),
    ("__x86_indirect_(call_|jump_)?thunk_ebx", "ffe3"),
    ("__x86_indirect_(call_|jump_)?thunk_ebp", "ffe5"),
    ("__x86_indirect_(call_|jump_)?thunk_esi", "ffe6"),
    ("__x86_indirect_(call_|jump_)?thunk_edi", "ffe7"),
)

# How GNU objdump writes it.
SPELLING = replace(
    KIN,
    rows=roles(
        r"""
        opens    | stac       | EFLAGS.AC := 1
        closes   | clac       | EFLAGS.AC := 0
        calls    | (cs )?callq? .*    | direct or indirect
        returns  | retq?( .*)?      | near return
        branches | (notrack )?jmpq? .* | always taken
        forks    | j\w+(,p[nt])? .*   | conditional
        nop      | (data16 \|cs )*nop.*\|xchg %?ax,%?ax      | padding of alternatives
        nop      | lea (0x0)?\(%(e[sd]i)(,%eiz,1)?\),%\2 | the assembler's padding
        nop      | lea (e[sd]i), ?\[\1(\+eiz\*1)?\+0x0\] | the same
        """
    ),
    family=(
        r"(?!.*%r)(?!.*\br[abcds\d])(.*%.*|.*\be?([abcd][xlh]|[sd]i|[sb]p)\b.*"
        r"|([a-z]\w* )?[a-z]\w*(,p[nt])?( [$*]?-?(0x)?[0-9a-f]+)?)"
    ),
    arguments=("a", "d", "c"),  # the kernel is compiled with -mregparm=3
)

ARCH = Arch(
    name="i386",
    title="i386, SMAP",
    kernel="i386",
    srcarch="x86",
    triplet="x86_64-linux-gnu",
    package="gcc-x86-64-linux-gnu",
    zig_target="x86-linux-gnu",
    defconfig="allnoconfig",
    config=(
        "CONFIG_SOUND=y",
        "CONFIG_SND=y",
        "CONFIG_SND_DRIVERS=y",
        "CONFIG_SND_DUMMY=y",
        "CONFIG_MULTIUSER=y",
        "CONFIG_EXPERT=y",
        "CONFIG_BUG=y",
    ),
    config_name="allnoconfig + i386",
    capstone=("CS_ARCH_X86", ("CS_MODE_32",)),
    rows=roles(
        r"""
        opens    | stac       | EFLAGS.AC := 1
        closes   | clac       | EFLAGS.AC := 0
        calls    | call .*    | direct or indirect
        returns  | ret.*      | near return
        branches | (notrack )?jmp .* | always taken
        forks    | j\w+ .*   | conditional
        nop      | nop.*      | padding of alternatives
        nop      | lea (e[sd]i), \[\1\] | the assembler's padding: it changes nothing
        """
    ),
    # stac() and clac() of arch/x86/include/asm/smap.h.
    shortest_window=(
        "stac",
        "clac",
    ),
    protection=("SMAP: stac opens, clac closes (patched in at boot), for reads and writes alike"),
    features=("SMAP", "LFENCE_RDTSC"),
    helpers=("arch/x86/lib/getuser.o", "arch/x86/lib/putuser.o", "lib/usercopy.o"),
    begin_header=("arch/x86/include/asm/uaccess.h", "arch/x86/include/asm/uaccess_32.h"),
    # get_user() and put_user() call what these files hold.
    openings=(
        *openings("arch/x86/lib/getuser.S", r"read | 1 | \bASM_STAC\b"),
        *openings("arch/x86/lib/putuser.S", r"write | 1 | \bASM_STAC\b"),
    ),
    fixups=FIXUPS,
    emulation=Emulation(
        machine=("UC_ARCH_X86", ("UC_MODE_32",)),
        cpu="UC_CPU_X86_QEMU32",
        registers="UC_X86_REG_",
        numbered=("EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI"),
        counter="EIP",
        stack="ESP",
        link="",
        result="EAX",
        wide=("EAX", "EDX"),
        arguments=("EAX", "EDX", "ECX"),  # -mregparm=3
        furniture=(
            # asm/current.h; the base of the per-CPU area is 0 here.
            Furniture(
                "task_struct",
                symbols=("pcpu_hot", "const_pcpu_hot", "current_task", "const_current_task"),
            ),
        ),
        settings=(),
        whole=True,
        text=0xC2000000,
        user_end=0xC0000000,  # CONFIG_PAGE_OFFSET
        returning="c3",
        nothing="0f1f00",
        calls=(2, 4),  # R_386_PC32, R_386_PLT32
        above=4,
        thunks=THUNKS,
        repeats=r"rep\w* .*",
        clocks="rdtscp?",
        clocked=("EAX", "EDX"),
        links=(
            "arch/x86/lib/usercopy_32.o",
            "arch/x86/lib/memcpy_32.o",
            "arch/x86/lib/memmove_32.o",
            "lib/math/div64.o",
        ),
    ),
    spelling=SPELLING,
)
