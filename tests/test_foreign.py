# SPDX-License-Identifier: GPL-2.0-only
"""Programs of another architecture come out of an archive of our own, with what they need alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.test_tree import must, needs_apt, needs_dpkg
from uaccel.errors import UserError
from uaccel.flow.userland import Wanted, programs
from uaccel.host import apt, foreign
from uaccel.host.apt import Origin, silent
from uaccel.host.foreign import merged
from uaccel.host.run import find_program
from uaccel.host.store import Store
from uaccel.model.boot import Userland
from uaccel.read.dynamic import dynamic

pytestmark = [
    needs_dpkg,
    needs_apt,
    pytest.mark.skipif(find_program("gcc") is None, reason="no gcc here"),
]
SIDE = Userland("armhf", "arm-linux-musleabihf", True)
TOY = Wanted("toy-utils", "usr/bin/toy", ("usr/share/toy",))
LIB = "usr/lib/arm-linux-gnueabihf"
# Name, what it depends on.
PACKAGES = (
    ("toy-utils", "lsb-toy, libother2, libtoy1t64 (>= 1.2) | libtoy-ng, libc9"),
    ("libtoy1t64", "libtoy1t64-data, libc9:any (>= 9)"),
    ("libtoy1t64-data", ""),
    ("libc9", ""),
    ("libother2", ""),
)


def compiled(folder: Path, name: str, *how: str) -> Path:
    """Return a file of ELF that needs what `how` names and nothing of this machine."""
    (folder / "toy.c").write_text("int start(void) { return 0; }\n")
    needs = ("-nostdlib", "-Wl,--no-as-needed", "-L", str(folder))
    must("gcc", "-o", name, "toy.c", *needs, *how, folder=folder)
    return folder / name


def grow(root: Path, folder: Path) -> None:
    """Fill the folder of each package below `root`."""
    shared = ("-shared", "-fPIC")
    libc = compiled(folder, "libc.so", *shared, "-Wl,-soname,libc.so.9")
    toy = compiled(folder, "libtoy.so", *shared, "-Wl,-soname,libtoy.so.1", "-lc")
    loader = ("-Wl,--dynamic-linker=/lib/ld-toy.so.3", "-Wl,-e,start")
    program = compiled(folder, "toy", *loader, "-ltoy", "-lc")
    files = (
        (f"toy-utils/{TOY.path}", program),
        (f"libtoy1t64/{LIB}/libtoy.so.1.0.2", toy),
        (f"libc9/lib/{Path(LIB).name}/libc.so.9", libc),
        (f"libc9/lib/{Path(LIB).name}/ld-9.so", libc),
    )
    for name, file in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(file.read_bytes())
    (root / f"libtoy1t64/{LIB}/libtoy.so.1").symlink_to("libtoy.so.1.0.2")
    (root / "libc9/lib/ld-toy.so.3").symlink_to(f"/lib/{Path(LIB).name}/ld-9.so")
    settings = root / "libtoy1t64-data/usr/share/toy/toy.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("loud\n")


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that apt takes for an archive of packages for armhf."""
    place = tmp_path_factory.mktemp("mirror")
    root, pool = place / "root", place / "pool"
    pool.mkdir()
    grow(root, tmp_path_factory.mktemp("compiled"))
    index = ""
    for name, depends in PACKAGES:
        control = f"Package: {name}\nVersion: 1.2-3\nArchitecture: armhf\nDescription: toy\n"
        control += "Maintainer: Nobody <nobody@example.org>\n"
        control += f"Depends: {depends}\n" if depends else ""
        (root / name / "DEBIAN").mkdir(parents=True)
        (root / name / "DEBIAN/control").write_text(control)
        file = pool / f"{name}_1.2-3_armhf.deb"
        argv = ("dpkg-deb", "--build", "--root-owner-group", str(root / name), str(file))
        must(*argv, folder=place)
        index += f"{control}Filename: pool/{file.name}\n{weighed(file)}\n"
    listed = place / "dists/toyland/main/binary-armhf/Packages"
    listed.parent.mkdir(parents=True)
    listed.write_text(index)
    digest = hashlib.sha256(index.encode()).hexdigest()
    (place / "dists/toyland/Release").write_text(
        "Suite: toyland\nCodename: toyland\nArchitectures: armhf\nComponents: main\n"
        f"SHA256:\n {digest} {len(index)} main/binary-armhf/Packages\n"
    )
    return place


