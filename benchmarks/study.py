# SPDX-License-Identifier: GPL-2.0-only
"""How long a variant takes beside make's own rebuild, and a second study beside the first.

    python benchmarks/study.py [--runs N] [--arch NAME ...] [--tree DIR]

Everything is built in a folder of its own, which is removed; the tree is not written to.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path, PurePosixPath
from shutil import copytree
from statistics import median

import uaccel.arch
from uaccel.catalog import catalog
from uaccel.errors import UserError
from uaccel.host.kbuild import Prepared, environment_for, prepare
from uaccel.host.run import run
from uaccel.host.store import Store
from uaccel.host.toolchain import find_toolchain
from uaccel.host.tree import find_tree
from uaccel.host.variant import compile_variant
from uaccel.model.dossier import Tree
from uaccel.model.machine import Arch, Unbuilt

ARCHES = catalog(uaccel.arch, Arch)
FILE = PurePosixPath("sound/core/pcm_native.c")
OBJECT = str(FILE.with_suffix(".o"))
COMPAT = f"{FILE}:snd_pcm_ioctl_sync_ptr_compat"
_TIMEOUT = 900  # seconds


@dataclass(frozen=True, slots=True)
class Row:
    """One thing, done in two ways."""

    what: str
    slow: tuple[float, ...]  # seconds, one per run
    fast: tuple[float, ...]  # likewise

    def __str__(self) -> str:
        slow, fast = median(self.slow), median(self.fast)
        return f"| {self.what} | {slow:.2f} | {fast:.2f} | {slow / fast:.1f} |"


def main() -> int:
    """Print one table with the medians of all runs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--arch", action="append", choices=tuple(ARCHES))
    parser.add_argument("--tree")
    args = parser.parse_args()
    names = tuple(args.arch or ("x86_64", "ppc8xx"))
    load = os.getloadavg()[0]
    try:
        tree = find_tree(args.tree, None)
        with tempfile.TemporaryDirectory(prefix="uaccel-bench-") as folder:
            rows = tuple(_rows(tree, Path(folder), names, args.runs))
    except UserError as error:
        print(f"study.py: {error}", file=sys.stderr)
        return 2
    print(f"{date.today()}, Linux {tree.version}, {os.cpu_count()} cores, load {load:.1f} before")
    print(f"and {os.getloadavg()[0]:.1f} after, medians of {args.runs} runs, wall seconds\n")
    print("| what | before | with the program | ratio |\n|---|---|---|---|")
    print("\n".join(map(str, rows)))
    return 0


def _rows(tree: Tree, folder: Path, names: tuple[str, ...], runs: int) -> Iterator[Row]:
    own = Tree(str(_with_own_folder(tree, folder / "linux")), tree.version)
    for name in names:
        yield _variant_beside_make(own, ARCHES[name], Store(folder / "store"), runs)
    yield _second_beside_first(tree, folder, names, runs)


def _with_own_folder(tree: Tree, place: Path) -> Path:
    # Links to the tree, but for the one folder whose file make must see change.
    links = {Path(tree.path): place, Path(tree.path, "sound"): place / "sound"}
    for folder, made in links.items():
        made.mkdir()
        for entry in folder.iterdir():
            if entry not in (Path(tree.path, "sound"), Path(tree.path, FILE.parent)):
                (made / entry.name).symlink_to(entry)
    copytree(Path(tree.path, FILE.parent), place / FILE.parent)
    return place


def _variant_beside_make(tree: Tree, arch: Arch, store: Store, runs: int) -> Row:
    toolchain = find_toolchain(arch, os.environ)
    if isinstance(toolchain, Unbuilt):
        raise UserError(toolchain.why)
    prepared = prepare(tree, arch, toolchain, OBJECT, store, lambda _what: None)
    if isinstance(prepared, Unbuilt):
        raise UserError(prepared.why)
    pristine = Path(tree.path, FILE).read_bytes()
    slow, fast = [], []
    for number in range(runs):
        text = pristine + b"/* run %d */\n" % number
        fast.append(_timed(partial(_compile, prepared, tree, text, store)))
        Path(tree.path, FILE).write_bytes(text)
        slow.append(_timed(partial(_make, prepared)))
        Path(tree.path, FILE).write_bytes(pristine)
    what = f"{arch.name}, {toolchain.name}: `make {OBJECT}` / the saved command"
    return Row(what, tuple(slow), tuple(fast))


def _compile(prepared: Prepared, tree: Tree, text: bytes, store: Store) -> None:
    build = compile_variant(prepared, tree, {FILE: text}, store)
    if build.path is None or build.reused:
        raise UserError(f"the variant was not built: {build.log or 'it was in the store'}")


def _make(prepared: Prepared) -> None:
    made = Path(prepared.folder, prepared.object)
    before = made.stat().st_mtime_ns
    argv = (*prepared.make, prepared.object)
    said = run(argv, folder=Path("/"), timeout=_TIMEOUT, environment=environment_for(prepared.path))
    if said.status != 0 or made.stat().st_mtime_ns == before:
        raise UserError(f"make built nothing: {said.stderr}")


def _second_beside_first(tree: Tree, folder: Path, names: tuple[str, ...], runs: int) -> Row:
    slow, fast = [], []
    for number in range(runs):
        cache = folder / f"cache-{number}"
        slow.append(_timed(partial(_study, tree, cache, names)))
        fast.append(_timed(partial(_study, tree, cache, names)))
    what = f"`uaccel study` of the seed on {', '.join(names)}: first run / second run"
    return Row(what, tuple(slow), tuple(fast))


def _study(tree: Tree, cache: Path, names: tuple[str, ...]) -> None:
    arches = (word for name in names for word in ("--arch", name))
    argv = (sys.executable, "-m", "uaccel.cli.__main__", "study", "--tree", tree.path, *arches)
    environment = {
        **os.environ,
        "UACCEL_CACHE": str(cache),
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }
    said = run(argv, folder=Path("/"), timeout=_TIMEOUT, environment=environment)
    if said.status != 0:
        raise UserError(f"the study ended with status {said.status}: {said.stderr}")


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
