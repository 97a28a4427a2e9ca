# SPDX-License-Identifier: GPL-2.0-only
"""Real kernels in an emulator: machines, kernels per style, and what a client's calls executed."""

from __future__ import annotations

from dataclasses import dataclass

from uaccel.model.dossier import Tree
from uaccel.model.machine import RoleRow, Unbuilt


@dataclass(frozen=True, slots=True)
class Userland:
    """One kind of programs that a machine's kernel runs."""

    name: str  # the distribution's name of it: "i386", "armhf", "powerpc"
    zig_target: str  # for `zig cc -target`: "x86-linux-musl"
    packages: bool  # the distribution offers alsa-lib and aplay for it


@dataclass(frozen=True, slots=True)
class Machine:
    """A board of QEMU with the kernel that runs on it.  Named after its module."""

    title: str  # "PowerMac G3, book3s/32, KUAP by segments"
    arch: str  # name of an architecture of the catalogue that its code is of; "" for none
    kernel: str  # ARCH= on the make command line
    srcarch: str  # folder below arch/
    triplet: str  # prefix of the distribution's cross tools, without the last dash
    package: str  # the distribution's package that holds that compiler
    emulator: str  # "qemu-system-ppc"
    emulator_package: str  # "qemu-system-ppc"
    options: tuple[str, ...]  # of the emulator, without kernel, initrd and command line
    console: str  # "ttyPZ0"
    config: tuple[str, ...]  # lines that must survive, as of `Arch`; they begin from allnoconfig
    image: str  # what the emulator loads, relative to O=: "vmlinux"
    rows: tuple[RoleRow, ...]  # what opens and closes, where no architecture's rows say it
    userlands: tuple[Userland, ...]  # the first one is the default
    megabytes: int  # disk that its kernel takes, about
    seconds: int  # that its kernel took from nothing, on two cores that did other work too
    name: str = ""  # of its module
    objects: int = 0  # files that its kernel is linked of, about
    # Instructions at which the emulator rests: a debugger's step then goes on over the next one.
    rests: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel, linked with one style of some functions."""

    machine: str
    style: str  # "" for the tree as it stands
    vmlinux: str  # with symbols
    image: str  # what the emulator loads
    toolchain: str  # name of the compiler: "gcc 12.2.0"
    seconds: float  # wall time that it took in this run
    reused: bool  # it was in the store


@dataclass(frozen=True, slots=True)
class Call:
    """What one call of a client executed in the kernel and on the way there."""

    what: str  # "plain", "HWSYNC", "bad pointer"
    result: int  # as the client saw it; a negative errno
    instructions: int | None  # None where two ways of counting differ
    toggles: int  # openings and closings
    user_bytes: str  # digest or text of what the call left in the user's struct; "" when not asked
    user_instructions: int = 0  # of `instructions`, those of the program itself


@dataclass(frozen=True, slots=True)
class SymbolShare:
    """Executed instructions of one symbol over a whole run."""

    symbol: str
    object: str  # "[kernel.kallsyms]", or the program
    instructions: int
    percent: float  # of all that were executed


@dataclass(frozen=True, slots=True)
class BootRun:
    """One way of writing on one machine with one client: what all boots of it told."""

    style: str
    machine: str
    client: str
    way: str  # how it was counted: "GDB remote protocol and plugin"
    calls: tuple[Call, ...]
    symbols: tuple[SymbolShare, ...]
    instructions_per_call: int | None  # of the kernel, in the call that is most often seen
    toggles_per_call: int | None
    why: str  # of an unknown figure; "" when all is known
    userland: str = ""  # "i386"
    toolchain: str = ""  # that made the kernel: "gcc 12.2.0"
    instructions: int = 0  # of all `symbols`
    reached: tuple[tuple[str, int], ...] = ()  # function, how often it was called in all
    chains: tuple[tuple[str, ...], ...] = ()  # from the system call down to each function reached
    holders: tuple[str, ...] = ()  # symbols that the functions' code is in, of those of `symbols`
    share: float | None = None  # percent that they have, with accessors and copy routines
    profile: str = ""  # file that `compare` reads
    notes: tuple[str, ...] = ()  # one sentence each
    console: str = ""  # its last lines, where something went wrong
    repetitions: bool = False  # a string instruction counts as often as it repeats itself


@dataclass(frozen=True, slots=True)
class Booted:
    """All that was booted."""

    tree: Tree
    command: str  # the line that reproduces it
    runs: tuple[BootRun, ...]
    unbuilt: tuple[tuple[str, Unbuilt], ...]  # style, and why it was not booted
    notes: tuple[str, ...]
    seconds: float
    comparisons: tuple[str, ...] = ()  # lines that show the profiles side by side
    alike: tuple[str, ...] = ()  # what the client saw of one style and another: one sentence each
