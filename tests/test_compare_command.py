# SPDX-License-Identifier: GPL-2.0-only
"""`uaccel compare` as a shell sees it: its text, its mail, its document, and what it refuses."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.asking import Uaccel
from tests.test_compare import OTHERS, OURS, SUMS, listing, mail, scaled, taken, told, unmarked
from uaccel.compare import compare
from uaccel.moves import QUARTER, SURE
from uaccel.noise import SIGMAS
from uaccel.report import compare as report
from uaccel.report import comparemail
from uaccel.report import json as document

__all__ = ["told"]
OBJECTS = Path(__file__).parent / "objects"
HOSTILE = "\x1b[31m<script>\u202e[bold]"
SPLIT = re.compile(r"(?m)^(?=.*14\.47% )|^(?=.*17\.46% )")


@pytest.fixture
def letter(told: str, tmp_path: Path) -> Path:
    """Return a file with a mail of three listings."""
    path = tmp_path / "mail.txt"
    path.write_text(told)
    return path


def asked(uaccel: Uaccel, *words: str | Path) -> dict[str, Any]:
    """Return the document that a command line gives."""
    said = uaccel("compare", "--json", "-", *words)
    assert (said.status, said.stderr) == (0, "")
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def sums(found: dict[str, Any]) -> list[float]:
    """Return what the first group of each variant has, in a document."""
    return [variant["groups"][0]["percent"] for variant in found["variants"]]


def test_the_mail_as_it_is(uaccel: Uaccel, letter: Path) -> None:
    said = uaccel("compare", letter)
    assert (said.status, said.stderr) == (0, "")
    for percent in SUMS:
        assert f"  sum  {percent:.2f} %  snd_pcm_ioctl\n" in said.stdout
    assert said.stdout.count("==>  ") == 3 + 3
    assert re.search(r"\nsum +12\.86 % +16\.43 % +4\.92 %\n", said.stdout)
    assert re.search(r"\nchange +\+27\.8 % +-61\.7 %\n", said.stdout)
    assert re.search(r"\nfdget +\[kernel\] +not listed +2\.31 % +not listed\n", said.stdout)
    assert said.stdout.endswith(f"\nagain  uaccel compare {letter}\n")


def test_the_document(uaccel: Uaccel, letter: Path) -> None:
    found = asked(uaccel, letter)
    assert found["schema"] == {"name": "uaccel-compare", "version": 1}
    assert list(found)[:4] == ["schema", "tool", "tree", "command"]
    assert found["command"] == f"uaccel compare --json - {letter}"
    assert [variant["name"] for variant in found["variants"]] == [f"listing {i}" for i in (1, 2, 3)]
    assert sums(found) == pytest.approx(SUMS)
    (row,) = found["variants"][2]["groups"][0]["rows"]
    assert (row["symbol"], row["percent"]) == ("snd_pcm_ioctl", 4.92)
    assert [one["stands"] for one in found["differences"]] == ["unknown", "unknown"]
    assert found["chosen"] == "snd_pcm_ioctl is marked in the text"


def test_one_mail_or_three_files_say_the_same(uaccel: Uaccel, letter: Path, tmp_path: Path) -> None:
    parts = SPLIT.split(unmarked(letter.read_text()))
    assert len(parts) == 3
    for name, part in zip("abc", parts, strict=True):
        (tmp_path / f"{name}.txt").write_text(part)
    found = asked(uaccel, *(tmp_path / f"{name}.txt" for name in "abc"))
    assert [variant["name"] for variant in found["variants"]] == ["a", "b", "c"]
    assert sums(found) == pytest.approx(SUMS)
    again = asked(uaccel, *(f"{n}y={tmp_path / n}.txt" for n in "cab"))
    assert [variant["name"] for variant in again["variants"]] == ["cy", "ay", "by"]
    assert sums(again) == pytest.approx([SUMS[2], SUMS[0], SUMS[1]])


def test_stdin_is_a_file(uaccel: Uaccel, letter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(letter.read_text()))
    assert sums(asked(uaccel, "-")) == pytest.approx(SUMS)
    assert uaccel("compare", "-", "-").error == "stdin can be read only once"


def test_one_name_again_is_another_run(uaccel: Uaccel, tmp_path: Path) -> None:
    words = []
    for i, share in enumerate((20.0, 20.4, 19.8, 20.1, 8.0, 8.3, 7.9, 8.1)):
        path = tmp_path / f"{i}.txt"
        path.write_text(listing({"f": share, **scaled(OTHERS, 100 - share)}))
        words.append(f"{'one by one' if i < 4 else 'window'}={path}")
    found = asked(uaccel, *words)
    assert [variant["name"] for variant in found["variants"]] == ["one by one", "window"]
    first, second = (variant["groups"][0] for variant in found["variants"])
    assert first["percents"] == [20.0, 20.4, 19.8, 20.1]
    assert (first["percent"], second["percent"]) == (20.05, 8.05)
    (difference,) = found["differences"]
    assert difference["stands"] == "stands" and "p = 0.029" in difference["why"]
    shown = uaccel("compare", *words).stdout
    assert "sum  20.05 % (19.80-20.40)  f" in shown
    few = asked(uaccel, *words[:3], *words[4:7])
    assert "so few runs never give less than p = 0.100" in few["differences"][0]["why"]


def test_files_of_one_name_are_told_apart(uaccel: Uaccel, tmp_path: Path) -> None:
    for name, share in (("a", 20.0), ("b", 6.0)):
        (tmp_path / name).mkdir()
        text = listing({"f": share, **scaled(OTHERS, 100 - share)})
        (tmp_path / name / "perf.txt").write_text(text)
    found = asked(uaccel, "a/perf.txt", "b/perf.txt")
    assert [variant["name"] for variant in found["variants"]] == ["a/perf.txt", "b/perf.txt"]


def test_one_variant_is_shown_and_said_to_be_alone(uaccel: Uaccel, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(listing({"f": 20.0, **OTHERS}))
    found = asked(uaccel, "--function", "f", "a.txt")
    assert (sums(found), found["differences"]) == ([20.0], [])
    assert "one variant alone: there is nothing to compare it with" in found["notes"]


def test_what_it_refuses(uaccel: Uaccel, letter: Path, tmp_path: Path) -> None:
    (tmp_path / "prose.txt").write_text("Nothing was measured.\n")
    assert "nowhere cannot be read: No such file" in uaccel("compare", "nowhere").error
    said = uaccel("compare", letter, "prose.txt").error
    assert said.startswith("prose.txt: no profile was found")
    assert (
        "no listing names a function frob" in uaccel("compare", "--function", "frob", letter).error
    )
    assert "no architecture is called vax" in uaccel("compare", "--arch", "vax", letter).error
    assert "goes to stdout" in uaccel("compare", "--json", "-", "--mail", letter).error
    assert uaccel("compare").status == 2


def test_a_run_that_is_given_twice_is_no_scatter(uaccel: Uaccel, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(listing({"f": 20.0, **OTHERS}))
    for again in ("a.txt", "b.txt"):
        said = uaccel("compare", "v=a.txt", f"v={again}").error
        assert said == f"a.txt and {again} are one run of v: they hold the same"
    assert uaccel("compare", "v=a.txt", "w=b.txt").status == 0


def test_objects_that_hold_nothing_of_it_are_said(uaccel: Uaccel, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(listing({"f": 20.0, **OTHERS}))
    (tmp_path / "b.txt").write_text(OURS.with_name("annotate-x86_64-browser.txt").read_text())
    (tmp_path / "other.o").write_bytes((OBJECTS / "x86_64.o").read_bytes())
    found = asked(uaccel, "--object", "other.o", "a.txt")
    assert "no annotated function was given, so the objects tell nothing" in found["notes"]
    found = asked(uaccel, "--object", "other.o", "b.txt")
    assert any(note.startswith("no object was found to hold ") for note in found["notes"])


def test_a_closed_stdin_is_said(uaccel: Uaccel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert uaccel("compare", "-").error == "stdin is closed"


def test_nothing_is_no_difference(uaccel: Uaccel, tmp_path: Path) -> None:
    """No function stands out, and no listing has a copy routine."""
    for name in ("a.txt", "b.txt"):
        address = f"   0.40%  [kernel]  [k] 0xffffffff8100000{name[0]}\n"
        (tmp_path / name).write_text(listing(OTHERS) + address)
    found = asked(uaccel, "a.txt", "b.txt")
    assert (found["differences"], found["moved"]) == ([], [])


def test_a_figure_keeps_its_sign_in_a_mail(uaccel: Uaccel, letter: Path) -> None:
    said = uaccel("compare", "--mail", letter).stdout
    assert " %" in said and not re.search(r"(?m)^\s*%|\0", said)


def test_counts_whose_errors_are_rounded_to_nothing(uaccel: Uaccel, tmp_path: Path) -> None:
    """0.00 % may be 0.005 %: ten of a million are no difference then, and a thousand are."""
    text = STAT.replace("0.10%", "0.00%")
    for name, value in (("a", 1_000_000), ("b", 1_000_010), ("c", 1_001_000)):
        (tmp_path / f"{name}.txt").write_text(text.format(runs=5, value=value, other=7))
    told = asked(uaccel, "a.txt", "b.txt", "c.txt")["differences"]
    assert [x["stands"] for x in told if x["what"] == "instructions:u"] == [
        *("does not stand", "stands"),
    ]


STAT = """
 Performance counter stats for './lamp' ({runs} runs):

     {value:,}      instructions:u            ( +-  0.10% )
     {other:,}      cycles:u                  ( +-  9.00% )
