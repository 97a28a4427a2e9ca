# SPDX-License-Identifier: GPL-2.0-only
"""With call chains only what the function called is its own; with a tree its holders are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_compare import OURS, one, rows, sums, taken, unmarked
from uaccel.compare import compare
from uaccel.flow.compare import holders
from uaccel.flow.scan import Request, scan
from uaccel.host.tree import open_tree
from uaccel.model.scan import Filters

# Samples of each stack, of 1000; _[k] marks the kernel's, as stackcollapse-perf.pl does.
BESIDE = {
    "app;entry_[k];sock_read_[k]": 150,
    "app;entry_[k];do_poll_[k]": 130,
    "app;entry_[k];vfs_fsync_[k]": 120,
    "app;entry_[k];sock_read_[k];_copy_to_user_[k]": 60,
}
FIELDWISE = {
    **BESIDE,
    "app;entry_[k];lamp_ioctl_[k]": 120,
    "app;entry_[k];lamp_ioctl_[k];__put_user_4_[k]": 200,
    "app;entry_[k];lamp_ioctl_[k];lamp_wait_[k]": 20,
    "app;work": 200,
}
WINDOW = {**BESIDE, "app;entry_[k];lamp_ioctl_[k]": 60, "app;work": 200}
STRUCT = {
    **BESIDE,
    "app;entry_[k];lamp_ioctl_[k]": 50,
    "app;entry_[k];lamp_ioctl_[k];_copy_to_user_[k];__check_object_size_[k]": 30,
    "app;entry_[k];lamp_ioctl_[k];_copy_to_user_[k];rep_movs_alternative_[k]": 40,
    "app;entry_[k];lamp_ioctl_[k];memcpy_[k]": 10,
    "app;entry_[k];lamp_ioctl_[k];lamp_wait_[k]": 20,
    "app;work": 200,
}


def folded(stacks: dict[str, int]) -> str:
    """Return `stacks` as a flame graph is made from them."""
    return "".join(f"{frames} {count}\n" for frames, count in stacks.items())


def percent(stacks: dict[str, int], *frames: str) -> float:
    """Return what the stacks that end with one of `frames` have of all."""
    ours = sum(count for names, count in stacks.items() if names.endswith(frames))
    return 100 * ours / sum(stacks.values())


def test_only_the_copies_that_the_function_called_are_summed() -> None:
    """_copy_to_user() is called by sock_read() too, and its part there is not lamp_ioctl()'s."""
    found = compare([one("struct", folded(STRUCT)), one("fieldwise", folded(FIELDWISE))])
    ours = [
        *("lamp_ioctl_[k]", "__check_object_size_[k]", "rep_movs_alternative_[k]"),
        *("lamp_ioctl_[k];memcpy_[k]", "__put_user_4_[k]"),
    ]
    assert "lamp_ioctl moved most" in found.chosen
    assert sums(found) == pytest.approx([percent(s, *ours) for s in (STRUCT, FIELDWISE)])
    assert set(rows(found, 0)) == {
        *("lamp_ioctl", "__check_object_size", "rep_movs_alternative", "memcpy"),
    }
    assert set(rows(found, 1)) == {"lamp_ioctl", "__put_user_4"}
    why = {row.symbol: row.why for row in found.variants[0].groups[0].rows}
    assert why["memcpy"] == "copies for it"
    rest = {row.symbol for group in found.variants[0].groups[1:] for row in group.rows}
    assert {"_copy_to_user", "sock_read", "lamp_wait"} <= rest
    assert not any("call chains" in note for note in found.notes)


def test_without_chains_in_every_listing_they_are_used_in_none() -> None:
    bare = "".join(
        f"{100 * count / sum(WINDOW.values()):.2f}% [kernel] [k] {names.split(';')[-1][:-4]}\n"
        for names, count in WINDOW.items()
        if names.endswith("_[k]")
    )
    found = compare([one("a", folded(FIELDWISE)), one("b", bare)], asked=["lamp_ioctl"])
    assert rows(found, 0)["_copy_to_user"] == pytest.approx(percent(FIELDWISE, "to_user_[k]"))
    assert "some listings have no call chains, so those of the others are not used" in found.notes


def test_a_part_that_only_some_variants_have_is_with_the_function_that_calls_it() -> None:
    """What is inlined in one variant and a symbol in the other moved nowhere."""
    split = {
        **BESIDE,
        "app;entry_[k];lamp_ioctl_[k]": 20,
        "app;entry_[k];lamp_ioctl_[k];put_all_[k]": 90,
        "app;entry_[k];lamp_ioctl_[k];put_all_[k];__put_user_4_[k]": 10,
        "app;work": 200,
    }
    whole = {**BESIDE, "app;entry_[k];lamp_ioctl_[k]": 40, "app;work": 200}
    found = compare([one("split", folded(split)), one("whole", folded(whole))])
    ours = ("lamp_ioctl_[k]", "put_all_[k]", "__put_user_4_[k]")
    assert sums(found) == pytest.approx([percent(s, *ours) for s in (split, whole)])
    why = {row.symbol: row.why for row in found.variants[0].groups[0].rows}
    assert why == {
        "put_all": "lamp_ioctl alone calls it",
        "lamp_ioctl": "its share changed most",
        "__put_user_4": "copies for it",
    }


