# SPDX-License-Identifier: GPL-2.0-only
"""Programs of another architecture out of the distribution's packages; none is installed here."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from uaccel.errors import BrokenInvariant, UserError
from uaccel.host.apt import Progress, Shop, foreign_lists
from uaccel.host.initramfs import Entry
from uaccel.host.run import run
from uaccel.host.store import Store, key

_KIND = "foreign"
_SECONDS = 300
_KEPT = "uaccel-package"  # beside the files: version and what it depends on


@dataclass(frozen=True, slots=True)
class Package:
    """A package, unpacked."""

    name: str
    version: str
    depends: tuple[str, ...]  # names of packages, each the first of its choices
    folder: str  # that holds its files as they would lie below the root

    def entries(self) -> tuple[Entry, ...]:
        """Return its files and links; in folders that were merged into /usr they lie there."""
        return tuple(sorted(_entries(Path(self.folder)), key=lambda entry: entry.path))


Fetch = Callable[[str], Package]


@contextmanager
def packages(architecture: str, store: Store, progress: Progress) -> Iterator[Fetch]:
    """Give what returns a package of `architecture` by its name; lists are fetched when needed."""
    with TemporaryDirectory(prefix="uaccel-") as folder:
        opened: list[Shop] = []

        def fetch(name: str) -> Package:
            entry = key(architecture, _release(), name)
            if not store.find(_KIND, entry):
                if not opened:
                    with foreign_lists(architecture, Path(folder), progress) as shop:
                        opened.append(shop)
                _fill(opened[0], name, entry, store)
            found = store.find(_KIND, entry)
            if found is None:
                raise BrokenInvariant(f"package {entry} was filled and is not there")
            version, *depends = (found / _KEPT).read_text().split()
            return Package(name, version, tuple(depends), str(found / "root"))

        yield fetch


def _fill(shop: Shop, name: str, entry: str, store: Store) -> None:
    file, version = shop.fetch(name)
    with store.filling(_KIND, entry) as folder:
        fields = ("dpkg-deb", "-f", str(file), "Depends")
        depends = run(fields, folder=folder, timeout=_SECONDS).stdout
        argv = ("dpkg-deb", "-x", str(file), str(folder / "root"))
        said = run(argv, folder=folder, timeout=_SECONDS)
        if said.status != 0:
            raise UserError(f"{file.name} could not be unpacked: {said.stderr.strip()}")
        (folder / _KEPT).write_text(" ".join((version, *_names(depends))))
    file.unlink()


def _names(depends: str) -> tuple[str, ...]:
    choices = (one.split("|")[0].split("(")[0].strip() for one in depends.split(","))
    return tuple(dict.fromkeys(one.split(":")[0] for one in choices if one))


def _entries(root: Path) -> Iterator[Entry]:
    for place, folders, names in os.walk(root):
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in (*names, *links):
            path = Path(place, name)
            mode = path.lstat().st_mode
            content = str(path.readlink()).encode() if stat.S_ISLNK(mode) else path.read_bytes()
            yield Entry(merged(str(path.relative_to(root))), mode, content)


def merged(path: str) -> str:
    """Return where a file lies once /bin, /sbin and /lib are links into /usr."""
    first = path.split("/", 1)[0]
    return f"usr/{path}" if first in ("bin", "sbin", "lib", "lib64", "lib32") else path


def _release() -> str:
    try:
        return Path("/etc/os-release").read_text()
    except OSError:
        return ""
