# SPDX-License-Identifier: GPL-2.0-only
"""Our client's C, as a program of this machine: what needs no kernel of ours."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from tests.replay import MACHINES
from uaccel.host.run import find_program, run
from uaccel.model.command import Command

needs_gcc = pytest.mark.skipif(find_program("gcc") is None, reason="no gcc here")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the client, compiled for this machine by its own compiler."""
    folder = tmp_path_factory.mktemp("client")
    source = str(files("uaccel.host.clients") / "client.c")
    strict = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror")
    made = run(("gcc", *strict, "-o", "client", source), folder=folder, timeout=60)
    assert made.status == 0, made.stderr
    return folder / "client"


def ask(client: Path, *words: str) -> Command:
    """Return what the client says when it is no first program: it ends instead of restarting."""
    return run((str(client), *words), folder=client.parent, timeout=20)


@needs_gcc
def test_a_program_is_run_and_its_end_is_told(client: Path) -> None:
    fine = ask(client, "run", "/bin/sh", "-c", "echo hello; exit 3")
    bits = fine.stdout.splitlines()[0]
    assert bits in ("uaccel-client: begins bits=64", "uaccel-client: begins bits=32")
    assert fine.stdout.splitlines()[1:] == [
        "uaccel-client: runs program=/bin/sh",
        "hello",
        "uaccel-client: exited status=3",
        "uaccel-client: ends status=0",
    ]
    killed = ask(client, "run", "/bin/sh", "-c", "kill -9 $$")
    assert "uaccel-client: killed signal=9" in killed.stdout


@needs_gcc
def test_a_program_that_is_not_there_is_told(client: Path) -> None:
    said = ask(client, "run", "/no/such/program").stdout
    assert "uaccel-client: failed what=execve errno=2" in said
    assert "uaccel-client: exited status=127" in said


@needs_gcc
@pytest.mark.parametrize("words", [("calls",), ("sing", "1"), ("run",)])
def test_words_that_mean_nothing_are_refused(client: Path, words: tuple[str, ...]) -> None:
    assert "uaccel-client: failed what=arguments errno=22" in ask(client, *words).stdout


@needs_gcc
@pytest.mark.skipif(Path("/dev/snd").exists(), reason="this machine has a sound card of its own")
def test_without_a_sound_card_it_says_so_and_ends(client: Path) -> None:
    said = ask(client, "calls", "1")
    assert said.status == 1
    assert said.stdout.splitlines()[-2:] == [
        "uaccel-client: failed what=open errno=2",
        "uaccel-client: ends status=1",
    ]


def test_it_knows_the_system_call_of_every_userland() -> None:
    """A target of the catalogue without a branch in the C would end in #error."""
    source = (files("uaccel.host.clients") / "client.c").read_text()
    known = {
        "powerpc": "__powerpc__",
        "powerpc64le": "__powerpc__",
        "x86": "__i386__",
        "x86_64": "__x86_64__",
        "arm": "__arm__",
        "aarch64": "__aarch64__",
    }
    targets = {side.zig_target for machine in MACHINES.values() for side in machine.userlands}
    for target in targets:
        assert f"defined({known[target.partition('-')[0]]})" in source
