# SPDX-License-Identifier: GPL-2.0-only
"""Ask perf what a recording holds."""

from __future__ import annotations

import os
from pathlib import Path

from uaccel.errors import UserError
from uaccel.host.files import content
from uaccel.host.run import find_program, run
from uaccel.model.command import Command

# What a recording begins with: of either byte order, and of perf before 2009.
_MAGIC = (b"PERFILE2", b"2ELIFREP", b"PERFFILE")
_SECONDS = 600
_NEWER = ("--stdio-color=never", "--asm-raw")  # options that not every perf has


def profile_text(path: str) -> str:
    """Return the text of the profile at `path`: what perf says of it when it is a recording."""
    if is_recording(path):
        return script(path).stdout
    return content(path).decode(errors="replace")


def is_recording(path: str) -> bool:
    """Return whether the file at `path` is what `perf record` writes."""
    try:
        with Path(path).open("rb") as file:
            return file.read(8) in _MAGIC
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None


def script(path: str, seconds: float = _SECONDS) -> Command:
    """Return what `perf script` says of the recording at `path`, samples with all their fields.

    Functions that compilers inlined are not looked up: perf asks addr2line for each address, of
    programs too, and may take hours.
    """
    if find_program("perf") is None:
        raise UserError(
            f"{path} is a recording, and perf is not here to read it; "
            "`uaccel doctor` says what to install, or give the text of `perf script`"
        )
    # --force: a recording made as root and copied is read all the same.
    argv = ("perf", "script", "--force", "--no-inline", "--input", str(Path(path).absolute()))
    # It would ask a server on the network for symbols.
    environment = {**os.environ, "DEBUGINFOD_URLS": ""}
    command = run(argv, folder=Path("/"), timeout=seconds, environment=environment)
    if command.status != 0 or not command.stdout.strip():
        raise UserError(f"perf cannot read {path}: {_complaint(command)}")
    return command


def annotate(
    path: str,
    symbol: str,
    *,
    vmlinux: str | None = None,
    lines: bool = False,
    seconds: float = _SECONDS,
) -> Command:
    """Return what `perf annotate --stdio` says of `symbol` in the recording at `path`.

    `vmlinux` is the kernel's image with its symbols.  `lines` asks for the line of the source of
    each instruction that has samples: perf starts addr2line for each.
    """
    if find_program("perf") is None:
        raise UserError(
            f"{path} is a recording, and perf is not here to annotate {symbol} of it; "
            "`uaccel doctor` says what to install, or give the text of `perf annotate --stdio`"
        )
    argv = (
        *("perf", "annotate", "--stdio", *_NEWER, "--force"),
        *(("--print-line", "--full-paths") if lines else ()),
        *(("--vmlinux", str(Path(vmlinux).absolute())) if vmlinux else ()),
        *("--input", str(Path(path).absolute()), f"--symbol={symbol}"),
    )
    command = _annotated(argv, seconds)
    if command.status != 0 and "unknown option" in command.stderr:
        # An older perf shows the bytes unasked, and has no colours but for a terminal.
        command = _annotated(tuple(word for word in argv if word not in _NEWER), seconds)
    if command.status != 0 or ":" not in command.stdout:
        raise UserError(f"perf cannot annotate {symbol} of {path}: {_why_not(command)}")
    return command


def _annotated(argv: tuple[str, ...], seconds: float) -> Command:
    environment = {**os.environ, "DEBUGINFOD_URLS": ""}
    return run(argv, folder=Path("/"), timeout=seconds, environment=environment)


def _why_not(command: Command) -> str:
    # Its first paragraph, without "Error:" and "Couldn't annotate SYMBOL:".
    paragraph = command.stderr.strip().partition("\n\n")[0]
    said = [line.strip() for line in paragraph.splitlines()]
    said = [line for line in said if line and not line.endswith(":")]
    if not said or "has no samples" in paragraph:
        return f"it has no samples of it (exit status {command.status})"
    return " ".join(said)


def _complaint(command: Command) -> str:
    said = [line.strip() for line in command.stderr.splitlines() if line.strip()]
    return said[0] if said else f"it holds no samples (exit status {command.status})"
