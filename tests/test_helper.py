# SPDX-License-Identifier: GPL-2.0-only
"""A macro that several functions share: written once, read back, undone; in one file or in two."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from tests.test_rewrites import compared
from uaccel.edits import apply, longest
from uaccel.flow.drafts import Draft, draft
from uaccel.flow.targets import Target, load, reread
from uaccel.host.tree import find_tree
from uaccel.model.rewrite import Refusal
from uaccel.model.source import Form, Function, Source
from uaccel.read.reading import read_source
from uaccel.read.shared import shared

BODY = """\
static int {name}(struct lamp *lamp, struct lamp_sync __user *arg)
{{
	if (put_user(lamp->level, &arg->level) || put_user(lamp->lock, &arg->flags))
		return -EFAULT;
	return 0;
}}
"""
FIRST, SECOND = BODY.format(name="f"), BODY.format(name="f_x32")
BOTH = f"{FIRST}\n{SECOND}"
WHOLE, PART = PurePosixPath("lamp.c"), PurePosixPath("lamp_compat.c")
NAME = "f_put_user"


def target(
    text: str, name: str, includer: str | None = None, included: str | None = None
) -> Target:
    """Return the function `name` of `text`, which another text includes or is included by."""
    path = WHOLE if includer is None else PART
    above = (Source(WHOLE, includer.encode()),) if includer is not None else ()
    below = (Source(PART, included.encode()),) if included is not None else ()
    reading = read_source(Source(path, text.encode()), above, below)
    (function,) = (one for one in reading.functions if one.name == name)
    return Target(reading, above, function, included=below)


def forms(function: Function) -> list[Form]:
    """Return how the clusters of a function stand."""
    return [cluster.form for cluster in function.clusters]


def both(text: str) -> tuple[Draft, ...]:
    """Return both functions of `text`, each with the macro."""
    return tuple(draft(target(text, name), "helper", ()) for name in ("f", "f_x32"))


def test_the_macro_of_two_functions_is_written_once() -> None:
    made = both(BOTH)
    edits = longest(edit for one in made for edit in one.edits)
    text = apply(BOTH.encode(), edits).decode()
    assert text.count(f"#define {NAME}(") == 1
    assert text.index("#define") < text.index("static int f(")
    assert text.count(f"if ({NAME}(arg, lamp))") == 2
    for name in ("f", "f_x32"):
        again = target(text, name)
        assert forms(again.function) == [Form.HELPER]
        assert not draft(again, "helper", ()).rewrites


def test_who_comes_later_uses_the_macro_that_is_there() -> None:
    first, _ = both(BOTH)
    later = draft(target(first.text.decode(), "f_x32"), "helper", ())
    assert later.text.decode().count(f"#define {NAME}(") == 1
    assert later.text.decode().count(f"if ({NAME}(arg, lamp))") == 2


def test_a_name_that_is_taken_gets_a_number() -> None:
    first, _ = both(f"int {NAME};\n{BOTH}")
    assert f"#define {NAME}2(".encode() in first.text


def test_undone_it_is_what_it_was() -> None:
    for made in both(BOTH):
        bare = draft(made.written, "fieldwise", ())
        name = made.target.function.name
        chain = (
            "\tif (put_user(lamp->level, &arg->level) ||\n"
            "\t    put_user(lamp->lock, &arg->flags))\n\t\treturn -EFAULT;\n"
        )
        assert chain in bare.text.decode()
        assert forms(bare.written.function) == [Form.FIELDWISE]
        assert bare.written.function.name == name


def test_windows_that_stand_become_a_macro() -> None:
    made = [draft(target(BOTH, name), "window", ()) for name in ("f", "f_x32")]
    text = apply(BOTH.encode(), longest(edit for one in made for edit in one.edits)).decode()
    again = both(text)
    assert [forms(one.written.function) for one in again] == [[Form.HELPER]] * 2


def test_both_texts_do_the_same_whatever_faults(tmp_path: Path) -> None:
    first, _ = both(BOTH)
    text = first.text[: first.text.index(b"static int f_x32")]
    assert compared(tmp_path, FIRST.encode(), text) == "0 differences, 0 errors\n"
    end = b"\t\tuser_write_access_end();"
    for right, wrong in ((end, b""), (b"-EFAULT;", b"0;"), (b"lamp->lock", b"lamp->level")):
        assert text.count(right)
        mutant = text.replace(right, wrong, 1)
        assert compared(tmp_path, FIRST.encode(), mutant) != "0 differences, 0 errors\n", wrong


INCLUDES = f'{FIRST}\n#ifdef CONFIG_X32\n#include "lamp_compat.c"\n#endif\n'


def test_a_file_and_the_one_it_includes_share_a_macro_in_the_first() -> None:
    whole = draft(target(INCLUDES, "f", included=SECOND), "helper", ())
    part = draft(target(SECOND, "f_x32", includer=INCLUDES), "helper", ())
    assert not whole.others
    ((path, before, after),) = ((one.path, one.before, one.after) for one in part.others)
    assert (path, before) == (str(WHOLE), INCLUDES.encode())
    macro = after.decode().partition("static int f(")[0]
    assert macro.startswith(f"#define {NAME}(") and whole.text.decode().startswith(macro)
    assert b"#define" not in part.text
    assert forms(part.written.function) == [Form.HELPER]
    assert not draft(part.written, "helper", ()).rewrites


def test_a_file_that_is_included_first_holds_the_macro() -> None:
    includes = f'#include "lamp_compat.c"\n\n{FIRST}'
    whole = draft(target(includes, "f", included=SECOND), "helper", ())
    ((path, after),) = ((one.path, one.after) for one in whole.others)
    assert path == str(PART) and after.startswith(b"#define f_x32_put_user(")
    assert b"#define" not in whole.text


def test_a_macro_under_a_condition_is_not_for_those_outside_of_it() -> None:
    made = draft(target(f"#ifdef CONFIG_X32\n{FIRST}#endif\n{SECOND}", "f_x32"), "helper", ())
    (refusal,) = made.refusals
    assert isinstance(refusal, Refusal) and "conditions of the preprocessor" in refusal.why


MACRO = (
    "({ __label__ failed; int __err = -EFAULT; typeof(src) __src = (src); "
    "if (user_read_access_begin(__src, sizeof(*__src))) { "
    "unsafe_get_user(a, &__src->a, failed); unsafe_get_user(b, &__src->b, failed); "
    "user_read_access_end(); __err = 0; "
    "if (0) { failed: user_read_access_end(); } } __err; })"
)
MERGED = (  # as it was merged for the seed
    "({ __label__ failed, failed_begin; int __err = -EFAULT; "
    "typeof(*(src)) __user *__src = (src); "
    "if (!user_read_access_begin(__src, sizeof(*__src))) goto failed_begin; "
    "unsafe_get_user(a, &__src->a, failed); unsafe_get_user(b, &__src->b, failed); __err = 0; "
    "failed: user_read_access_end(); failed_begin: __err; })"
)


@pytest.mark.parametrize("text", [MACRO, MERGED])
def test_a_macro_that_is_a_window_is_read(text: str) -> None:
    made = shared("src, a, b", text)
    assert made is not None
    assert made.calls(("p", "x.y", "*z")) == (
        ("get_user", ("x.y", "&p->a")),
        ("get_user", ("*z", "&p->b")),
    )
    assert made.calls(("p++", "x", "y")) is None  # the macro evaluates it once
    assert made.calls(("p",)) is None


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        (MACRO, "if (user_read", "if (!user_read"),
        (MACRO, "user_read_access_end(); __err = 0", "__err = 0"),
        (MACRO, "failed: user_read_access_end();", "failed: ;"),
        (MACRO, "if (0) { failed: user_read_access_end(); }", "failed: user_read_access_end();"),
        (MACRO, "failed: user_read", "failed: user_write"),
        (MACRO, "__err; })", "0; })"),
        (MACRO, "= -EFAULT", "= 0"),
        (MACRO, "&__src->a, failed", "&__src->a, other"),
        (MACRO, "typeof(src) __src = (src);", "typeof(src) __src = (other);"),
        (MERGED, "goto failed_begin", "goto failed"),
        (MERGED, "if (!user_read", "if (user_read"),
        (MERGED, "__label__ failed, failed_begin", "__label__ failed"),
    ],
)
def test_a_macro_that_is_wrong_is_not(text: str, right: str, wrong: str) -> None:
    assert text.count(right) >= 1
    assert shared("src, a, b", text) and shared("src, a, b", text.replace(right, wrong)) is None


SEED = (
    "sound/core/pcm_native.c:snd_pcm_ioctl_sync_ptr_compat",
    "sound/core/pcm_compat.c:snd_pcm_ioctl_sync_ptr_x32",
)


def test_the_functions_of_the_seed_share_two_macros(tree_6_12: Path) -> None:
    targets = load(find_tree(str(tree_6_12), None), SEED)
    native, x32 = (draft(one, "helper", ()) for one in targets)
    assert [len(one.rewrites) for one in (native, x32)] == [2, 2]
    assert b"#define" in native.text[len(native.text) // 2 :] and not native.others
    (other,) = x32.others
    added = other.after.replace(b"\\\n", b"").split(b"static int snd_pcm_ioctl_sync_ptr_compat")[0]
    assert added.count(b"#define snd_pcm_ioctl_sync_ptr_") == 2
    for made in (native, x32):
        assert forms(made.written.function) == [Form.HELPER] * 2


def test_what_people_merged_for_the_seed_can_be_unmade(tree_7_3: Path) -> None:
    for one in load(find_tree(str(tree_7_3), None), SEED):
        assert forms(one.function) == [Form.HELPER] * 2
        bare = draft(one, "fieldwise", ())
        assert forms(bare.written.function) == [Form.FIELDWISE] * 2
        assert [len(c.accesses) for c in bare.written.function.clusters] == [3, 9]
        assert forms(draft(one, "scoped", ()).written.function) == [Form.SCOPED] * 2
        assert not draft(one, "window", ()).rewrites  # it is one window already
        assert reread(bare.written, one.reading.source.text).function == one.function
