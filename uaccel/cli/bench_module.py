# SPDX-License-Identifier: GPL-2.0-only
"""Write a kernel module that times the styles of a function's shape, or read what it said.

TARGET is FILE:FUNCTION.  --out DIR gets the module's source (GPL-2.0), its Makefile, and a README
that says how to build it, load it on your own board and save its log.  --read FILE shows such logs:
kernel logs as dmesg or the journal give them, of one board or of several.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from uaccel.cli.answer import FINE, Answer, is_coloured, width
from uaccel.cli.documents import add_documents, expect_documents, written
from uaccel.cli.options import add_tree, again
from uaccel.errors import UserError
from uaccel.flow.benchmodule import Wanted, read_logs, write_module
from uaccel.host.tree import find_tree
from uaccel.model.benched import Shape
from uaccel.report import benched


def configure(parser: argparse.ArgumentParser) -> None:
    """Return with the arguments of this command added to `parser`."""
    parser.add_argument("target", nargs="?", metavar="TARGET", help="FILE:FUNCTION")
    add_tree(parser)
    parser.add_argument("--out", metavar="DIR", help="folder for the module")
    parser.add_argument(
        "--cluster", type=int, metavar="N", help="only the function's Nth cluster; else all"
    )
    parser.add_argument(
        "--bytes", type=int, metavar="N", help="of copies whose size the headers do not tell"
    )
    parser.add_argument(
        "--read", action="extend", nargs="+", metavar="FILE", help="logs of the module"
    )
    add_documents(parser, ("json",))
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")


def run(args: argparse.Namespace) -> Answer:
    """Write a kernel module that times a function's shape on your own board, or read its log."""
    if args.read:
        return _read(args)
    if args.json:
        raise UserError("--json holds what a log says; --read FILE names one")
    if not args.target or not args.out:
        raise UserError(
            "name a function as FILE:FUNCTION and a folder with --out, or logs by --read"
        )
    tree = find_tree(args.tree, Path(args.target.partition(":")[0]), os.environ)
    command = again(args, tree.path, {})
    wanted = Wanted(args.target, args.cluster, args.bytes)
    placed = write_module(tree, wanted, args.out, command)
    return Answer("".join(f"{path}\n" for path in placed.paths), FINE, tuple(_told(placed.shapes)))


def _read(args: argparse.Namespace) -> Answer:
    given = {
        "TARGET": args.target,
        "--out": args.out,
        "--cluster": args.cluster,
        "--bytes": args.bytes,
    }
    if odd := next((name for name, value in given.items() if value is not None), None):
        raise UserError(f"--read shows what was measured; {odd} has no meaning there")
    expect_documents(args, ("json",), {})
    report = read_logs(tuple(args.read), again(args, None, {}))
    documents = {"json": lambda: benched.document(report)}
    shown = written(args, documents)
    colour = is_coloured(args.color, os.environ)
    return Answer(shown or benched.text(report, color=colour, width=width()))


def _told(shapes: tuple[Shape, ...]) -> Iterator[str]:
    for shape in shapes:
        for plan in shape.plans:
            under = "" if len(shape.plans) == 1 else f" ({'; '.join(plan.models)})"
            places = ", ".join(f"{one.width} at {one.offset}" for one in plan.transfers)
            yield f"{shape.of}: bytes at offset{under}: {places}"
        yield from (f"{shape.of}: {note}" for note in shape.notes)
