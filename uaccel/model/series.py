# SPDX-License-Identifier: GPL-2.0-only
"""A series of patches as it is mailed: who writes it, to whom, what each mail says and changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from uaccel.model.dossier import Declined, Subject, Tree
from uaccel.model.judgement import Measurement, Verdict
from uaccel.model.support import Gain


@dataclass(frozen=True, slots=True)
class Ident:
    """Somebody with an address."""

    name: str  # "" for a mailing list
    address: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who should see a patch."""

    ident: Ident
    role: str  # as get_maintainer.pl says it: "maintainer", "reviewer", "open list", ...

    @property
    def decides(self) -> bool:
        """Return whether it is one who may take the patch: neither a list nor a reviewer."""
        return not self.role.endswith("list") and self.role != "reviewer"


@dataclass(frozen=True, slots=True)
class Entry:
    """One section of MAINTAINERS."""

    title: str
    files: tuple[str, ...]  # its `F:` patterns
    excluded: tuple[str, ...]  # its `X:` patterns


@dataclass(frozen=True, slots=True)
class Done:
    """A cluster that a style wrote."""

    subject: Subject
    gains: tuple[Gain, ...]  # one per architecture; () where the source does not tell
    differences: tuple[str, ...]  # what a user program could notice
    left: int = 0  # accesses that stand outside of what was written


@dataclass(frozen=True, slots=True)
class Change:
    """One file before and after."""

    path: str  # relative to the tree, with forward slashes
    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """One patch of a series, before it gets its number."""

    style: str
    subject: str  # without "[PATCH n/m]"
    done: tuple[Done, ...]
    changes: tuple[Change, ...]
    measurements: tuple[Measurement, ...]  # of the clusters in `done`, before and after
    counted: bool  # figures were asked for
    lacking: tuple[str, ...] = ()  # architectures that it brings unsafe_copy_from_user() to


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands above and below every mail of one series."""

    author: Ident
    signer: Ident | None  # None: no Signed-off-by
    date: datetime  # with its time zone
    count: int  # patches of the series
    base: str  # commit that the series applies to; "" when that is not known


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it is written to a file."""

    name: str  # of the file
    text: str  # bytes that are no UTF-8 are surrogates


@dataclass(frozen=True, slots=True)
class Written:
    """A patch as a document names it."""

    style: str
    files: tuple[str, ...]
    functions: tuple[str, ...]
    subject: str  # "" of a patch that is no mail
    path: str | None  # where it was written; None when that was not asked for


@dataclass(frozen=True, slots=True)
class Delivery:
    """All that a report may show of one conversion."""

    tree: Tree
    command: str  # the line that reproduces it
    patches: tuple[Written, ...]
    done: tuple[tuple[str, Done], ...]  # each cluster that was written, with its style
    refusals: tuple[Declined, ...]
    verdicts: tuple[Verdict, ...]
    measurements: tuple[Measurement, ...]
    notes: tuple[str, ...]  # one sentence each
