# SPDX-License-Identifier: GPL-2.0-only
"""An account of a tree for the tests of the reports.  Every figure in it is invented."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from uaccel.model.account import Account, Finding, Profiled, Unattributed
from uaccel.model.dossier import Tree
from uaccel.model.scan import Filters, Place, Scan, Skipped, Totals
from uaccel.model.source import Direction, Form
from uaccel.model.support import Folder, Gain, Openings, Support
from uaccel.model.survey import Candidate, Kind, Sighting, Survey

FILE = "drivers/invented/device.c"
ODD_FILE = "drivers/odd name/\udcff%41:[x].c"
WHY = "an error node touches its statement"
NONE = "no opening to save: nothing guards user memory"

WRITES = Sighting(
    function="invented_ioctl_compat",
    line=40,
    column=2,
    last_line=52,
    direction=Direction.WRITE,
    form=Form.FIELDWISE,
    accesses=9,
    longest=9,
    looped=False,
    pointers=("src",),
    pair=20,
    joined=False,
    convertible=True,
    why="",
    callers=(),
)
READS = replace(
    WRITES, line=20, last_line=24, direction=Direction.READ, accesses=3, longest=3, pair=40
)
LOOP = replace(
    WRITES,
    function="invented_fill",
    line=70,
    last_line=70,
    accesses=4,
    longest=2,
    looped=True,
    pointers=("a", "arg->ptr", "b", "c"),
    pair=None,
    convertible=False,
    why="a fault does more than return -EFAULT",
)
STANDS = replace(
    WRITES, function="invented_done", line=90, last_line=96, form=Form.SCOPED, pair=None
)


def support(arch: str, times: int, *, begin: bool = True, why: str | None = None) -> Support:
    """Return an architecture whose accesses open `times`."""
    openings = Openings(times, times if begin else 0, 0 if begin else times)
    return Support(
        arch=arch,
        folder=arch,
        begin=begin,
        apart=False,
        masked=("rw",),
        scoped=True,
        asm_goto_output=True,
        copies=False,
        reads=openings,
        writes=openings,
        opens=f"each access opens {times}: a register",
        headers=("include/linux/uaccess.h",),
        why=why,
    )


SUPPORTS = (support("first", 1), support("second", 0, why=NONE), support("third", 1))
UNKNOWN = replace(
    SUPPORTS[0],
    arch="fourth",
    begin=None,
    apart=None,
    masked=None,
    scoped=None,
    asm_goto_output=None,
    reads=None,
    writes=None,
    why="not known: its header cannot be read in this tree",
)


def candidate(line: int, kind: Kind, why: str = "") -> Candidate:
    """Return a candidate line."""
    return Candidate(line, 6, "put_user", kind, why)


def finding(sighting: Sighting, saved: int, file: str = FILE) -> Finding:
    """Return a cluster that saves openings on the first and the third architecture."""
    least = sighting.looped
    gains = (
        Gain("first", saved, least, ""),
        Gain("second", 0, False, NONE),
        Gain("third", saved, least, ""),
    )
    return Finding(Place(file, sighting), gains, float(saved), "openings", "")


def survey() -> Survey:
    """Return a file with two lines of each kind, four clusters and windows."""
    made = [
        candidate(100 + 2 * at + more, kind, WHY if kind is Kind.NOT_UNDERSTOOD else "")
        for at, kind in enumerate(Kind)
        for more in range(2)
    ]
    return Survey(FILE, tuple(made), (READS, WRITES, LOOP, STANDS))


def totals(*surveys: Survey) -> Totals:
    """Return the sums of `surveys`."""
    seen = [one.kind for survey in surveys for one in survey.candidates]
    return Totals(len(seen), tuple((kind, seen.count(kind)) for kind in Kind))


def account(**changes: object) -> Account:
    """Return an account of one file and of one with an odd name; `changes` are for its scan."""
    odd = Survey(ODD_FILE, (candidate(1, Kind.CLUSTER), candidate(2, Kind.NOT_UNDERSTOOD, WHY)), ())
    surveys = (survey(), replace(odd, sightings=(WRITES,)))
    scan = Scan(
        tree=Tree("/invented/li nux", "0.1.2"),
        command="uaccel scan --tree '/invented/li nux'",
        filters=Filters((), (), None, None, 2, None),
        surveys=surveys,
        totals=totals(*surveys),
        places=(),
        skipped=(Skipped("drivers/link.c", "a link that leaves the tree", 0),),
        walked=7,
        reused=1,
        notes=("drivers/none holds no cluster",),
        seconds=1.25,
    )
    found = (
        finding(WRITES, 8),
        finding(WRITES, 8, ODD_FILE),
        finding(READS, 2),
        finding(LOOP, 1),
    )
    fields: dict[str, Any] = {"places": tuple(one.place for one in found), **changes}
    scan = replace(scan, **fields)
    others = (Folder("alpha", False, ()), Folder("vax", None, ()))
    return Account(scan, found, (), SUPPORTS, others, None)


def profiled() -> Account:
    """Return the account with a profile: its clusters weigh in percent."""
    known = account()
    share = replace(known.findings[0], weight=14.29, unit="percent", why="with its accessors")
    rest = tuple(replace(one, weight=0.0, unit="percent") for one in known.findings[1:])
    left = (Unattributed("__put_user_4", 3.5, "the profile has no call chains"),)
    profile = Profiled("perf.txt", left, ("3722 samples of cycles",))
    return replace(known, findings=(share, *rest), profile=profile)