def weighed(file: Path) -> str:
    """Return the fields by which apt knows that it got the right file."""
    content = file.read_bytes()
    return f"Size: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"


@pytest.fixture
def store(tmp_path: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    options = (("Trusted", "yes"), ("Architectures", "amd64"))
    own = Origin(f"file:{mirror}", ("toyland",), "main", options)
    monkeypatch.setattr(apt, "origins", lambda: (own,))
    monkeypatch.setattr(apt, "_codename", lambda: "toyland")
    return Store(tmp_path / "cache")


def test_a_program_comes_with_what_it_needs_and_nothing_else(store: Store) -> None:
    """Its loader, its libraries through every link, its settings; no package beyond these."""
    found = programs(SIDE, TOY, store, silent)
    wanted = ("toy-utils", "libtoy1t64", "libtoy1t64-data", "libc9")
    assert sorted(found.packages) == sorted(f"{name} 1.2-3" for name in wanted)
    assert {entry.path for entry in found.entries} == {
        *("bin", "sbin", "lib", "lib64"),
        *("usr/bin/toy", "usr/share/toy/toy.conf", "usr/lib/ld-toy.so.3"),
        *(f"{LIB}/{name}" for name in ("libtoy.so.1", "libtoy.so.1.0.2", "libc.so.9", "ld-9.so")),
    }


def test_what_is_there_is_not_fetched_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = programs(SIDE, TOY, store, silent)

    @contextmanager
    def closed(*_: object) -> Iterator[None]:
        raise AssertionError("the archive was asked again")
        yield

    monkeypatch.setattr(foreign, "foreign_lists", closed)
    assert programs(SIDE, TOY, store, silent) == first


def test_a_package_that_nobody_offers_is_named(store: Store) -> None:
    with pytest.raises(UserError, match="the distribution does not offer no-toy for that machine"):
        programs(SIDE, Wanted("no-toy", "usr/bin/no", ()), store, silent)


def test_a_program_that_its_package_lacks_is_named(store: Store) -> None:
    with pytest.raises(UserError, match="no package holds usr/bin/other"):
        programs(SIDE, Wanted("toy-utils", "usr/bin/other", ()), store, silent)


def test_a_library_that_nothing_holds_is_named(store: Store, tmp_path: Path) -> None:
    """Every package that is depended on is looked into before that is said."""
    compiled(tmp_path, "libq.so", "-shared", "-fPIC", "-Wl,-soname,libq.so.1")
    program = compiled(tmp_path, "lone", "-shared", "-fPIC", "-lq")
    with foreign.packages(SIDE.name, store, silent) as fetch:
        Path(fetch("toy-utils").folder, TOY.path).write_bytes(program.read_bytes())
    with pytest.raises(UserError, match=r"no package that was asked for holds libq\.so\.1"):
        programs(SIDE, TOY, store, silent)
    assert len(store.keys("foreign")) == len(PACKAGES)


def test_a_userland_without_packages_is_refused(store: Store) -> None:
    with pytest.raises(UserError, match="the distribution has no packages for powerpc"):
        programs(Userland("powerpc", "powerpc-linux-musleabi", False), TOY, store, silent)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("lib/ld-linux.so.2", "usr/lib/ld-linux.so.2"),
        ("bin/sh", "usr/bin/sh"),
        ("usr/lib/x", "usr/lib/x"),
        ("library/x", "library/x"),
    ],
)
def test_folders_that_were_merged_into_usr_lie_there(path: str, place: str) -> None:
    assert merged(path) == place


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF" + bytes(60)])
def test_what_is_no_program_needs_nothing(data: bytes) -> None:
    assert dynamic(data) is None
