# SPDX-License-Identifier: GPL-2.0-only
"""Functions of a kernel that boots, in one style or as a patch has them: linked, or why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from uaccel.errors import BrokenInvariant, UserError
from uaccel.flow.drafts import Draft, as_it_is, draft, kept_as_symbols
from uaccel.flow.ground import Ground
from uaccel.flow.symbols import symbols_of
from uaccel.flow.targets import Target, reread
from uaccel.host.files import content
from uaccel.host.kbuild import Prepared, object_of
from uaccel.host.kernels import Written, kernel, relink
from uaccel.host.variant import compile_variant
from uaccel.model import executed
from uaccel.model.boot import Kernel, Machine
from uaccel.model.machine import Toolchain, Unbuilt
from uaccel.model.source import Layouts, Source
from uaccel.read.elf import read_elf
from uaccel.read.reading import read_source
from uaccel.read.types import read_layouts
from uaccel.read.vmlinux import read_vmlinux


@dataclass(frozen=True, slots=True)
class Way:
    """One way of writing the targets: a style, or what a patch of the user's makes of files."""

    name: str  # of the style or the patch; "" for the tree as it stands
    texts: Mapping[PurePosixPath, bytes] | None = None  # of the files that a patch changes


@dataclass(frozen=True, slots=True)
class Base:
    """A kernel that is built, with the objects that hold the targets or that patches change."""

    machine: Machine
    objects: tuple[tuple[str, Prepared], ...]  # "sound/core/pcm_native.o"
    targets: tuple[Target, ...]
    unbuilt: tuple[tuple[str, Unbuilt], ...] = ()  # objects that hold no target: why they lack


@dataclass(frozen=True, slots=True)
class Linked:
    """A kernel in one style, what is in it, and what it or the style lacks: one sentence each."""

    kernel: Kernel
    code: executed.Linked
    notes: tuple[str, ...]


def base(
    ground: Ground,
    machine: Machine,
    toolchain: Toolchain,
    targets: tuple[Target, ...],
    ways: tuple[Way, ...] = (),
) -> Base | Unbuilt:
    """Return the kernel of `machine` of which the files of `targets` are parts, or why not.

    The files that `ways` change are made too; where one cannot be, only the ways lack that do so.
    """
    held = tuple(object_of(ground.tree, target.path) for target in targets)
    changed = (object_of(ground.tree, path) for way in ways for path in way.texts or ())
    found: dict[str, Prepared] = {}
    unbuilt: dict[str, Unbuilt] = {}
    for object in dict.fromkeys((*held, *changed)):
        made = kernel(
            ground.tree, machine, toolchain, object, ground.store, ground.jobs, ground.progress
        )
        if not isinstance(made, Unbuilt):
            found[object] = made
        elif object in held:
            return made
        else:
            unbuilt[object] = made
    return Base(machine, tuple(found.items()), targets, tuple(unbuilt.items()))


def linked(ground: Ground, built: Base, way: Way, *, symbols: bool = True) -> Linked | Unbuilt:
    """Return the kernel with the targets written in `way`, or why none of them can be written so.

    `symbols` keeps each target a symbol of its own; else the compiler inlines what it likes to.
    """
    if way.texts is None:
        written, notes, done = _in_style(ground, built, way.name)
        if way.name and not done:
            why = "; ".join(notes) or f"nothing can be written as {way.name}"
            return Unbuilt(built.machine.name, why)
    else:
        changed = {object_of(ground.tree, path) for path in way.texts}
        if lacking := next((why for object, why in built.unbuilt if object in changed), None):
            return lacking
        written, notes = _as_patched(ground, built, way.texts), ()
    plain = written
    if symbols:
        written = tuple(replace(one, texts=_kept(built, one.texts)) for one in plain)
    made = relink(
        ground.tree, built.machine, way.name, written, ground.store, ground.jobs, ground.progress
    )
    if isinstance(made, Unbuilt):
        return made
    code = read_vmlinux(content(made.vmlinux))
    if left := next((one for one in written if not _is_part(ground, one, code)), None):
        return Unbuilt(built.machine.name, f"its kernel is built without {left.prepared.source}")
    lost = _inlined(built, way, plain, code) if symbols else ()
    return Linked(made, code, (*_lacking(written), *notes, *lost))


def _is_part(ground: Ground, one: Written, code: executed.Linked) -> bool:
    if PurePosixPath(one.prepared.source).name not in code.files:
        return False
    # Another folder may have a file of that name: mm/memory.c is not sound/core/memory.c.
    build = compile_variant(one.prepared, ground.tree, one.texts, ground.store)
    if build.path is None:
        raise BrokenInvariant(f"{one.prepared.object} was linked and is not compiled")
    own = {symbol.name for symbol in read_elf(content(build.path)).symbols if symbol.function}
    return not own or any(name in own for name, _, _ in code.symbols)


