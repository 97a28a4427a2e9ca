# SPDX-License-Identifier: GPL-2.0-only
"""A distribution's own program with the libraries that it asks for, as files of an initramfs."""

from __future__ import annotations

import posixpath
import re
import stat
from dataclasses import dataclass

from uaccel.errors import UserError
from uaccel.host.apt import Progress
from uaccel.host.foreign import Fetch, Package, merged, packages
from uaccel.host.initramfs import Entry, link
from uaccel.host.store import Store
from uaccel.model.boot import Userland
from uaccel.read.dynamic import dynamic

# Folders of the root that are links into /usr, as in the distribution itself.
_MERGED = tuple(link(name, f"usr/{name}") for name in ("bin", "sbin", "lib", "lib64"))


@dataclass(frozen=True, slots=True)
class Wanted:
    """One program of a package."""

    package: str
    path: str  # below the root, in /usr where the distribution merged it
    settings: tuple[str, ...]  # folders that it reads as it runs


APLAY = Wanted("alsa-utils", "usr/bin/aplay", ("usr/share/alsa",))


@dataclass(frozen=True, slots=True)
class Programs:
    """Files for an initramfs, and where they come from."""

    entries: tuple[Entry, ...]
    packages: tuple[str, ...]  # "alsa-utils 1.2.8-1"


def programs(userland: Userland, wanted: Wanted, store: Store, progress: Progress) -> Programs:
    """Return the program that is `wanted` with all that it needs to run."""
    if not userland.packages:
        raise UserError(f"the distribution has no packages for {userland.name}")
    with packages(userland.name, store, progress) as fetch:
        shelf = _Shelf(fetch)
        shelf.add(wanted.package)
        chosen = shelf.closure(wanted.path)
    folders = tuple(f"{folder}/" for folder in wanted.settings)
    beside = {at for at in shelf.files if at.startswith(folders)}
    names = sorted(set(chosen) | beside)
    files = tuple(shelf.files[name] for name in names)
    return Programs(
        (*_MERGED, *files), tuple(f"{one.name} {one.version}" for one in shelf.packages)
    )


class _Shelf:
    """Packages as they come in, until nothing is missing."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self.packages: list[Package] = []
        self.files: dict[str, Entry] = {}

    def add(self, name: str) -> None:
        package = self._fetch(name)
        self.packages.append(package)
        self.files |= {entry.path: entry for entry in package.entries()}
        for other in package.depends:
            if other == f"{name}-data" and other not in self._names():
                self.add(other)

    def closure(self, program: str) -> tuple[str, ...]:
        open_, chosen = [program], dict[str, None]()
        while open_:
            path = open_.pop()
            if path in chosen:
                continue
            chosen[path] = None
            entry = self.files.get(path)
            if entry is None:
                raise UserError(f"no package holds {path}")
            if stat.S_ISLNK(entry.mode):
                open_.append(_leads(entry))
            elif needs := dynamic(entry.content):
                open_ += [self._library(name) for name in needs.needed]
                # Its package is that of the C library, which has come in by now.
                open_ += [self._loader(needs.interpreter)] if needs.interpreter else []
        return tuple(chosen)

    def _loader(self, path: str) -> str:
        place = merged(path.lstrip("/"))
        return place if place in self.files else self._library(posixpath.basename(path))

    def _library(self, name: str) -> str:
        while (found := self._find(name)) is None:
            self.add(self._provider(name))
        return found

    def _find(self, name: str) -> str | None:
        pattern = re.compile(rf"usr/lib(64|/[\w-]+-linux-\w+)?/{re.escape(name)}")
        return next((path for path in self.files if pattern.fullmatch(path)), None)

    def _provider(self, name: str) -> str:
        # Debian names a library's package after the library; else any that is depended on may do.
        have = self._names()
        left = [one for each in self.packages for one in each.depends if one not in have]
        stem, _, version = name.partition(".so.")
        named = stem + ("-" if stem[-1:].isdigit() else "") + version
        likely = [one for one in left if one.removesuffix("t64") == named.lower()]
        others = [one for one in left if one.startswith("lib")]
        if not likely and not others:
            raise UserError(f"no package that was asked for holds {name}")
        return (likely or others)[0]

    def _names(self) -> set[str]:
        return {package.name for package in self.packages}


def _leads(entry: Entry) -> str:
    target = entry.content.decode()
    place = posixpath.join("/", posixpath.dirname(entry.path), target)
    return merged(posixpath.normpath(place).lstrip("/"))
