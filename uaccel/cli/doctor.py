# SPDX-License-Identifier: GPL-2.0-only
"""What is here, what is missing, and the one line that installs it.

With --install, missing packages of the distribution are installed when we are root or sudo asks
for no password; else the line is printed and the work goes on with the compiler in the wheel.
"""

from __future__ import annotations

import argparse
import os

from uaccel.cli.answer import FINE, FOUND, Answer
from uaccel.cli.options import ARCHES
from uaccel.cli.progress import Bar
from uaccel.flow.boot import MACHINES
from uaccel.host.debian import (
    TEST_NEEDS,
    boot_packages,
    install,
    install_line,
    is_debian,
    missing_packages,
    needed_packages,
)
from uaccel.host.run import find_program
from uaccel.host.store import cache_folder
from uaccel.host.toolchain import find_toolchain
from uaccel.host.tree import cached
from uaccel.model.machine import Arch, Unbuilt

_PROGRAMS = ("make", "gcc", "flex", "bison", "bc", "perl", "git", "tar", "xz")


def configure(parser: argparse.ArgumentParser) -> None:
    """Return with the arguments of this command added to `parser`."""
    parser.add_argument("--install", action="store_true", help="install what is missing, if we may")
    parser.add_argument("--boot", action="store_true", help="what `uaccel boot` needs too")
    parser.add_argument("--tests", action="store_true", help="what our own tests need too")


def run(args: argparse.Namespace) -> Answer:
    """Say what is here, what is missing, and the one line that installs it."""
    needed = needed_packages(tuple(ARCHES.values()))
    if args.tests:
        needed = tuple(sorted((*needed, *TEST_NEEDS)))
    if args.boot:
        needed = tuple(sorted({*needed, *boot_packages(tuple(MACHINES.values()))}))
    if args.install:
        with Bar("installing missing packages") as bar:
            done = install(needed, bar.share)
        return Answer("", FINE, (done.why,) if done.why else ())
    missing = missing_packages(needed)
    emulators = sorted({machine.emulator for machine in MACHINES.values()}) if args.boot else ()
    lines = [
        "compilers",
        *(_compiler(arch) for arch in ARCHES.values()),
        "programs",
        *(f"  {name:12} {find_program(name) or 'missing'}" for name in _PROGRAMS),
        *(f"  {name:20} {find_program(name) or 'missing'}" for name in emulators),
        "kernel trees",
        *(f"  {tree.version:12} {tree.path}" for tree in cached()),
    ]
    if not cached():
        lines.append("  none         `uaccel tree fetch 6.12` gets one")
    lines.append(f"cache\n  {cache_folder(os.environ)}")
    absent = any(find_program(name) is None for name in (*_PROGRAMS, *emulators))
    if missing:
        lines.append(f"missing packages; this line installs them:\n  {install_line(missing)}")
    elif not is_debian():
        lines.append("no Debian machine: packages were not looked for")
    return Answer("\n".join(lines) + "\n", FOUND if missing or absent else FINE)


def _compiler(arch: Arch) -> str:
    found = find_toolchain(arch, os.environ)
    said = found.why if isinstance(found, Unbuilt) else found.name
    return f"  {arch.name:12} {said}"
