# SPDX-License-Identifier: GPL-2.0-only
"""Join a scan with what each architecture of its tree offers."""

from __future__ import annotations

from uaccel.flow.support import folders, supports
from uaccel.gain import gain
from uaccel.model.account import Account, Finding
from uaccel.model.machine import Arch
from uaccel.model.scan import Place, Scan
from uaccel.model.support import STANDING, Support


def account(scan: Scan, arches: tuple[Arch, ...], known: tuple[Arch, ...]) -> Account:
    """Return `scan` with its clusters ranked by the openings that a window saves at best.

    `arches` were asked for; `known` are all that the catalogue describes.  Windows that stand
    already are findings only when their form was asked for.
    """
    offered = supports(scan.tree, arches)
    asked = scan.filters.form is not None
    found = [finding(place, offered) for place in scan.places]
    standing = [one for one in found if not asked and one.place.sighting.form in STANDING]
    others = (one for one in found if asked or one.place.sighting.form not in STANDING)
    ranked = sorted(others, key=lambda one: (-one.weight, -one.place.sighting.accesses))
    rest = folders(scan.tree, known)
    return Account(scan, tuple(ranked), tuple(standing), offered, rest, None)


def finding(place: Place, offered: tuple[Support, ...]) -> Finding:
    """Return what the cluster at `place` gains, weighed by the openings saved at best."""
    gains = tuple(gain(place.file, place.sighting, one) for one in offered)
    best = max((one.saved for one in gains if one.saved is not None), default=0)
    return Finding(place, gains, float(best), "openings", "")
