# SPDX-License-Identifier: GPL-2.0-only
"""A dossier with all that a page can show, for the tests of the pages.  All of it is invented."""

from __future__ import annotations

from dataclasses import replace

from tests import invented
from uaccel.model.annotation import Annotated, Annotation
from uaccel.model.attribution import Attribution, Share, Windowed
from uaccel.model.comparison import (
    Comparison,
    Counted,
    Difference,
    Group,
    Moved,
    Stands,
    Summed,
    Variant,
)
from uaccel.model.dossier import Dossier
from uaccel.model.exhibit import Code, Exhibit, Met, Passage, Shown

FUNCTION = f"{invented.FILE}:{invented.FUNCTION}"
LINE = 20
BEFORE = """\
/* Hand the state of the device over. */
static int invented_ioctl_compat(struct device_state __user *p, struct state *s)
{
	u32 a, b;

	if (get_user(a, &p->a) ||
		get_user(b, &p->b))
		return -EFAULT;
	state_lock(s);
	s->a = a;
	s->b = b;
	s->seen++;
	state_unlock(s);
	trace("%s\\n", s->name);
	if (put_user(s->a, &p->c) ||
		put_user(s->b, &p->d))
		return -EFAULT;
	return 0;
}
"""
AFTER = """\
/* Hand the state of the device over. */
static int invented_ioctl_compat(struct device_state __user *p, struct state *s)
{
	u32 a, b;

	if (!user_read_access_begin(p, sizeof(*p)))
		return -EFAULT;
	unsafe_get_user(a, &p->a, fault_read);
	unsafe_get_user(b, &p->b, fault_read);
	user_read_access_end();
	state_lock(s);
	s->a = a;
	s->b = b;
	s->seen++;
	state_unlock(s);
	trace("%s\\n", s->name);
	if (put_user(s->a, &p->c) ||
		put_user(s->b, &p->d))
		return -EFAULT;
	return 0;

fault_read:
	user_read_access_end();
	return -EFAULT;
}
"""
COPIED = BEFORE.replace(
    "\tif (get_user(a, &p->a) ||\n\t\tget_user(b, &p->b))\n",
    "\tif (copy_from_user(&both, p, sizeof(both)))\n",
)
READS = ("get_user(a, &p->a)", "get_user(b, &p->b)")
UNSAFE = ("unsafe_get_user(a, &p->a, fault_read)", "unsafe_get_user(b, &p->b, fault_read)")
WRITES = ("put_user(s->a, &p->c)", "put_user(s->b, &p->d)")


def dossier() -> Dossier:
    """Return the invented study with source, code, runs and profiles of its function."""
    known = invented.dossier()
    subjects = (replace(known.subjects[0], accesses=2), replace(known.subjects[1], accesses=2))
    return replace(known, subjects=subjects, exhibit=exhibit(), comparison=comparison())


def exhibit() -> Exhibit:
    """Return the function in three styles on two architectures."""
    passages = (
        Passage(FUNCTION, "structcopy", LINE, BEFORE, COPIED),
        Passage(FUNCTION, "window", LINE, BEFORE, AFTER),
    )
    codes = tuple(code(style, arch) for arch in ("first", "second") for style in invented.STYLES)
    met = tuple(
        one
        for arch in ("first", "second")
        for style in ("structcopy", "window")
        for one in runs(style, arch)
    )
    return Exhibit(passages, codes, met)


def shown(  # noqa: PLR0913 - the fields of a Shown
    text: str,
    role: str = "",
    *,
    of: tuple[int, int] | None = None,
    window: int | None = None,
    touches: bool = False,
    line: int = 0,
) -> Shown:
    """Return an instruction that serves the access `of`: (cluster, access)."""
    cluster, access = of or (None, None)
    return Shown(0, text, role, cluster, access, window, touches, of is not None, line)


def code(style: str, arch: str) -> Code:
    """Return what a compiler made of `style`: the reads in its way, the writes one by one."""
    made = {"fieldwise": _apart, "window": _together, "structcopy": _copied}[style]()
    writes = tuple(
        row
        for at in range(2)
        for row in (
            shown("stac", "opens", of=(1, at), window=9 + at, line=LINE + 14 + at),
            shown(
                f"mov dword ptr [rdi + {8 + 4 * at}], ecx",
                of=(1, at),
                window=9 + at,
                touches=True,
                line=LINE + 14 + at,
            ),
            shown("clac", "closes", of=(1, at), line=LINE + 14 + at),
        )
    )
    between = tuple(shown(f"mov r{at}, r{at + 1}", line=LINE + 8) for at in range(12))
    rows = (*made, *between, *writes, shown("ret", "returns"))
    reads = {"fieldwise": READS, "window": UNSAFE, "structcopy": ("copy_from_user(&both, p, 8)",)}
    return Code(
        FUNCTION,
        style,
        arch,
        "gcc 1.2.3",
        f"allnoconfig + {arch}",
        (invented.READ, invented.WRITE),
        (reads[style], WRITES),
        tuple(replace(row, address=4 * at) for at, row in enumerate(rows)),
    )


