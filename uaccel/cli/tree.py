# SPDX-License-Identifier: GPL-2.0-only
"""Kernel trees from the distribution's packages.

`uaccel tree fetch X.Y` downloads linux-source-X.Y without root, unpacks it into the cache folder
and prints where it is; `uaccel tree list` names the trees at hand.  Besides
`doctor --install` and `boot --client aplay`, the only command that uses the network.
"""

from __future__ import annotations

import argparse

from uaccel.cli.answer import Answer
from uaccel.cli.progress import Bar
from uaccel.host.tree import cached, fetch


def configure(parser: argparse.ArgumentParser) -> None:
    """Return with the arguments of this command added to `parser`."""
    actions = parser.add_subparsers(metavar="fetch|list", required=True)
    get = actions.add_parser("fetch", help="download and unpack a tree; print its folder")
    get.add_argument("version", nargs="?", default="6.12", help="X.Y; 6.12 when left out")
    get.set_defaults(version_wanted=True)
    actions.add_parser("list", help="name the trees at hand").set_defaults(version_wanted=False)


def run(args: argparse.Namespace) -> Answer:
    """Fetch a kernel tree from the distribution's package, or list those at hand."""
    if not args.version_wanted:
        return Answer("".join(f"{tree.version}\t{tree.path}\n" for tree in cached()))
    with Bar(f"Linux {args.version}") as bar:
        tree = fetch(args.version, bar.share)
    return Answer(f"{tree.path}\n")
