# SPDX-License-Identifier: GPL-2.0-only
"""Source, assembly and faults of a study as a person explores them, in a real Chromium."""

from __future__ import annotations

import pytest

from tests import exhibits
from tests.browser import missing
from tests.viewer import Viewer

pytestmark = pytest.mark.skipif(bool(missing()), reason=f"{missing()} is not installed")


LIT = "return [...document.querySelectorAll('.lit')].map((e) => e.textContent)"


def test_pointing_at_an_instruction_lights_its_access_everywhere(view: Viewer) -> None:
    view.open("study")
    assert view.run(LIT) == []
    assert view.texts("#assembly h4") == ["fieldwise gcc 1.2.3", "window gcc 1.2.3"]
    view.point("#assembly .variant-code:nth-child(1) tr.touch", 1)
    lit = view.run(LIT)
    # In the source as it stands and as written, and in both panes: the second read, nothing else.
    assert [text for text in lit if "get_user(b" in text] == [
        "\t\tget_user(b, &p->b))",
        "\tunsafe_get_user(b, &p->b, fault_read);",
    ]
    assert sum("mov eax, dword ptr [rdi + 4]" in text for text in lit) == 2
    assert not [text for text in lit if "rdi + 0" in text or "rdi + 8" in text]
    (status,) = view.texts("#code-status")
    assert "read 2 of 2: get_user(b, &p->b)" in status
    assert "fieldwise 3 instructions, window 1 instruction" in status
    view.point("h1")
    view.point("#source-said")
    assert view.run(LIT) == []


def test_a_click_pins_and_escape_lets_go(view: Viewer) -> None:
    view.open("study")
    view.point("#assembly tr.touch", click=True)
    pinned = view.run(LIT)
    assert pinned and view.texts("#code-status")[0].startswith("Pinned: read 1 of 2")
    view.point("#assembly tr.touch", 2)  # pointing elsewhere changes nothing now
    assert view.run(LIT) == pinned
    selected = view.run("return document.querySelectorAll('[aria-selected=true]').length")
    assert selected > 0
    view.chromium.press("Escape")
    assert view.texts("#code-status") == ["Nothing is pinned."]
    view.point("#assembly tr.touch", click=True)
    view.point("#assembly tr.touch", click=True)  # a second click lets go as well
    assert not view.texts("#code-status")[0].startswith("Pinned")


def test_the_keyboard_does_what_the_mouse_does(view: Viewer) -> None:
    view.open("study")
    view.run("document.querySelector('#assembly [tabindex=\"0\"]').focus()")
    assert view.run(LIT)  # what has the focus is lit
    here = "return document.activeElement.textContent"
    first = view.run(here)
    view.chromium.press("ArrowDown")
    assert view.run(here) != first
    view.chromium.press("Enter", "\r")
    assert view.texts("#code-status")[0].startswith("Pinned: read 1 of 2")
    view.chromium.press("Escape")
    assert not view.texts("#code-status")[0].startswith("Pinned")
    stops = "return document.querySelectorAll('#assembly [tabindex=\"0\"]').length"
    assert view.run(stops) == 2  # one for each pane: a row is not a stop of the tab key


def test_pointing_at_the_source_lights_the_code(view: Viewer) -> None:
    view.open("study")
    view.point("#source .after[data-keys]", 1)  # the first unsafe_get_user()
    lit = view.run(LIT)
    assert sum("mov eax, dword ptr [rdi + 0]" in text for text in lit) == 2


def test_a_line_is_of_the_access_that_is_made_there(view: Viewer) -> None:
    view.open("study")
    cells = "return [...document.querySelectorAll('#source .before[data-keys]')]"
    keys = view.run(f"{cells}.map((cell) => cell.dataset.keys)")
    assert keys[:2] == ["0/0/2", "0/1/2"]  # what opens for the second stands on the line above


def test_calls_of_accessors_are_counted_beside_what_opens(view: Viewer) -> None:
    view.open("study")
    view.run("document.querySelectorAll('#code-styles input')[1].click()")  # structcopy
    said = view.texts("#assembly .variant-code > .note")
    assert any("4 that open or close, 1 call to what reaches user memory" in one for one in said)


