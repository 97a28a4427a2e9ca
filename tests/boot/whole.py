# SPDX-License-Identifier: GPL-2.0-only
"""The third way that was measured before this program was: one copy of all that can change.

The style `structcopy` copies the two structs that hold the members, as the patch of the mail did.
What was measured copied the 128 bytes behind the flags at once, cleared first.  It is written here
over the function as the fetched tree has it.
"""

from __future__ import annotations

import re
from difflib import unified_diff
from pathlib import Path

FILE = "sound/core/pcm_native.c"
_NAME = "snd_pcm_ioctl_sync_ptr_compat"
_LOCALS = """\
\ttypeof(src->c.control) given;
\tstruct {
\t\ttypeof(src->s) s;
\t\ttypeof(src->c) c;
\t} __packed all;
"""
_READ = """\
\tif (get_user(sflags, &src->flags) ||
\t    copy_from_user(&given, &src->c.control, sizeof(given)))
\t\treturn -EFAULT;
\tscontrol.appl_ptr = given.appl_ptr;
\tscontrol.avail_min = given.avail_min;
"""
# Member of the copy, and the local that holds its value.
_MEMBERS = (
    ("s.status.state", "sstatus.state"),
    ("s.status.hw_ptr", "sstatus.hw_ptr"),
    ("s.status.tstamp_sec", "sstatus.tstamp.tv_sec"),
    ("s.status.tstamp_nsec", "sstatus.tstamp.tv_nsec"),
    ("s.status.suspended_state", "sstatus.suspended_state"),
    ("s.status.audio_tstamp_sec", "sstatus.audio_tstamp.tv_sec"),
    ("s.status.audio_tstamp_nsec", "sstatus.audio_tstamp.tv_nsec"),
    ("c.control.appl_ptr", "scontrol.appl_ptr"),
    ("c.control.avail_min", "scontrol.avail_min"),
)
_WRITE = (
    "\tmemset(&all, 0, sizeof(all));\n"
    + "".join(f"\tall.{member} = {value};\n" for member, value in _MEMBERS)
    + "\tif (copy_to_user(&src->s, &all, sizeof(all)))\n\t\treturn -EFAULT;\n"
)
_UNTIL = r"(?:.*\n)*?\t\treturn -EFAULT;\n"


def whole_copy(tree: Path) -> bytes:
    """Return the patch that writes the function of the tree at `tree` so."""
    before = (tree / FILE).read_text()
    start = before.index(f"static int {_NAME}(")
    end = before.index("\n}\n", start)
    after = before[:start] + _rewritten(before[start:end]) + before[end:]
    pair = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(unified_diff(*pair, f"a/{FILE}", f"b/{FILE}")).encode()


def _rewritten(function: str) -> str:
    for begin, text in ((r"\tif \(get_user\(", _READ), (r"\tif \(put_user\(", _WRITE)):
        function, count = re.subn(begin + _UNTIL, text.replace("\\", ""), function, count=1)
        assert count == 1
    return function.replace("\tint err;\n", f"\tint err;\n{_LOCALS}", 1)
