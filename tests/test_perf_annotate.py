# SPDX-License-Identifier: GPL-2.0-only
"""Annotated listings are read whichever way they were printed, and say when they are cut."""

from __future__ import annotations

import quopri
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uaccel.errors import UserError
from uaccel.model.annotation import Annotation
from uaccel.read.perfannotate import read_annotations
from uaccel.read.perfstat import read_stats
from uaccel.read.profile import read_profiles

PAGES = Path(__file__).parent / "samples" / "profiles"
TEXTS = {page.stem: page.read_text() for page in sorted(PAGES.glob("*.txt"))}
LISTINGS = [name for name in TEXTS if name.startswith("annotate-")]


def sole(text: str) -> Annotation:
    """Return the only annotation of `text`."""
    (found,) = read_annotations(text)
    return found


def texts(annotation: Annotation) -> list[str]:
    """Return the instructions of `annotation`."""
    return [row.text for row in annotation.rows]


# Instructions, bytes of the function, the last opening or store of user memory with its bytes.
WHOLE = {
    "powerpc": (18, 72, "mtspr 794,r9", "7d3ac3a6"),
    "arm64": (23, 92, "msr ttbr0_el1, x11", "d518200b"),
    "s390": (14, 56, "mvcos 0(%r4),160(%r15),%r1", "c8104000f0a0"),
    "riscv": (12, 32, "csrs sstatus,t6", "100fa073"),
    "arm-samples": (15, 60, "strt r3, [r1], #0", "e4a13000"),
    "i386": (17, 51, "movl $0x11223344,0x12345678(%edx,%ebx,4)", "c7849a7856341244332211"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_listings_with_bytes_are_read_of_every_architecture(name: str) -> None:
    found = sole(TEXTS[f"annotate-{name}"])
    count, size, text, code = WHOLE[name]
    assert len(found.rows) == count and sum(len(row.code) for row in found.rows) == size
    assert code in [row.code.hex() for row in found.rows if row.text == text]
    assert found.begins and found.ends and not found.cut and not found.unread
    assert found.shown == pytest.approx(100, abs=0.1)
    assert found.object == ("kcore" if name == "i386" else "vmlinux")


def test_a_listing_without_bytes_has_the_same_instructions() -> None:
    bytes_too, plain = (sole(TEXTS[f"annotate-{one}"]) for one in ("arm64", "arm64-plain"))
    assert tuple(replace(row, code=b"") for row in bytes_too.rows) == plain.rows
    assert "fadd d0, d1, d2" in texts(plain), "fadd is no bytes"
    assert not plain.cut


def test_intel_spelling_is_left_as_it_is() -> None:
    found = sole(TEXTS["annotate-i386-intel"])
    assert "mov DWORD PTR [edx+ebx*4+0x12345678],0x11223344" in texts(found)
    assert found.symbol == "put_three" and len(found.rows) == 17


def test_what_perf_calls_a_piece_of_the_kernels_memory_is_no_symbol() -> None:
    assert sole(TEXTS["annotate-i386"]).symbol == ""


def test_counts_of_samples_become_shares() -> None:
    found = sole(TEXTS["annotate-arm-samples"])
    assert (found.samples, found.event) == ("695", "cycles")
    assert found.rows[0].percent == pytest.approx(100 * 101 / 695, abs=20)
    assert all(row.percent is not None for row in found.rows)


def test_what_the_browser_draws_is_read_without_addresses() -> None:
    found = sole(TEXTS["annotate-x86_64-browser"])
    assert found.symbol == "put_three" and found.object.endswith("/vmlinux")
    assert texts(found)[:5] == [
        *("endbr64", "mov %rdi,%rax", "movabs $0x7fffffffeff0,%rdx", "cmp %rdx,%rsi", "ja 36"),
    ]
    assert "lock xadd %rax,(%rbx)" in texts(found) and len(found.rows) == 15
    assert {row.address for row in found.rows} == {-1}
    assert found.shown == pytest.approx(100, abs=0.1) and found.rows[2].percent is None


def test_a_mail_holds_two_quoted_wrapped_listings() -> None:
    first, second = read_annotations(TEXTS["annotate-mail"])
    assert len(first.rows) == 15 and first.symbol == "put_three" and first.begins
    assert "lock xadd %rax,(%rbx)" in texts(first)
    assert "movabs $0x7fffffffeff0,%rdx" in texts(first)
    assert "ja ffffffff81b73c36 <put_three+0x36>" in texts(first)
    assert not first.cut, "a remark between two rows cuts nothing"
    assert first.shown == pytest.approx(100, abs=0.01)
    assert first.title == "this is what perf annotate says of put_three():"
    assert (len(second.rows), second.symbol, second.begins) == (10, "put_three", False)
    assert [row.gap for row in second.rows] == [*[False] * 8, True, False]
    assert second.cut and second.ends


def test_all_that_mails_do_to_a_text_changes_nothing() -> None:
    plain = read_annotations(TEXTS["annotate-mail"])
    for text in (
        TEXTS["annotate-mail"].replace("\n", "\r\n"),
        "\n".join(f"| {line}" for line in TEXTS["annotate-mail"].splitlines()),
        TEXTS["annotate-mail"].replace(" : ", " :\xa0"),
        "Content-Transfer-Encoding: quoted-printable\n\n"
        + quopri.encodestring(TEXTS["annotate-mail"].encode()).decode(),
    ):
        assert read_annotations(text) == plain


ROW = "    {:.2f} :   {:x}:   {}\n"
HEAD = " Percent |\tSource code & Disassembly of vmlinux for cycles (50 samples, percent: {})\n"


def listing(*rows: tuple[float, int, str]) -> str:
    """Return rows without a head."""
    return "".join(ROW.format(*row) for row in rows)


BLOCK = (
    (1.0, 0xC0001000, "3d 20 dc 00 lis r9,-9216"),
    (2.0, 0xC0001004, "7d 3a c3 a6 mtspr 794,r9"),
)
LATER = ((3.0, 0xC0001040, "92 8a 00 00 stw r20,0(r10)"),)


def test_three_dots_cut_a_listing() -> None:
    for dots in ("...\n", "[...]\n", "\n[snip]\n\n", "…\n", "--8<-- snip --8<--\n"):
        assert not sole(listing(*BLOCK) + dots).ends, dots
        found = sole(listing(*BLOCK) + dots + listing(*LATER))
        assert [row.gap for row in found.rows] == [False, False, True] and found.ends
    assert sole(f"...\n{listing(*BLOCK)}").rows[0].gap


def test_addresses_that_jump_are_a_gap() -> None:
    assert [row.gap for row in sole(listing(*BLOCK, *LATER)).rows] == [False, False, True]
    plain = [(1.0, 0xC0001000 + 4 * i, "nop") for i in (0, 1, 2, 3, 5)]
    assert [row.gap for row in sole(listing(*plain)).rows] == [*[False] * 4, True]
    # Of instructions that differ in length, only what no instruction is long enough for.
    varied = [(1.0, 0x1001, "nop"), (1.0, 0x100B, "ret"), (1.0, 0x1100, "nop")]
    assert [row.gap for row in sole(listing(*varied)).rows] == [False, False, True]


def test_zeroes_that_the_disassembler_leaves_out_are_no_gap() -> None:
    found = sole(listing(*BLOCK) + "         :        ...\n" + listing(*LATER))
    assert not found.cut and len(found.rows) == 3


def test_addresses_that_fall_begin_another_listing() -> None:
    first, second = read_annotations(listing(*LATER) + listing(*BLOCK))
    assert (len(first.rows), len(second.rows)) == (1, 2)
    title, other = read_annotations(f"Before:\n{listing(*BLOCK)}And then:\n{listing(*LATER)}")
    assert (title.title, other.title) == ("Before:", "And then:")


JUMP = "41 a1 fb 58 bgt c0000c00 <f+0x200>"


def test_a_jump_into_the_middle_of_a_symbol_says_whose_rows_they_are() -> None:
    assert sole(listing(*BLOCK, (1.0, 0xC0001008, JUMP))).symbol == "f"
    for unsafe in (
        "48 00 00 01 bl c0000c00 <f+0x200>",  # a call
        "41 a1 fb 58 bgt c0000c00 <f>",  # perhaps a tail call
        "41 a1 fb 58 bgt c0000c00 <f+0x200>\n"
        + ROW.format(0, 0xC000100C, JUMP.replace("<f", "<g")),
        "41 a1 fb 58 bgt c0101000 <f+0x200>",  # it begins behind: we are its cold part
        "41 a1 fb 58 bgt b0000c00 <f+0x200>",  # and here far before
        "81 23 00 00 lwz r9,0(r3) # c0000c00 <f+0x200>",
    ):
        assert sole(listing(*BLOCK, (1.0, 0xC0001008, unsafe))).symbol == "", unsafe


def test_a_mnemonic_that_looks_like_a_byte_is_none() -> None:
    rows = (*BLOCK, (1.0, 0xC0001008, "40 82 00 08 bc 4,eq,c0001010"))
    assert texts(sole(listing(*rows, (0.0, 0xC000100C, "60 00 00 00 nop"))))[2:] == [
        *("bc 4,eq,c0001010", "nop"),
    ]


def test_shares_of_all_samples_become_shares_of_the_function() -> None:
    found = sole(HEAD.format("global period") + listing(*BLOCK))
    assert [row.percent for row in found.rows] == pytest.approx([100 / 3, 200 / 3])
    cut = sole(HEAD.format("global period") + listing(*BLOCK) + "...\n")
    assert [row.percent for row in cut.rows] == [None, None]


def test_counts_of_a_part_are_no_shares_unless_the_whole_is_said() -> None:
    rows = "       5 :   c0001000:   nop\n      20 :   c0001004:   nop\n"
    head = HEAD.format("local period").replace("Percent", "Samples")
    assert [row.percent for row in sole(f"{head}{rows}...\n").rows] == [10, 40]
    assert [row.percent for row in sole(rows).rows] == [20, 80]
    assert [row.percent for row in sole(f"{rows}...\n").rows] == [None, None]


def test_each_event_of_a_group_has_an_annotation() -> None:
    head = HEAD.format("local period").replace("cycles", "anon group { cycles, faults, dummy }")
    rows = "   10.00    0.00    0.00 :   1000:   nop\n   90.00  100.00    0.00 :   1001:   ret\n"
    first, second = read_annotations(head + rows)
    assert (first.event, second.event) == ("cycles", "faults")
    assert [row.percent for row in second.rows] == [0, 100]
    assert (first.samples, second.samples) == ("50", "")


def test_lines_of_source_are_kept_where_the_listing_says_them() -> None:
    text = (
        " Percent |\tSource code & Disassembly of a for cycles (9 samples, percent: local period)\n"
        "-----\n         :\n         : 5    0000000000001000 <f>:\n         : 6    f():\n"
        "         : 12   if (n)\n         : 13   return;\n"
        "   50.00 :   1000:   nop // a.c:12\n    0.00 :   1001:   nop\n"
        "         : 40   ./include/b.h:40\n   50.00 :   1002:   ret\n"
    )
    assert [row.lines for row in sole(text).rows] == [
        *((("a.c", 12),), (("", 12),), (("./include/b.h", 40),)),
    ]
    old = " a.c:7    100.00 :\t  1000:\tret\n"
    assert sole(old).rows[0].lines == (("a.c", 7),) and sole(old).shown == 100


def test_the_summary_of_lines_is_not_read() -> None:
    text = (
        "\nSorted summary for file /usr/bin/a\n-------------------------\n\n"
        "   97.55 a.c:13\n    2.45 /src/a.c:14\n" + HEAD.format("local hits") + listing(*BLOCK)
    )
    found = sole(text)
    assert len(found.rows) == 2 and found.title == "" and found.symbol == ""


def test_what_perf_top_shows_of_a_symbol_is_known_to_be_a_part() -> None:
    text = "Showing cycles for f\n  Events  Pcnt (>=5%)\n" + HEAD.format("local period")
    found = sole(text + listing(*BLOCK))
    assert (found.symbol, found.event) == ("f", "cycles")
    assert found.cut and not found.begins


def test_a_newer_perf_writes_the_symbol_another_way() -> None:
    text = " Percent | Source code & Disassembly of a\n----\n         : 0      0xe060 <f>:\n"
    found = sole(text + "    0.00 :   e060: pushq %rbp\n  100.00 :   e061: retq\n")
    assert (found.symbol, found.begins, texts(found)) == ("f", True, ["pushq %rbp", "retq"])


def test_rows_whose_addresses_a_person_took_away_are_read_below_their_head() -> None:
    rows = "   0.11 :       nopl   0x0(%rax,%rax,1)\n  99.89 :       push   %r15\n"
    text = " Percent |      Source code & Disassembly of kcore for cycles (9 samples)\n"
    found = sole(f"{text}        : ffffffffc0bad980 <f>:\n{rows}")
    assert (found.symbol, texts(found)) == ("f", ["nopl 0x0(%rax,%rax,1)", "push %r15"])
    assert [row.percent for row in found.rows] == [0.11, 99.89]
    assert {row.address for row in found.rows} == {-1}
    assert not read_annotations(rows), "without a head it may be anything"
    beside = "   0.00 :    push   %r15      0.00 :    push   %r15\n"
    assert sole(text + rows + beside).unread == 1


def test_rows_that_cannot_be_read_are_counted() -> None:
    found = sole(listing(*BLOCK) + "    0.31 : c000100\n" + listing(*LATER))
    assert (found.unread, found.first_unread.strip()) == (1, "0.31 : c000100")


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_is_taken_for_what_it_is_not(name: str) -> None:
    annotated = read_annotations(TEXTS[name])
    if name in LISTINGS:
        with pytest.raises(UserError):
            read_profiles(TEXTS[name])
        assert annotated and not read_stats(TEXTS[name])
    else:
        # mail.txt quotes one instruction, on its own.
        assert len(annotated) == (name == "mail")


PIECES = (" ", "\n", ":", "│", "%", "...", "1.5", "> ", "ab", "<f+0x1>", "\t", "//", "bc", "\x00")


@given(st.sampled_from(LISTINGS), st.data())
def test_no_mutated_listing_is_a_crash(page: str, data: st.DataObject) -> None:
    text = TEXTS[page]
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 200)))
        text = text[:start] + data.draw(st.sampled_from(PIECES)) + text[end:]
    expect_sound(text)


