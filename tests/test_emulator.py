# SPDX-License-Identifier: GPL-2.0-only
"""Functions of our own, run on every architecture that a compiler is here for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.accesses import OWN, built, emulator, linked
from uaccel.host.emulator import Emulator, execute
from uaccel.model.run import Fault, Image, Input, Run
from uaccel.model.source import Direction

USER = 0x10000000
PAGE = 0x1000
KERNEL = 0x300000  # bytes behind the code
EFAULT = -14
every_arch = pytest.mark.parametrize("name", OWN)
UNTOGGLED = ("arm64", "s390x")  # nothing opens there


def called(name: str, function: str, *arguments: int, **more: object) -> Run:
    """Return what calling a function of the sample does."""
    given = replace(Input(arguments, user=((USER, bytes(16)),)), **more)  # type: ignore[arg-type]
    return emulator(name).execute(function, given)


def result(run: Run) -> int:
    """Return the result as the int that it is."""
    assert run.ended == "" and run.result is not None
    low = run.result & 0xFFFFFFFF
    return low - (1 << 32) if low >> 31 else low


def word(image: Image, value: int) -> bytes:
    """Return four bytes as they lie in memory."""
    return value.to_bytes(4, "big" if image.big else "little")


def written(image: Image, *values: int) -> bytes:
    """Return the 16 bytes of the user after `values` were written."""
    return b"".join(word(image, one) for one in values).ljust(16, b"\0")


@every_arch
def test_accesses_are_told_in_order(name: str) -> None:
    image, run = built(name), called(name, "put_two", USER, 0xA1, 0xB2)
    assert result(run) == 0
    told = [(one.direction, one.address, one.size, one.value) for one in run.accesses]
    write = Direction.WRITE
    assert told == [(write, USER, 4, 0xA1), (write, USER + 4, 4, 0xB2)]
    assert run.user == ((USER, written(image, 0xA1, 0xB2)),)
    assert run.kernel == () and run.faults == () and run.calls == ()
    assert [one.step for one in run.accesses] == [0, 1]
    toggled = name not in UNTOGGLED
    assert (run.openings, run.closings, run.open) == (toggled, toggled, False)
    assert {one.open for one in run.accesses} == {toggled}
    assert bool(image.accesses_guarded) == toggled


@every_arch
def test_a_fault_goes_on_at_the_fixup_with_what_it_sets(name: str) -> None:
    image, task = built(name), emulator(name)
    kept = image.emulation.text + KERNEL
    given = Input(
        (USER, kept),
        kernel=((kept, word(image, 0x99) * 2),),
        user=((USER, written(image, 0x11, 0x22)),),
    )
    assert task.execute("get_two", given).kernel == ((kept, written(image, 0x11, 0x22)[:8]),)
    steps = [one.step for one in task.execute("get_two", given).accesses]
    first, second, both = ((0, 0x22), (0x11, 0), (0, 0))
    for fault, values in (
        (Fault(steps[0], sticky=False), first),
        (Fault(steps[1], sticky=False), second),
        (Fault(steps[0], sticky=True), both),
        (Fault(steps[1], sticky=True), second),
    ):
        run = task.execute("get_two", replace(given, fault=fault))
        assert result(run) == EFAULT
        assert run.kernel == ((kept, written(image, *values)[:8]),)
        assert len(run.accesses) + len(run.faults) == 2
        assert len(run.faults) == values.count(0)
        assert not run.open
        assert {one.address for one in run.faults} <= {USER, USER + 4}


@every_arch
def test_what_faulted_is_not_written(name: str) -> None:
    image = built(name)
    steps = [one.step for one in called(name, "put_two", USER, 1, 2).accesses]
    first = called(name, "put_two", USER, 1, 2, fault=Fault(steps[0], sticky=False))
    second = called(name, "put_two", USER, 1, 2, fault=Fault(steps[1], sticky=False))
    assert (result(first), first.user, first.accesses) == (EFAULT, (), ())
    assert result(second) == EFAULT
    assert second.user == ((USER, written(image, 1)),)
    assert [one.address for one in second.accesses] == [USER]
    assert called(name, "put_two", USER, 1, 2).user == ((USER, written(image, 1, 2)),)


@every_arch
@pytest.mark.parametrize("offset", range(9))
def test_a_page_may_end_at_every_byte(name: str, offset: int) -> None:
    """The second word is written only where all of it is there, the first one likewise."""
    there = USER + PAGE - offset
    run = called(name, "put_two", there, 1, 2, user=((USER, bytes(PAGE)),))
    assert result(run) == (0 if offset == 8 else EFAULT)
    assert [one.address for one in run.accesses] == [there, there + 4][: offset // 4]
    assert len(run.faults) == (offset < 8)
    # Nothing of a word that is not there as a whole, whatever of it is.
    whole = written(built(name), *(1, 2)[: offset // 4])
    kept = dict(run.user).get(USER, bytes(PAGE))
    assert kept == bytes(PAGE - offset) + whole[:offset]
    assert all(one.address == USER + PAGE for one in run.faults)
    assert all(one.direction is Direction.WRITE for one in run.faults)


@every_arch
@pytest.mark.parametrize("locked", [0, 2, 4, 6])
def test_memory_may_be_readable_alone(name: str, locked: int) -> None:
    """From that byte of the words on a page may not be written; the next run finds it as ever."""
    image, at = built(name), USER + PAGE - locked
    content = bytes(PAGE - locked) + written(image, 0x11, 0x22) + bytes(PAGE)
    user, pages = ((USER, content),), (USER + PAGE, USER + 2 * PAGE)
    run = called(name, "put_two", at, 1, 2, user=user, locked=pages)
    assert result(run) == EFAULT
    assert [one.address for one in run.accesses] == [at][: locked // 4]
    assert [one.direction for one in run.faults] == [Direction.WRITE]
    changed = dict(run.user).get(USER, content)
    assert changed[PAGE - locked :][:8] == written(image, 1 if locked >= 4 else 0x11, 0x22)[:8]
    kept = image.emulation.text + KERNEL
    laid = ((kept, bytes(8)),)
    read = called(name, "get_two", at, kept, user=user, locked=pages, kernel=laid)
    assert result(read) == 0 and read.kernel == ((kept, written(image, 0x11, 0x22)[:8]),)
    assert result(called(name, "put_two", at, 1, 2, user=user)) == 0


@every_arch
def test_a_clock_goes_alike_in_every_run(name: str) -> None:
    runs = [called(name, "elapsed") for _ in range(3)]
    assert len({result(run) for run in runs}) == 1
    assert (result(runs[0]) > 0) == bool(built(name).clocks)
    assert len({run.instructions for run in runs}) == 1


@every_arch
def test_a_variable_of_the_object_may_begin_with_another_value(name: str) -> None:
    image = built(name)
    plain = called(name, "counts")
    poked = called(name, "counts", statics=(("hits", 0, word(image, 41)),))
    assert (result(plain), result(poked)) == (1, 42)
    assert [at for at, _ in plain.kernel] == [at for at, _ in poked.kernel]
    assert called(name, "counts") == plain


@every_arch
def test_what_leads_to_an_object_is_told_and_goes_on(name: str) -> None:
    """Its bytes are no code, whatever they are."""
    image = built(name)
    kept = image.emulation.text + KERNEL
    run = called(name, "through", kept, kernel=((kept, bytes(64)),))
    assert result(run) == 1 and [one.name for one in run.calls] == [f"code at {kept:#x}"]


@every_arch
def test_what_stood_open_is_told_by_its_direction(name: str) -> None:
    run = called(name, "put_two", USER, 1, 2)
    assert bool(run.opened) == (name not in UNTOGGLED)
    assert set().union(*run.opened) <= set(Direction) and len(run.opened) <= 1


@every_arch
def test_pointers_at_the_end_of_user_space_and_into_the_kernel(name: str) -> None:
    image = built(name)
    end = image.emulation.user_end
    last = end - 8
    run = called(name, "put_two", last, 1, 2, user=((last & -PAGE, bytes(PAGE)),))
    assert result(run) == 0 and [one.address for one in run.accesses] == [last, last + 4]
    nowhere = image.emulation.text + 0x200000
    run = called(name, "put_two", nowhere, 1, 2)
    assert result(run) == EFAULT and run.faults[0].address == nowhere
    if image.bits == 64:
        run = called(name, "put_two", 0x8000000000000000, 1, 2)  # canonical nowhere
        assert result(run) == EFAULT and run.faults[0].address == 0x8000000000000000


@every_arch
def test_a_window_left_open_and_one_never_opened(name: str) -> None:
    toggled = name not in UNTOGGLED
    fine = called(name, "left_open", USER)
    assert (result(fine), fine.open) == (0, False)
    step = fine.accesses[0].step
    left = called(name, "left_open", USER, fault=Fault(step, sticky=False))
    assert (result(left), left.open) == (EFAULT, toggled)
    closed = called(name, "never_opened", USER)
    assert [one.open for one in closed.accesses] == [False]
    assert closed.openings + closed.closings == 0


@every_arch
def test_a_call_is_told_with_its_arguments_and_answered(name: str) -> None:
    image = built(name)
    run = called(name, "call_inside", USER, results=(("outside", (77, -5 & 0xFFFFFFFF)),))
    assert result(run) == -5
    assert [one.name for one in run.calls] == ["outside", "outside"]
    assert [one.arguments[:2] for one in run.calls] == [(11, 22), (0, 77)]
    assert [one.open for one in run.calls] == [name not in UNTOGGLED, False]
    assert run.user == ((USER, written(image, 77)),)
    assert result(called(name, "call_inside", USER)) == 0  # what is not said is 0


@every_arch
def test_an_access_that_nothing_guards(name: str) -> None:
    if built(name).emulation.moves:
        pytest.skip("there only one instruction reaches user memory, and it is guarded")
    run = called(name, "unguarded", USER)
    assert result(run) == 0 and [one.step for one in run.accesses] == [-1]
    gone = called(name, "unguarded", USER + 0x100000)
    assert gone.result is None and "nothing guards" in gone.ended


@every_arch
def test_what_the_kernel_keeps_outlives_the_call_but_not_the_run(name: str) -> None:
    image = built(name)
    shared = next(one.address for one in image.externals if one.name == "shared")
    for _ in range(2):
        run = called(name, "counts")
        assert result(run) == 1
        kept = dict(run.kernel)
        assert kept[shared + 4 + 3 * image.big] == b"\3"
        assert len(kept) == 2 and b"\1" in kept.values()


@every_arch
def test_a_pointer_may_lead_to_a_slot_or_to_what_is_called_data(name: str) -> None:
    image = built(name)
    run = called(name, "through", image.slots[3], results=(("slot 3", (41,)),))
    assert result(run) == 42 and run.calls[0].name == "slot 3"
    shared = next(one for one in image.externals if one.name == "shared")
    run = called(name, "through", shared.address, results=(("shared", (8,)),))
    assert result(run) == 9 and run.calls[0].name == "shared"


@every_arch
def test_arguments_that_no_register_holds_lie_on_the_stack(name: str) -> None:
    given = tuple(range(1, 11))
    weighed = sum(number * value for number, value in enumerate(given, start=1))
    assert result(called(name, "many", *given)) == weighed


@every_arch
def test_what_never_ends_is_ended(name: str) -> None:
    run = called(name, "spins")
    assert run.result is None and "did not end" in run.ended


@every_arch
def test_instructions_are_counted_one_by_one(name: str) -> None:
    """Three more rounds of a loop cost three times what one more costs."""
    image = built(name)
    kept = image.emulation.text + KERNEL
    costs = [
        called(name, "rounds", kept, n, kernel=((kept, bytes(64)),)).instructions for n in (1, 2, 5)
    ]
    assert 3 <= costs[1] - costs[0] <= 8
    assert costs[2] - costs[1] == 3 * (costs[1] - costs[0])


@every_arch
def test_no_write_is_taken_for_a_change_of_code(name: str) -> None:
    """Unicorn mixes up pages of memory that it got later; so all code is in the first."""
    image, task = built(name), emulator(name)
    expected = called(name, "put_two", USER, 1, 2)
    pages = (
        image.segments[-1].address + image.segments[-1].size - image.segments[0].address
    ) // PAGE
    for page in range(pages + 2):
        to = USER + page * PAGE
        for offset in range(0, PAGE - 8, 256):
            given = Input((to + offset, 1, 2), user=((USER, bytes((pages + 3) * PAGE)),))
            run = task.execute("put_two", given)
            assert run.instructions == expected.instructions
            assert len(run.accesses) == 2


@every_arch
def test_a_run_leaves_nothing_to_the_next(name: str) -> None:
    image = built(name)
    one = called(name, "put_two", USER, 3, 4)
    called(name, "counts")
    called(name, "spins")
    assert called(name, "breaks").result is None
    called(name, "unguarded", USER + 0x100000)
    called(name, "left_open", USER, fault=Fault(0, sticky=True))
    assert called(name, "put_two", USER, 3, 4) == one
    given = Input((USER, 3, 4), user=((USER, bytes(16)),))
    assert execute(image, "put_two", given) == one


@pytest.mark.parametrize("size", [1, 4096, 5000])
@pytest.mark.parametrize("there", [0, 1, 4095, 4096])
def test_a_move_is_shortened_to_what_its_page_holds(size: int, there: int) -> None:
    """What is left over comes back, as it does from copy_to_user() of 7.3."""
    image = built("s390x")
    kept = image.emulation.text + KERNEL
    content = bytes(number % 251 + 1 for number in range(8192))
    to = USER + PAGE - there
    given = Input((to, kept, size), ((kept, content),), ((USER, bytes(PAGE)),))
    run = emulator("s390x").execute("copy_out", given)
    moved = min(size, there)
    assert (run.ended, run.result) == ("", size - moved)
    assert bool(run.faults) == (moved < size)
    kept_there = bytes(PAGE - there) + content[:moved] + bytes(there - moved)
    assert run.user == (((USER, kept_there),) if moved else ())


def test_a_type_of_entry_that_nobody_knows_ends_the_run() -> None:
    image = linked("x86_64", {17: "EX_TYPE_OF_TOMORROW"})
    given = Input((USER, 1, 2))
    run = Emulator(image).execute("put_two", given)
    assert run.result is None
    assert "is not known: EX_TYPE_OF_TOMORROW" in run.ended


def test_toggles_and_padding_are_counted_as_in_the_study() -> None:
    """Eleven instructions stand on the way through put_two() when both are fine."""
    run = called("x86_64", "put_two", USER, 1, 2)
    image = built("x86_64")
    inside = [at for at in image.counted if any(at == t.address for t in image.toggles)]
    assert len(inside) == len(image.toggles)
    assert run.openings + run.closings == 2
    assert run.instructions <= len(image.counted)