"""


def test_counts_of_perf_stat_are_compared(uaccel: Uaccel, tmp_path: Path) -> None:
    for name, value in (("a", 1_000_000), ("b", 900_000)):
        text = STAT.format(runs=5, value=value, other=2 * value)
        (tmp_path / f"{name}.txt").write_text(text)
    found = asked(uaccel, "a.txt", "b.txt")
    told = {one["what"]: one for one in found["differences"]}
    assert told["instructions:u"]["before"] == 1_000_000
    assert told["instructions:u"]["change"] == pytest.approx(-10)
    assert told["instructions:u"]["stands"] == "stands"
    assert told["cycles:u"]["stands"] == "does not stand"
    assert "means of 5 and 5 runs" in told["cycles:u"]["why"]
    shown = uaccel("compare", "a.txt", "b.txt")
    assert "b: instructions:u 1,000,000 -> 900,000 (-10.0 %): stands" in shown.stdout
    assert found["chosen"] == "no profile was given, so no function is looked for"


def test_counts_and_listings_of_one_variant_meet(uaccel: Uaccel, tmp_path: Path) -> None:
    words = []
    for name, share in (("a", 20.0), ("b", 8.0)):
        text = listing({"f": share, **scaled(OTHERS, 100 - share)})
        (tmp_path / f"{name}.txt").write_text(text)
        stat = STAT.format(runs=5, value=int(share * 1000), other=7)
        (tmp_path / f"{name}.stat").write_text(stat)
        words += [f"{name}={name}.txt", f"{name}={name}.stat"]
    found = asked(uaccel, *words)
    assert sums(found) == [20.0, 8.0]
    assert [one["what"] for one in found["differences"]] == ["f", "instructions:u", "cycles:u"]


def test_annotated_functions_that_belong_to_no_listing(uaccel: Uaccel, tmp_path: Path) -> None:
    """The seed's mail has two of them above its three listings: 13 instructions, 15 percent."""
    letter = tmp_path / "mail.txt"
    letter.write_text(mail(Path(__file__).parents[2] / "shared" / "seed" / "sync-ptr-mail.txt"))
    found = asked(uaccel, letter)
    assert [variant["attributions"] for variant in found["variants"]] == [[], [], []]
    first, second = found["attributions"]
    assert (second["instructions"], round(second["percent"])) == (13, 15)
    assert second["accesses"] == 9 and first["unknown"]
    assert (
        "mail.txt: nothing says which of its listings its 2 annotated functions belong to"
        in (found["notes"])
    )
    shown = " ".join(uaccel("compare", letter).stdout.split())
    assert "15.18 % of its samples in 13 instructions: 9 accesses, 1 window" in shown


