# SPDX-License-Identifier: GPL-2.0-only
"""Reading C: offsets hold, nothing raises, and no access is dropped."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.csamples import MIXED, Sample, functions
from uaccel.model.source import Direction, Form, Kind, Reading, Source
from uaccel.read.csource import blank, parse, walk
from uaccel.read.reading import read_source

# As `grep -E` is given it.
CANDIDATE = re.compile(
    rb"\b(__)?(get|put)_user\s*\(|\b_*copy_(from|to)_user\s*\(|\b(__)?clear_user\s*\(|"
    rb"\bunsafe_(get|put)_user\s*\(|\bunsafe_copy_(from|to)_user\s*\("
)
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Words that steer the reader; hypothesis builds nonsense from them.
WORDS = st.sampled_from(
    [
        *("get_user", "put_user(", "copy_to_user(a, &b, sizeof(b))", "unsafe_get_user(x, p, l)"),
        *("if (", "||", "return -EFAULT;", "goto x;", "{", "}", "(", ")", ";", ",", "\n", "\\\n"),
        *("user_read_access_begin(p, 1)", "user_read_access_end();", "SYSCALL_DEFINE2(", "..."),
        *("#ifdef A\n", "#endif\n", "#define M(x) ", "/*", "*/", "//", '"', "'", "\t", " ", "\r"),
        *("scoped_guard(m, l)", "__user", "__free(", "container_of(p, struct x, m)", "struct s"),
        *("int f(struct s __user *p)", "&p->a", "x", "0", "list_for_each(a, b)", "\x00", "\xe9"),
    ]
)
NONSENSE = st.lists(WORDS, max_size=40).map(lambda words: " ".join(words).encode("latin-1"))


def read(text: bytes) -> Reading:
    """Return what is read in `text`."""
    return read_source(Source(PurePosixPath("case.c"), text))


def unaccounted(reading: Reading) -> list[int]:
    """Return the lines that a pattern finds and the reading has no class for, or the reverse."""
    lines = reading.source.text.split(b"\n")
    found = {number for number, line in enumerate(lines, start=1) if CANDIDATE.search(line)}
    classed = [candidate.line for candidate in reading.candidates]
    assert len(classed) == len(set(classed))
    return sorted(found ^ set(classed))


@relaxed
@given(st.one_of(st.binary(max_size=300), NONSENSE))
def test_blanking_keeps_every_offset_and_every_line(text: bytes) -> None:
    plain = blank(text)
    assert len(plain) == len(text)
    assert [at for at, byte in enumerate(plain) if byte == 10] == [
        at for at, byte in enumerate(text) if byte == 10
    ]


@relaxed
@given(st.one_of(st.binary(max_size=300), NONSENSE))
def test_no_text_makes_the_reader_raise(text: bytes) -> None:
    assert not unaccounted(read(text))


@relaxed
@given(st.data())
def test_no_mutation_makes_the_reader_raise_or_drop_an_access(data: st.DataObject) -> None:
    text = MIXED
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(start + 30, len(text))))
        word = data.draw(WORDS).encode("latin-1")
        text = text[:start] + word + text[end:]
    assert not unaccounted(read(text))


@relaxed
@given(functions())
def test_every_chain_is_read_as_it_was_written(sample: Sample) -> None:
    reading = read(sample.text)
    (function,) = reading.functions
    quote = reading.source.quote
    found = [
        (
            {access.accessor for access in cluster.accesses},
            [(quote(access.value), quote(access.pointer)) for access in cluster.accesses],
        )
        for cluster in function.clusters
    ]
    assert found == [({accessor}, list(made)) for accessor, made in sample.transfers]
    assert not reading.not_understood


def test_a_very_long_chain_is_read() -> None:
    chain = " ||\n\t    ".join(f"get_user(a, &p->field{n})" for n in range(3000))
    text = f"int f(struct s __user *p)\n{{\n\tif ({chain})\n\t\treturn -EFAULT;\n\treturn 0;\n}}\n"
    (function,) = read(text.encode()).functions
    assert len(function.clusters[0].accesses) == 3000


def test_our_own_c_is_accounted_for() -> None:
    reading = read(MIXED)
    assert not unaccounted(reading)
    named = {function.name: function for function in reading.functions}
    (cluster,) = named["chain"].clusters  # a chain, and a macro whose accesses could join it
    assert cluster.obstacle is not None and "macro" in cluster.obstacle
    (window,) = (c for f in reading.functions for c in f.clusters if c.form is Form.WINDOW)
    assert window.direction is Direction.WRITE
    assert len({candidate.kind for candidate in reading.candidates}) > 3


def test_what_stands_in_comments_and_strings_is_classed_so() -> None:
    reading = read(b'/* get_user(a, b) */\nchar *s = "put_user(a, b)"; // put_user(a, b)\n')
    assert [(one.line, one.kind) for one in reading.candidates] == [
        (1, Kind.COMMENT),
        (2, Kind.COMMENT),
    ]


SYNTAX = (
    "int f(void)\n{\n\tscoped_guard(mutex, &m) {\n\t\tg();\n\t}\n}\n",
    "int f(void)\n{\n\tguard(mutex)(&m);\n\treturn 0;\n}\n",
    "int f(void)\n{\n\tvoid *p __free(kfree) = g();\n\n\treturn 0;\n}\n",
    "SYSCALL_DEFINE2(f, int, fd, char __user *, p)\n{\n\treturn 0;\n}\n",
    "COMPAT_SYSCALL_DEFINE1(f, compat_uptr_t, p)\n{\n\treturn 0;\n}\n",
    "int f(int x)\n{\n\tswitch (x) {\n\tcase 1 ... 5:\n\t\treturn 1;\n\t}\n\treturn 0;\n}\n",
    "int f(void)\n{\n\tstruct a *x = container_of(p, struct a, m.n[0]);\n\n\treturn x->y;\n}\n",
    "int f(int n)\n{\n\treturn min_t(unsigned int, n, sizeof_field(struct a, b));\n}\n",
    "int f(void)\n{\n\tlist_for_each_entry(x, &head, list)\n\t\tg(x);\n\treturn 0;\n}\n",
    "static noinline int __must_check f(void __user *p) __must_hold(&l)\n{\n\treturn 0;\n}\n",
)


@pytest.mark.parametrize("text", SYNTAX)
def test_what_the_kernel_adds_to_c_is_no_syntax_error(text: str) -> None:
    assert not [node for node in walk(parse(text.encode())) if node.type == "ERROR"]
    assert not read(text.encode()).broken


REAL = (
    *("sound/core/pcm_native.c", "sound/core/pcm_compat.c", "sound/core/control.c"),
    *("sound/core/rawmidi_compat.c", "sound/core/seq/seq_clientmgr.c", "sound/core/timer.c"),
    *("kernel/compat.c", "kernel/signal.c", "kernel/exit.c", "kernel/rseq.c", "fs/readdir.c"),
    *("fs/select.c", "fs/ioctl.c", "net/core/scm.c", "net/socket.c", "lib/iov_iter.c"),
    *("arch/x86/kernel/signal_64.c", "arch/powerpc/kernel/signal_32.c", "drivers/tty/vt/vt.c"),
)


@pytest.mark.parametrize("path", REAL)
def test_no_access_of_a_real_file_is_dropped(path: str, tree_6_12: Path) -> None:
    text = (tree_6_12 / path).read_bytes()
    reading = read_source(Source(PurePosixPath(path), text))
    assert not unaccounted(reading)
    assert reading.candidates


def test_the_functions_of_the_seed_are_read(tree_6_12: Path) -> None:
    native = read_real(tree_6_12, "sound/core/pcm_native.c")
    compat = read_real(tree_6_12, "sound/core/pcm_compat.c")
    shapes = {
        function.name: [(c.direction.value, c.form.value, len(c.accesses)) for c in found]
        for reading in (native, compat)
        for function in reading.functions
        if re.search(r"sync_ptr", function.name) and (found := function.clusters)
    }
    fields = [("read", "fieldwise", 3), ("write", "fieldwise", 9)]
    assert shapes["snd_pcm_ioctl_sync_ptr_compat"] == fields
    assert shapes["snd_pcm_ioctl_sync_ptr_x32"] == fields
    assert [way for way, _, _ in shapes["snd_pcm_sync_ptr"]] == ["read", "write"]


def test_the_merged_form_is_read(tree_7_3: Path) -> None:
    reading = read_real(tree_7_3, "sound/core/pcm_native.c")
    (function,) = (f for f in reading.functions if f.name == "snd_pcm_ioctl_sync_ptr_compat")
    assert [cluster.form for cluster in function.clusters] == [Form.HELPER, Form.HELPER]


def read_real(tree: Path, path: str) -> Reading:
    """Return what is read in one file of a kernel tree."""
    return read_source(Source(PurePosixPath(path), (tree / path).read_bytes()))


ODDITIES = (
    # do { ... } while_each_thread(a, b); and its like once swallowed all functions that follow
    b"int g(void)\n{\n\tdo {\n\t\th();\n\t} while_each_lamp(a, b);\n\treturn 0;\n}\n",
    b"int g(void)\n{\n\tdo {\n\t\th();\n\t} for_each_lamp_range(a, b);\n\treturn 0;\n}\n",
    b"int g(void)\n{\n\tdo_each_lamp(a, struct b, c) {\n\t\th();\n\t} while_each_lamp(a);\n}\n",
    b"int g(void)\n{\n#ifndef __user\n#define __user\n#endif\n\treturn 0;\n}\n",
    b"SYSCALL_DEFINE0(lamp)\n{\n\treturn 0;\n}\n",
    b"COMPAT_SYSCALL_DEFINE0(lamp)\n{\n\treturn 0;\n}\n",
)
CHAIN = (
    b"int f(struct lamp *lamp, struct s __user *p)\n{\n\tif (put_user(VALUE, &p->__unused) ||\n"
    b"\t    put_user(0, &p->flags))\n\t\treturn -EFAULT;\n\treturn 0;\n}\n"
)


@pytest.mark.parametrize("above", ODDITIES)
def test_odd_functions_hide_none_that_follow(above: bytes) -> None:
    reading = read(above + CHAIN)
    assert reading.broken == ()
    assert [(f.name, len(f.clusters)) for f in reading.functions] == [("f", 1)]
    assert len(reading.names) == 2


def test_a_member_may_be_called_like_an_annotation() -> None:
    (function,) = read(CHAIN).functions
    assert [access.path for access in function.clusters[0].accesses] == ["__unused", "flags"]


@pytest.mark.parametrize(
    ("value", "impure"),
    [
        (b"lamp->level", False),
        (b"(u32)(lamp->level)", False),
        (b"(size_t)(lamp->level)", False),
        (b"sizeof(struct lamp)", False),
        (b"lamp->levels[2]", False),
        (b"lamp->levels[LAMP_LAST]", False),
        (b"lamp->levels[lamp->last]", True),
        (b"(lamp_level)(lamp)", True),
        (b"*(volatile u32 *)lamp", True),
        (b"({ lamp; })", True),
        (b"jiffies", True),
        (b"lamp->busy", True),
        (b"LAMP_NOW", True),
        (b"LAMP_SIZE", False),
        (b"lamp->level++", True),
    ],
)
def test_what_may_not_run_inside_a_window_is_impure(value: bytes, impure: bool) -> None:
    above = (
        b"#define LAMP_NOW lamp_clock()\n#define LAMP_SIZE sizeof(struct lamp)\n"
        b"struct lamp { volatile int busy; int level; };\n"
    )
    (function,) = read(above + CHAIN.replace(b"VALUE", value)).functions
    assert function.clusters[0].accesses[0].impure is impure


def test_a_volatile_local_does_not_spoil_a_member_of_its_name() -> None:
    local = b"{\n\tvolatile struct state *status = lamp->state;\n\n"
    text = CHAIN.replace(b"{\n", local, 1).replace(b"p->flags", b"p->s.status.flags")
    (function,) = read(text.replace(b"VALUE", b"lamp->level")).functions
    assert not any(access.impure for access in function.clusters[0].accesses)
    (function,) = read(text.replace(b"VALUE", b"status->level")).functions
    assert function.clusters[0].accesses[0].impure


def test_what_stands_inside_a_window_is_part_of_it() -> None:
    text = (
        b"int f(struct s __user *p)\n{\n\tif (!user_read_access_begin(p, sizeof(*p)))\n"
        b"\t\treturn -EFAULT;\n\tif (x) {\n\t\tif (get_user(a, &p->a) || get_user(b, &p->b))\n"
        b"\t\t\treturn -EFAULT;\n\t}\n\tuser_read_access_end();\n\treturn 0;\n}\n"
    )
    (function,) = read(text).functions
    assert [cluster.form for cluster in function.clusters] == [Form.WINDOW]
    (function,) = read(text.replace(b"\tuser_read_access_end();\n", b"")).functions
    assert [cluster.form for cluster in function.clusters] == [Form.WINDOW]  # nothing ends it
    assert len(function.clusters[0].accesses) == 2


def test_the_statement_that_leaves_keeps_its_annotations() -> None:
    text = CHAIN.replace(b"return -EFAULT", b"return (void __user *)NULL")
    (function,) = read(text).functions
    assert function.clusters[0].fault == "return (void __user *)NULL;"
