# SPDX-License-Identifier: GPL-2.0-only
"""Recordings made here, with and without call chains, rank the functions that were busy.

They need perf, a compiler, and the right to record the kernel; without one of them they are
skipped, and say why.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath

import pytest

from tests.test_rank import sighting
from uaccel.accessors import is_accessor
from uaccel.errors import UserError
from uaccel.flow.survey import survey
from uaccel.host.perf import is_recording, profile_text, script
from uaccel.host.run import find_program, run
from uaccel.model.profile import Profile, Tool
from uaccel.model.source import Source
from uaccel.rank import How, Weight, weigh
from uaccel.read.profile import read_profiles

CALLS = Path(__file__).parent / "samples" / "calls.c"
ROUNDS = "600000"  # about half a second
SECONDS = 60
# What serves the program's system calls, by the names of several kernels; none is a static one.
BUSY = ("sk_getsockopt", "sock_getsockopt", "do_sock_getsockopt", "pipe_ioctl", "pipe_read")


def recorded(folder: Path, *options: str) -> Path:
    """Return a recording of the program, or skip with the reason why there is none."""
    for name in ("perf", "gcc"):
        if find_program(name) is None:
            pytest.skip(f"{name} is not here")
    program, recording = folder / "calls", folder / "perf.data"
    built = run(("gcc", "-O2", "-o", str(program), str(CALLS)), folder=folder, timeout=SECONDS)
    assert built.status == 0, built.stderr
    argv = ("perf", "record", "-e", "cpu-clock", *options, "-o", str(recording))
    said = run((*argv, str(program), ROUNDS), folder=folder, timeout=SECONDS)
    if said.status != 0:
        pytest.skip(f"perf cannot record here: {said.stderr.strip()[:200]}")
    return recording


def kernel_of(profile: Profile) -> Profile:
    """Return `profile`, or skip when the kernel was not to be seen."""
    names = {row.symbol.name for row in profile.rows if row.symbol.kernel}
    if not any(re.fullmatch(r"[a-z_]\w+", name) for name in names):
        pytest.skip("no symbol of the kernel was recorded: perf_event_paranoid, kptr_restrict?")
    return profile


@pytest.fixture(scope="module")
def with_chains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a recording with call chains."""
    return recorded(tmp_path_factory.mktemp("chains"), "-g")