ANNOTATED = """\
 Percent |	Source code & Disassembly of vmlinux for cycles (100 samples)
------------------------------------------------------------------------
         : 0 c0000100 <lamp_ioctl>:
    5.00 : c0000100: lis r9,-9216
   10.00 : c0000104: mtspr 794,r9
   20.00 : c0000108: stw r20,0(r10)
    5.00 : c000010c: lis r9,-8704
   10.00 : c0000110: mtspr 794,r9
   50.00 : c0000114: blr
"""


def test_an_annotated_function_alone_is_a_variant(uaccel: Uaccel, tmp_path: Path) -> None:
    (tmp_path / "before.txt").write_text(ANNOTATED)
    (tmp_path / "after.txt").write_text(ANNOTATED.replace("20.00 :", " 2.00 :"))
    found = asked(uaccel, "--arch", "ppc8xx", "before.txt", "after.txt")
    shares = [variant["attributions"][0]["percent"] for variant in found["variants"]]
    assert shares == pytest.approx([50.0, 32.0])
    assert found["variants"][0]["groups"] == []


# The text for a mail


def written(uaccel: Uaccel, *words: str | Path) -> str:
    """Return the text for a mail, after it was looked at that git takes all of it."""
    said = uaccel("compare", "--mail", *words)
    assert (said.status, said.stderr) == (0, "")
    for line in said.stdout.splitlines():
        assert len(line) <= 72 and line.isascii() and line == line.rstrip()
        assert not re.match(r"#|---|diff |From |>|Index: |[A-Z][\w-]*: ", line)
    assert said.stdout.endswith("\n") and not said.stdout.endswith("\n\n")
    return said.stdout


def test_the_text_for_a_mail(uaccel: Uaccel, letter: Path) -> None:
    text = written(uaccel, letter)
    assert text == written(uaccel, letter)
    assert re.search(r"^  sum +12\.86% +16\.43% +4\.92%$", text, re.M)
    assert re.search(r"^  __copy_tofrom_user +- +4\.86% +-$", text, re.M)
    assert re.search(r"^  change +\+27\.8% +-61\.7%$", text, re.M)
    assert str(letter.parent) not in text


