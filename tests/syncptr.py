# SPDX-License-Identifier: GPL-2.0-only
"""What snd_pcm_ioctl_sync_ptr_compat is called with, and its objects in every style."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests import replay
from uaccel.flow.bench import Trial
from uaccel.flow.ground import Ground
from uaccel.flow.images import image
from uaccel.flow.targets import SEED, load
from uaccel.flow.trials import drafts, stands, try_drafts
from uaccel.host.files import content
from uaccel.host.store import Store, cache_folder
from uaccel.host.tree import find_tree
from uaccel.model.machine import Unbuilt
from uaccel.model.run import Image, Input
from uaccel.model.source import Layout, Member
from uaccel.read.types import read_layouts

FUNCTION = "snd_pcm_ioctl_sync_ptr_compat"
USER = 0x10000000
AWAY = 0x6000000  # bytes behind the code
TAGS = (
    *("snd_pcm_substream", "snd_pcm_runtime", "snd_pcm"),
    *("snd_pcm_mmap_status", "snd_pcm_mmap_control"),
)
READ_CONTROL = 6  # SNDRV_PCM_SYNC_PTR_APPL and _AVAIL_MIN: nothing is taken from the user


@dataclass(frozen=True, slots=True)
class Sample:
    """The function as one object has it."""

    arch: str
    style: str  # "fieldwise" where the tree's own text was compiled
    compiler: str
    image: Image
    given: Input
    declared: tuple[str, ...]  # what the style says a user program could notice
    trial: Trial


def samples(tree: Path, arches: tuple[str, ...], styles: tuple[str, ...]) -> Iterator[Sample]:
    """Yield the function in each style on each architecture that a compiler is here for."""
    found = find_tree(str(tree), None, os.environ)
    ground = Ground(
        tree=found,
        store=Store(cache_folder(os.environ)),
        environment=os.environ,
        arches=tuple(replay.ARCHES[name] for name in arches),
        compiler=None,
        jobs=2,
        progress=lambda _what, _done, _of: None,
    )
    for stand in stands(ground, load(found, SEED)):
        if stand.target.function.name == FUNCTION:
            wanted = tuple(style for style in styles if style != "fieldwise")
            tried = try_drafts(ground, stand, drafts(stand, wanted))
            yield from (_sample(one) for one in (*stand.trials, *tried))


def _sample(trial: Trial) -> Sample:
    made = image(trial)
    assert not isinstance(made, Unbuilt), made
    assert trial.build.path is not None
    bench = trial.bench
    given = inputs(made, content(trial.build.path), READ_CONTROL)
    style = trial.draft.style or "fieldwise"
    told = tuple(one for rewrite in trial.draft.rewrites for one in rewrite.differences)
    return Sample(bench.arch.name, style, bench.toolchain.name, made, given, told, trial)


def inputs(made: Image, data: bytes, flags: int) -> Input:
    """Return a stream that runs, its buffer of no size, and the user's struct with `flags`."""
    known = {one.struct: one for one in read_layouts(data, made.arch, TAGS).structs}
    first = made.emulation.text + AWAY
    places = {tag: first + number * 0x2000 for number, tag in enumerate(TAGS)}
    values: Mapping[str, Mapping[str, int]] = {
        "snd_pcm_substream": {"runtime": places["snd_pcm_runtime"], "pcm": places["snd_pcm"]},
        "snd_pcm_runtime": {
            "status": places["snd_pcm_mmap_status"],
            "control": places["snd_pcm_mmap_control"],
        },
        "snd_pcm": {},
        "snd_pcm_mmap_status": {"state": 3, "hw_ptr": 0x123, "suspended_state": 1},
        "snd_pcm_mmap_control": {"appl_ptr": 0x77, "avail_min": 0x88},
    }
    order: Mapping[bool, str] = {False: "little", True: "big"}
    kernel = tuple((places[tag], _filled(known[tag], values[tag], order[made.big])) for tag in TAGS)
    user = bytearray(132)
    for at, value in ((0, flags), (0x44, 0x55), (0x48, 0x66)):
        user[at : at + 4] = value.to_bytes(4, "big" if made.big else "little")
    return Input((places["snd_pcm_substream"], USER), kernel, ((USER, bytes(user)),))


def _filled(layout: Layout, values: Mapping[str, int], order: str) -> bytes:
    content = bytearray(layout.size)
    for name, value in values.items():
        member = _member(layout.members, name)
        word = value.to_bytes(member.size, "big" if order == "big" else "little")
        content[member.offset : member.offset + member.size] = word
    return bytes(content)


def _member(members: tuple[Member, ...], name: str) -> Member:
    (found,) = (one for one in members if one.name == name)
    return found
