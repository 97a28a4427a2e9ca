# SPDX-License-Identifier: GPL-2.0-only
"""Boot a real kernel for each style, let a real program call, and count what is executed.

Without --machine it is every machine; without --target the functions that serve the SYNC_PTR
ioctl.  The client is ours, alsa-lib's aplay, or a command whose first word names a static program
of that machine.  A patch of your own stands beside the styles.  Kernels are built once and kept.
Times are never measured: an emulator's say nothing about a board.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from uaccel.cli.answer import FINE, FOUND, Answer, is_coloured, width
from uaccel.cli.documents import add_documents, expect_documents, written
from uaccel.cli.options import (
    STDIN,
    add_pace,
    add_tree,
    again,
    assignments,
    content_of,
    named_files,
    seconds,
)
from uaccel.cli.progress import Bar
from uaccel.errors import UserError
from uaccel.flow.boot import MACHINES, STYLES, TARGETS, Request, boot, room
from uaccel.flow.brought import Patch
from uaccel.flow.clients import OURS, PLAYS
from uaccel.flow.ground import Ground
from uaccel.flow.trials import ALL_STYLES
from uaccel.host.files import expect_folder
from uaccel.host.store import Store, cache_folder, key
from uaccel.host.tree import find_tree
from uaccel.model.boot import Booted, Machine
from uaccel.report import boot as report
from uaccel.report import bootjson, bootmail

_LIMIT = 300.0  # seconds for one boot
_TREE = "tree"


def configure(parser: argparse.ArgumentParser) -> None:
    """Return with the arguments of this command added to `parser`."""
    add_tree(parser)
    add_pace(parser)
    parser.add_argument("assignments", nargs="*", metavar="VAR=value", help="of Kbuild")
    parser.add_argument(
        "--machine", action="append", metavar="NAME", help=f"again for more: {' '.join(MACHINES)}"
    )
    parser.add_argument(
        "--style",
        action="append",
        choices=(*ALL_STYLES, _TREE),
        help=f"again for more, {_TREE}: as it stands; {' '.join(STYLES)}",
    )
    parser.add_argument(
        "--patch",
        action="append",
        default=[],
        metavar="[NAME=]FILE",
        help="also as this patch has it (again for more; - is stdin)",
    )
    parser.add_argument("--client", default=OURS, metavar=f"{OURS}|{PLAYS}|CMD", help="who calls")
    parser.add_argument("--userland", default="", metavar="NAME", help="kind of program: i386")
    parser.add_argument(
        "--target", action="append", metavar="FILE:FUNCTION", help="written so (again for more)"
    )
    parser.add_argument(
        "--time-limit", type=seconds, default=_LIMIT, metavar="SECONDS", help="for one boot"
    )
    parser.add_argument("--profiles", metavar="DIR", help="folder for profiles; else the cache")
    parser.add_argument(
        "--repetitions",
        action="store_true",
        help="in shares, a string instruction counts as often as it repeats itself",
    )
    parser.add_argument("--mail", action="store_true", help="72 columns for a commit message")
    add_documents(parser, ("json",))
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto")


def run(args: argparse.Namespace) -> Answer:
    """Boot a kernel for each style with a real client, and count instructions."""
    expect_documents(args, ("json",), {"--mail": args.mail})
    named, environment = assignments(args.assignments)
    if named:
        raise UserError(f"{named[0]} is no VAR=value; functions are named with --target")
    tree = find_tree(args.tree, None, environment)
    store = Store(cache_folder(environment))
    profiles = args.profiles or str(store.root / "profiles" / key(tree.path)[:8])
    expect_folder(profiles)
    request = Request(
        machines=_machines(args.machine, environment.get("ARCH", "")),
        styles=tuple(dict.fromkeys("" if one == _TREE else one for one in args.style or STYLES)),
        client=args.client,
        userland=args.userland,
        targets=tuple(args.target or TARGETS),
        seconds=args.time_limit,
        profiles=str(Path(profiles).absolute()),
        command=again(args, tree.path, environment),
        patches=_patches(args.patch),
        repetitions=args.repetitions,
        every=not args.machine,
    )
    with Bar("booting", quiet=args.quiet, verbose=args.verbose) as bar:
        bar.say(f"uaccel: {room(request.machines)}")
        ground = Ground(tree, store, environment, (), None, args.jobs, bar.step)
        booted = boot(ground, request)
    return _answer(args, booted, is_coloured(args.color, environment))


def _patches(words: list[str]) -> tuple[Patch, ...]:
    files = [(name or _name(path), path) for name, path in named_files(words)]
    names = [name for name, _ in files]
    for name in names:
        if name in {*ALL_STYLES, _TREE} or names.count(name) > 1:
            raise UserError(f"{name} names two ways of writing: --patch NAME=FILE names another")
    return tuple(Patch(name, path, content_of(path)) for name, path in files)


def _name(path: str) -> str:
    return "stdin" if path == STDIN else Path(path).stem.replace("=", "_")


def _machines(named: list[str] | None, kernel: str) -> tuple[Machine, ...]:
    for name in named or ():
        if name not in MACHINES:
            raise UserError(f"no machine is called {name}; there are {', '.join(MACHINES)}")
    chosen = [MACHINES[name] for name in dict.fromkeys(named or MACHINES)]
    of_kernel = [one for one in chosen if kernel in ("", one.kernel, one.srcarch)]
    if not of_kernel or (named and len(of_kernel) < len(chosen)):
        names = ", ".join(one.name for one in chosen if one not in of_kernel)
        raise UserError(f"ARCH={kernel} is not the architecture of {names}")
    return tuple(of_kernel)


def _answer(args: argparse.Namespace, booted: Booted, colour: bool) -> Answer:
    failed = bool(booted.unbuilt) or any(run.why for run in booted.runs)
    status = FOUND if failed else FINE
    document = written(args, {"json": lambda: bootjson.document(booted)})
    if document is None and args.mail:
        document = bootmail.text(booted)
    shown = report.text(booted, color=colour, width=width(), verbose=args.verbose)
    return Answer(shown if document is None else document, status)
