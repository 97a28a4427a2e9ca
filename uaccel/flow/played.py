# SPDX-License-Identifier: GPL-2.0-only
"""What a whole program executes in a booted kernel, by symbols, and what one call of it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from uaccel.errors import UserError
from uaccel.flow.counting import PLUGGED, STEPPED, from_first, plugged, usual_of
from uaccel.flow.ground import Progress
from uaccel.flow.reaching import Reached, reached
from uaccel.flow.setting import Image, Setting, called, loaded, told
from uaccel.flow.symbols import entries_of, holder, symbols_of
from uaccel.host.qemu import Ended
from uaccel.model.boot import BootRun
from uaccel.model.executed import Stretch
from uaccel.read.executed import toggles
from uaccel.traceshares import shares

_NOTHING = Reached((), (), ())
_UNSEEN = "no call of {} could be followed to its end"


def whole_run(setting: Setting, blank: BootRun, progress: Progress) -> BootRun:
    """Return `blank` with what all of a program executes, and what one call of it does.

    UserError when it never reaches a function, or does not end well.
    """
    _expect_any(setting)
    progress(f"{setting.machine.name}: counting the calls of {blank.client}", 0, 0)
    calls = _from_first(setting, setting.kept, setting.functions)
    progress(f"{setting.machine.name}: following calls of {blank.client}", 0, 0)
    found, why, console = _followed(replace(setting, functions=_reached(setting, calls)))
    progress(f"{setting.machine.name}: counting all that {blank.client} executes", 0, 0)
    image, holders, notes = _played(setting, found.whole, calls)
    run = calls if image is setting.kept else _from_first(setting, image, holders)
    one, scattered = usual_call(found.calls)
    kernel = setting.kept.kernel
    return replace(
        blank,
        way=f"{PLUGGED} and icount, from the first call on; {STEPPED} for a call",
        symbols=shares(run.rows, image.places),
        instructions=run.instructions,
        instructions_per_call=one.instructions if one else None,
        toggles_per_call=toggles(kernel, one.rows, setting.roles) if one else None,
        reached=called(setting, calls),
        chains=found.chains,
        holders=holders,
        why="" if one else scattered or why or _UNSEEN.format(blank.client),
        console=console,
        repetitions=setting.repetitions,
        notes=(*blank.notes, *notes, *_of_several(setting, found, scattered)),
    )


def usual_call(calls: Sequence[Stretch]) -> tuple[Stretch | None, str]:
    """Return the call whose count is seen most often, and a clause where few of them have it.

    None when all of them differ.
    """
    one = usual_of(calls)
    counts = [call.instructions for call in calls]
    times = counts.count(one.instructions) if one else 0
    if 2 * times >= len(counts):
        return one, ""
    between = f"{min(counts)} to {max(counts)} instructions"
    if times == 1:
        return None, f"the {len(counts)} calls that were followed execute {between}, no two as many"
    return one, f"the {len(counts)} calls that were followed execute {between}; {times} the usual"


def _reached(setting: Setting, calls: Stretch) -> tuple[str, ...]:
    return tuple(name for name, times in called(setting, calls) if times)


def _of_several(setting: Setting, found: Reached, scattered: str) -> Iterator[str]:
    if scattered:
        yield f"{setting.machine.name}: {scattered}"
    if len(found.chains) > 1:
        each = ", ".join(chain[-1] for chain in found.chains)
        yield f"{setting.machine.name}: the call that is counted reaches one of {each}"


def _expect_any(setting: Setting) -> None:
    if not entries_of(setting.kept.kernel, setting.functions):
        names = " or ".join(setting.functions)
        raise UserError(f"the kernel has no symbol {names}: its configuration leaves it out")


def _from_first(setting: Setting, image: Image, functions: tuple[str, ...]) -> Stretch:
    where = from_first(entries_of(image.kernel, functions), setting.client.linked)
    counts_once = setting.plugin.repeats and not setting.repetitions
    plugin = replace(setting.plugin, repeats=counts_once)
    load = partial(plugged, plugin=plugin, where=where, steady=True)
    got = loaded(setting, image, 0, load)
    told(got)  # only to ask whether the client ended well
    if not got.stretches:
        raise UserError(f"{setting.client.name} never calls {' or '.join(functions)}")
    return got.stretches[0]


def _played(
    setting: Setting, chains: tuple[tuple[str, ...], ...], calls: Stretch
) -> tuple[Image, tuple[str, ...], tuple[str, ...]]:
    # The kernel whose shares stand, the symbols that the functions are in, and notes.
    named = _reached(setting, calls)
    if setting.plain is None:
        return setting.kept, named, ()
    # Without a chain too, a function that is a symbol there is its own holder.
    ways = chains or ((),)
    held = ((holder(setting.plain.kernel, name, way) for way in ways) for name in named)
    found = tuple(dict.fromkeys(next(filter(None, one), None) for one in held))
    if None in found:
        # Whom else it was inlined into is not known.
        note = "shares are those of a kernel in which each function is a symbol of its own"
        return setting.kept, named, (f"{setting.machine.name}: {note}",)
    return setting.plain, tuple(one for one in found if one is not None), ()


def _followed(setting: Setting) -> tuple[Reached, str, str]:
    # Shares stand without it.
    kept = setting.kept
    names = tuple(one for name in setting.functions for one in symbols_of(kept.kernel, name))
    follow = partial(reached, kernel=kept.kernel, functions=names, places=kept.places)
    try:
        return loaded(setting, kept, 0, follow), "", ""
    except Ended as error:
        return _NOTHING, error.why, error.console
    except UserError as error:
        return _NOTHING, str(error), ""
