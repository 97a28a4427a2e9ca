# SPDX-License-Identifier: GPL-2.0-only
"""Objects written as perf annotate writes them, with percentages of our own."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from elftools.elf.elffile import ELFFile

from uaccel.count import PathCount, count_path
from uaccel.flow.bench import Trial
from uaccel.flow.ground import Ground
from uaccel.flow.targets import SEED, load, subjects
from uaccel.flow.trials import drafts, stands, try_drafts
from uaccel.host.files import content
from uaccel.host.run import find_program, run
from uaccel.host.store import Store, cache_folder
from uaccel.host.tree import find_tree
from uaccel.model.machine import Arch, Listing
from uaccel.read.alternatives import read_alternatives
from uaccel.read.elf import read_elf

_ROW = re.compile(r"\s*(?P<at>[0-9a-f]+):\t(?P<code>(?:[0-9a-f]{2,8} )+)\s*(?:\t(?P<text>.*))?")
_NAME = re.compile(r"[0-9a-f]+ <(?P<name>[^>]+)>:")
_RELOCATED = re.compile(r"\t[0-9a-f]+: (?P<kind>R_\w+)\t(?P<name>[\w.]+).*")
_CALLS = re.compile(r".*(?:PLT|PC32|PC24|REL24|JUMP26|CALL|JUMP24).*")
_LOCAL = (".L", "$")  # marks within a function
FUNCTION = "snd_pcm_ioctl_sync_ptr_compat"


class Line(NamedTuple):
    """One instruction as objdump writes it."""

    address: int
    code: str  # its bytes
    text: str


@dataclass(frozen=True, slots=True)
class Sample:
    """FUNCTION as one object has it."""

    listing: Listing
    compiler: str
    path: Path  # alternatives applied
    file: str
    writes: PathCount  # of its cluster of writes
    lines: tuple[Line, ...]


def objdump(arch: Arch, path: Path, options: tuple[str, ...] = ()) -> Mapping[str, list[Line]]:
    """Return the functions of .text as objdump writes them, callees by their names."""
    program = find_program(f"{arch.triplet}-objdump") or find_program("objdump")
    assert program is not None
    argv = (program, "-d", "-r", "-w", "-j", ".text", *options, str(path))
    said = run(argv, folder=path.parent, timeout=120)
    assert said.status == 0, said.stderr
    found: dict[str, list[Line]] = {}
    name = ""
    for row in said.stdout.splitlines():
        if head := _NAME.fullmatch(row):
            name = name if head["name"].startswith(_LOCAL) else head["name"]
            found.setdefault(name, [])
        elif line := _ROW.fullmatch(row):
            found[name].append(Line(int(line["at"], 16), line["code"].strip(), _text(line)))
    return found


def _text(line: re.Match[str]) -> str:
    # Where it is linked, the name stands there that the relocation has.
    text = line["text"] or ""
    told = _RELOCATED.search(text)
    bare = text[: told.start()] if told else text
    if told and _CALLS.fullmatch(told["kind"]):
        bare = re.sub(r"<.*>", f"<{told['name']}>", bare)
    return " ".join(bare.split())


def patched(data: bytes, arch: Arch, features: Mapping[str, int]) -> bytes:
    """Return an object with its alternatives applied, as it stands in a running kernel."""
    elf = read_elf(data)
    file = ELFFile(BytesIO(data))
    made = bytearray(data)
    for patch in read_alternatives(elf, arch, features):
        home, other = elf.code_at(patch.start), elf.code_at(patch.replacement)
        assert home is not None and other is not None
        new = other.data[patch.replacement - other.base : patch.replacement_end - other.base]
        at = file.get_section(home.index)["sh_offset"] + patch.start - home.base
        if new[:1] not in (b"\xe8", b"\xe9"):  # a call's distance would be another one
            made[at : at + patch.end - patch.start] = new.ljust(patch.end - patch.start, b"\x90")
    return bytes(made)


def sample(tree: Path, folder: Path, arch: Arch, style: str) -> Sample | None:
    """Return FUNCTION in a style, built, counted and disassembled; None without a compiler."""
    if find_program(f"{arch.triplet}-objdump") is None and find_program("objdump") is None:
        return None
    ground = Ground(
        tree=find_tree(str(tree), None, os.environ),
        store=Store(cache_folder(os.environ)),
        environment=os.environ,
        arches=(arch,),
        compiler=None,
        jobs=2,
        progress=lambda _what, _done, _of: None,
    )
    for stand in stands(ground, load(ground.tree, SEED)):
        if stand.target.function.name == FUNCTION:
            wanted = () if style == "fieldwise" else (style,)
            tried = (*stand.trials, *try_drafts(ground, stand, drafts(stand, wanted)))
            made = (one for one in tried if (one.draft.style or "fieldwise") == style)
            return next((_sample(one, folder) for one in made), None)
    return None


def _sample(trial: Trial, folder: Path) -> Sample:
    listing, bench, target = trial.listing, trial.bench, trial.draft.target
    assert listing is not None and trial.build.path is not None
    folder.mkdir(exist_ok=True)
    path = folder / "patched.o"
    path.write_bytes(patched(content(trial.build.path), bench.arch, dict(bench.features)))
    number = next(n for n, one in enumerate(subjects(target)) if one.direction == "write")
    clusters = trial.draft.became(number)
    lines = tuple(sorted({line for cluster in clusters for line in cluster.lines}))
    accesses = sum(len(cluster.accesses) for cluster in clusters)
    file = str(target.reading.source.path)
    writes = count_path(listing, file, lines, accesses, bench.helpers)
    lines_of = tuple(objdump(bench.arch, path)[FUNCTION])
    return Sample(listing, bench.toolchain.name, path, file, writes, lines_of)


def annotated(lines: Sequence[Line], shares: Mapping[int, float], symbol: str = FUNCTION) -> str:
    """Return what perf annotate prints of `lines`; `shares` are percentages by address."""
    head = (
        f" Percent |\tSource code & Disassembly of vmlinux for cycles (4211 samples)\n{'-' * 72}\n"
    )
    start = f"         : 5    {lines[0].address:x} <{symbol}>:\n"
    rows = (
        f"  {shares.get(one.address, 0.0):6.2f} :   {one.address:x}:   {one.code}    {one.text}\n"
        for one in lines
    )
    return head + start + "".join(rows)


def spread(lines: Sequence[Line], mine: Sequence[int], percent: float) -> dict[int, float]:
    """Return `percent` evenly over the addresses `mine`, and what is left over the others."""
    others = [one.address for one in lines if one.address not in mine]
    own = {at: percent / len(mine) for at in mine}
    return own | {at: (100 - percent) / len(others) for at in others}
