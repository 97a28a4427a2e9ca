# SPDX-License-Identifier: GPL-2.0-only
"""Say which calls of a text may run inside a window: those that compile to no call at all."""

from __future__ import annotations

import re

# Keywords, operators and macros that only compute.  `access_ok()` may stand in a window
# (io_uring/net.c has one); what prints, locks, allocates or sleeps is not in this list.
_PURE = frozenset(
    (
        "if while for switch return case else do sizeof typeof __typeof__ __auto_type _Generic "
        "defined offsetof offsetofend sizeof_field alignof __alignof__ container_of "
        "likely unlikely __builtin_expect __builtin_constant_p __builtin_types_compatible_p "
        "access_ok __access_ok ARRAY_SIZE BIT BIT_ULL GENMASK GENMASK_ULL IS_ENABLED "
        "IS_ERR IS_ERR_OR_NULL IS_ERR_VALUE PTR_ERR PTR_ERR_OR_ZERO ERR_PTR ERR_CAST "
        "min max min3 max3 min_t max_t clamp clamp_t clamp_val abs swap umin umax min_not_zero "
        "compat_ptr ptr_to_compat u64_to_user_ptr u64_to_ptr ptr_to_u64 untagged_addr "
        "upper_32_bits lower_32_bits upper_16_bits lower_16_bits "
        "ALIGN ALIGN_DOWN PTR_ALIGN IS_ALIGNED round_up round_down roundup rounddown "
        "DIV_ROUND_UP DIV_ROUND_CLOSEST BITS_TO_LONGS BITS_PER_TYPE FIELD_GET FIELD_PREP "
        "array_index_nospec array_size struct_size flex_array_size size_add size_mul size_sub "
        "READ_ONCE WRITE_ONCE BUILD_BUG_ON static_assert typecheck __is_constexpr "
        "htons htonl ntohs ntohl swab16 swab32 swab64 get_unaligned put_unaligned "
        "old_encode_dev new_encode_dev old_decode_dev new_decode_dev huge_encode_dev "
        "high2lowuid high2lowgid SET_UID SET_GID MAJOR MINOR MKDEV "
        "list_for_each list_for_each_entry list_for_each_entry_safe list_for_each_safe "
        "list_for_each_entry_reverse hlist_for_each_entry list_empty list_entry list_first_entry "
        "_IO _IOR _IOW _IOWR _IOC _IOC_DIR _IOC_TYPE _IOC_NR _IOC_SIZE "
        "__force instruction_pointer user_mode is_compat_task "
        "CMSG_USER_DATA "  # include/linux/socket.h: what lies behind a header
        "refcount_read atomic_read atomic64_read atomic_long_read __u8 __u16 __u32 __u64 "
    ).split()
)
_PURE_SHAPE = re.compile(
    r"(?:cpu_to|__cpu_to)_[bl]e(?:16|32|64)p?|(?:__)?[bl]e(?:16|32|64)_to_cpup?"
)
# A name with a parenthesis behind it; `(*function)(x)` and `functions[i](x)` have none.
# Possessive, so that no byte is tried twice.
CALL = re.compile(
    rb"\b(?:([A-Za-z_]\w*+)\s*+\(|asm\b)"
    rb"|\(\s*+\*[^()]*+\)\s*+\(|\]\s*+\("
    rb"|\(\s*+\w++(?:(?:->|\.)\w++)++\s*+\)\s*+\("
)


def is_pure(name: str) -> bool:
    """Return whether `name(...)` compiles to no call, takes no lock and prints nothing."""
    return name in _PURE or _PURE_SHAPE.fullmatch(name) is not None
