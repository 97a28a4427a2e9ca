# SPDX-License-Identifier: GPL-2.0-only
"""The object of a trial, linked and booted, for the emulator."""

from __future__ import annotations

from collections.abc import Iterator

from uaccel.errors import UserError
from uaccel.flow.bench import Bench, Trial
from uaccel.host.files import content
from uaccel.host.kbuild import compile_tree_object
from uaccel.host.lld import link
from uaccel.host.memory import remembered
from uaccel.host.tree import read_file
from uaccel.model.machine import Unbuilt
from uaccel.model.run import Image
from uaccel.read.fixups import fixup_kinds
from uaccel.read.image import Boot, emulation_of, externals, read_image


def image(trial: Trial) -> Image | Unbuilt:
    """Return what a trial built, ready to run, or why it cannot be run."""
    bench = trial.bench
    if trial.build.path is None:
        return Unbuilt(bench.arch.name, "there is no object to run")
    try:
        return _image(bench, trial.build.path)
    except UserError as error:
        return Unbuilt(bench.arch.name, str(error))


def made_of(trial: Trial) -> tuple[bytes | str, ...]:
    """Return all that decides about the image of a trial that was built."""
    bench = trial.bench
    paths = (trial.build.path or "", *_beside(bench))
    boot = Boot(dict(bench.features), _kinds(bench))
    return (repr(bench.arch), repr(boot), *(content(one) for one in paths if one))


def _image(bench: Bench, path: str) -> Image:
    emulation = emulation_of(bench.arch)
    paths = (path, *_beside(bench))
    objects = tuple(content(one) for one in paths)
    boot = Boot(dict(bench.features), _kinds(bench))

    def made() -> Image:
        lacking = externals(bench.arch, objects)
        symbols = tuple((one.name, one.address) for one in lacking)
        linked = link(paths, emulation.text, symbols, bench.ground.store)
        return read_image(linked, bench.arch, lacking, boot, objects[0])

    parts: tuple[bytes | str, ...] = ("image", repr(bench.arch), repr(boot), *objects)
    return remembered(bench.ground.store, "objects", parts, made)


def _beside(bench: Bench) -> Iterator[str]:
    # What the object calls that touches or copies memory is run too, where the tree has it.
    for name in dict.fromkeys((*bench.arch.helpers, *emulation_of(bench.arch).links)):
        made = compile_tree_object(bench.prepared, name)
        if made is not None and name != bench.prepared.object:
            yield str(made)


def _kinds(bench: Bench) -> dict[int, str]:
    header = bench.arch.fixups.header if bench.arch.fixups else ""
    if not header:
        return {}
    text = read_file(bench.ground.tree, header).text
    return dict(fixup_kinds(text.decode(errors="replace")))
