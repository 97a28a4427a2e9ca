# SPDX-License-Identifier: GPL-2.0-only
"""What a command writes besides its text: `--json FILE` and its kin, - for stdout; a page."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from uaccel.errors import UserError
from uaccel.host.files import expect_file, expect_folder, put, put_bytes

PAGE = "index.html"
PLOTS = "plots"


def add_documents(parser: argparse.ArgumentParser, names: Iterable[str]) -> None:
    """Return with an option for each document of `names` added to `parser`."""
    for name in names:
        parser.add_argument(
            f"--{name}", metavar="FILE", help=f"write {name.upper()} there; - for stdout"
        )


def add_page(parser: argparse.ArgumentParser) -> None:
    """Return with --html added to `parser`."""
    parser.add_argument("--html", metavar="DIR", help="write a page for a browser: DIR/index.html")


def expect_page(args: argparse.Namespace) -> None:
    """Return when the page that `args` asks for can be written; UserError before any work."""
    if args.html == "-":
        raise UserError("--html takes a folder: a page does not go to stdout")
    if args.html:
        expect_folder(args.html)
        expect_file(str(Path(args.html) / PAGE))
        expect_folder(str(Path(args.html) / PLOTS))


def write_page(
    args: argparse.Namespace,
    make: Callable[[], str],
    draw: Callable[[], Iterable[tuple[str, bytes, bytes]]] = tuple,
) -> tuple[str, ...]:
    """Return where the page that `args` asks for was written, and the plots for a mail with it."""
    if not args.html:
        return ()
    path = put(args.html, PAGE, make())
    for name, svg, png in draw():
        put_bytes(str(Path(args.html) / PLOTS), f"{name}.svg", svg)
        put_bytes(str(Path(args.html) / PLOTS), f"{name}.png", png)
    return () if args.quiet else (f"the page is {path}",)


def expect_documents(
    args: argparse.Namespace, names: Iterable[str], others: Mapping[str, bool]
) -> None:
    """Return when all that `args` asks for can be written; UserError before any work is done.

    `others` are options whose text goes to stdout too, and whether they were given.
    """
    paths = {name: getattr(args, name) for name in names}
    if list(paths.values()).count("-") + sum(others.values()) > 1:
        words = [*(f"--{name} -" for name in paths), *others]
        raise UserError(f"only one of {', '.join(words[:-1])} and {words[-1]} goes to stdout")
    for path in paths.values():
        if path and path != "-":
            expect_file(path)


def written(args: argparse.Namespace, documents: Mapping[str, Callable[[], str]]) -> str | None:
    """Return the document that goes to stdout, None without one; the others are written."""
    shown = None
    for name, make in documents.items():
        path = getattr(args, name)
        if path == "-":
            shown = make()
        elif path:
            put(str(Path(path).parent), Path(path).name, make())
    return shown
