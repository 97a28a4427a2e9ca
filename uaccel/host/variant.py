# SPDX-License-Identifier: GPL-2.0-only
"""One variant of one source file, compiled by the command that Kbuild saved."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from uaccel.errors import BrokenInvariant, UserError
from uaccel.host.kbuild import Prepared, environment_for
from uaccel.host.run import run
from uaccel.host.savedcommand import redirect
from uaccel.host.store import Store, explained, key
from uaccel.model.command import Command
from uaccel.model.dossier import Tree
from uaccel.model.machine import Build

_KIND = "build"
_TIMEOUT = 300  # seconds for one compiler
_ANYWHERE = Path("/variant")  # stands for the folder of the variant where that must not matter


def compile_variant(
    prepared: Prepared, tree: Tree, variant: Mapping[PurePosixPath, bytes], store: Store
) -> Build:
    """Return what the compiler makes of `variant`: the texts that stand in the place of files.

    A failure is kept in the store too.
    """
    source = PurePosixPath(prepared.source)
    for file in variant:
        if file.parent != source.parent and not _headers(file):
            raise UserError(f"{file} is not beside {source}, of which {prepared.object} is made")
    texts = dict(sorted(variant.items()))
    if source not in texts:
        texts[source] = Path(tree.path, source).read_bytes()
    parts = (part for name, content in texts.items() for part in (str(name), content))
    entry = key(prepared.identity, *_compiler(prepared, _ANYWHERE, texts), *parts)
    if found := store.find(_KIND, entry):
        return _build(prepared, found, texts, reused=True)
    with store.filling(_KIND, entry) as folder:
        for name, content in texts.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        _compile(prepared, folder, texts)
    found = store.find(_KIND, entry)
    if found is None:
        raise BrokenInvariant(f"build {entry} was filled and is not there")
    return _build(prepared, found, texts, reused=False)


def _compile(prepared: Prepared, folder: Path, files: Iterable[PurePosixPath]) -> None:
    said = _run(prepared, _compiler(prepared, folder, files))
    log = _relative(f"{said.stdout}{said.stderr}", prepared, folder)
    compiled = said.status == 0 and (folder / prepared.object).is_file()
    if not compiled:
        (folder / prepared.object).unlink(missing_ok=True)
        log = log or f"the compiler ended with status {said.status} and said nothing\n"
    objtool: str | None = None
    if compiled and prepared.objtool:
        words = _run(prepared, _objtool(prepared, folder))
        objtool = _relative(f"{words.stdout}{words.stderr}", prepared, folder)
        if words.status != 0 and not objtool:
            objtool = f"{prepared.object}: objtool ended with status {words.status}\n"
        if not objtool and "--uaccess" not in prepared.objtool:
            objtool = None  # it ran for another reason and did not look at windows
    said_all = {"log": log, "objtool": objtool, "compiled": compiled}
    (folder / "said.json").write_text(json.dumps(said_all))


def _build(
    prepared: Prepared, folder: Path, files: Iterable[PurePosixPath], *, reused: bool
) -> Build:
    with explained(folder):
        said = json.loads((folder / "said.json").read_text())
    command = shlex.join(_compiler(prepared, folder, files))
    if prepared.objtool:
        command = f"{command} && {shlex.join(_objtool(prepared, folder))}"
    return Build(
        arch=prepared.arch,
        toolchain=prepared.toolchain,
        path=str(folder / prepared.object) if said["compiled"] else None,
        log=said["log"],
        objtool=said["objtool"],
        command=f"cd {shlex.quote(prepared.folder)} && {command}",
        reused=reused,
    )


def _headers(file: PurePosixPath) -> tuple[PurePosixPath, ...]:
    # The folders of headers that hold a file: `#include <...>` looks in them.
    return tuple(one for one in file.parents if one.name == "include")


def _compiler(prepared: Prepared, folder: Path, files: Iterable[PurePosixPath]) -> tuple[str, ...]:
    above = {place: None for file in files for place in _headers(file)}
    beside = str(Path(prepared.tree, prepared.source).parent)
    extra = (
        *("-g", "-gno-record-gcc-switches"),
        *("-iquote", beside),  # quoted files that are no part of the variant
        f"-fdebug-prefix-map={prepared.folder}=.",
        f"-fdebug-prefix-map={prepared.tree}/=",
        f"-ffile-prefix-map={folder}/=",
    )
    source, made = (str(folder / name) for name in (prepared.source, prepared.object))
    first, *others = prepared.compile
    searched = (f"-I{folder / place}" for place in above)  # before the tree
    return redirect((first, *searched, *others), source, made, extra)


def _objtool(prepared: Prepared, folder: Path) -> tuple[str, ...]:
    argv = prepared.objtool or ()
    made = str(folder / prepared.object)
    return tuple(made if part == prepared.object else part for part in argv)


def _run(prepared: Prepared, argv: tuple[str, ...]) -> Command:
    return run(
        argv,
        folder=Path(prepared.folder),
        timeout=_TIMEOUT,
        environment=environment_for(prepared.path),
    )


def _relative(words: str, prepared: Prepared, folder: Path) -> str:
    places = "|".join(re.escape(str(place)) for place in (folder, prepared.tree))
    return re.sub(rf"(?:{places})/", "", words)
