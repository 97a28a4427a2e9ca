# SPDX-License-Identifier: GPL-2.0-only
"""One object by the kernel's own Kbuild, out of tree.

An `O=` folder lies at ROOT/kbuild/KEY beside the store's entries, for make adds to it later; the
file `uaccel.json` in it is written last, and without that file the folder is begun anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from uaccel.errors import UserError
from uaccel.host.hosttools import keep, lend
from uaccel.host.run import find_program, run
from uaccel.host.savedcommand import SavedCommand, parse
from uaccel.host.store import Store, explained, key, write_atomically
from uaccel.model.command import Command
from uaccel.model.dossier import Tree
from uaccel.model.machine import Arch, Recipe, Toolchain, Unbuilt

_TIMEOUT = 900  # seconds for one make, and for another process's make to end
_DONE = "uaccel.json"
_VARIABLE = re.compile(r"\$\(\w+\)")
_OBJECT = re.compile(r"(?<![\w./$()-])((?:[\w./-]|\$\(\w+\))+\.o)(?![\w.-])")
_HOST_NEEDS = ("make", "gcc", "ld", "flex", "bison", "bc", "awk", "perl")
_MISSING_HEADERS = (
    (r"(gelf|libelf)\.h|libelf-dev", "libelf-dev"),
    (r"openssl/\w+\.h", "libssl-dev"),
)
# What Kbuild would read from the environment; the make command line says all that it may know.
_KBUILD_VARIABLES = frozenset(
    "ARCH SUBARCH CROSS_COMPILE CC LD LLVM LLVM_IAS HOSTCC HOSTLD O KBUILD_OUTPUT KBUILD_EXTMOD "
    "M V W C CHECK KCFLAGS KCPPFLAGS KAFLAGS KCONFIG_CONFIG KCONFIG_ALLCONFIG "
    "GNUMAKEFLAGS HOSTCFLAGS HOSTLDFLAGS KBUILD_EXTRA_WARN CPATH C_INCLUDE_PATH "
    "MAKEFLAGS MFLAGS MAKELEVEL MAKE_TERMOUT MAKE_TERMERR".split()
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A configured output folder in which one object of the tree was made."""

    arch: str
    toolchain: str
    tree: str
    folder: str  # O=
    object: str  # "sound/core/pcm_native.o"
    source: str  # "sound/core/pcm_native.c"
    compile: tuple[str, ...]  # as Kbuild saved it
    objtool: tuple[str, ...] | None  # likewise; None where objtool does not run
    make: tuple[str, ...]  # the command line without a target
    path: tuple[str, ...]  # folders put before PATH
    config: str  # digest of .config
    identity: str  # digest of all that an object depends on but the variant's text
    notes: tuple[str, ...]  # configuration lines that this tree or compiler does not offer
    seconds: float  # wall time that it took in this run
    reused: bool  # no program was run


@dataclass(frozen=True, slots=True)
class _Place:
    tree: Tree
    arch: Arch | Recipe
    toolchain: Toolchain
    folder: Path  # O=
    identity: str

    @property
    def make(self) -> tuple[str, ...]:
        variables = (f"O={self.folder}", f"ARCH={self.arch.kernel}", *self.toolchain.make)
        return ("make", "-s", "-C", self.tree.path, *variables)


@dataclass(frozen=True, slots=True)
class _State:
    """What is known of a folder that is done."""

    notes: tuple[str, ...]
    objects: Mapping[str, str]  # object -> digest of what it was made from


def prepare(  # noqa: PLR0913, PLR0917
    tree: Tree,
    arch: Arch | Recipe,
    toolchain: Toolchain,
    object: str,
    store: Store,
    progress: Callable[[str], None],
) -> Prepared | Unbuilt:
    """Return an output folder in which `object` was made, or why there is none."""
    if absent := [name for name in _HOST_NEEDS if find_program(name, toolchain.path) is None]:
        return Unbuilt(arch.name, f"building needs {', '.join(absent)}, not found in PATH")
    place = _place(tree, arch, toolchain, store)
    with explained(store.root), locked(place.folder.with_suffix(".lock")) as lock:
        started = time.monotonic()
        state = _state(place)
        saved = _saved(place, object)
        wanted = _wanted(place, object)
        if state and saved and _digests(place, wanted).items() <= state.objects.items():
            return _prepared(place, object, state, saved)
        if state is None:
            progress(f"{arch.name}: configuring")
            begun = _begin(place, store, lock)
            if isinstance(begun, Unbuilt):
                return begun
            state = begun
        progress(f"{arch.name}: making {object}")
        said = _make(place.make, ("-k", *wanted), toolchain.path, lock)
        saved = _saved(place, object)
        if saved is None:
            return Unbuilt(arch.name, f"{object} was not made: {why_failed(said, tree)}")
        state = replace(state, objects={**state.objects, **_digests(place, wanted)})
        _write_state(place, state)
        keep(place.folder, arch.srcarch, _tree_identity(tree), store)
        prepared = _prepared(place, object, state, saved)
        return replace(prepared, seconds=time.monotonic() - started, reused=False)