def _lacking(written: tuple[Written, ...]) -> Iterator[str]:
    # The figures are of another kernel than the one that the machine asks for.
    found = ((one.prepared.arch, note) for one in written for note in one.prepared.notes)
    yield from (f"{arch}: {note}" for arch, note in dict.fromkeys(found))


def _in_style(
    ground: Ground, built: Base, style: str
) -> tuple[tuple[Written, ...], tuple[str, ...], int]:
    written, notes, done = [], [], 0
    for object, prepared in built.objects:
        mine = _targets_in(ground, built, object)
        if not mine:
            continue
        drafts, texts = _written(ground, prepared, mine, style)
        notes += [note for one in drafts for note in _left(one)]
        done += sum(_stands_so(one) for one in drafts)
        written.append(Written(prepared, texts))
    return tuple(written), tuple(notes), done


def _as_patched(
    ground: Ground, built: Base, texts: Mapping[PurePosixPath, bytes]
) -> tuple[Written, ...]:
    written = []
    for object, prepared in built.objects:
        mine = {one.path: one.reading.source.text for one in _targets_in(ground, built, object)}
        changed = {
            path: text for path, text in texts.items() if object_of(ground.tree, path) == object
        }
        if mine or changed:
            written.append(Written(prepared, mine | changed))
    return tuple(written)


def _targets_in(ground: Ground, built: Base, object: str) -> list[Target]:
    return [one for one in built.targets if object_of(ground.tree, one.path) == object]


def _written(
    ground: Ground, prepared: Prepared, targets: list[Target], style: str
) -> tuple[list[Draft], Mapping[PurePosixPath, bytes]]:
    # One after the other: two functions may stand in one file.
    texts: dict[PurePosixPath, bytes] = {}
    drafts = []
    layouts = _layouts(ground, prepared, targets) if style else ()
    for target in targets:
        now = _among(target, texts)
        made = draft(now, style, layouts) if style else as_it_is(now)
        drafts.append(made)
        texts[target.path] = made.text if made.rewrites else now.reading.source.text
        for other in made.others if made.rewrites else ():
            path = PurePosixPath(other.path)
            if texts.get(path, other.before) not in {other.before, other.after}:
                raise BrokenInvariant(f"{style} of {target.name} undoes what is written in {path}")
            texts[path] = other.after
    return drafts, texts


def _among(target: Target, texts: Mapping[PurePosixPath, bytes]) -> Target:
    # As it is once the targets before it are written: also in a file that its own is included by.
    if not texts:
        return target
    others = (Source(path, text) for path, text in texts.items() if path != target.path)
    return reread(target, texts.get(target.path, target.reading.source.text), tuple(others))


def _kept(built: Base, texts: Mapping[PurePosixPath, bytes]) -> dict[PurePosixPath, bytes]:
    names = tuple(target.function.name for target in built.targets)
    return {
        path: kept_as_symbols(read_source(Source(path, text)), names)
        for path, text in texts.items()
    }


def _inlined(
    built: Base, way: Way, plain: tuple[Written, ...], code: executed.Linked
) -> Iterator[str]:
    sources = (Source(path, text) for one in plain for path, text in one.texts.items())
    readings = tuple(read_source(source) for source in sources)
    for name in dict.fromkeys(target.function.name for target in built.targets):
        # One that is kept as a symbol and is none: its configuration leaves it out, as it should.
        kept = any(kept_as_symbols(one, (name,)) != one.source.text for one in readings)
        if not kept and not symbols_of(code, name):
            yield (
                f"{built.machine.name}: {name} is no symbol in {way.name or 'the tree'}: the "
                f"compiler inlined it, or its configuration leaves it out"
            )


def _layouts(ground: Ground, prepared: Prepared, targets: list[Target]) -> tuple[Layouts, ...]:
    target = targets[0]
    texts = {target.path: target.reading.source.text}
    build = compile_variant(prepared, ground.tree, texts, ground.store)
    if build.path is None:
        raise UserError(f"{prepared.object} is not compiled for {build.arch}: {build.log}")
    tags = {tag for one in targets for _, tag in one.function.pointers}
    tags |= {local.struct for one in targets for local in one.function.locals}
    return (read_layouts(content(build.path), build.arch, tuple(sorted(tags))),)


def _stands_so(made: Draft) -> bool:
    clusters = made.target.function.clusters
    return bool(made.rewrites) or not made.style or any(c.stands_as(made.style) for c in clusters)


def _left(made: Draft) -> Iterator[str]:
    for refusal in made.refusals:
        if not refusal.cluster.stands_as(made.style):
            line = made.target.reading.source.line(refusal.cluster.start)
            yield f"{made.target.name}:{line} stands as it is in {made.style}: {refusal.why}"
