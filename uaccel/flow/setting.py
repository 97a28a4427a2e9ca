# SPDX-License-Identifier: GPL-2.0-only
"""One way of writing in kernels that are linked, ready to be booted with a client and counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from uaccel.errors import UserError
from uaccel.flow.clients import Client
from uaccel.flow.counting import Counted, Plugin
from uaccel.flow.symbols import entries_of
from uaccel.host.files import put_bytes, scratch
from uaccel.host.qemu import Ended, Load
from uaccel.model.boot import Machine
from uaccel.model.executed import Linked, Places, Stretch
from uaccel.model.machine import RoleRow
from uaccel.read.clientlog import Called, read_calls

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Image:
    """A kernel as it is loaded."""

    kernel: Linked
    path: str
    places: Places


@dataclass(frozen=True, slots=True)
class Setting:
    """One way of writing with all that is needed to count in it."""

    machine: Machine
    kept: Image  # in which each function is a symbol of its own
    plain: Image | None  # as the compiler likes it, with functions inlined; None: not asked for
    client: Client
    roles: tuple[RoleRow, ...]
    functions: tuple[str, ...]  # that it is about
    plugin: Plugin
    repetitions: bool  # in shares, each repetition of an instruction counts
    seconds: float  # that one boot may take
    notes: tuple[str, ...]


def loaded(setting: Setting, image: Image, calls: int, count: Callable[[Load], Answer]) -> Answer:
    """Return what `count` finds in a machine that boots `image`, whose client makes `calls`."""
    with scratch() as folder:
        initrd = f"{folder}/initrd.gz"
        put_bytes(folder, "initrd.gz", setting.client.initrd(calls))
        return count(Load(setting.machine, image.path, initrd, image.kernel.big, setting.seconds))


def told(got: Counted) -> tuple[Called, ...]:
    """Return the calls that our client tells of; Ended where it does not say that all went well."""
    try:
        return read_calls(got.console)
    except UserError as error:
        raise Ended(str(error), got.console) from None


def called(setting: Setting, run: Stretch) -> tuple[tuple[str, int], ...]:
    """Return each function that it is about, and how often `run` entered it."""
    kernel = setting.kept.kernel
    return tuple((name, _times(run, entries_of(kernel, (name,)))) for name in setting.functions)


def _times(run: Stretch, entries: tuple[int, ...]) -> int:
    return sum(row.count for row in run.rows if row.address in entries)
