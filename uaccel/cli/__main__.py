# SPDX-License-Identifier: GPL-2.0-only
"""The command line: one module of this package per command, and one place where errors end."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from uaccel import __version__
from uaccel.cli import kbuild
from uaccel.cli.answer import FINE, UNUSABLE, Answer
from uaccel.errors import UserError
from uaccel.host.run import kill_all, obey_signals
from uaccel.report.plain import line

_COMMANDS = (
    *("study", "scan", "convert", "check", "compare", "boot", "bench-module"),
    *("tree", "doctor"),
)
_INTERRUPTED = 130  # 128 + SIGINT, as a shell says it


def main(argv: list[str] | None = None) -> int:
    """Return the exit status: 0 fine, 1 findings or a difference, 2 bad input or no means."""
    # A shell may have closed any of them; what is said then goes nowhere.
    sys.stdout = sys.stdout or io.TextIOWrapper(io.BytesIO())
    sys.stderr = sys.stderr or io.TextIOWrapper(io.BytesIO())
    try:
        obey_signals()
        words = sys.argv[1:] if argv is None else argv
        if kbuild.calls(words):
            words = kbuild.sift(words)
            if not kbuild.may_concern(words[-1]):
                return FINE
        args = parser(words).parse_args(words, argparse.Namespace(words=words))
        answer: Answer = args.run(args)
        return _say(answer)
    except UserError as error:
        return _refuse(str(error))
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _refuse(f"{place}{error.strerror or error}")
    except KeyboardInterrupt:
        kill_all()
        return _refuse("interrupted; nothing half-done was kept", _INTERRUPTED)


def parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of the whole command line, or of what `words` need of it."""
    whole = argparse.ArgumentParser(
        prog="uaccel",
        description="Take a kernel function that accesses user memory to a patch with figures.",
        epilog="Exit status: 0 fine, 1 findings or a difference, 2 bad input or a missing means.",
    )
    whole.add_argument("--version", action="version", version=f"uaccel {__version__}")
    commands = whole.add_subparsers(metavar="COMMAND", required=True)
    # Only the command that is asked for is loaded: some of them need large libraries.
    asked = next((word for word in words if not word.startswith("-")), None)
    for name in (asked,) if asked in _COMMANDS else _COMMANDS:
        module = import_module(f"uaccel.cli.{name.replace('-', '_')}")
        summary = (module.run.__doc__ or "").partition("\n")[0]
        command = commands.add_parser(
            name,
            help=summary,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.configure(command)
        command.set_defaults(run=module.run)
    return whole


def _say(answer: Answer) -> int:
    for remark in answer.remarks:
        print(f"uaccel: {line(remark)}", file=sys.stderr)
    sys.stderr.write(answer.log)
    try:
        sys.stdout.buffer.write(answer.text.encode(errors="surrogateescape"))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    return answer.status


def _refuse(why: str, status: int = UNUSABLE) -> int:
    print(f"uaccel: error: {line(why)}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
