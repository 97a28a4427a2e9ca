# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages that the work needs: which are missing, and how they come in."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from uaccel.host.apt import Progress, silent
from uaccel.host.run import find_program, run
from uaccel.model.boot import Machine
from uaccel.model.command import Command
from uaccel.model.machine import Arch

# What Kbuild wants on the machine that builds, whatever it builds for.
HOST_NEEDS = (
    "bc",
    "bison",
    "flex",
    "gcc",
    "git",
    "libc6-dev",
    "libelf-dev",
    "libssl-dev",
    "make",
    "perl",
    "xz-utils",
)
# What reads the recordings of `perf record`.
PROFILE_NEEDS = ("linux-perf",)
# What the tests of our own pages open them in.
TEST_NEEDS = ("chromium", "chromium-driver")
# What emulators load into a machine before its kernel; their packages only recommend it.
_FIRMWARE = ("ipxe-qemu", "seabios")
_INSTALL_SECONDS = 1800
_LOOK_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Installation:
    """What installing came to."""

    missing: tuple[str, ...]  # packages that are still not here
    why: str  # one sentence; "" when nothing is missing


def is_debian() -> bool:
    """Return whether packages can be asked for here at all."""
    return find_program("dpkg-query") is not None


def needed_packages(arches: tuple[Arch, ...]) -> tuple[str, ...]:
    """Return the packages that builds for `arches`, and profiles, need on this machine, sorted."""
    # Debian has no cross compiler for the machine's own kind: plain gcc is it.
    own = f"gcc-{platform.machine().replace('_', '-')}-linux-gnu"
    compilers = {arch.package for arch in arches}
    return tuple(sorted({*HOST_NEEDS, *PROFILE_NEEDS, *compilers} - {own}))


def boot_packages(machines: tuple[Machine, ...]) -> tuple[str, ...]:
    """Return the packages that booting kernels on `machines` needs here besides, sorted."""
    return tuple(sorted({*_FIRMWARE, *(machine.emulator_package for machine in machines)}))


def missing_packages(packages: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of `packages` that are not installed; none where this is no Debian machine."""
    if not packages or not is_debian():
        return ()
    argv = ("dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *packages)
    lines = run(argv, folder=Path("/"), timeout=_LOOK_SECONDS).stdout.splitlines()
    here = {line.split()[0] for line in lines if line.endswith(" installed")}
    return tuple(package for package in packages if package not in here)


def install_line(packages: tuple[str, ...]) -> str:
    """Return the one line that installs `packages`."""
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get install -y --no-install-recommends {' '.join(packages)}"


def install(packages: tuple[str, ...], progress: Progress = silent) -> Installation:
    """Return what is missing after installing all of `packages` that may and can be installed."""
    missing = missing_packages(packages)
    if not is_debian():
        return Installation((), "this is no Debian machine, so no package was looked for")
    if not missing:
        return Installation((), "")
    rights = _rights()
    if rights is None:
        return Installation(missing, f"installing needs root: {install_line(missing)}")
    if set(missing) - _offered(missing):
        progress("asking the distribution for its packages", None)
        _apt(rights, "update")
    offered = tuple(package for package in missing if package in _offered(missing))
    progress(f"installing {', '.join(offered)}", None)
    command = _apt(rights, "install", "-y", "--no-install-recommends", *offered)
    left = missing_packages(missing)
    return Installation(left, _why(left, offered, command))


def _rights() -> tuple[str, ...] | None:
    if os.geteuid() == 0:
        return ()
    if find_program("sudo") is None:
        return None
    asked = run(("sudo", "-n", "true"), folder=Path("/"), timeout=_LOOK_SECONDS)
    return ("sudo", "-n") if asked.status == 0 else None


def _apt(rights: tuple[str, ...], *words: str) -> Command:
    argv = (*rights, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", *words)
    return run(argv, folder=Path("/"), timeout=_INSTALL_SECONDS)


def _offered(packages: tuple[str, ...]) -> set[str]:
    policy = run(("apt-cache", "policy", *packages), folder=Path("/"), timeout=_LOOK_SECONDS)
    return set(re.findall(r"^(\S+):\n  Installed: .*\n  Candidate: [^(]", policy.stdout, re.M))


def _why(left: tuple[str, ...], offered: tuple[str, ...], command: Command) -> str:
    if not left:
        return ""
    unknown = tuple(package for package in left if package not in offered)
    if unknown:
        return f"this distribution does not offer {', '.join(unknown)}"
    said = [line for line in command.stderr.splitlines() if line.startswith("E:")]
    return f"apt-get could not install: {said[0] if said else f'exit status {command.status}'}"