@pytest.fixture(scope="module")
def without_chains(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a recording without call chains."""
    return recorded(tmp_path_factory.mktemp("plain"))


def heaviest(weights: tuple[Weight, ...]) -> Weight:
    """Return the one that may have most; of several, the one that surely has, or saves, most."""
    return max(weights, key=lambda one: (one.at_most or 0, one.percent or 0, one.saved))


def test_a_recording_with_chains_ranks(with_chains: Path) -> None:
    (profile,) = read_profiles(profile_text(str(with_chains)))
    kernel_of(profile)
    assert profile.tool is Tool.SCRIPT and profile.has_chains and not profile.unread
    assert int(profile.samples) > 100
    ranking = weigh(profile, tuple(("f.c", sighting(name)) for name in BUSY))
    assert (heaviest(ranking.weights).percent or 0) > 1  # percent of all samples
    assert ranking.held <= ranking.kernel <= 100.001
    assert ranking.accessors > 0, "no out-of-line accessor was seen"
    hows = {part.how for weight in ranking.weights for part in weight.parts}
    assert How.ACCESSORS in hows and How.OWN in hows
    # Next to nothing is left: the chains say who called.
    assert sum(one.percent for one in ranking.unattributed) < ranking.accessors / 10


def test_a_recording_without_chains_ranks_and_says_what_it_cannot(without_chains: Path) -> None:
    (profile,) = read_profiles(profile_text(str(without_chains)))
    kernel_of(profile)
    assert not profile.has_chains and not profile.unread
    ranking = weigh(profile, tuple(("f.c", sighting(name)) for name in BUSY))
    assert (heaviest(ranking.weights).percent or 0) > 0.2  # percent of all samples
    assert sum(one.percent for one in ranking.unattributed) == pytest.approx(ranking.accessors)
    assert ranking.accessors > 0 and ranking.unattributed[0].why.endswith("no call chains")


@pytest.mark.parametrize("recording", ["with_chains", "without_chains"])
def test_the_clusters_of_a_real_tree_rank(
    request: pytest.FixtureRequest, recording: str, tree_6_12: Path
) -> None:
    # kernel/sys.c: getresuid() puts three values one by one, in every kernel so far.
    (profile,) = read_profiles(profile_text(str(request.getfixturevalue(recording))))
    path = "kernel/sys.c"
    found = survey(Source(PurePosixPath(path), (tree_6_12 / path).read_bytes()))
    ranking = weigh(kernel_of(profile), tuple((path, seen) for seen in found.sightings))
    best = heaviest(ranking.weights)
    assert best.function == "getresuid" and best.saved == 2 and (best.percent or 0) > 0
    charged = any(part.how is How.ACCESSORS for part in best.parts)
    assert charged == profile.has_chains


FORMS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "callee": lambda path: ("perf", "report", "--stdio", "--no-children", "-g", "-i", path),
    "caller": lambda path: ("perf", "report", "--stdio", "-g", "caller,0.1", "-i", path),
    "script": lambda path: ("perf", "script", "-F", "ip,sym", "-i", path),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_perf_prints_of_it_says_the_same(with_chains: Path, form: str) -> None:
    (recording,) = read_profiles(profile_text(str(with_chains)))
    argv = FORMS[form](str(with_chains))
    (printed,) = read_profiles(run(argv, folder=with_chains.parent, timeout=SECONDS).stdout)
    same = partial(pytest.approx, abs=0.1)  # percent of all samples
    first, second = (own(one) for one in (recording, printed))
    for name, percent in first.items():
        assert second.get(name, 0) == same(percent)
    functions = tuple(("f.c", sighting(name)) for name in BUSY)
    for one, other in zip(
        weigh(kernel_of(recording), functions).weights,
        weigh(kernel_of(printed), functions).weights,
        strict=True,
    ):
        # A report leaves out branches below half a percent of all samples.
        assert (other.percent or 0) == pytest.approx(one.percent or 0, abs=1.5)


def own(profile: Profile) -> dict[str, float]:
    """Return what symbols of the kernel have by themselves, accessors too."""
    shares: dict[str, float] = {}
    for row in profile.rows:
        if row.symbol.kernel:
            shares[row.symbol.name] = shares.get(row.symbol.name, 0) + row.percent
    assert any(is_accessor(name) for name in shares)
    return shares


def test_a_recording_is_known_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "perf.data").write_text(" 1.00%  [kernel]  [k] f\n")
    (tmp_path / "text").write_bytes(b"PERFILE2" + bytes(96))
    assert not is_recording(str(tmp_path / "perf.data"))
    assert is_recording(str(tmp_path / "text"))
    assert profile_text(str(tmp_path / "perf.data")).strip() == "1.00%  [kernel]  [k] f"


def test_a_recording_that_perf_cannot_read_is_said_in_its_words(tmp_path: Path) -> None:
    if shutil.which("perf") is None:
        pytest.skip("perf is not here")
    broken = tmp_path / "broken"
    broken.write_bytes(b"PERFILE2" + bytes(96))
    with pytest.raises(UserError, match=r"perf cannot read .*/broken: \S.*"):
        script(str(broken))


def test_without_perf_a_recording_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "recording").write_bytes(b"PERFILE2" + bytes(96))
    with pytest.raises(UserError, match="perf is not here to read it; `uaccel doctor` says"):
        profile_text(str(tmp_path / "recording"))


def test_a_profile_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere cannot be read: No such file"):
        profile_text(str(tmp_path / "nowhere"))
