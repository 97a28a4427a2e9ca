# SPDX-License-Identifier: GPL-2.0-only
"""A dossier for the tests of the reports.  Every figure in it is invented."""

from __future__ import annotations

from uaccel.model.dossier import Declined, Dossier, Patch, Subject, Target, Tree
from uaccel.model.judgement import Measurement, Outcome, Verdict
from uaccel.model.machine import Unbuilt

ARCHES = ("first", "second", "third-with-pan", "fourth", "fifth", "sixth", "seventh", "eighth")
STYLES = ("fieldwise", "structcopy", "window")
FILE = "drivers/invented/device.c"
FUNCTION = "invented_ioctl_compat"
READ = f"{FILE}:{FUNCTION}:read@20"
WRITE = f"{FILE}:{FUNCTION}:write@40"
OWN = "it has no begin of its own: every access still opens and closes"
COPY = "without what the copy routine executes"
PATCH = (
    "--- a/drivers/invented/device.c\n"
    "+++ b/drivers/invented/device.c\n"
    "@@ -40,2 +40,2 @@\n"
    "-\tif (put_user(a, &p->a))\n"
    "+\tif (!user_write_access_begin(p, sizeof(*p)))\n"
    " \t\treturn -EFAULT;\n"
)


def dossier() -> Dossier:
    """Return a study: two clusters, three styles, eight architectures, one without compiler."""
    targets = tuple(
        Target(arch, f"The {arch}", "gcc 1.2.3", f"allnoconfig + {arch}", "a register", None)
        for arch in ARCHES[:-1]
    )
    last = Target(
        "eighth", "The last", "clang 9.8.7 (wheel 6.5)", "allnoconfig + eighth", "nothing", OWN
    )
    return Dossier(
        tree=Tree("/invented/linux", "0.1.2"),
        command="uaccel study",
        subjects=(
            Subject(READ, FILE, FUNCTION, 20, "read", "fieldwise", 3),
            Subject(WRITE, FILE, FUNCTION, 40, "write", "fieldwise", 9),
        ),
        targets=(*targets, last),
        unbuilt=(Unbuilt("ninth", "no compiler for ninth"),),
        measurements=(*_measurements((*targets, last)),),
        verdicts=_verdicts(),
        refusals=(Declined(READ, "structcopy", "no two fields of it go together"),),
        patches=(
            Patch("window", FUNCTION, FILE, PATCH, "out/window.patch", ("The range is wider.",)),
            Patch("structcopy", FUNCTION, FILE, PATCH, None, ()),
        ),
        notes=("drivers/invented/device.c:7: clear_user: not read as an access yet",),
        built=24,
        reused=3,
        seconds=12.34,
    )


def _measurements(targets: tuple[Target, ...]) -> list[Measurement]:
    made = []
    for number, target in enumerate(targets):
        for at, style in enumerate(STYLES):
            for cluster in (READ, WRITE):
                if (cluster, style) == (READ, "structcopy"):
                    continue
                why = COPY if style == "structcopy" else ""
                path = 70 + number - 25 * at if number != 4 or at != 2 else None
                why = "an indirect call on the path" if path is None else why
                least = 19 if path is None else None
                rest = (target.arch, target.compiler, target.config)
                made += [
                    Measurement(
                        cluster, style, *rest, "path_instructions", path, "instructions", why, least
                    ),
                    Measurement(cluster, style, *rest, "path_toggles", 18 - 8 * at, "toggles"),
                    Measurement(cluster, style, *rest, "floor_instructions", 13, "instructions"),
                ]
            function = f"{FILE}:{FUNCTION}"
            rest = (target.arch, target.compiler, target.config)
            made += [
                Measurement(
                    function, style, *rest, "function_instructions", 350 - 40 * at, "instructions"
                ),
                Measurement(function, style, *rest, "text_bytes", 14000 - 160 * at, "bytes"),
                Measurement(function, style, *rest, "extable_entries", 12, "entries"),
            ]
    return made


def _verdicts() -> tuple[Verdict, ...]:
    passed = [
        Verdict("compiles", f"{FILE}:{FUNCTION}", style, arch, Outcome.PASS, "no error")
        for style in STYLES
        for arch in ARCHES
    ]
    unknown = [
        Verdict(
            "objtool",
            f"{FILE}:{FUNCTION}",
            "window",
            arch,
            Outcome.UNKNOWN,
            "objtool does not run on this architecture",
        )
        for arch in ARCHES[1:]
    ]
    failed = Verdict(
        "objtool",
        f"{FILE}:{FUNCTION}",
        "window",
        "first",
        Outcome.FAIL,
        f"{FUNCTION}+0x12: redundant UACCESS disable",
    )
    applies = Verdict(
        "applies", f"{FILE}:{FUNCTION}", "window", None, Outcome.UNKNOWN, "git is not here"
    )
    return (*passed, *unknown, failed, applies)