def test_what_is_not_called_any_more_is_no_part_of_who_called_it() -> None:
    """The entry of system calls alone calls each of them, and has no more when one is missing."""
    every = {**BESIDE, "app;entry_[k]": 90}
    fewer = {names: count for names, count in every.items() if "fsync" not in names}
    found = compare([one("a", folded(every)), one("b", folded(fewer))])
    assert "vfs_fsync moved most: 21.82 % in a, none in b" in found.chosen
    assert set(rows(found, 0)) == {"vfs_fsync"}


def test_a_system_call_goes_by_its_name_and_the_kernels_comes_first() -> None:
    """libc has a function of the same name."""
    stacks = {**BESIDE, "app;frob": 30, "app;frob;entry_[k];__x64_sys_frob_[k]": 70}
    found = compare([one("a", folded(stacks))], asked=["frob"])
    assert rows(found, 0) == {"__x64_sys_frob": pytest.approx(percent(stacks, "sys_frob_[k]"))}
    assert set(rows(compare([one("a", folded(stacks))], asked=["do_poll"]), 0)) == {"do_poll"}


def test_what_others_call_too_is_no_part_of_the_function() -> None:
    split = {**FIELDWISE, "app;entry_[k];lamp_ioctl_[k];kfree_[k]": 50}
    split["app;entry_[k];sock_read_[k];kfree_[k]"] = 50
    found = compare([one("a", folded(split)), one("b", folded(WINDOW))])
    assert "kfree" not in rows(found, 0)


# What a tree knows: functions with clusters, and those that they may be inlined into.
HELD = {"lamp_put_compat": ("lamp_ioctl",), "elsewhere": ("nowhere",)}


def test_a_function_of_the_tree_is_found_in_its_caller() -> None:
    found = compare([one("a", folded(FIELDWISE))], holders=HELD)
    assert found.chosen == "the only function of the tree with a cluster that the profiles name"
    assert set(rows(found, 0)) == {"lamp_ioctl", "__put_user_4"}


def test_a_function_that_one_variant_names_is_summed_with_its_caller() -> None:
    outlined = {
        **BESIDE,
        "app;entry_[k];lamp_ioctl_[k]": 30,
        "app;entry_[k];lamp_ioctl_[k];lamp_put_compat_[k]": 50,
        "app;work": 200,
    }
    found = compare([one("a", folded(FIELDWISE)), one("b", folded(outlined))], holders=HELD)
    assert set(rows(found, 1)) == {"lamp_ioctl", "lamp_put_compat"}
    ours = ("lamp_ioctl_[k]", "lamp_put_compat_[k]", "__put_user_4_[k]")
    assert sums(found) == pytest.approx([percent(s, *ours) for s in (FIELDWISE, outlined)])


def test_of_several_functions_of_the_tree_it_is_the_one_that_moved() -> None:
    held = {"sock_read": (), "do_poll": (), "lamp_ioctl": ()}
    found = compare([one("a", folded(FIELDWISE)), one("b", folded(WINDOW))], holders=held)
    assert found.chosen.startswith("of 3 functions of the tree with clusters, lamp_ioctl moved")


def test_a_tree_of_other_functions_is_said_to_be_one() -> None:
    found = compare([one("a", folded(FIELDWISE)), one("b", folded(WINDOW))], holders={"other": ()})
    assert "lamp_ioctl moved most" in found.chosen
    assert "the profiles name no function of the tree that holds a cluster" in found.notes


def test_the_mail_with_the_tree_of_its_time(tree_6_12: Path) -> None:
    """snd_pcm_ioctl_sync_ptr_compat() is inlined into snd_pcm_ioctl(), as the tree knows."""
    filters = Filters(("sound/core",), (), None, None, 0, None)
    request = Request(filters, 2, 10.0, "", None)
    known = holders(scan(open_tree(tree_6_12), None, request, lambda *_: None))
    assert "snd_pcm_ioctl" in known["snd_pcm_ioctl_sync_ptr_compat"]
    found = compare(taken(unmarked(OURS.read_text())), holders=known)
    assert found.chosen == "the only function of the tree with a cluster that the profiles name"
    assert sums(found) == pytest.approx([12.86, 16.43, 4.92])
