# SPDX-License-Identifier: GPL-2.0-only
"""What the programs of the corpus share: how a table is written, and how a run ends."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable

from uaccel.errors import UserError
from uaccel.host.run import obey_signals
from uaccel.model.dossier import Tree
from uaccel.report.plain import line


def version(tree: Tree) -> str:
    """Return the version of `tree` as tables name it: two numbers."""
    return ".".join(tree.version.split(".")[:2])


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """Return `rows` as the text of a table: a line each, with tabs between the cells."""
    return "".join("\t".join(map(line, row)) + "\n" for row in rows)


def answered(parser: ArgumentParser, answer: Callable[[Namespace], int]) -> int:
    """Return the exit status of `answer`, or of what ended it: a user error, or Ctrl-C."""
    args = parser.parse_args()
    obey_signals()
    try:
        return answer(args)
    except UserError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted; what was built is kept", file=sys.stderr)
        return 130
