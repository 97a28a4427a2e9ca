# SPDX-License-Identifier: GPL-2.0-only
"""What stands before the colon of a subject: as the file's history has it, else as its folder."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath

from uaccel.errors import UserError
from uaccel.flow.asking import environment
from uaccel.host.run import find_program, run
from uaccel.model.dossier import Tree
from uaccel.model.series import Entry
from uaccel.read import maintainers

_COMMITS = 50  # of a file that are looked at
_TIMEOUT = 120  # seconds: a path without many commits takes git through the whole history
_FORMAT = "--format=%p%x00%s"
_PREFIX = re.compile(r"(?:[^\s:]+(?: [^\s:]+)?: )+")
_EVERYWHERE = ("treewide", "tree-wide", "Revert", "Merge")

# Where the habit is another word than the folder's name; the longest folder decides.
_HABITS = """
arch/x86              | x86
drivers/gpu/drm       | drm
drivers/hid           | HID
drivers/infiniband    | RDMA
drivers/input         | Input
drivers/net           | net
drivers/net/wireless  | wifi
drivers/pci           | PCI
drivers/usb           | USB
net/bluetooth         | Bluetooth
net/mac80211          | wifi: mac80211
net/wireless          | wifi
sound                 | ALSA
sound/soc             | ASoC
virt/kvm              | KVM
"""
_PARTS = ("core", "kernel", "common", "lib", "base")  # say nothing without the folder above
_HEADERS = ("include", "linux", "uapi", "asm")  # say nothing at all


@dataclass(frozen=True, slots=True)
class Prefix:
    """How subjects of a file begin."""

    text: str  # without the last colon: "ALSA: pcm"
    capital: bool  # what follows begins with a capital letter


def prefix(tree: Tree, known: tuple[Entry, ...], file: str) -> Prefix:
    """Return how subjects of `file` begin."""
    return _of_history(_subjects(tree, file)) or _of_place(tree, known, file)


def shared(prefixes: tuple[Prefix, ...], files: tuple[str, ...]) -> Prefix:
    """Return what the `prefixes` of several files begin with, else their common folder's name."""
    split = [one.text.split(": ") for one in prefixes]
    same = takewhile(lambda level: len(set(level)) == 1, zip(*split, strict=False))
    text = ": ".join(level[0] for level in same)
    capital = sum(one.capital for one in prefixes) * 2 > len(prefixes)
    if text:
        return Prefix(text, capital)
    folders = [PurePosixPath(file).parent.parts for file in files]
    common = takewhile(lambda level: len(set(level)) == 1, zip(*folders, strict=False))
    return Prefix(_name("/".join(level[0] for level in common)), capital)


def _subjects(tree: Tree, file: str) -> tuple[str, ...]:
    if find_program("git") is None:
        return ()
    argv = ("git", "log", "--no-merges", f"-n{_COMMITS}", _FORMAT, "--", file)
    try:
        said = run(
            argv, folder=Path(tree.path), timeout=_TIMEOUT, environment=environment(tree.path)
        )
    except UserError:  # it took too long: a history that nobody waits for is none
        return ()
    pairs = (line.partition("\0") for line in said.stdout.splitlines() if said.status == 0)
    # A commit without a parent brought the whole tree: it says nothing of this file.
    return tuple(subject for parents, _, subject in pairs if parents)


def _of_history(subjects: tuple[str, ...]) -> Prefix | None:
    starts = [match[0].split(": ")[:-1] for one in subjects if (match := _PREFIX.match(one))]
    kept = [words for words in starts if words[0] not in _EVERYWHERE]
    chosen: list[str] = []
    while True:
        # One level deeper, as long as half of what begins so goes on alike.
        deep = len(chosen)
        alike = Counter(words[deep] for words in kept if len(words) > deep)
        word, times = next(iter(alike.most_common(1)), ("", 0))
        if times < 2 or times * 2 < len(kept):
            break
        chosen.append(word)
        kept = [words for words in kept if words[deep:][:1] == [word]]
    if not chosen:
        return None
    text = ": ".join(chosen)
    after = [one[len(text) + 2 :][:1] for one in subjects if one.startswith(f"{text}: ")]
    return Prefix(text, sum(letter.isupper() for letter in after) * 2 > len(after))


def _of_place(tree: Tree, known: tuple[Entry, ...], file: str) -> Prefix:
    path = PurePosixPath(file)
    habits = [[cell.strip() for cell in row.split("|")] for row in _HABITS.strip().splitlines()]
    fitting = [(len(folder), word) for folder, word in habits if path.is_relative_to(folder)]
    named = maintainers.folder(known, file) or str(path.parent)
    above = max(fitting)[1] if fitting else _name(named)
    names = (*above.split(": "), _part(tree, path))
    return Prefix(": ".join(dict.fromkeys(name for name in names if name)), False)


def _part(tree: Tree, path: PurePosixPath) -> str:
    # pcm_native.c beside pcm.c is a part of what that file is about.
    words = path.stem.split("_")
    starts = ("_".join(words[:count]) for count in range(1, len(words)))
    found = (name for name in starts if Path(tree.path, path.with_name(f"{name}.c")).is_file())
    return next(found, path.stem)


def _name(folder: str) -> str:
    parts = [part for part in folder.split("/") if part not in ("", ".", *_HEADERS)]
    telling = [part for part in parts if part not in _PARTS] or parts
    return telling[-1] if telling else ""
