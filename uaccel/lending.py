# SPDX-License-Identifier: GPL-2.0-only
"""Write the change to a tree that lets every architecture copy into the kernel in a window.

Where an architecture opens windows of its own, include/linux/uaccess.h leaves every unsafe
accessor to it; x86 and arm64 have no `unsafe_copy_from_user()`.
"""

from __future__ import annotations

import re

LINUX = "include/linux/uaccess.h"
COPY = "unsafe_copy_from_user"

_OWN = re.compile(
    r"(#define user_access_end\(\) [^\n]*\n)"
    r"(#define unsafe_op_wrap\(op, err\) [^\n]*\n)"
    rf"((?:#define unsafe_\w+\([^\n]*\n)*?#define {COPY}\([^\n]*\n(?:static inline [^\n]*\n)*)"
    r"#endif(?P<said>[^\n]*)\n\n?"
)
# In words of the machine, as the copies of arch/x86/include/asm/uaccess.h go the other way.
_WORDS = ("unsigned long", "u32", "u16")  # what is left is one byte
_TABS = "\t" * 6
_HEAD = f"""
#ifndef {COPY}
/*
 * For architectures that have unsafe_get_user() alone: copy in a window that
 * user_read_access_begin() opened. After -EFAULT a part of it may be copied.
 */
static __always_inline int __{COPY}(void *to, const void __user *from,
{_TABS}   unsigned long n)
{{
"""
_PASS = """\
	{word} (n >= sizeof({type})) {{
		unsafe_get_user(*({type} *)to, (const {type} __user *)from, fault);
		to += sizeof({type});
		from += sizeof({type});
		n -= sizeof({type});
	}}
"""
_TAIL = f"""\
	if (n)
		unsafe_get_user(*(u8 *)to, (const u8 __user *)from, fault);
	return 0;
fault:
	return -EFAULT;
}}

#define {COPY}(d, s, l, e) unsafe_op_wrap(__{COPY}(d, s, l), e)
#endif

"""


def lending(linux: str) -> str | None:
    """Return `linux`, the text of include/linux/uaccess.h, with `unsafe_copy_from_user()` for all.

    None where it is written in another way than in Linux 6.1, 6.12 and 7.3.
    """
    found = _OWN.search(linux)
    if found is None:
        return None
    said = found["said"]
    parts = (
        found[1],
        f"#endif{said}\n\n",
        found[2],
        "\n#ifndef unsafe_get_user\n",
        found[3],
        "#endif /* !unsafe_get_user */\n" if said else "#endif\n",
        _copying(),
    )
    return linux[: found.start()] + "".join(parts) + linux[found.end() :]


def _copying() -> str:
    first, *others = _WORDS
    passes = [_PASS.format(word="while", type=first)]
    passes += [_PASS.format(word="if", type=one) for one in others]
    return f"{_HEAD}{''.join(passes)}{_TAIL}"
