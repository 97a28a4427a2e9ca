# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's words for windows: what opens, closes and needs one, and what may not stand in one.

The words are those of include/linux/uaccess.h and of arch/x86/include/asm/uaccess.h.
"""

from __future__ import annotations

import re

from uaccel.model.access import Direction
from uaccel.model.flowgraph import Mode, Opening
from uaccel.read.accesses import direction_of

_MODES = {"read": Mode.READ, "write": Mode.WRITE, "rw": Mode.BOTH, "": Mode.BOTH}
_BEGIN = re.compile(r"(masked_)?user_(?:(read|write|rw)_)?access_begin")
_END = re.compile(r"user_(?:(read|write|rw)_)?access_end")
_SCOPED = re.compile(r"scoped_(?:masked_)?user_(read|write|rw)_access(_size)?")
_BARE = ("__uaccess_begin", "__uaccess_begin_nospec")
_BARE_END = "__uaccess_end"
# unsafe_put_user(x, p, label) and its kin; unsafe_*() of any other name is somebody's helper.
_TOUCHES = {
    "unsafe_get_user": Direction.READ,
    "unsafe_put_user": Direction.WRITE,
    "unsafe_copy_from_user": Direction.READ,
    "unsafe_copy_to_user": Direction.WRITE,
    "unsafe_atomic_store_release_user": Direction.WRITE,
    "arch_unsafe_get_user": Direction.READ,
    "arch_unsafe_put_user": Direction.WRITE,
}
# Other ordinary accessors: each opens a window of its own, or may sleep until a page is there.
_ORDINARY = re.compile(
    r"_*(?:strncpy_from_user|strnlen_user|strlen_user|copy_struct_(?:from|to)_user|clear_user"
    r"|memdup_user(?:_nul)?|vmemdup_user|strndup_user|memdup_array_user|copy_in_user"
    r"|raw_copy_(?:from|to)_user|fault_in_\w+|get_user_pages\w*|get_compat_\w+|put_compat_\w+"
    r"|copy_siginfo_(?:from|to)_user(?:32)?|check_zeroed_user|futex_\w+_user|copy_(?:from|to)_iter"
    r"|get_user_inline|put_user_inline|copy_to_user_nofault|copy_from_user_nofault)"
)
# What is known to lock, sleep, schedule, allocate or print, by the kernel's naming.
_HARM = (
    (
        r"(?:mutex|down|up|rwsem|ww_mutex|rt_mutex|percpu_(?:down|up))_?(?:un)?lock\w*|down|up"
        r"|(?:down|up)_(?:read|write)\w*|(?:raw_)?(?:spin|read|write|seq)_(?:un)?(?:try)?lock\w*"
        r"|(?:raw_)?(?:spin|read|write)_(?:try)?(?:un)?lock\w*|lock_\w+|unlock_\w+|rtnl_(?:un)?lock"
        r"|(?:scoped_(?:cond_)?)?guard|(?:task|fget|bit_spin)_(?:un)?lock\w*|rcu_read_(?:un)?lock\w*|local_irq_\w+",
        "takes or gives a lock",
    ),
    (
        r"(?:io_)?schedule(?:_timeout\w*)?|cond_resched\w*|might_sleep\w*|msleep\w*"
        r"|usleep_range\w*|ssleep|wait_\w+|wait_for_\w+|synchronize_\w+|yield|preempt_enable\w*"
        r"|fsleep|flush_work\w*",
        "may schedule",
    ),
    (
        r"(?:kv?|dev(?:m_)?k|v)[mz]?[cz]?alloc\w*|k(?:v|z)?(?:memdup|strdup|asprintf|realloc)\w*"
        r"|kv?free\w*|vfree|alloc_\w+|free_pages?\w*|get_free_pages?|__get_free_pages?",
        "allocates or frees memory",
    ),
    (
        r"_?printk\w*|pr_(?:emerg|alert|crit|err|warn|notice|info|debug|cont|devel)\w*"
        r"|(?:dev|netdev|drm|ath|wiphy)_(?:emerg|alert|crit|err|warn|notice|info|dbg)\w*"
        r"|WARN(?:_ON|_ONCE|_ON_ONCE|_TAINT)*|dump_stack|panic|trace_\w+"
        r"|(?:seq|trace)_(?:printf|puts|printk)|VM_WARN_ON\w*|lockdep_assert\w*",
        "may print",
    ),
)
_HARMS = tuple((re.compile(pattern), harm) for pattern, harm in _HARM)
# Barriers, feature tests, registers, and hooks that are empty or allowed in a window
# (tools/objtool/check.c, uaccess_safe_builtin).
_QUIET = re.compile(
    r"Offsetof|(?:__)?smp_\w+|(?:dma_)?[rw]?mb|barrier\w*|__builtin_\w+|BUG|BUG_ON|BUILD_BUG\w*|VM_BUG_ON\w*"
    r"|(?:arch_)?static_branch\w*|_?(?:static_)?cpu_has|boot_cpu_has|(?:cpu|mmu)_has_feature"
    r"|m[ft](?:spr|msr)|(?:save|load)segment|__?k[ac]san_\w+|kcsan_\w+|instrument_\w+"
    r"|__?ff[sz]\w*|__?fl[sz]\w*|ff[sz]|fls(?:64|_long)?|_?_?ASM_\w+|EX_TABLE\w*|ALTERNATIVE\w*"
    r"|\w*(?:wrong|bad)_size\w*|__bad_\w+|__(?:get|put)_user_bad"  # undefined: the linker's assert
    r"|(?:raw_|__)?(?:raw_|this_)cpu_(?:inc|dec|add|sub|read|write|or|and)\w*"
    r"|__stringify\w*|cpu_feature_enabled|is_kernel_addr|__chk_user_ptr|might_fault"
    r"|current_thread_info|smp_processor_id|raw_smp_processor_id|fallthrough|unreachable"
    r"|prefetchw?|cpu_relax|__?const\w*|ptrace_\w+_?regs?_?\w*|clac|stac|user_access_(?:save|restore)"
)
_INTERNAL = re.compile(r"__scoped_user_\w+|raw_copy_\w+|__(?:get|put)_(?:user|kernel)_?\w*")

WORDS = re.compile(
    rb"\b(?:(?:masked_)?user_(?:(?:read|write|rw)_)?access_(?:begin|end)"
    rb"|scoped_(?:masked_)?user_(?:read|write|rw)_access(?:_size)?"
    rb"|__uaccess_(?:begin(?:_nospec)?|end)|(?:arch_)?unsafe_\w+)\s*\("
)
OPENS = re.compile(
    rb"\b(?:(?:masked_)?user_(?:(?:read|write|rw)_)?access_(?:begin|end)"
    rb"|scoped_(?:masked_)?user_(?:read|write|rw)_access(?:_size)?"
    rb"|__uaccess_(?:begin(?:_nospec)?|end))\s*\("
)


def begins(name: str) -> tuple[Mode, Opening] | None:
    """Return how the function called `name` opens a window, None when it does not."""
    if name in _BARE:
        return Mode.BOTH, Opening.BARE
    found = _BEGIN.fullmatch(name)
    if found is None:
        return None
    return _MODES[found[2] or ""], Opening.MASKED if found[1] else Opening.CHECKED


def ends(name: str) -> Mode | None:
    """Return which windows the function called `name` closes, None when it closes none."""
    if name == _BARE_END:
        return Mode.BOTH
    found = _END.fullmatch(name)
    return _MODES[found[1] or ""] if found is not None else None


def scopes(name: str) -> tuple[Mode, bool] | None:
    """Return the mode of a scope, and whether it names a size; None when it is none."""
    found = _SCOPED.fullmatch(name)
    return (_MODES[found[1]], found[2] is not None) if found is not None else None


def touches(name: str) -> Direction | None:
    """Return which way an accessor that needs a window goes, None when it is none."""
    return _TOUCHES.get(name)


def is_ordinary(name: str) -> bool:
    """Return whether `name` is an accessor that opens and closes by itself."""
    if name.startswith("unsafe_") or name == "access_ok":
        return False
    return direction_of(name) is not None or _ORDINARY.fullmatch(name) is not None


def harm_of(name: str) -> str:
    """Return what a call of `name` is known to do that no window allows, "" for nothing known."""
    return next((harm for pattern, harm in _HARMS if pattern.fullmatch(name)), "")


def is_quiet(name: str) -> bool:
    """Return whether `name` is known to be no call, or one that compilers make no call of."""
    return _QUIET.fullmatch(name) is not None


def is_own(name: str) -> bool:
    """Return whether `name` is one of the kernel's words for windows, or part of one."""
    own = begins(name) or ends(name) or scopes(name) or touches(name)
    return own is not None or _INTERNAL.fullmatch(name) is not None


def is_word(name: str) -> bool:
    """Return whether `name` is one of the kernel's words for any user access."""
    return is_own(name) or is_ordinary(name)