def _apart() -> tuple[Shown, ...]:
    return tuple(
        row
        for at in range(2)
        for row in (
            shown("stac", "opens", of=(0, at), window=at, line=LINE + 5),  # as compilers do
            shown(
                f"mov eax, dword ptr [rdi + {4 * at}]",
                of=(0, at),
                window=at,
                touches=True,
                line=LINE + 5 + at,
            ),
            shown("clac", "closes", of=(0, at), line=LINE + 5 + at),
        )
    )


def _together() -> tuple[Shown, ...]:
    opening = Shown(0, "stac", "opens", 0, None, 0, False, True, LINE + 5)
    closing = Shown(0, "clac", "closes", 0, None, None, False, True, LINE + 9)
    moves = tuple(
        shown(
            f"mov eax, dword ptr [rdi + {4 * at}]",
            of=(0, at),
            window=0,
            touches=True,
            line=LINE + 7 + at,
        )
        for at in range(2)
    )
    return (opening, *moves, closing)


def _copied() -> tuple[Shown, ...]:
    return (shown("call _copy_from_user", "calls", of=(0, 0), touches=True, line=LINE + 5),)


def runs(style: str, arch: str) -> tuple[Met, ...]:
    """Return what came of the runs of `style`; one of structcopy's is other, as declared."""
    plain = Met(
        FUNCTION, style, arch, "nothing faults", None, False, (0, 0), (4, 4), True, "same", "", 7
    )
    faults = tuple(
        replace(
            plain,
            what=f"access {at + 1} faults for good",
            step=at,
            sticky=True,
            results=(-14, -14),
            reached=(at, at),
            alike=1,
        )
        for at in range(4)
    )
    other = replace(
        faults[1], reached=(1, 0), outcome="declared", why="fewer fields were read before the fault"
    )
    wrong = replace(faults[3], results=(-14, 0), outcome="different", why="it returned 0")
    if style == "structcopy":
        return (plain, faults[0], other, faults[2], faults[3])
    return (plain, *faults[:3], wrong if arch == "second" else faults[3])


def attribution() -> Attribution:
    """Return an annotated listing with one window of two accesses."""
    texts = ("mr r3,r4", "mtspr 794,r9", "stw r8,0(r10)", "stw r7,4(r10)", "mtspr 794,r9", "blr")
    shown = (1.0, 2.0, 4.0, 3.0, 2.5, None)
    rows = tuple(
        Annotated(percent, 0xC0000100 + 4 * at, b"", text, gap=at == 5)
        for at, (text, percent) in enumerate(zip(texts, shown, strict=True))
    )
    annotation = Annotation(
        "invented_ioctl",
        "vmlinux",
        "cycles",
        "3K",
        "",
        rows,
        begins=True,
        ends=True,
        unread=0,
        first_unread="",
    )
    shares = (
        Share(1, "stw r8,0(r10)", "write", 4.0, (2,)),
        Share(2, "stw r7,4(r10)", "write", 3.0, (3,)),
    )
    window = Windowed(1, shares, 11.5, (1, 2, 3, 4), closed=True)
    unknown = ("where the rest of its samples are",)
    return Attribution(annotation, "", "by the pattern", (window,), unknown)


def comparison() -> Comparison:
    """Return profiles of two variants."""

    def variant(name: str, shares: tuple[float, ...]) -> Variant:
        rows = tuple(
            Summed(symbol, "[kernel]", share, (share - 0.1, share + 0.1), why)
            for symbol, share, why in zip(
                ("invented_ioctl", "__copy_tofrom_user"),
                shares,
                ("the function", "copies for it"),
                strict=False,
            )
        )
        total = sum(shares)
        groups = (
            Group("invented_ioctl", total, (total - 0.1, total + 0.1), rows),
            Group("user space", 40.0, (40.0, 40.0), ()),
        )
        counts = (Counted("instructions", "", 123456789.0, (123456789.0,)),)
        told = (attribution(),) if name == "before" else ()
        return Variant(name, (f"{name}.txt",), ("3K",), groups, 90.0, counts, told)

    return Comparison(
        "uaccel compare before.txt after.txt",
        (variant("before", (12.86, 3.1)), variant("after", (4.92,))),
        "The function that the names of the variants have in common.",
        (
            Difference(
                "after", "invented_ioctl", 15.96, 4.92, "percent", Stands.YES, "no runs overlap"
            ),
        ),
        (Moved("fdget", "[kernel]", (1.0, 2.5), 1.5),),
        ("Two runs of each.",),
    )
