# SPDX-License-Identifier: GPL-2.0-only
"""Set up one architecture for one object, and try drafts on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from uaccel.errors import UserError
from uaccel.flow.drafts import Draft, kept_as_symbols
from uaccel.flow.ground import Ground
from uaccel.flow.support import supports
from uaccel.flow.targets import Target
from uaccel.host.files import content
from uaccel.host.kbuild import Prepared, compile_tree_object, prepare
from uaccel.host.memory import remembered
from uaccel.host.toolchain import find_toolchain
from uaccel.host.tree import read_file
from uaccel.host.variant import compile_variant
from uaccel.model.dossier import Tree
from uaccel.model.machine import Arch, Build, Listing, Object, Toolchain, Unbuilt
from uaccel.model.source import Function, Layouts, Source
from uaccel.read.alternatives import cpu_features
from uaccel.read.listing import read_object
from uaccel.read.reading import read_source
from uaccel.read.types import read_layouts


@dataclass(frozen=True, slots=True)
class Bench:
    """One architecture with its compiler, configured for one object."""

    ground: Ground
    arch: Arch
    toolchain: Toolchain
    prepared: Prepared
    targets: tuple[Target, ...]  # all of this run that are compiled into the object
    features: tuple[tuple[str, int], ...]  # CPU features of this tree, by name
    helpers: tuple[Listing, ...]  # the out-of-line accessors


@dataclass(frozen=True, slots=True)
class Trial:
    """One draft on one bench."""

    bench: Bench
    draft: Draft
    build: Build
    object: Object | None  # None when nothing was built

    @property
    def listing(self) -> Listing | None:
        """Return the function's own code, or None when the object does not hold it."""
        listings = self.object.listings if self.object else ()
        function = self.draft.written.function
        named = (one for one in listings if one.symbol == function.name)
        return next(named, None) or _inlined_in(listings, function)


def _inlined_in(listings: tuple[Listing, ...], function: Function) -> Listing | None:
    # SYSCALL_DEFINEn(name) makes no symbol `name` but several, and an inline function none.
    path = str(function.source.path)
    known = {line for cluster in function.clusters for line in cluster.lines}
    held = [
        (
            sum(line in known and file.endswith(path) for i in one.insns for file, line in i.lines),
            one,
        )
        for one in listings
    ]
    most, holder = max(held, key=lambda pair: pair[0], default=(0, None))
    return holder if most else None


def set_up(ground: Ground, arch: Arch, object: str, targets: tuple[Target, ...]) -> Bench | Unbuilt:
    """Return the bench of `arch` for `object` and its `targets`, or why there is none."""
    toolchain = find_toolchain(arch, ground.environment, ground.compiler)
    if isinstance(toolchain, Unbuilt):
        return toolchain

    def said(what: str) -> None:
        ground.progress(what, 0, 0)

    prepared = prepare(ground.tree, arch, toolchain, object, ground.store, said)
    if isinstance(prepared, Unbuilt):
        return prepared
    known = _with_gap(ground.tree, arch)
    bench = Bench(ground, known, toolchain, prepared, targets, _features(ground.tree, arch), ())
    helpers = (listing for name in arch.helpers for listing in _helper(bench, name))
    return replace(bench, helpers=tuple(helpers))


def attempt(bench: Bench, draft: Draft) -> Trial:
    """Return what the compiler makes of `draft`, and what its object holds.

    The other targets of the object are compiled as they stand, each kept as a symbol too, so
    that all drafts that change nothing are one build.
    """
    names = tuple(target.function.name for target in bench.targets)
    readings = {target.path: target.reading for target in bench.targets}
    readings[draft.target.path] = draft.written.reading
    for one in draft.others:
        source = Source(PurePosixPath(one.path), one.after)
        readings[source.path] = read_source(source)
    variant = {path: kept_as_symbols(reading, names) for path, reading in readings.items()}
    build = compile_variant(bench.prepared, bench.ground.tree, variant, bench.ground.store)
    if build.path is None:
        return Trial(bench, draft, build, None)
    function = draft.written.function
    data = content(build.path)
    # Where the compiler is not told to keep it as a symbol, it may stand in any function.
    symbols = (function.name,) if function.noinline is not None else None
    parts = ("function", data, bench.arch.name, repr(bench.features), *(symbols or ()))
    made = remembered(
        bench.ground.store,
        "objects",
        parts,
        lambda: read_object(data, bench.arch, symbols, dict(bench.features)),
    )
    return Trial(bench, draft, build, made)


def layouts(trial: Trial, tags: tuple[str, ...]) -> Layouts | None:
    """Return how the structs `tags` are laid out in the object of `trial`, None without one."""
    if trial.build.path is None or trial.listing is None:
        return None
    data = content(trial.build.path)
    name = trial.bench.arch.name
    return remembered(
        trial.bench.ground.store,
        "objects",
        ("layouts", data, name, *tags),
        lambda: read_layouts(data, name, tags),
    )


def _with_gap(tree: Tree, arch: Arch) -> Arch:
    # Who masks a pointer relies on nobody's memory lying right behind user space.
    (offered,) = supports(tree, (arch,))
    if arch.emulation is None or not offered.masked:
        return arch
    return replace(arch, emulation=replace(arch.emulation, gap=True))


def _features(tree: Tree, arch: Arch) -> tuple[tuple[str, int], ...]:
    if not arch.features:
        return ()
    try:
        header = read_file(tree, f"arch/{arch.srcarch}/include/asm/cpufeatures.h")
    except UserError:
        return ()
    known = dict(cpu_features(header.text.decode(errors="replace")))
    return tuple((name, known[name]) for name in arch.features if name in known)


def _helper(bench: Bench, name: str) -> tuple[Listing, ...]:
    path = compile_tree_object(bench.prepared, name)
    if path is None:
        return ()
    data = content(str(path))
    made = remembered(
        bench.ground.store,
        "objects",
        ("helper", data, bench.arch.name, repr(bench.features)),
        lambda: read_object(data, bench.arch, None, dict(bench.features)),
    )
    return made.listings