def compile_tree_object(prepared: Prepared, object: str) -> Path | None:
    """Return `object` as make built it for the same configuration, or None when there is none."""
    stem = Path(prepared.tree, object).with_suffix("")
    if not any(stem.with_suffix(suffix).is_file() for suffix in (".c", ".S")):
        return None
    folder = Path(prepared.folder)
    made = folder / object
    with explained(folder), locked(folder.with_suffix(".lock")) as lock:
        if not _command_file(folder, object).is_file():
            _make(prepared.make, (object,), prepared.path, lock)
    return made if made.is_file() and _command_file(folder, object).is_file() else None


def object_of(tree: Tree, file: PurePosixPath) -> str:
    """Return the object that Kbuild makes of `file`, or of the file beside it that includes it."""
    if _is_named(tree, file):
        return str(file.with_suffix(".o"))
    folder = Path(tree.path, file.parent)
    asks = re.compile(rb'^[ \t]*#[ \t]*include[ \t]+"%s"' % re.escape(file.name.encode()), re.M)
    for other in sorted(folder.glob("*.c")):
        sibling = file.with_name(other.name)
        if sibling != file and asks.search(other.read_bytes()) and _is_named(tree, sibling):
            return str(sibling.with_suffix(".o"))
    raise UserError(
        f"{file} is no object of its own: no Makefile above it names {file.stem}.o, "
        f"and no .c file beside it that includes it is named there either"
    )


def environment_for(path: tuple[str, ...]) -> dict[str, str]:
    """Return our environment without what Kbuild reads from it, `path` first in PATH."""
    kept = {name: value for name, value in os.environ.items() if name not in _KBUILD_VARIABLES}
    return {**kept, "PATH": os.pathsep.join((*path, os.environ.get("PATH", os.defpath)))}


def _is_named(tree: Tree, file: PurePosixPath) -> bool:
    if file.suffix != ".c":
        return False
    for folder in file.parents:
        made = str(file.with_suffix(".o").relative_to(folder))
        for makefile in (Path(tree.path, folder, name) for name in ("Makefile", "Kbuild")):
            text = makefile.read_text(errors="replace") if makefile.is_file() else ""
            if any(_stands_for(name, made) for name in _OBJECT.findall(text)):
                return True
    return False


def _stands_for(name: str, made: str) -> bool:
    # signal_$(BITS).o is signal_32.o on some machine.
    parts = [re.escape(part) for part in _VARIABLE.split(name)]
    return name == made or (bool(parts[0]) and re.fullmatch(r"\w*".join(parts), made) is not None)


def _place(tree: Tree, arch: Arch | Recipe, toolchain: Toolchain, store: Store) -> _Place:
    identity = key(
        *(
            _tree_identity(tree, f"arch/{arch.srcarch}"),
            arch.name,
            arch.kernel,
            arch.defconfig,
            *arch.config,
        ),
        *(toolchain.version, *toolchain.make),
    )
    return _Place(tree, arch, toolchain, store.root / "kbuild" / identity[:16], identity)


def _tree_identity(tree: Tree, *folders: str) -> str:
    # Cheap: what decides about configuration and flags.  _digest() covers what an object reads.
    deciding = (
        Path(tree.path, at, name) for at in ("", *folders) for name in ("Makefile", "Kconfig")
    )
    return key(tree.path, tree.version, *_stamps(deciding))


def _stamps(files: Iterator[Path]) -> Iterator[str]:
    for file in files:
        try:
            stat = file.stat()
        except OSError:
            yield f"{file} is not there"
        else:
            yield f"{file} {stat.st_size} {stat.st_mtime_ns}"


def _digests(place: _Place, objects: tuple[str, ...]) -> dict[str, str]:
    return {object: _digest(place, object, _saved(place, object)) for object in objects}


def _digest(place: _Place, object: str, saved: SavedCommand | None) -> str:
    if saved is None:
        return ""  # this tree makes no such object
    own = (Path(file) for file in saved.dependencies if file.startswith(f"{place.tree.path}/"))
    root = Path(place.tree.path)
    # A helper's own text counts too; that of a studied object is part of each variant's key.
    texts = (root / object).with_suffix(".S"), (root / object).with_suffix(".c")
    text = texts if object in place.arch.helpers else ()
    return key(*_stamps(own), *_stamps(iter(text)), *_stamps(_makefiles(root, object)))


def _makefiles(root: Path, object: str) -> Iterator[Path]:
    # Flags come from any of these, and no object names them among what it read.
    for folder in PurePosixPath(object).parents:
        yield from (root / folder / name for name in ("Makefile", "Kbuild"))
    yield from sorted((root / "scripts").glob("Makefile*"))
    yield root / "scripts" / "Kbuild.include"


