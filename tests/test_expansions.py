# SPDX-License-Identifier: GPL-2.0-only
"""Macros that make accesses are written out before a style writes them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path, PurePosixPath

import pytest

from uaccel.edits import apply
from uaccel.flow.drafts import Draft, draft
from uaccel.flow.expand import expanded
from uaccel.flow.targets import Target
from uaccel.host.run import run
from uaccel.model.source import Source
from uaccel.read.reading import read_source

PAGE = Path(__file__).parent.parent / "uaccel/styles/window.md"

LAMP = """struct lamp_frame {
\tu32 level;
\tu32 lamp_flags;
};

"""
FUNCTION = """static int lamp_set(struct lamp *lamp, struct lamp_frame __user *frame)
{
\tint err = 0;

BODY
\treturn err;
}
"""
TWICE = "\tCOPY(level);\n\tCOPY(flags);\n"


def of(text: str) -> Target:
    """Return the last function of a file as a target."""
    reading = read_source(Source(PurePosixPath("lamp.c"), (LAMP + text).encode()))
    return Target(reading, (), reading.functions[-1])


def body(text: str) -> Target:
    """Return the function that holds `text`."""
    return of(FUNCTION.replace("BODY\n", text))


def window(target: Target) -> Draft:
    """Return `target` in the style of this test."""
    return draft(target, "window", ())


def why(target: Target) -> str:
    """Return why its macros are not written out, with nothing changed by the style either."""
    plain = expanded(target, "window")
    assert not plain.edits
    (refusal,) = plain.refusals
    made = window(target)
    assert made.text == target.reading.source.text
    assert refusal in made.refusals
    _, _, reason = refusal.why.partition(", which ")
    assert f"`{reason}`" in " ".join(PAGE.read_text().split())
    return reason


def written_out(target: Target) -> str:
    """Return the function's body once its macros are written out."""
    plain = expanded(target, "window")
    assert plain.refusals == ()
    text = plain.target.reading.source.text.decode()
    assert apply(target.reading.source.text, plain.edits).decode() == text
    return text.partition("int err = 0;\n\n")[2].partition("\treturn err;")[0]


def test_a_macro_of_the_function_goes_with_its_last_use() -> None:
    target = body(
        "#define COPY(x)\t\terr |= __get_user(lamp->x, &frame->lamp_##x)\n"
        "\t\t\tCOPY(flags);\n\tCOPY(level);\tCOPY(level);\t/* twice */\n#undef COPY\n"
    )
    assert written_out(target) == (
        "\terr |= __get_user(lamp->flags, &frame->lamp_flags);\n"
        "\terr |= __get_user(lamp->level, &frame->lamp_level);\n"
        "\terr |= __get_user(lamp->level, &frame->lamp_level);\t/* twice */\n"
    )
    made = window(target)
    assert [one.cluster for one in made.rewrites] == [target.function.clusters[0]]
    assert b"COPY" not in made.text
    assert made.text.count(b"unsafe_get_user") == 3
    assert apply(target.reading.source.text, made.edits) == made.text
    assert made.clusters_in(0)[0].form.value == "window"


def test_a_macro_that_others_use_stays() -> None:
    macro = "#define COPY(x) err |= __put_user(lamp->x, &frame->x)\n"
    inside = body(f"{macro}{TWICE}\tlamp_log(COPY);\n#undef COPY\n")
    assert macro.encode() in window(inside).text
    assert b"#undef COPY" in window(inside).text
    outside = of(macro + FUNCTION.replace("BODY\n", TWICE))
    assert macro.encode() in window(outside).text


def test_braces_and_statement_expressions_are_opened() -> None:
    for text in (
        "{err |= __put_user(lamp->x, &frame->x); }",
        "({err |= __put_user(lamp->x, &frame->x);})",
        "do { err |= __put_user(lamp->x, &frame->x); } while (0)",
        "do { \\\n\terr |= __put_user(lamp->x,\t\\\n\t\t&frame->x); \\\n\t} while (0)",
    ):
        target = body(f"#define COPY(x) {text}\n{TWICE.replace('flags', 'hue')}#undef COPY\n")
        assert written_out(target) == (
            "\terr |= __put_user(lamp->level, &frame->level);\n"
            "\terr |= __put_user(lamp->hue, &frame->hue);\n"
        )


