# SPDX-License-Identifier: GPL-2.0-only
"""Symbols as profiles write them: what compilers appended, and whether they are the kernel's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from uaccel.accessors import bare
from uaccel.model.profile import Symbol

_OFFSET = re.compile(r"\+0x[0-9a-f]+$")
_MODULE_FILE = re.compile(r"\.ko(?:\.(?:gz|xz|zst|debug))*$")
# What perf puts into brackets and the kernel is not.
_NO_MODULE = ("[unknown]", "[vdso", "[vsyscall]", "[heap]", "[stack", "[anon", "[uprobes]", "[JIT]")
# Where a processor enters the kernel, or a kernel thread begins: nothing of user space lies inside.
_ENTRY = re.compile(
    r"entry_SYSCALL\w*|entry_SYSENTER\w*|entry_INT80\w*|do_syscall_64|do_int80\w*|do_fast_syscall\w*"
    r"|asm_(?:exc|sysvec|common_interrupt)\w*|ret_from_fork\w*|secondary_startup\w*"
    r"|el\dt?_(?:\d+_)?(?:sync|irq|svc)\w*|do_el0_svc\w*|vector_swi|ret_fast_syscall|__irq_usr"
    r"|system_call\w*|interrupt_return\w*|handle_exception|ret_from_exception|start_kernel|kthread"
    r"|__do_syscall|sysc_\w+|ext_int_handler|start_secondary|common_startup_64|cpu_startup_entry"
)


def symbol(written: str, within: str, kernel: bool | None, inlined: bool = False) -> Symbol:
    """Return the symbol that a profile writes as `written`, in the object `within`."""
    told = _OFFSET.sub("", written.strip())
    # The first version of powerpc's ELF ABI starts the names of functions with a dot.
    name = told[1:] if re.match(r"\.[A-Za-z_]", told) else told
    if kernel is not False:
        name = bare(name)
    return Symbol(name, told, within, kernel, inlined)


def is_kernel(within: str, address: int | None = None) -> bool | None:
    """Return whether the object `within` is the kernel or a module, by `address` if not said."""
    if not within:
        return None if address is None else _is_high(address)
    if within.startswith("["):
        return not within.startswith(_NO_MODULE)
    return "vmlinux" in within or bool(_MODULE_FILE.search(within)) or within == "/proc/kcore"


def _is_high(address: int) -> bool:
    # 64 bits: the upper half; 32 bits: the usual split.  (s390 has neither.)
    return address >= 1 << 63 or 0xC0000000 <= address < 1 << 32


def split_at_entry(symbols: Sequence[Symbol]) -> tuple[Symbol, ...]:
    """Return `symbols`, innermost first, with all up to the entry of the kernel marked as its."""
    entries = [i for i, one in enumerate(symbols) if _ENTRY.fullmatch(one.name)]
    if not entries:
        return tuple(symbols)
    return tuple(
        one if one.kernel is not None else replace(one, kernel=i <= entries[-1])
        for i, one in enumerate(symbols)
    )
