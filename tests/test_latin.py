# SPDX-License-Identifier: GPL-2.0-only
"""A file with bytes that are no UTF-8: every style reads it, and keeps them."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from tests import replay
from tests.layouts import layouts
from uaccel.flow.drafts import Draft, draft
from uaccel.flow.targets import Target
from uaccel.model.dialect import Dialect
from uaccel.model.source import Source
from uaccel.read.reading import read_source

ALL = Dialect(True, True, True, True, True, (17, 0, 1), clamps=True)
ASCII = bytes.maketrans(b"\xb5\xf6", b"uo")
SAID = b"/* K\xf6ln, 5 \xb5s */"
KNOWN = layouts(
    "any",
    "struct lamp_sync 16\n0 4 scalar level\n4 4 scalar flags\n8 8 array name\n",
)
FUNCTION = b"""\
@0@
static int lamp_show(struct lamp *lamp, struct lamp_sync __user *arg, u32 n)
{
	u32 level = lamp->level; @1@

	@2@
	if (put_user(level, &arg->level)) @3@
		return -EFAULT;
	@4@
	if (put_user(lamp_flags(lamp, '@5@'), &arg->flags) @6@ ||
		copy_to_user(arg->name, lamp->name, n)) @7@
		return -EFAULT; @8@
	@9@
	return 0; @10@
}
@11@
"""
STRUCT = b"""\
static int lamp_copy(struct lamp *lamp, struct lamp_sync __user *arg)
{
	struct lamp_sync sync; @1@

	@2@
	if (copy_from_user(&sync, arg, sizeof(sync))) @3@
		return -EFAULT; @4@
	@5@
	lamp->level = sync.level; @6@
	lamp->flags = sync.flags; @7@
	return 0; @8@
}
"""
WINDOW = b"""\
static int lamp_show(struct lamp *lamp, struct lamp_sync __user *arg)
{
	@0@
	if (!user_write_access_begin(arg, sizeof(*arg))) @1@
		return -EFAULT; @2@
	@3@
	unsafe_put_user(lamp->level, &arg->level, efault); @4@
	unsafe_put_user(lamp->flags, &arg->flags, efault); @5@
	@6@
	user_write_access_end(); @7@
	return 0; @8@
efault: @9@
	user_write_access_end(); @10@
	return -EFAULT; @11@
}
"""
MACRO = b"""\
#define LAMP_PUT(x, field) put_user((x)->field, &arg->field)
@0@
static int lamp_show(struct lamp *lamp, struct lamp_sync __user *arg)
{
	@1@
	if (LAMP_PUT(lamp, level) || @2@
		LAMP_PUT(lamp, flags)) @3@
		return -EFAULT;
	@4@
	return 0;
}

static int lamp_tell(struct lamp *lamp, struct lamp_sync __user *arg)
{
	if (put_user(lamp->level, &arg->level) || put_user(lamp->flags, &arg->flags)) @5@
		return -EFAULT;
	return 0; @6@
}

static int lamp_more(struct lamp *lamp, struct lamp_sync __user *arg)
{
	if (put_user(lamp->level, &arg->level) || put_user(lamp->flags, &arg->flags))
		return -EFAULT; @7@
	return 0;
}
"""
PUT = b"unsafe_put_user(lamp->level, &arg->level, efault);"
USES = b"""\
static int lamp_show(struct lamp *lamp, struct lamp_sync __user *arg)
{
	if (LAMP_PUT(lamp) || put_user(lamp->flags, &arg->flags))
		return -EFAULT;
	return 0; @0@
}
"""
# Macros that hold such a byte themselves: in a comment, a constant, and where a name should stand.
ODD = (
    b"#define LAMP_PUT(x) put_user((x)->level, &arg->level) /* \xb5 */\n",
    b"#define LAMP_PUT(x) put_user((x)->level + '\xb5', &arg->level)\n",
    b"#define LAMP_PUT(x\xb5) put_user((x)->level, &arg->level)\n",
    b"#define LAMP_PUT(x) put_user(\xb5, &arg->level)\n",
    b"#define LAMP_PUT(x) do { u32 \xb5 = (x)->level; } while (0)\n",
    b"#define LAMP_PUT(x) unsafe_put_user('\xb5', &(x)->level, efault)\n",
)


def said_at(text: bytes, number: int | None) -> bytes:
    """Return `text` with the comment at that one of its places, at all of them for None."""
    for at in range(12):
        here = SAID if number in (None, at) else b""
        byte = b"\xb5" if number in (None, at) else b"a"
        text = text.replace(b"'@%d@'" % at, b"'%b'" % byte)
        text = text.replace(b"\t@%d@\n" % at, b"\t%b\n" % here if here else b"")
        text = text.replace(b" @%d@" % at, b" %b" % here if here else b"")
        text = text.replace(b"@%d@\n" % at, b"%b\n" % here if here else b"")
    return text


def drafts(text: bytes, style: str) -> list[Draft]:
    """Return every function of `text` written in `style`."""
    reading = read_source(Source(PurePosixPath("case.c"), text))
    targets = (Target(reading, (), function, ALL) for function in reading.functions)
    return [draft(target, style, (KNOWN,)) for target in targets]


PLACES = [None, *range(12)]


@pytest.mark.parametrize("style", replay.STYLES)
@pytest.mark.parametrize("text", [FUNCTION, STRUCT, WINDOW, MACRO])
def test_such_a_comment_stays_where_another_would(text: bytes, style: str) -> None:
    for place in PLACES:
        odd = said_at(text, place)
        plain = odd.translate(ASCII)
        assert odd != plain or place is not None
        for mine, other in zip(drafts(odd, style), drafts(plain, style), strict=True):
            assert mine.text.translate(ASCII) == other.text
            assert len(mine.rewrites) == len(other.rewrites)


@pytest.mark.parametrize("place", [0, 1, 2, 5, 8, 9, 10, 11])
def test_such_a_comment_keeps_no_window_away(place: int) -> None:
    text = said_at(FUNCTION, place)
    (made,) = drafts(text, "window")
    assert len(made.rewrites) == 1
    assert made.text.count(b"\xb5") == text.count(b"\xb5") == 1


@pytest.mark.parametrize("style", replay.STYLES)
@pytest.mark.parametrize("macro", ODD)
def test_a_macro_with_such_a_byte_is_read(macro: bytes, style: str) -> None:
    for body in (USES, WINDOW.replace(PUT, b"LAMP_PUT(arg);")):
        for made in drafts(macro + said_at(body, None), style):
            assert set(made.text) - set(range(128)) <= {0xB5, 0xF6}