def test_a_condition_in_a_macro_is_laid_out() -> None:
    target = body(
        "#define PUT(d, a)\t({if(put_user(d, (typeof (d) __user *)a)) return -EFAULT;})\n"
        "\tPUT(lamp->level, &frame->level);\n\tPUT(lamp->hue, &frame->hue);\n#undef PUT\n"
    )
    assert written_out(target) == (
        "\tif (put_user(lamp->level, (typeof (lamp->level) __user *)&frame->level))\n"
        "\t\treturn -EFAULT;\n"
        "\tif (put_user(lamp->hue, (typeof (lamp->hue) __user *)&frame->hue))\n"
        "\t\treturn -EFAULT;\n"
    )


def test_a_variable_of_the_macro_keeps_its_block() -> None:
    macro = (
        "#define PUT(x) do { u32 __x = x; if (put_user(__x, &frame->level) || "
        "put_user(__x, &frame->lamp_flags)) return -EFAULT; } while (0)\n"
    )
    once = body(f"{macro}\tPUT(lamp->level);\n#undef PUT\n")
    assert written_out(once) == (
        "\t{\n\t\tu32 __x = lamp->level;\n\n"
        "\t\tif (put_user(__x, &frame->level) || put_user(__x, &frame->lamp_flags))\n"
        "\t\t\treturn -EFAULT;\n\t}\n"
    )
    twice = body(f"{macro}\tPUT(lamp->level);\n\tPUT(lamp->hue);\n#undef PUT\n")
    assert why(twice) == "declares variables and is used several times"


def test_an_expression_stands_where_its_value_is_used() -> None:
    target = of(
        "#define lamp_read(lamp, arg)\t\t\t\t\\\n"
        "\t(get_user((lamp)->level, &(arg)->level) ||\t\\\n"
        "\t get_user((lamp)->flags, &(arg)->lamp_flags))\n\n"
        + FUNCTION.replace("BODY\n", "\tif (lamp_read(lamp, frame))\n\t\treturn -EFAULT;\n")
    )
    assert written_out(target) == (
        "\tif (get_user(lamp->level, &frame->level) || "
        "get_user(lamp->flags, &frame->lamp_flags))\n\t\treturn -EFAULT;\n"
    )
    assert window(target).text.count(b"unsafe_get_user") == 2


