# SPDX-License-Identifier: GPL-2.0-only
"""Read files with candidates side by side; whatever happens, every candidate line comes back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePosixPath

from uaccel.errors import UserError
from uaccel.flow.survey import survey
from uaccel.host.pool import Broken, Pool
from uaccel.host.walk import content, digest, why_not
from uaccel.model.dialect import Dialects
from uaccel.model.scan import Skipped
from uaccel.model.source import Candidate, Kind, Source
from uaccel.model.survey import Survey
from uaccel.sites import Site, opens_windows, sites

Progress = Callable[[str, int, int], None]  # what, done, of how many (0 when not known)

NOT_ACCOUNTED = "the reader did not account for this line"
MOST = 100_000  # candidate lines of a file
_BATCH = 1 << 17  # bytes of files that a worker reads before it tells


@dataclass(frozen=True, slots=True)
class Read:
    """One file that was read to its end."""

    digest: bytes  # of its bytes
    survey: Survey


@dataclass(frozen=True, slots=True)
class Reader:
    """How files are read: from where, by how many processes, for how long."""

    root: str
    given: Mapping[str, bytes]  # texts that are no file of the tree, by the name they go by
    jobs: int
    seconds: float  # of processor time for one file
    dialects: Dialects  # what the tree knows of user access

    def read(self, path: str) -> Read:
        """Return what the file at `path` holds; any error at all when it cannot be read."""
        text = self._text(path)
        found = _sites(text)
        if not found and not opens_windows(text, len(text)):
            return Read(digest(text), Survey(path, (), ()))
        read = survey(Source(PurePosixPath(path), text), self.dialects.of(path))
        return Read(digest(text), complete(read, path, found))

    def odd(self, path: str, why: str) -> tuple[Survey, Skipped]:
        """Return the candidate lines of a file that could not be read, none of them understood."""
        try:
            found = _sites(self._text(path))
        except OSError as error:
            found, why = (), why_not(error)
        except UserError as error:
            found, why = (), str(error)
        lines = tuple(_not_understood(site, why) for site in found)
        return Survey(path, lines, ()), Skipped(path, why, len(found))

    def _text(self, path: str) -> bytes:
        text = self.given.get(path)
        return content(self.root, path) if text is None else text


def read_files(
    reader: Reader, files: Collection[tuple[str, int]], progress: Progress
) -> Iterator[tuple[str, Read | Broken]]:
    """Yield what each of `files` (path and size in bytes) holds, as they come."""
    with Pool(reader.read, reader.jobs, reader.seconds) as pool:
        for batch in batches(files):
            pool.put(*batch)
        for done, (path, read) in enumerate(pool.answers(), start=1):
            progress(f"reading {path}", done, len(files))
            yield path, read


def complete(read: Survey, path: str, found: tuple[Site, ...]) -> Survey:
    """Return `read` with exactly the lines of `found`: each once, none lost, none invented."""
    by_line = {candidate.line: candidate for candidate in reversed(read.candidates)}
    lines = tuple(by_line.get(s.line) or _not_understood(s, NOT_ACCOUNTED) for s in found)
    if lines == read.candidates and path == read.path:
        return read
    return replace(read, path=path, candidates=lines)


def batches(files: Iterable[tuple[str, int]]) -> Iterator[list[str]]:
    """Yield the paths of `files` (path and size in bytes) as workers take them: largest first."""
    batch: list[str] = []
    room = _BATCH
    for path, size in sorted(files, key=lambda file: (-file[1], file[0])):
        batch.append(path)
        room -= size
        if room <= 0:
            yield batch
            batch, room = [], _BATCH
    if batch:
        yield batch


def _sites(text: bytes) -> tuple[Site, ...]:
    found = tuple(islice(sites(text, len(text)), MOST + 1))
    if len(found) > MOST:
        raise UserError(f"it has more than {MOST} candidate lines, more than are read of a file")
    return found


def _not_understood(site: Site, why: str) -> Candidate:
    return Candidate(site.line, site.column, site.accessor, Kind.NOT_UNDERSTOOD, why)
