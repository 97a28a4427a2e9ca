# SPDX-License-Identifier: GPL-2.0-only
"""Variants side by side: which function it is about, what belongs to it, and what does not."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from uaccel.compare import compare
from uaccel.errors import UserError
from uaccel.model.comparison import COPIES, Comparison, Stands, Taken
from uaccel.read.profile import read_profiles

# Our own mail around the figures of the seed's: Christophe Leroy, 13 June 2025, Re: [PATCH] ALSA:
# pcm: Convert snd_pcm_ioctl_sync_ptr_{compat/x32} to user_access_begin/user_access_end().
OURS = Path(__file__).parent / "samples" / "profiles" / "mail.txt"
BARE = OURS.with_name("three-ways.txt")  # likewise, without marks and annotated lines
SEED = Path(__file__).parent.parent.parent / "shared" / "seed" / "sync-ptr-mail.txt"
SUMS = [12.86, 16.43, 4.92]  # percent, as the mail and its prose have them
LISTED = re.compile(r"^.*\d+\.\d\d% .*\[[k.]\].*$")


def mail(path: Path) -> str:
    """Return the text of a mail, or skip."""
    if not path.exists():
        pytest.skip(f"{path.name} does not lie beside the checkout")
    return path.read_text()


@pytest.fixture(params=[OURS, SEED], ids=["ours", "seed"])
def told(request: pytest.FixtureRequest) -> str:
    """Return a mail with the three listings."""
    return mail(request.param)


def taken(text: str) -> list[Taken]:
    """Return each listing of `text` as a variant."""
    profiles = read_profiles(text)
    return [Taken(f"listing {i}", (f"m {i}",), (p,)) for i, p in enumerate(profiles, 1)]


def one(name: str, *texts: str) -> Taken:
    """Return a variant whose runs are `texts`."""
    profiles = [profile for text in texts for profile in read_profiles(text)]
    return Taken(name, tuple(f"run {i}" for i in range(len(texts))), tuple(profiles))


def sums(found: Comparison) -> list[float]:
    """Return what the first group of each variant has."""
    return [variant.groups[0].percent for variant in found.variants]


def rows(found: Comparison, at: int) -> dict[str, float]:
    """Return the rows of the first group of variant `at`."""
    return {row.symbol: row.percent for row in found.variants[at].groups[0].rows}


def unmarked(text: str) -> str:
    """Return `text` without the marks that a person put there."""
    return text.replace("==> ", "")


def shuffled(text: str) -> str:
    """Return `text` with the rows of each listing in another order."""
    dice, lines, block = random.Random(7), [], list[str]()
    for line in (*text.split("\n"), ""):
        if LISTED.fullmatch(line):
            block.append(line)
            continue
        dice.shuffle(block)
        lines += [*block, line]
        block = []
    return "\n".join(lines)


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "unmarked": unmarked,
    "quoted": lambda text: "\n".join(f"> {line}" for line in text.split("\n")),
    "quoted twice, unmarked": lambda text: "\n".join(f">> {x}" for x in unmarked(text).split("\n")),
    "in another order": shuffled,
    "in another order, unmarked": lambda text: shuffled(unmarked(text)),
    "with the line ends of a mail": lambda text: text.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_three_sums_of_the_mail_are_found(told: str, form: str) -> None:
    found = compare(taken(FORMS[form](told)))
    assert sums(found) == pytest.approx(SUMS, abs=1e-9)
    assert {variant.groups[0].name for variant in found.variants} == {"snd_pcm_ioctl"}
    copies = {"__copy_tofrom_user": 4.86, "_copy_from_user": 1.67, "_copy_to_user": 1.53}
    assert rows(found, 1) == {"snd_pcm_ioctl": 8.37, **copies}
    way = "moved most" if "unmarked" in form else "is marked in the text"
    assert f"snd_pcm_ioctl {way}" in found.chosen


def test_the_three_sums_are_found_where_nothing_but_listings_stands() -> None:
    found = compare(taken(BARE.read_text()))
    assert sums(found) == pytest.approx(SUMS, abs=1e-9)
    assert found.chosen.startswith("snd_pcm_ioctl moved most: 12.86 % in listing 1, 4.92 % in")


def test_no_name_is_known_beforehand(told: str) -> None:
    """The function is found by how it moved, whatever it is called."""
    other = re.sub(r"\bsnd_pcm_ioctl\b", "frob", unmarked(told))
    found = compare(taken(other))
    assert sums(found) == pytest.approx(SUMS)
    assert found.variants[0].groups[0].name == "frob"


@pytest.mark.parametrize("order", [(0, 1), (0, 2), (2, 0), (1, 0, 2), (2, 1, 0)])
def test_the_order_of_the_variants_is_that_of_the_files(told: str, order: Sequence[int]) -> None:
    every = taken(unmarked(told))
    found = compare([every[i] for i in order])
    assert sums(found) == pytest.approx([SUMS[i] for i in order])
    assert [variant.name for variant in found.variants] == [every[i].name for i in order]


def test_what_does_not_stand_out_is_not_guessed(told: str) -> None:
    """Between the second and the third listing several symbols moved as much."""
    found = compare(taken(unmarked(told))[1:])
    assert found.chosen.startswith("unknown which function it is, none stands out: ")
    assert found.variants[0].groups[0].name == COPIES
    assert sums(found) == pytest.approx([8.06, 0.0])


def test_one_listing_is_shown_and_not_compared(told: str) -> None:
    found = compare(taken(told)[1:2])
    assert sums(found) == pytest.approx([16.43])
    assert (found.differences, found.moved) == ((), ())
    alone = compare(taken(unmarked(told))[1:2])
    assert "one listing alone does not show what changes" in alone.chosen
    assert sums(alone) == pytest.approx([8.06])


def test_without_counts_or_runs_nothing_stands(told: str) -> None:
    found = compare(taken(told))
    assert [(d.variant, d.before, d.after) for d in found.differences] == [
        ("listing 2", 12.86, pytest.approx(16.43)),
        ("listing 3", 12.86, 4.92),
    ]
    for difference in found.differences:
        assert difference.stands is Stands.UNKNOWN
        assert difference.why == "one run each, and how many samples they have is not said"


def test_what_moved_elsewhere_is_shown_with_what_is_not_listed(told: str) -> None:
    found = compare(taken(told))
    first, second, *_ = found.moved
    assert (first.symbol, first.percents, first.most) == ("engine_main", (14.2, 14.47, 17.46), 3.26)
    assert second.symbol == "finish_task_switch"
    (fdget,) = [moved for moved in found.moved if moved.symbol == "fdget"]
    assert fdget.percents == (None, 2.31, None)
    # What a listing does not show may have as much as its last row: 1.67 %.
    assert fdget.most == pytest.approx(2.31 - 1.67)
    members = {row.symbol for variant in found.variants for row in variant.groups[0].rows}
    assert not members & {moved.symbol for moved in found.moved}


def test_everything_listed_stands_in_one_group(told: str) -> None:
    for variant, profile in zip(compare(taken(told)).variants, read_profiles(told), strict=True):
        listed = sum(row.percent for row in profile.rows)
        assert sum(group.percent for group in variant.groups) == pytest.approx(listed)
        assert variant.listed == pytest.approx(listed)
        symbols = [row.symbol for group in variant.groups for row in group.rows]
        assert sorted(symbols) == sorted(row.symbol.written for row in profile.rows)


def test_a_function_that_was_named_is_taken(told: str) -> None:
    found = compare(taken(told), asked=["sys_ioctl"])
    assert found.chosen == "named by --function"
    assert sums(found) == pytest.approx([3.37, 4.62 + 8.06, 2.46])
    both = compare(taken(told), asked=["finish_task_switch", "snd_pcm_ioctl"])
    assert sums(both) == pytest.approx([12.86 + 11.91, 16.43 + 12.0, 4.92 + 9.14])
    with pytest.raises(UserError, match="no listing names a function nowhere"):
        compare(taken(told), asked=["nowhere"])


def test_what_a_listing_does_not_show_is_said(told: str) -> None:
    found = compare(taken(told), asked=["fdget"])
    assert "fdget is not listed in listing 1: it has at most 1.67 % there, or is inlined" in (
        found.notes
    )
    notes = " ".join(compare(taken(told)).notes)
    assert "listing 3 does not list __copy_tofrom_user, _copy_from_user, _copy_to_user" in notes
    assert "no call chains say who called them" in notes
    assert "snd_pcm_ioctl takes 0.35 times the time in listing 3" in notes


OTHERS = {"alpha": 11.0, "beta": 9.0, "gamma": 14.0, "delta": 6.0, "epsilon": 12.0, "zeta": 8.0}


def listing(shares: dict[str, float], mark: str = "k", samples: str = "") -> str:
    """Return a listing of `shares` in percent, all of the kernel or of a program."""
    where = "[kernel]" if mark == "k" else "program"
    head = f"# Samples: {samples} of event 'cycles'\n" if samples else ""
    found = sorted(shares.items(), key=lambda item: -item[1])
    return head + "".join(f"{share:6.2f}%  {where}  [{mark}] {name}\n" for name, share in found)


def pair(before: dict[str, float], after: dict[str, float], mark: str = "k") -> list[Taken]:
    """Return two variants of one listing each."""
    return [one("a", listing(before, mark)), one("b", listing(after, mark))]


def scaled(shares: dict[str, float], total: float) -> dict[str, float]:
    """Return `shares` as they are when all of them together have `total` percent."""
    factor = total / sum(shares.values())
    return {name: share * factor for name, share in shares.items()}


@pytest.mark.parametrize("mark", ["k", "."])
def test_what_got_cheaper_is_found_and_not_what_grew_by_it(mark: str) -> None:
    """Everything else has a larger share then, the heaviest by more points than the cause lost."""
    before = {"cheaper": 20.0, "heavy": 50.0, **scaled(OTHERS, 30.0)}
    rest = scaled({**OTHERS, "heavy": 50.0 * sum(OTHERS.values()) / 30}, 92.0)
    found = compare(
        [one("a", listing(before, mark)), one("b", listing({"cheaper": 8.0, **rest}, mark))]
    )
    assert found.variants[0].groups[0].name == "cheaper"
    assert sums(found) == pytest.approx([20.0, 8.0])
    (difference,) = found.differences
    assert difference.change == pytest.approx(-60.0)


def test_what_got_dearer_is_found() -> None:
    before, after = {"f": 4.0, **scaled(OTHERS, 96)}, {"f": 16.0, **scaled(OTHERS, 84)}
    found = compare(pair(before, after))
    assert sums(found) == pytest.approx([4.0, 16.0])
    assert (
        "if all else does the same work in both, f takes 4.57 times the time in b"
        in (found.notes[-1])
    )


def test_a_processor_without_work_is_not_the_function() -> None:
    before = {"f": 20.0, "acpi_safe_halt": 5.0, **scaled(OTHERS, 75)}
    after = {"f": 8.0, "acpi_safe_halt": 40.0, **scaled(OTHERS, 52)}
    found = compare(pair(before, after))
    assert found.variants[0].groups[0].name == "f"
    # 20 % beside 75 % of work, and 8 % beside 52 %.
    assert "f takes 0.58 times the time in b" in found.notes[-1]


def test_an_interrupt_is_not_the_function() -> None:
    before = {"f": 12.0, "irqentry_exit_to_user_mode": 30.0, **scaled(OTHERS, 58)}
    after = {"f": 6.0, "irqentry_exit_to_user_mode": 1.0, **scaled(OTHERS, 93)}
    found = compare(pair(before, after))
    assert found.variants[0].groups[0].name == "f"


def test_noise_of_few_samples_is_no_cause() -> None:
    """Five samples of a hundred are not one of them by so much that it could not be chance."""
    before, after = {"f": 6.0, **scaled(OTHERS, 94)}, {"f": 2.0, **scaled(OTHERS, 98)}
    few = [one(n, listing(s, samples="100")) for n, s in (("a", before), ("b", after))]
    many = [one(n, listing(s, samples="100000")) for n, s in (("a", before), ("b", after))]
    assert compare(few).variants[0].groups[0].name == COPIES
    assert compare(many).variants[0].groups[0].name == "f"
    assert compare(many).differences[0].stands is Stands.YES


def test_parts_that_a_compiler_split_off_are_the_functions_own() -> None:
    split = {"f": 9.0, "f.part.0": 4.0, "f.constprop.0.isra.0": 2.0, "f.cold": 1.0}
    before = {**split, **scaled(OTHERS, 84)}
    found = compare(
        [one("a", listing(before)), one("b", listing({"f": 5.0, **scaled(OTHERS, 95)}))]
    )
    assert sums(found) == pytest.approx([16.0, 5.0])
    program = compare(
        [one("a", listing(before, ".")), one("b", listing({"f": 5.0, **OTHERS}, "."))]
    )
    assert sums(program) == pytest.approx([16.0, 5.0])


def test_marks_on_most_rows_are_the_tools_and_mean_nothing() -> None:
    def starred(shares: dict[str, float]) -> str:
        return re.sub(r"^ *", "==> ", listing(shares), flags=re.MULTILINE).removesuffix("==> ")

    before, after = {"f": 20.0, **scaled(OTHERS, 80)}, {"f": 6.0, **scaled(OTHERS, 94)}
    found = compare([one("a", starred(before)), one("b", starred(after))])
    assert found.variants[0].groups[0].name == "f" and "f moved most" in found.chosen


def test_a_copy_of_memory_may_belong_to_it_and_is_not_summed() -> None:
    before = {"f": 20.0, "memcpy": 3.0, **scaled(OTHERS, 77)}
    after = {"f": 6.0, "memcpy": 3.5, **scaled(OTHERS, 90)}
    found = compare(pair(before, after))
    assert sums(found) == pytest.approx([20.0, 6.0])
    assert any(
        note.startswith("maybe memcpy belongs to it too (3.00 %, 3.50 %)") for note in found.notes
    )


def test_a_function_inlined_in_one_variant_is_told() -> None:
    before = {"snd_ioctl": 20.0, **scaled(OTHERS, 80)}
    after = {"snd_ioctl": 4.0, "snd_ioctl_sync_compat": 5.0, **scaled(OTHERS, 91)}
    found = compare(pair(before, after))
    assert sums(found) == pytest.approx([20.0, 4.0])
    assert (
        "snd_ioctl_sync_compat is listed in b only, with 5.00 %: if it is inlined into snd_ioctl "
        "elsewhere, name both with --function"
    ) in found.notes


def test_a_run_that_does_not_list_the_function_is_told() -> None:
    listed = listing({"f": 3.0, **scaled(OTHERS, 60)})
    cut = listing(scaled(OTHERS, 60))
    found = compare([one("a", listed, listed, cut), one("b", listed)], asked=["f"])
    assert found.variants[0].groups[0].percents == (3.0, 3.0, 0.0)
    assert (
        "1 of 3 runs of a do not list f: it counts as nothing there, and has at most 6.00 %"
        in found.notes
    )


def holds_a_profile(path: Path) -> bool:
    """Return whether it does, and not something else that perf prints."""
    try:
        return bool(read_profiles(path.read_text()))
    except UserError:
        return False


SAMPLES = [path for path in sorted(OURS.parent.glob("*.txt")) if holds_a_profile(path)]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_profile_beside_itself_shows_no_difference(path: Path) -> None:
    profiles = read_profiles(path.read_text())
    same = [Taken(name, ("it",), profiles[:1]) for name in ("first", "second")]
    heaviest = max(profiles[0].rows, key=lambda row: row.percent).symbol.written
    found = compare(same, asked=[heaviest])
    assert found.moved == ()
    (difference,) = found.differences
    assert difference.before == difference.after > 0 and difference.stands is not Stands.YES
    chosen = compare(same).chosen
    assert "unknown which function it is" in chosen or "marked" in chosen


def test_a_function_may_be_named_as_the_listing_writes_it() -> None:
    listed = listing({"f.isra.0": 20.0, **OTHERS})
    for name in ("f", "f.isra.0"):
        assert sums(compare([one("a", listed)], asked=[name])) == [20.0]
