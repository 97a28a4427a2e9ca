# SPDX-License-Identifier: GPL-2.0-only
"""What a machine lacks is named, and installed only by who may."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.replay import MACHINES
from uaccel import arch
from uaccel.catalog import catalog
from uaccel.host import debian
from uaccel.host.debian import (
    HOST_NEEDS,
    boot_packages,
    install,
    install_line,
    missing_packages,
    needed_packages,
)
from uaccel.model.command import Command
from uaccel.model.machine import Arch

ARCHES = tuple(catalog(arch, Arch).values())
needs_debian = pytest.mark.skipif(not debian.is_debian(), reason="no Debian machine")


def test_the_machines_own_compiler_is_no_cross_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {entry.package for entry in ARCHES}
    for machine in ("x86_64", "aarch64"):
        monkeypatch.setattr("platform.machine", lambda said=machine: said)
        needed = needed_packages(ARCHES)
        assert set(HOST_NEEDS) <= set(needed)
        assert len(own - set(needed)) == 1


def test_booting_needs_the_emulators_and_what_they_load() -> None:
    """qemu-system-arm only recommends the boot ROM without which it refuses to start a board."""
    needed = boot_packages(tuple(MACHINES.values()))
    assert {"qemu-system-arm", "qemu-system-ppc", "qemu-system-x86", "ipxe-qemu"} <= set(needed)
    assert boot_packages((MACHINES["g3beige"],)) == ("ipxe-qemu", "qemu-system-ppc", "seabios")


@needs_debian
def test_a_package_that_is_not_there_is_named() -> None:
    assert missing_packages(("dpkg", "no-such-package")) == ("no-such-package",)
    assert missing_packages(("dpkg",)) == missing_packages(()) == ()
    assert install(("dpkg",)).missing == ()


@needs_debian
def test_who_may_not_install_gets_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "_rights", lambda: None)
    done = install(("dpkg", "no-such-package"))
    assert done.missing == ("no-such-package",)
    assert done.why == f"installing needs root: {install_line(done.missing)}"
    assert "apt-get install -y --no-install-recommends no-such-package" in done.why


@needs_debian
def test_a_package_nobody_offers_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def apt(_rights: tuple[str, ...], *words: str) -> Command:
        asked.append(words)
        return Command(words, str(Path("/")), 0, "", "")

    monkeypatch.setattr(debian, "_rights", lambda: ())
    monkeypatch.setattr(debian, "_apt", apt)
    monkeypatch.setattr(debian, "_offered", lambda _packages: {"another"})
    monkeypatch.setattr(debian, "missing_packages", lambda packages: packages)
    done = install(("another", "no-such-package"))
    install_words = ("install", "-y", "--no-install-recommends", "another")
    assert asked == [("update",), install_words]
    assert done.why == "this distribution does not offer no-such-package"