def test_a_style_with_other_accesses_lights_as_a_whole(view: Viewer) -> None:
    view.open("study")
    view.run("document.querySelectorAll('#code-styles input')[1].click()")  # structcopy
    view.point("#assembly .variant-code:nth-child(1) tr.touch")
    near = view.texts("#assembly .near")
    assert any("call _copy_from_user" in text for text in near)
    assert "structcopy: its cluster has another number of accesses" in view.texts("#code-status")[0]
    view.point("#assembly tr.call")
    (status,) = view.texts("#code-status")
    assert status.startswith("read 1 of 1: copy_from_user(&both, p, 8). fieldwise: its cluster has")


def test_windows_are_shaded_and_the_rest_is_folded(view: Viewer) -> None:
    view.open("study")
    pane = "#assembly .variant-code:nth-child(2)"
    shaded = view.texts(f"{pane} .in-window code")
    assert shaded[:3] == ["stac", *(f"mov eax, dword ptr [rdi + {at}]" for at in (0, 4))]
    plain = "return getComputedStyle(document.querySelector(arguments[0])).backgroundColor"
    assert view.run(plain, f"{pane} .in-window") != view.run(
        plain, f"{pane} tr.insn:not(.in-window)"
    )
    before = len(view.texts(f"{pane} tr.insn"))
    view.point(f"{pane} .folded button", click=True)
    assert len(view.texts(f"{pane} tr.insn")) > before
    view.point("#code-whole", click=True)
    code = exhibits.code("window", "first")
    assert view.texts(f"{pane} tr.insn code") == [row.text for row in code.insns]


def test_styles_architectures_and_sources_are_chosen(view: Viewer) -> None:
    view.open("study")
    for at in (0, 1, 2):
        view.run(
            "document.querySelectorAll('#code-styles input')[arguments[0]].checked || "
            "document.querySelectorAll('#code-styles input')[arguments[0]].click()",
            at,
        )
    assert len(view.texts("#assembly .variant-code")) == 3
    view.choose("#code-arch", "first")
    assert view.run("return document.querySelector('#assembly table').ariaLabel") == (
        "fieldwise on first"
    )
    view.choose("#code-source", "structcopy")
    assert any("copy_from_user(&both" in text for text in view.texts("#source .after.changed"))


def test_the_source_is_side_by_side_or_one_below_the_other(view: Viewer) -> None:
    view.open("study")
    assert view.texts("#source .c-k") and view.texts("#source .c-c")  # keywords, comments
    view.choose("#code-source", "window")
    rows = view.run(
        "return [...document.querySelectorAll('#source tr.diff')].map((r) =>"
        " [...r.querySelectorAll('.src')].map((e) => e.textContent.trim()))"
    )
    assert ["if (get_user(a, &p->a) ||", "if (!user_read_access_begin(p, sizeof(*p)))"] in rows
    view.chromium.resize(360)
    view.chromium.wait("setTimeout(done, 100)")
    signs = view.run(
        "return [...document.querySelectorAll('#source tr.diff')].map((r) =>"
        " r.querySelector('.sign').textContent + r.querySelector('.src').textContent.trim())"
    )
    assert "−if (get_user(a, &p->a) ||" in signs  # noqa: RUF001 - a minus
    assert "+unsafe_get_user(a, &p->a, fault_read);" in signs


def test_the_fault_matrix_says_how_each_run_came_out(view: Viewer) -> None:
    view.open("study")
    view.choose("#faults-arch", "second")
    assert view.texts("#faults-matrix thead th") == ["what is met", "structcopy", "window"]
    assert view.texts("#faults-matrix tbody th") == [
        f"access {at + 1} faults for good" for at in range(4)
    ]
    cells = view.texts("#faults-matrix tbody td")
    assert cells == ["same", "same", "declared", "same", "same", "same", "same", "different"]
    view.point("#faults-matrix button.different", click=True)
    (told,) = view.texts("#faults-matrix tr:nth-child(4) + .told")
    assert told == (
        "different as it stands: returns -14 after 3 user accesses; "
        "window: returns 0 after 3 user accesses, the window is closed. it returned 0"
    )
    view.point("#faults-matrix button.different", click=True)
    assert not view.texts("#faults-matrix .told")
    view.choose("#faults-rows", "all that is not the same")
    assert view.texts("#faults-matrix tbody td") == ["declared", "same", "same", "different"]
    view.choose("#faults-rows", "all")
    assert "same ×7" in view.texts("#faults-matrix tbody td")  # noqa: RUF001 - times
    assert "different" in " ".join(view.texts("#faults-sum"))