REFUSED = {
    "makes a string of an argument": "err |= __put_user(lamp->x, lamp_at(frame, #x))",
    "holds a comment, which would be lost": "err |= __put_user(lamp->x, &frame->x) /* one */",
    "is used within itself": "err |= __put_user(COPY, &frame->x)",
    "holds a label": "again: err |= __put_user(lamp->x, &frame->x)",
    "leaves a loop of its own": "do { if (__put_user(1, &frame->x)) break; } while (0)",
    "holds more than plain statements": "while (err) err |= __put_user(lamp->x, &frame->x)",
    "pastes what is no name": "err |= __put_user(lamp-##>x, &frame->x)",
    "is no statement of its own": "if (__put_user(lamp->x, &frame->x)) {",
    "changes one of its arguments": "err |= __put_user(lamp->x++, &frame->x)",
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_written_out_is_left(reason: str) -> None:
    # What does not parse as C is kept out of the function.
    assert (
        why(of(f"#define COPY(x) {REFUSED[reason]}\n" + FUNCTION.replace("BODY\n", TWICE)))
        == reason
    )


def test_which_definition_counts_must_be_plain() -> None:
    macro = "#define COPY(x) err |= __put_user(lamp->x, &frame->x)\n"
    either = f"#ifdef CONFIG_LAMP\n{macro}#else\n{macro}#endif\n"
    assert why(body(either + TWICE)) == "is defined in several ways"
    perhaps = f"#ifdef CONFIG_LAMP\n{macro}#endif\n"
    assert why(body(perhaps + TWICE)) == "is defined under a condition of its own"
    anew = f"#define COPY(x) lamp_log(x)\n#undef COPY\n{macro}{TWICE}#undef COPY\n"
    assert written_out(body(anew)).count("__put_user(lamp->") == 2


def test_how_it_is_called_must_be_plain() -> None:
    macro = "#define COPY(x) err |= __put_user(lamp->x, &frame->x)\n"
    called = "\tCOPY(level);\n\tCOPY(%s);\n"
    comment = called % "flags /* all */"
    assert why(body(macro + comment)) == "is called with a comment, which would be lost"
    assert why(body(macro + called % "a, b")) == "is called with other arguments than it has"
    several = "#define COPY(x...) err |= __put_user(x, &frame->level)\n"
    assert why(body(several + called % "1")) == "takes any number of arguments"
    twice = "#define COPY(x) err |= __put_user(x ? x : 1, &frame->level)\n"
    again = "repeats an argument that calls or changes something"
    assert why(body(twice + called % "lamp_level(lamp)")) == again
    value = "#define COPY(x) ({ u32 __r; __r = __put_user(x, &frame->level); __r; })\n"
    used = "\terr |= COPY(1);\n\terr |= COPY(2);\n"
    assert why(body(value + used)) == "is no expression but is used as a value"


def test_where_it_stands_must_have_room() -> None:
    macro = "#define COPY(x) if (put_user(lamp->x, &frame->x)) return -EFAULT\n"
    branch = "\tCOPY(level);\n\tif (err)\n\t\tCOPY(flags);\n\tCOPY(hue);\n"
    assert why(body(macro + branch)) == "is used where only one statement can stand"
    behind = "\tCOPY(level);\n\terr = 0; COPY(flags);\n"
    assert why(body(macro + behind)) == "does not start its line"


def test_another_macro_may_hide_what_changes() -> None:
    hiding = (
        "#define LEVEL (lamp->levels[at])\n#define COPY(x) err |= __put_user(x, &frame->level)\n"
    )
    moving = hiding + FUNCTION.replace("BODY\n", "\tCOPY(LEVEL);\n\tat++;\n\tCOPY(LEVEL);\n")
    assert why(of(moving)) == "means at by another macro, and at changes among the accesses"
    still = hiding + FUNCTION.replace("BODY\n", "\tCOPY(LEVEL);\n\tCOPY(LEVEL);\n")
    assert "__put_user(LEVEL, &frame->level);" in written_out(of(still))


def test_tokens_do_not_run_together() -> None:
    target = body("#define COPY(x) err |= __put_user(-x, &frame->level)\n\tCOPY(-1);\n\tCOPY(2);\n")
    assert "__put_user(- -1, &frame->level);" in written_out(target)


def test_what_the_style_refuses_is_not_written_out() -> None:
    macro = "#define COPY(x, p) err |= __put_user(lamp->x, p)\n"
    first = "\tCOPY(level, &frame->level);\n\tCOPY(flags, &frame->lamp_flags);\n"
    second = "\tCOPY(hue, lamp_place(lamp));\n\tCOPY(hue, lamp_place(lamp));\n"
    target = body(f"{macro}{first}\tlamp_log(lamp);\n{second}#undef COPY\n")
    made = window(target)
    assert [one.cluster for one in made.rewrites] == [target.function.clusters[0]]
    (refusal,) = made.refusals
    assert refusal.cluster == target.function.clusters[1]
    assert refusal.why.startswith("its accesses stand in the macro COPY; written out, ")
    assert macro in made.text.decode()
    assert second in made.text.decode()


def test_a_function_that_wraps_is_no_macro() -> None:
    helper = (
        "static int lamp_put(u32 value, u32 __user *to)\n{\n\treturn put_user(value, to);\n}\n\n"
    )
    calls = "\terr |= lamp_put(1, &frame->level);\n\terr |= lamp_put(2, &frame->lamp_flags);\n"
    target = of(helper + FUNCTION.replace("BODY\n", calls))
    plain = expanded(target, "window")
    assert (plain.edits, plain.refusals) == ((), ())


@pytest.mark.skipif(shutil.which("cpp") is None, reason="no preprocessor here")
def test_the_preprocessor_sees_the_same_tokens(tmp_path: Path) -> None:
    target = body(
        "#define COPY(x)\t{err |= __get_user(lamp->x, &frame->lamp_##x); }\n"
        "\tCOPY(flags); COPY(level);\n\tCOPY(regs[1]);\n#undef COPY\n"
    )
    after = expanded(target, "window").target.reading.source.text
    assert _tokens(tmp_path, target.reading.source.text) == _tokens(tmp_path, after)


def _tokens(folder: Path, text: bytes) -> list[str]:
    # Without the braces and empty statements that are opened and left out.
    (folder / "lamp.c").write_bytes(text)
    said = run(("cpp", "-P", "lamp.c"), folder=folder, timeout=60).stdout
    return re.findall(r"\w+|[^\w\s{};]+", said)