@contextmanager
def locked(lock: Path) -> Iterator[int]:
    """Keep others out: two makes in one output folder race, from one process or from two.

    Gives the file that holds the lock: a program that inherits it keeps others out until it has
    ended, even if we are killed before.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    deadline = time.monotonic() + _TIMEOUT
    try:
        while not _take(handle):
            if time.monotonic() > deadline:
                raise UserError(f"another process has held {lock} for {_TIMEOUT} seconds")
            time.sleep(0.1)
        yield handle
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _state(place: _Place) -> _State | None:
    try:
        written = json.loads((place.folder / _DONE).read_bytes())
        return _State(tuple(written["notes"]), written["objects"])
    except (OSError, ValueError, KeyError):
        return None


def _write_state(place: _Place, state: _State) -> None:
    written = {"notes": state.notes, "objects": dict(state.objects)}
    write_atomically(place.folder / _DONE, json.dumps(written).encode())


def _command_file(folder: Path, object: str) -> Path:
    made = folder / object
    return made.with_name(f".{made.name}.cmd")


def _saved(place: _Place, object: str) -> SavedCommand | None:
    file = _command_file(place.folder, object)
    if not file.is_file() or not (place.folder / object).is_file():
        return None
    return parse(file.read_text())


def _begin(place: _Place, store: Store, lock: int) -> _State | Unbuilt:
    arch = place.arch
    shutil.rmtree(place.folder, ignore_errors=True)
    place.folder.mkdir(parents=True)
    lend(place.folder, arch.srcarch, _tree_identity(place.tree), store)
    fragment = place.folder / "uaccel.config"
    fragment.write_text("".join(f"{line}\n" for line in fragment_lines(arch.config)))
    target = (f"KCONFIG_ALLCONFIG={fragment}", arch.defconfig)
    said = _make(place.make, target, place.toolchain.path, lock)
    config = place.folder / ".config"
    if said.status == 0 and arch.defconfig != "allnoconfig":
        config.write_text(config.read_text() + fragment.read_text())
        said = _make(place.make, ("olddefconfig",), place.toolchain.path, lock)
    if said.status != 0 or not config.is_file():
        return Unbuilt(arch.name, f"it could not be configured: {why_failed(said, place.tree)}")
    lost, notes = survivors(arch.config, config.read_text())
    if lost:
        return Unbuilt(arch.name, f"this tree or this compiler does not offer {', '.join(lost)}")
    return _State(notes, {})


def fragment_lines(wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the lines for Kconfig; `A or B` gives both, `A if possible` gives A."""
    return tuple(
        line for entry in wanted for line in entry.removesuffix(" if possible").split(" or ")
    )


def survivors(wanted: tuple[str, ...], config: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the wanted lines that `config` lacks, and notes on lacking ones that may lack."""
    there = frozenset(config.splitlines())
    missing = [
        entry for entry in wanted if not any(_holds(there, e) for e in fragment_lines((entry,)))
    ]
    notes = (
        f"no {entry.removesuffix(' if possible')} on this tree with this compiler"
        for entry in missing
        if entry.endswith(" if possible")
    )
    return tuple(entry for entry in missing if not entry.endswith(" if possible")), tuple(notes)


def _holds(config: frozenset[str], line: str) -> bool:
    if off := re.fullmatch(r"# (CONFIG_\w+) is not set", line):
        return not any(other.startswith(f"{off[1]}=") for other in config)
    return line in config


def _wanted(place: _Place, object: str) -> tuple[str, ...]:
    # The helpers come with the same make: each make of its own costs a second before it begins.
    def has_source(helper: str) -> bool:
        return any(Path(place.tree.path, helper).with_suffix(s).is_file() for s in (".c", ".S"))

    return (object, *(name for name in place.arch.helpers if name != object and has_source(name)))


def _make(
    base: tuple[str, ...], targets: tuple[str, ...], path: tuple[str, ...], lock: int
) -> Command:
    return run(
        (*base, *targets),
        folder=Path("/"),
        timeout=_TIMEOUT,
        environment=environment_for(path),
        passed=(lock,),
    )


def why_failed(said: Command, tree: Tree) -> str:
    """Return the line of make's words that tells why it failed."""
    words = f"{said.stderr}\n{said.stdout}"
    if "source tree is not clean" in words:
        return f"{tree.path} holds a build of its own; `make mrproper` there, or name another tree"
    for pattern, package in _MISSING_HEADERS:
        if re.search(pattern, words):
            return f"the headers of the package {package} are missing"
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    telling = (line for line in lines if re.search(r"error:|not found|[Nn]o rule|No space", line))
    said_last = f"make ended with status {said.status}"
    return next(telling, None) or next((line for line in lines if "***" in line), said_last)


def _prepared(place: _Place, object: str, state: _State, saved: SavedCommand) -> Prepared:
    config = hashlib.sha256((place.folder / ".config").read_bytes()).hexdigest()
    command = [*saved.compile, *(saved.objtool or ())]
    return Prepared(
        arch=place.arch.name,
        toolchain=place.toolchain.name,
        tree=place.tree.path,
        folder=str(place.folder),
        object=object,
        source=os.path.relpath(place.folder / saved.compile[-1], place.tree.path),
        compile=saved.compile,
        objtool=saved.objtool,
        make=place.make,
        path=place.toolchain.path,
        config=config,
        identity=key(place.identity, config, _digest(place, object, saved), *command),
        notes=state.notes,
        seconds=0,
        reused=True,
    )