@given(st.text(max_size=400))
def test_no_text_is_a_crash(text: str) -> None:
    expect_sound(text)
    expect_sound(f"    0.00 :   1000:   nop\n{text}\n    1.00 :   1001:   nop\n")


def expect_sound(text: str) -> None:
    """Read `text`; no share may be more than all, and no instruction may be empty twice over."""
    for found in read_annotations(text):
        assert found.rows
        assert all(0 <= (row.percent or 0) <= 100.001 for row in found.rows)
        assert all(row.text or row.code for row in found.rows)
        addresses = [row.address for row in found.rows if row.address != -1]
        assert addresses == sorted(set(addresses))


@pytest.mark.parametrize("piece", [" ", "1 ", "1.0 : ", "ab ", ":", "│", "<", "> ", "...", "a:1 "])
def test_a_very_long_line_takes_no_time(piece: str) -> None:
    began = time.process_time()
    expect_sound(f"{piece * 300_000}\n    0.00 :   1000:   {piece * 900}\n{piece * 1300}\n" * 3)
    assert time.process_time() - began < 5  # seconds; what backtracks takes hours


def test_time_grows_with_the_text() -> None:
    frames = "\tffffffff81b73c15 f+0x1f ([kernel.kallsyms])\n" * 4
    text = f"calls 42 11823.85:     250000 cycles: \n{frames}\n" * 40_000
    began = time.process_time()
    assert not read_annotations(text + listing(*BLOCK) * 5_000)[0].cut
    assert time.process_time() - began < 10  # seconds, for 9 MB
