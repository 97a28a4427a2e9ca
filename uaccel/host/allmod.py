# SPDX-License-Identifier: GPL-2.0-only
"""A configuration that builds nearly everything: what it builds, and many objects of it at once."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from uaccel.errors import UserError
from uaccel.host.kbuild import Prepared, environment_for, object_of, prepare
from uaccel.host.run import run
from uaccel.host.savedcommand import parse
from uaccel.host.store import Store, explained, key, write_atomically
from uaccel.host.variant import compile_variant
from uaccel.model.dossier import Tree
from uaccel.model.machine import Arch, Build, Toolchain, Unbuilt
from uaccel.model.series import Change

DEFCONFIG = "allmodconfig"
_FIRST = "lib/usercopy.o"  # a small object that every configuration builds
_KIND = "rebuilt"
_TOGETHER = 40  # objects for one make: it takes seconds before it begins
_TIMEOUT = 7200  # seconds for one make
_LIST = "uaccel-objects"
_MAKEFILE = """\
# Given to make behind the kernel's own Makefiles: prints the objects that a configuration builds.
own := $(lastword $(MAKEFILE_LIST))
below := $(addprefix objects-of-,$(if $(obj),$(subdir-ym),.))
objects-of: $(below)
\t@$(if $(obj),printf '%s\\n' $(real-obj-y) $(real-obj-m))
$(below): objects-of-%: FORCE
\t@$(MAKE) -f $(srctree)/scripts/Makefile.build -f $(own) obj=$* \\
\t\tneed-builtin=1 need-modorder=1 objects-of
.PHONY: objects-of FORCE
"""


@dataclass(frozen=True, slots=True)
class Allmod:
    """A configured output folder, and every object that its configuration builds."""

    tree: Tree
    store: Store
    first: Prepared
    objects: frozenset[str]  # as Kbuild names them: "arch/x/kvm/../../../virt/kvm/kvm_main.o"

    def object_of(self, path: str) -> str | None:
        """Return the object that holds the file at `path`; None when none is built of it."""
        return self._named(path) or self._named_by_includer(path) or self._named_by_far(path)

    def _named(self, path: str) -> str | None:
        own = str(PurePosixPath(path).with_suffix(".o"))
        if not path.endswith(".c"):
            return None
        if own in self.objects:
            return own
        name = PurePosixPath(own).name
        far = (one for one in self.objects if ".." in one and one.endswith(f"/{name}"))
        return next((one for one in sorted(far) if os.path.normpath(one) == own), None)

    def _named_by_includer(self, path: str) -> str | None:
        try:
            holder = PurePosixPath(object_of(self.tree, PurePosixPath(path)))
        except UserError:
            return None
        return self._named(str(holder.with_suffix(".c")))

    def _named_by_far(self, path: str) -> str | None:
        # A header by the source that is named like it, C in a subfolder by one above it.
        file = PurePosixPath(path)
        asked = f'"{file.parent.name}/{file.name}"', f"<{path.partition('include/')[2]}>"
        asks = re.compile(rb"^[ \t]*#[ \t]*include[ \t]+(?:%s|%s)" % _quoted(*asked), re.M)
        alike = (one for one in self.objects if PurePosixPath(one).stem == file.stem)
        above = Path(self.tree.path, file.parent.parent)
        beside = (str(one.relative_to(self.tree.path)) for one in above.glob("*.c"))
        for object in (*sorted(alike), *map(self._named, sorted(beside))):
            source = Path(self.tree.path, object or "").with_suffix(".c")
            if object and source.is_file() and asks.search(source.read_bytes()):
                return object
        return None


def configure(
    tree: Tree, arch: Arch, toolchain: Toolchain, store: Store, progress: Callable[[str], None]
) -> Allmod | Unbuilt:
    """Return the folder of `arch`, whose `config` lines are added to all that can be a module.

    Everything in it is made with W=1: what a rewriting adds to those warnings is its own.
    """
    loud = replace(toolchain, make=(*toolchain.make, "W=1"))
    whole = replace(arch, defconfig=DEFCONFIG, helpers=(), config_name=DEFCONFIG)
    first = prepare(tree, whole, loud, _FIRST, store, progress)
    if isinstance(first, Unbuilt):
        return first
    with _locked(first):
        listed = Path(first.folder, _LIST)
        if not listed.is_file():
            progress(f"{arch.name}: asking Kbuild what it builds")
            write_atomically(listed, "\n".join(_objects(first)).encode())
        return Allmod(tree, store, first, frozenset(listed.read_text().split()))


def make(
    allmod: Allmod, objects: tuple[str, ...], jobs: int, progress: Callable[[str], None]
) -> None:
    """Return when Kbuild has made those of `objects` that it can; what is there stays."""
    first = allmod.first
    with _locked(first):
        missing = tuple(one for one in dict.fromkeys(objects) if not _is_made(first, one))
        for done in range(0, len(missing), _TOGETHER):
            together = missing[done : done + _TOGETHER]
            progress(f"{first.arch}: making objects, {done} of {len(missing)} are made")
            argv = (*first.make, "-k", f"-j{jobs}", *together)
            run(argv, folder=Path("/"), timeout=_TIMEOUT, environment=environment_for(first.path))


def prepared(allmod: Allmod, object: str) -> Prepared | None:
    """Return how Kbuild made `object`, or None when it could not."""
    first = allmod.first
    if not _is_made(first, object):
        return None
    saved = parse(_command_file(first, object).read_text())
    if saved is None:
        return None
    plain = os.path.normpath(object)
    objtool = saved.objtool and tuple(plain if p == object else p for p in saved.objtool)
    source = os.path.relpath(Path(first.folder, saved.compile[-1]), first.tree)
    return replace(
        first,
        object=plain,
        source=source,
        compile=saved.compile,
        objtool=objtool,
        identity=key(first.identity, *saved.compile, *(objtool or ())),
    )


def original(allmod: Allmod, made: Prepared) -> Build:
    """Return what the saved command makes of the file as it stands; its object is kept."""
    return compile_variant(made, allmod.tree, {}, allmod.store)


def rebuilt(
    allmod: Allmod,
    made: Prepared,
    path: PurePosixPath,
    text: bytes,
    others: tuple[Change, ...] = (),
) -> Build:
    """Return what the saved command makes of `text` in the place of `path`, `others` beside it.

    What was said is kept and found again; the object is not, so the build has no path then.
    """
    source = Path(allmod.tree.path, made.source).read_bytes()
    beside = {PurePosixPath(one.path): one.after for one in others}
    parts = (part for name, after in beside.items() for part in (str(name), after))
    entry = key(made.identity, made.source, source, str(path), text, *parts)
    known = allmod.store.find(_KIND, entry)
    if known is None:
        with allmod.store.filling(_KIND, entry) as folder:
            build = _scratch_build(allmod, made, path, text, beside)
            said = {name: getattr(build, name) for name in ("log", "objtool", "command")}
            said["compiled"] = build.path is not None
            (folder / "said.json").write_text(json.dumps(said))
            return build
    with explained(known):
        told = json.loads((known / "said.json").read_text())
    path_of = made.object if told["compiled"] else None
    return Build(
        made.arch, made.toolchain, path_of, told["log"], told["objtool"], told["command"], True
    )


def _scratch_build(
    allmod: Allmod,
    made: Prepared,
    path: PurePosixPath,
    text: bytes,
    beside: Mapping[PurePosixPath, bytes],
) -> Build:
    with TemporaryDirectory(prefix="uaccel-") as folder:
        store = Store(Path(folder, "store"))
        if path.parent == PurePosixPath(made.source).parent:
            build = compile_variant(made, allmod.tree, {path: text, **beside}, store)
        else:
            overlaid = _overlaid(made, Path(folder), path, text)
            build = compile_variant(overlaid, allmod.tree, beside, store)
        log = build.log.replace(f"{folder}/", "")
        return replace(build, path=build.path and made.object, log=log)


def _overlaid(made: Prepared, folder: Path, path: PurePosixPath, text: bytes) -> Prepared:
    # Searched before the tree: what is included by <> from include/, by "" from the source.
    place = folder / path
    place.parent.mkdir(parents=True)
    place.write_bytes(text)
    beside = folder / PurePosixPath(made.source).parent
    beside.mkdir(parents=True, exist_ok=True)
    above = (folder / one for one in path.parents if one.name == "include")
    quoted = (beside, Path(made.tree, path.parent))
    flags = (*(f"-I{one}" for one in above), *(f"-iquote{one}" for one in quoted))
    return replace(made, compile=(made.compile[0], *flags, *made.compile[1:]))


def _objects(first: Prepared) -> Iterator[str]:
    # What the kernel's Makefile would do first: it calls itself, without our second file.
    makefile = Path(first.folder, f"{_LIST}.mk")
    makefile.write_text(_MAKEFILE)
    variables = (word for word in first.make if "=" in word and not word.startswith("O="))
    argv = (
        *("make", "-s", "-rR", "--no-print-directory", f"--include-dir={first.tree}"),
        *("-f", f"{first.tree}/Makefile", "-f", str(makefile), "sub_make_done=1"),
        *(f"abs_srctree={first.tree}", f"abs_objtree={first.folder}", *variables),
        # Linux 6.13: the folder that it is made in has another name, and two are exported before.
        *(f"abs_output={first.folder}", "objtree=.", f"srcroot={first.tree}", "objects-of"),
    )
    environment = environment_for(first.path)
    said = run(argv, folder=Path(first.folder), timeout=_TIMEOUT, environment=environment)
    if said.status != 0:
        raise UserError(f"Kbuild does not say what it builds: {said.stderr.strip()[-300:]}")
    return (word for word in said.stdout.split() if word.endswith(".o"))


def _quoted(*names: str) -> tuple[bytes, ...]:
    return tuple(re.escape(name.encode()) for name in names)


def _is_made(first: Prepared, object: str) -> bool:
    return Path(first.folder, object).is_file() and _command_file(first, object).is_file()


def _command_file(first: Prepared, object: str) -> Path:
    made = Path(first.folder, object)
    return made.with_name(f".{made.name}.cmd")


@contextmanager
def _locked(first: Prepared) -> Iterator[None]:
    # The lock that prepare() takes: one make at a time in one folder.
    lock = Path(first.folder).with_suffix(".lock")
    with explained(lock), lock.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"another process builds in {first.folder}") from None
        yield