def test_many_variants_with_long_names_keep_to_the_columns(uaccel: Uaccel, tmp_path: Path) -> None:
    words = []
    for i in range(7):
        symbol = "a_function_with_" * 12
        text = listing({symbol: 20.0 - 2 * i, **scaled(OTHERS, 80 + 2 * i)})
        (tmp_path / f"{i}.txt").write_text(text)
        words.append(f"variant {'of a long name ' * 3}{i}={i}.txt")
    text = written(uaccel, *words)
    for i in range(7):
        assert f"{20.0 - 2 * i:.2f}%" in text
    assert "a_function_with_a_function_wi~" in text


def test_nothing_steers_a_terminal_or_git(uaccel: Uaccel, tmp_path: Path) -> None:
    names = {"a": "#comment", "b": "Fixes: all"}
    for name, share in (("a", 20.0), ("b", 8.0)):
        hostile = {f"{HOSTILE}f": share, "<!--": 5.0, **scaled(OTHERS, 95 - share)}
        text = f"Signed-off-by: {HOSTILE} <a@b>\n\n{listing(hostile)}"
        (tmp_path / f"{name}.txt").write_text(text)
    words = [f"{names[name]}{HOSTILE}={name}.txt" for name in "ab"]
    written(uaccel, *words)
    shown = uaccel("compare", *words).stdout
    assert "\x1b" not in shown and "\u202e" not in shown and "\\x1b[31m<script>" in shown
    asked(uaccel, *words)


def test_the_reports_say_the_same_figures() -> None:
    found = compare(taken(OURS.read_text()))
    shown = report.text(found, color=False, width=100)
    kept = comparemail.text(found)
    read = json.loads(document.compare(found))
    for variant, percent in zip(read["variants"], SUMS, strict=True):
        assert variant["groups"][0]["percent"] == pytest.approx(percent)
        assert f"{percent:.2f} %" in shown and f"{percent:.2f}%" in kept
    for note in found.notes:
        assert " ".join(note.split()) in " ".join(kept.split())
    assert report.text(found, color=True, width=60).count("\x1b[") > 10


def test_the_page_shows_what_is_printed(uaccel: Uaccel, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parent.parent
    page = (root / "docs" / "compare.md").read_text()
    command = "uaccel compare --mail tests/samples/profiles/three-ways.txt"
    shown = page.partition(f"```\n$ {command}\n")[2].partition("```")[0]
    monkeypatch.chdir(root)
    assert shown == written(uaccel, *command.split()[3:])
    for number in (QUARTER, SURE, SIGMAS):
        assert f" {number} " in page or f" {number}th " in page


def test_the_readme_shows_what_is_printed_of_the_mail(uaccel: Uaccel) -> None:
    root = Path(__file__).parent.parent
    mail = root.parent / "shared" / "seed" / "sync-ptr-mail.txt"
    if not mail.is_file():
        pytest.skip("the mail is not beside the project")
    _, found, rest = (root / "README.md").read_text().partition("```\nthe sums ")
    assert found
    assert f"the sums {rest.partition('```')[0]}" in uaccel("compare", str(mail)).stdout


def test_the_page_says_no_more_than_is_listed(uaccel: Uaccel, tmp_path: Path) -> None:
    """Counts alone are no listing; what a cut listing hides is not 0 %."""
    (tmp_path / "stat.txt").write_text(STAT.format(runs=5, value=7, other=9))
    (tmp_path / "a.txt").write_text(listing({"f": 20.0, **OTHERS}))
    (tmp_path / "b.txt").write_text(listing(OTHERS))
    words = ("stat.txt", "a.txt", "b.txt", "--function", "f")
    assert uaccel("compare", "--html", "page", *words).status == 0
    page = " ".join(re.sub(r"<[^>]*>", " ", (tmp_path / "page" / "index.html").read_text()).split())
    assert "f is not listed instead of 20.00 % in a." in page.replace(" .", ".")
    assert "shows 0.00 %" not in page and "100.0" not in page
    assert asked(uaccel, *words)["differences"][0]["change"] is None


def test_of_several_events_that_of_time_is_compared(uaccel: Uaccel, tmp_path: Path) -> None:
    """Which one occurs first in a recording is chance, and a run of it may be another's."""
    rows = listing({"f": 20.0, **OTHERS})
    events = [f"# Samples: 9 of event '{event}'\n{rows}" for event in ("faults", "cycles:P")]
    for name, texts in (("a", events), ("b", events[::-1])):
        (tmp_path / f"{name}.txt").write_text("".join(texts))
    found = asked(uaccel, "a.txt", "b.txt")
    assert "a.txt: cycles:P is compared; it also holds faults" in found["notes"]
    assert not any("different events" in note for note in found["notes"])
