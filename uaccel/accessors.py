# SPDX-License-Identifier: GPL-2.0-only
"""Names of symbols that profiles show: out-of-line accessors, and those of system calls."""

from __future__ import annotations

import re
from functools import cache

# gcc: .isra .part .constprop .cold; clang: .llvm .__uniq; either: .lto_priv .cfi.
_APPENDED = re.compile(
    r"(?:\.(?:isra|part|constprop|cold|llvm|__uniq|lto_priv|localalias|cfi|cfi_jt)(?:\.\d+)*)+$"
)
# Out-of-line accessors: what is spent there belongs to who called them.
# name | file of the kernel where it stands (in 6.1, 6.12 or 7.3)
ACCESSORS = r"""
_copy_(to|from)_user                             | lib/usercopy.c
_inline_copy_(to|from)_user                      | include/linux/uaccess.h
(__)?copy_(to|from)_user                         | include/linux/uaccess.h
__copy_(to|from)_user_inatomic                   | include/linux/uaccess.h
(__)?clear_user                                  | include/asm-generic/uaccess.h
__get_user_(nocheck_)?[1248]                     | arch/x86/lib/getuser.S
__put_user_(nocheck_)?[1248]                     | arch/x86/lib/putuser.S
rep_movs_alternative                             | arch/x86/lib/copy_user_64.S
copy_user_generic_(unrolled|string)              | arch/x86/lib/copy_user_64.S
copy_user_(enhanced_fast|short)_string           | arch/x86/lib/copy_user_64.S
copy_user_generic                                | arch/x86/include/asm/uaccess_64.h
rep_stos_alternative                             | arch/x86/lib/clear_page_64.S
clear_user_(original|rep_good|erms)              | arch/x86/lib/clear_page_64.S
__copy_user_ll                                   | arch/x86/lib/usercopy_32.c
__get_user_(32t_8|64t_[124])                     | arch/arm/lib/getuser.S
arm_copy_from_user                               | arch/arm/lib/copy_from_user.S
arm_copy_to_user                                 | arch/arm/lib/copy_to_user.S
__copy_to_user_std                               | arch/arm/lib/copy_to_user.S
(arm_clear_user|__clear_user_std)                | arch/arm/lib/clear_user.S
__copy_to_user_memcpy                            | arch/arm/lib/uaccess_with_memcpy.c
__clear_user_memset                              | arch/arm/lib/uaccess_with_memcpy.c
__arch_copy_from_user                            | arch/arm64/lib/copy_from_user.S
__arch_copy_to_user                              | arch/arm64/lib/copy_to_user.S
__arch_clear_user                                | arch/arm64/lib/clear_user.S
__copy_tofrom_user(_base)?                       | arch/powerpc/lib/copyuser_64.S
__copy_tofrom_user_power7(_vmx)?                 | arch/powerpc/lib/copyuser_power7.S
(enter|exit)_vmx_usercopy                        | arch/powerpc/lib/vmx-helper.c
__asm_copy_(to|from)_user(_sum_enabled)?         | arch/riscv/lib/uaccess.S
fallback_scalar_usercopy(_sum_enabled)?          | arch/riscv/lib/uaccess.S
__asm_vector_usercopy(_sum_enabled)?             | arch/riscv/lib/uaccess_vector.S
enter_vector_usercopy                            | arch/riscv/lib/riscv_v_helpers.c
raw_copy_(to|from)_user                          | arch/s390/lib/uaccess.c
_copy_(to|from)_user_key                         | arch/s390/lib/uaccess.c
raw_copy_in_user                                 | arch/sparc/lib/copy_in_user.S
__raw_copy_(to|from)_user                        | arch/mips/lib/memcpy.S
__copy_user(_generic|_fast)?                     | arch/loongarch/lib/copy_user.S
__clear_user_(generic|fast)                      | arch/loongarch/lib/clear_user.S
__generic_copy_(to|from)_user                    | arch/m68k/lib/uaccess.c
__xtensa_copy_user                               | arch/xtensa/lib/usercopy.S
lclear_user                                      | arch/parisc/lib/lusercopy.S
"""
_ACCESSOR = re.compile(
    "|".join(f"(?:{row.partition(' ')[0]})" for row in ACCESSORS.strip().splitlines())
)
# SYSCALL_DEFINE3(ioctl, ...) makes sys_ioctl, __x64_sys_ioctl, __se_sys_ioctl, __do_sys_ioctl, ...
# and COMPAT_SYSCALL_DEFINE3() the same with compat_sys_.
_SYSCALL = re.compile(r"(?:_{2,3}\w+?_)?(?:compat_)?sys_(\w+)")


@cache
def is_accessor(name: str) -> bool:
    """Return whether `name` is that of an out-of-line accessor."""
    return bool(_ACCESSOR.fullmatch(name))


def bare(name: str) -> str:
    """Return `name` without what compilers append to parts and copies of one function."""
    return _APPENDED.sub("", name) or name


def plain(name: str) -> str:
    """Return the name in SYSCALL_DEFINE() of the system call whose symbol is `name`, or `name`."""
    match = _SYSCALL.fullmatch(name)
    return match[1] if match else name
