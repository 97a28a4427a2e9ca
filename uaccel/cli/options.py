# SPDX-License-Identifier: GPL-2.0-only
"""Options that several commands share."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from collections.abc import Mapping

import uaccel.arch
from uaccel.catalog import catalog
from uaccel.errors import UserError
from uaccel.host.files import content
from uaccel.model.machine import Arch

ARCHES = catalog(uaccel.arch, Arch)
_COMPILER = ("CROSS_COMPILE", "LLVM", "LLVM_IAS", "CC")
KBUILD = ("ARCH", *_COMPILER)
_FOLDER = ("O", "KBUILD_OUTPUT")
STDIN = "-"
_NAMED = re.compile(r"(?P<name>[^=/]+)=(?P<path>.+)")


def add_tree(parser: argparse.ArgumentParser) -> None:
    """Return with --tree added to `parser`."""
    parser.add_argument(
        "--tree",
        metavar="DIR",
        help="kernel tree; else the one around the target or the working folder, $KDIR, the cached",
    )


def add_builds(parser: argparse.ArgumentParser) -> None:
    """Return with the options of everything that compiles added to `parser`."""
    add_work(parser)
    parser.add_argument(
        "--compiler", choices=("gcc", "clang"), help="only this compiler; else gcc, then clang"
    )


def add_work(parser: argparse.ArgumentParser) -> None:
    """Return with the options of everything that works side by side added to `parser`."""
    add_tree(parser)
    parser.add_argument(
        "--arch",
        action="append",
        metavar="NAME",
        help=f"only this architecture (again for more): {' '.join(ARCHES)}",
    )
    add_pace(parser)


def add_pace(parser: argparse.ArgumentParser) -> None:
    """Return with how many at once, and how much is said of it, added to `parser`."""
    parser.add_argument(
        "-j", "--jobs", type=_jobs, default=os.cpu_count() or 1, metavar="N", help="at once"
    )
    loud = parser.add_mutually_exclusive_group()
    loud.add_argument("-q", "--quiet", action="store_true", help="no progress, no remarks")
    loud.add_argument("-v", "--verbose", action="store_true", help="each step as a line on stderr")


def arches(named: list[str] | None, environment: Mapping[str, str]) -> tuple[Arch, ...]:
    """Return the architectures that were named, or those of ARCH=, or all."""
    for name in named or ():
        if name not in ARCHES:
            raise UserError(f"no architecture is called {name}; there are {', '.join(ARCHES)}")
    if named:
        return tuple(ARCHES[name] for name in dict.fromkeys(named))
    kernel = environment.get("ARCH")
    if not kernel:
        return tuple(ARCHES.values())
    chosen = tuple(a for a in ARCHES.values() if kernel in (a.kernel, a.srcarch, a.name))
    if not chosen:
        kernels = sorted({arch.kernel for arch in ARCHES.values()})
        raise UserError(f"ARCH={kernel} is none that is known; known are {', '.join(kernels)}")
    return chosen


def assignments(words: list[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the targets among `words`, and the environment with Kbuild's VAR=value set."""
    given = [match for word in words if (match := re.fullmatch(r"([A-Z_]+)=(.*)", word))]
    chosen = {match[1]: match[2] for match in given}
    for name in chosen:
        if name in _FOLDER:
            raise UserError(f"{name}= cannot be used yet: every configuration here is our own")
        if name not in KBUILD:
            raise UserError(f"{name} is no variable of Kbuild's; known are {' '.join(KBUILD)}")
    environment = {**os.environ, **chosen}
    needy = [name for name in chosen if name in _COMPILER]
    if needy and not environment.get("ARCH"):
        raise UserError(f"{needy[0]}= needs ARCH=: it does not say which architecture it is for")
    assigned = {match[0] for match in given}
    return tuple(word for word in words if word not in assigned), environment


def again(args: argparse.Namespace, tree: str | None, environment: Mapping[str, str]) -> str:
    """Return the line that repeats the run that `args` asked for, also elsewhere.

    What the environment or the working folder decided is said; `tree` is None where none is asked.
    """
    chosen = [f"{name}={environment[name]}" for name in KBUILD if environment.get(name)]
    words = [word for word in args.words if word not in chosen]
    place = [] if args.tree or tree is None else ["--tree", tree]
    return shlex.join(("uaccel", *words, *place, *chosen))


def seconds(text: str) -> float:
    """Return the time that an option names."""
    try:
        named = float(text)
    except ValueError:
        named = 0.0
    if not 0.01 <= named <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is no time from 0.01 to 86400 seconds")
    return named


def _jobs(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of jobs; it must be at least 1")
    return int(text)


def named_files(words: list[str]) -> tuple[tuple[str | None, str], ...]:
    """Return the name, None without one, and the path of each `[NAME=]FILE`.

    UserError where stdin stands twice.
    """
    matches = [_NAMED.fullmatch(word) for word in words]
    named = tuple(
        (m["name"], m["path"]) if m else (None, word)
        for m, word in zip(matches, words, strict=True)
    )
    if [path for _, path in named].count(STDIN) > 1:
        raise UserError("stdin can be read only once")
    return named


def content_of(path: str) -> bytes:
    """Return what the file, or stdin, holds; UserError when it cannot be read."""
    if path != STDIN:
        return content(path)
    if sys.stdin is None:
        raise UserError("stdin is closed")
    return sys.stdin.buffer.read()
