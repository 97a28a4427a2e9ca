# SPDX-License-Identifier: GPL-2.0-only
"""The program that calls: our own, alsa-lib's aplay, or one that the user names."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from os import fsencode
from pathlib import PurePath

from uaccel.errors import UserError
from uaccel.flow.ground import Progress
from uaccel.flow.userland import APLAY, programs
from uaccel.host.client import client as build
from uaccel.host.files import content
from uaccel.host.initramfs import Entry, pack, plain, program, with_client
from uaccel.host.store import Store
from uaccel.model.boot import Machine, Userland
from uaccel.model.executed import Linked
from uaccel.read.dynamic import dynamic
from uaccel.read.vmlinux import read_vmlinux

OURS, PLAYS = "ours", "aplay"
_SECONDS_PLAYED = 5
_WORDS, _BYTES = 60, 4000  # that our client takes of another program's command line
_RATE = 8000  # frames a second, of two bytes
_SOUND = "silence.raw"
# Short periods and the ring mapped: the library asks for the pointers seven times a period.
_PLAYING = (
    *("-D", "hw:0,0", "-M", "-q", "-t", "raw", "-f", "S16_LE", "-r", str(_RATE), "-c", "1"),
    *("--period-size=40", "--buffer-size=640", f"/{_SOUND}"),
)


class Elsewhere(UserError):
    """A machine does not run a program; another one may."""


@dataclass(frozen=True, slots=True)
class Client:
    """A program that calls, ready to be booted."""

    name: str  # "ours", "aplay", or the last part of a path
    userland: Userland
    linked: Linked  # our own client, which is the first program in any case
    bare: bytes  # its file
    arguments: tuple[str, ...]  # of the program that it runs; () when it calls itself
    others: tuple[Entry, ...]
    packages: tuple[str, ...]  # "alsa-utils 1.2.8-1"

    def initrd(self, calls: int) -> bytes:
        """Return a file system in which it makes `calls` calls of each kind, or runs another."""
        words = ("run", *self.arguments) if self.arguments else ("calls", str(calls))
        return pack(with_client(self.bare, words, self.others))


def chosen(
    machine: Machine, wanted: str, userland: str, store: Store, progress: Progress
) -> Client:
    """Return the client that the user wants, for a userland of `machine`."""
    if wanted not in (OURS, PLAYS):
        _userland(machine, userland, packaged=False)
        return _given(machine, userland, wanted, store)
    side = _userland(machine, userland, packaged=wanted == PLAYS)
    bare = content(build(side, store))
    own = read_vmlinux(bare)
    if wanted == OURS:
        return Client(OURS, side, own, bare, (), (), ())

    def fetching(what: str, share: float | None) -> None:
        progress(what, round(100 * share) if share else 0, 100 if share else 0)

    found = programs(side, APLAY, store, fetching)
    sound = plain(_SOUND, bytes(2 * _RATE * _SECONDS_PLAYED))
    words = (f"/{APLAY.path}", *_PLAYING)
    return Client(PLAYS, side, own, bare, words, (*found.entries, sound), found.packages)


def _given(machine: Machine, userland: str, wanted: str, store: Store) -> Client:
    words = _words(wanted)
    held = content(words[0])
    elf = _program(words[0], held)
    for side in machine.userlands:
        bare = content(build(side, store)) if userland in ("", side.name) else b""
        own = read_vmlinux(bare) if bare else None
        if own is not None and (own.machine, own.bits, own.big) == (elf.machine, elf.bits, elf.big):
            break
    else:
        kinds = userland or " or ".join(side.name for side in machine.userlands)
        raise Elsewhere(f"{words[0]} is no program of {kinds}, which {machine.name} runs")
    # As the first column of a profile it is one word.
    name = re.sub(r"[^\w.+-]", "_", PurePath(words[0]).name)
    place = f"usr/bin/{name}"
    arguments = (f"/{place}", *words[1:])
    return Client(name, side, own, bare, arguments, (program(place, held),), ())


def _words(wanted: str) -> list[str]:
    try:
        words = shlex.split(wanted)
    except ValueError as error:
        raise UserError(f"--client {wanted} is no command: {error}") from None
    if not words:
        raise UserError("--client names no program")
    if any(not word or "\n" in word for word in words):
        raise UserError("a word of --client is empty or holds a line break")
    if len(words) > _WORDS or len(fsencode("\n".join(words))) > _BYTES:
        raise UserError(f"--client has more than {_WORDS} words or {_BYTES} bytes")
    return words


def _program(path: str, held: bytes) -> Linked:
    try:
        elf = read_vmlinux(held)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    needs = dynamic(held)
    if needs is not None and needs.interpreter:
        raise UserError(f"{path} asks for {needs.interpreter} and libraries: give a static program")
    return elf


def _userland(machine: Machine, named: str, *, packaged: bool) -> Userland:
    known = ", ".join(one.name for one in machine.userlands)
    found = [one for one in machine.userlands if not named or one.name == named]
    if not found:
        raise Elsewhere(f"{machine.name} runs no {named} programs; it runs {known}")
    held = [one for one in found if one.packages or not packaged]
    if not held:
        raise Elsewhere(f"the distribution has no packages of {found[0].name} for {machine.name}")
    return held[0]
