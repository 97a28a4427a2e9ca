# SPDX-License-Identifier: GPL-2.0-only
"""The candidate lines are those that grep counts, and nothing but regular files is opened."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uaccel.errors import UserError
from uaccel.host import walk
from uaccel.host.pool import Pool
from uaccel.host.run import run
from uaccel.host.walk import Look, Seen, Walker, content, digest, is_settled
from uaccel.sites import Site, sites

# As the issue writes it.
PATTERN = (
    r"\b(__)?(get|put)_user\s*\(|\b_*copy_(from|to)_user\s*\(|\b(__)?clear_user\s*\("
    r"|\bunsafe_(get|put)_user\s*\(|\bunsafe_copy_(from|to)_user\s*\("
)
WORDS = (
    *("get_user", "__put_user", "___get_user", "unsafe_get_user", "unsafe_copy_to_user"),
    *("copy_from_user", "____copy_to_user", "clear_user", "__clear_user", "copy_in_user"),
    *("raw_copy_to_user", "get_user_pages", "_user", "9get_user", "x", "\xe9", "\0", "\x1c"),
    *("(", ")", " ", "  ", "\t", "\r", "\v", "\f", "\n", "\r\n", '"', "/*", "*/", "\\\n"),
)
ROOTLESS = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")


def expected(text: bytes) -> list[int]:
    pattern = re.compile(PATTERN.encode())
    return [n for n, line in enumerate(text.split(b"\n"), start=1) if pattern.search(line)]


def lines(text: bytes) -> list[int]:
    return [site.line for site in sites(text, len(text))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"get_user(a, b)", [Site(1, 1, "get_user")]),
        (b"\n\tif (__put_user (1, p) || get_user(x, q))\n", [Site(2, 6, "__put_user")]),
        (b"x = ____copy_to_user\t(p);", [Site(1, 5, "____copy_to_user")]),
        (b"get_user\n(a)", []),
        (b"get_user\\\n(a)", []),
        (b"my_get_user(a) raw_copy_to_user(b) get_user_pages(c) 2get_user(d)", []),
        (b"-get_user(a)\r\n#put_user\r(b)\r\n", [Site(1, 2, "get_user"), Site(2, 2, "put_user")]),
        (b"\xff\0get_user(a)", [Site(1, 3, "get_user")]),
        (b"", []),
        (b"_user", []),
    ],
)
def test_a_candidate_is_a_line_by_its_first_accessor(text: bytes, found: list[Site]) -> None:
    assert list(sites(text, len(text))) == found
    assert [site.line for site in found] == expected(text)


@given(st.lists(st.sampled_from(WORDS), max_size=40).map(lambda w: "".join(w).encode("latin-1")))
def test_whatever_the_text_the_lines_are_those_of_the_pattern(text: bytes) -> None:
    assert lines(text) == expected(text)
    assert lines(text + b"get_user(") == expected(text + b"get_user(")
    room = bytearray(text + b"\nget_user(x)")
    assert [site.line for site in sites(room, len(text))] == expected(text)


@given(st.binary(max_size=200))
def test_whatever_the_bytes_nothing_is_raised(text: bytes) -> None:
    assert lines(text) == expected(text)


@pytest.mark.parametrize(
    "text",
    [
        b"_" * 5_000_000 + b"copy_from_user(x)",
        b"_user" * 2_000_000,
        b"get_user" + b" " * 5_000_000 + b"(",
        b"get_user (;" * 500_000,
        b"x_user(\n" * 500_000,
    ],
    ids=["underscores", "no accessor", "blanks", "one line", "many lines"],
)
def test_a_hostile_text_takes_no_longer_than_its_length(text: bytes) -> None:
    assert lines(text) == expected(text)


def look(root: Path, folder: str = "", *names: str) -> Seen:
    return Walker(str(root), {}).look(Look(folder, names))


def whole(root: Path, known: dict[str, dict[str, bytes]] | None = None) -> dict[str, Seen]:
    walker = Walker(str(root), known or {})
    waiting, seen = [""], {}
    while waiting:
        folder = waiting.pop()
        seen[folder] = walker.look(Look(folder))
        waiting += seen[folder].folders
    return seen


def held(seen: dict[str, Seen]) -> set[str]:
    return {one.path for found in seen.values() for one in found.held}


def skipped(seen: dict[str, Seen]) -> dict[str, str]:
    return {path: why for found in seen.values() for path, why in found.skipped}


def test_what_is_no_kernel_code_is_left_out_at_the_top_only(tmp_path: Path) -> None:
    for folder in ("tools", "Documentation", "scripts", ".git", "arch/x/tools", "fs/scripts"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.c").write_text("get_user(x, p);\n")
    assert held(whole(tmp_path)) == {"arch/x/tools/a.c", "fs/scripts/a.c"}


def test_only_c_and_h_files_are_looked_at(tmp_path: Path) -> None:
    for name in ("a.c", "b.h", "c.S", "d.inc", ".c", "e.c.orig", "f.C", "c"):
        (tmp_path / name).write_text("get_user(x, p);\n")
    (tmp_path / "folder.c").mkdir()
    (tmp_path / "folder.c" / "g.h").write_text("put_user(x, p);\n")
    assert held(whole(tmp_path)) == {"a.c", "b.h", ".c", "folder.c/g.h"}


def test_any_name_will_do(tmp_path: Path) -> None:
    names = ("a b.c", "new\nline.c", os.fsdecode(b"\xff\xfe.h"), "\N{SNOWMAN}.c", "-x.c", "tab\t.c")
    for name in names:
        (tmp_path / name).write_text("get_user(x, p);\n")
    assert held(whole(tmp_path)) == set(names)


def test_links_are_read_under_their_own_name_or_listed(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    for folder in ("fs", "tools", "mm"):
        (root / folder).mkdir(parents=True)
    (tmp_path / "out.c").write_text("get_user(x, p);\n")
    (root / "fs/real.c").write_text("get_user(x, p);\n")
    (root / "fs/text.inc").write_text("get_user(x, p);\n")
    (root / "tools/tool.h").write_text("get_user(x, p);\n")
    links = {
        "mm/again.c": "../fs/real.c",
        "mm/chain.c": "again.c",
        "mm/folder": "../fs",
        "mm/up": "..",
        "mm/out.c": "../../out.c",
        "mm/outside": "/",
        "mm/dangling.c": "nowhere.c",
        "mm/dangling": "nowhere",
        "mm/loop.c": "loop.c",
        "mm/tool.h": "../tools/tool.h",
        "mm/text.c": "../fs/text.inc",
        "mm/notes.txt": "/etc/passwd",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    seen = whole(root)
    assert held(seen) == {"fs/real.c"}
    assert skipped(seen) == {
        "mm/out.c": "it is a link out of the tree",
        "mm/outside": "it is a link out of the tree",
        "mm/dangling.c": "it is a link that leads nowhere",
        "mm/loop.c": "it is a link that leads nowhere",
        "mm/tool.h": "it is a link to tools/tool.h, which is not read",
        "mm/text.c": "it is a link to fs/text.inc, which is not read",
    }


def test_what_is_no_regular_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.c")
    with socket.socket(socket.AF_UNIX) as ours:
        ours.bind(str(tmp_path / "socket.h"))
        seen = look(tmp_path)
    assert dict(seen.skipped) == {
        "pipe.c": "it is no regular file",
        "socket.h": "it is no regular file",
    }
    with pytest.raises(UserError, match="it is no regular file"):
        content(str(tmp_path), "pipe.c")  # as if it had been one a moment ago


def test_a_file_that_becomes_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.c").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic links"):
        content(str(tmp_path), "a.c")


def test_a_file_too_large_is_listed(tmp_path: Path) -> None:
    with (tmp_path / "a.c").open("wb") as file:
        file.truncate(walk.LARGEST + 1)
    assert dict(look(tmp_path).skipped) == {"a.c": "it has 67 MB, more than is read of a file"}


def test_a_file_larger_than_those_before_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("x\n" * 1_000_000 + "get_user(x, p);")
    (tmp_path / "b.c").write_text("y")  # what the first left in memory is no part of it
    seen = look(tmp_path)
    assert [one.path for one in seen.held] == ["a.c"]
    assert seen.held[0].digest == digest((tmp_path / "a.c").read_bytes())


@ROOTLESS
def test_what_may_not_be_read_is_listed(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "a.c").touch(mode=0)
    assert skipped(whole(tmp_path)) == {
        "a.c": "it cannot be read: Permission denied",
        "closed": "it cannot be listed: Permission denied",
    }


def test_what_vanishes_meanwhile_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.c").touch()
    (tmp_path / "b.c").write_text("get_user(x, p)")
    real = os.open

    def gone(path: str, flags: int) -> int:
        (tmp_path / "a.c").unlink(missing_ok=True)
        return real(path, flags)

    monkeypatch.setattr("os.open", gone)
    seen = look(tmp_path)
    assert dict(seen.skipped) == {"a.c": "it vanished while the tree was read"}
    assert [one.path for one in seen.held] == ["b.c"]
    assert dict(look(tmp_path, "gone").skipped) == {
        "gone": "it cannot be listed: No such file or directory"
    }


def test_a_file_whose_stamp_is_known_is_not_opened(tmp_path: Path) -> None:
    for name in ("a.c", "b.c"):
        (tmp_path / name).write_text("get_user(x, p)")
    known = {folder: dict(seen.stamps or {}) for folder, seen in whole(tmp_path).items()}
    assert whole(tmp_path, known)[""] == Seen((), None, (), (), ())
    (tmp_path / "a.c").write_text("put_user(x, p)")
    again = whole(tmp_path, known)[""]
    assert again.fresh == ("a.c",)
    assert again.stamps is not None
    assert set(again.stamps) == {"a.c", "b.c"}
    (tmp_path / "b.c").unlink()
    assert set(whole(tmp_path, known)[""].stamps or ()) == {"a.c"}


def test_a_stamp_is_settled_two_seconds_later(tmp_path: Path) -> None:
    place = tmp_path / "a.c"
    place.touch()
    stamp = (look(tmp_path).stamps or {})["a.c"]
    changed = place.stat().st_ctime
    assert not is_settled(stamp, changed)
    assert not is_settled(stamp, changed + 1.9)
    assert is_settled(stamp, changed + 2.1)
    os.utime(place, (0, 0))  # the time that anybody may set is not the one that counts
    assert not is_settled((look(tmp_path).stamps or {})["a.c"], changed + 1.9)


@pytest.mark.parametrize("name", ["6_12", "6_1", "7_3"])
def test_the_lines_of_a_tree_are_as_grep_counts_them(
    request: pytest.FixtureRequest, name: str
) -> None:
    tree: Path = request.getfixturevalue(f"tree_{name}")
    walker = Walker(str(tree), {})
    found: list[str] = []
    with Pool(walker.look, 2, 60) as pool:
        pool.put(Look(""))
        for _, seen in pool.answers():
            assert isinstance(seen, Seen)
            pool.put(*(Look(folder) for folder in seen.folders))
            found += (one.path for one in seen.held)
    ours = {(path, n) for path in found for n in lines(content(str(tree), path))}
    argv = ("grep", "-rnaE", "--include=*.[ch]", PATTERN, ".")
    rows = run(argv, folder=tree, timeout=300).stdout.splitlines()
    theirs = {(file.removeprefix("./"), int(n)) for file, n, _ in (r.split(":", 2) for r in rows)}
    top = ("Documentation/", "tools/", "scripts/")
    assert ours == {(file, n) for file, n in theirs if not file.startswith(top)}
    assert len(ours) > 10_000
