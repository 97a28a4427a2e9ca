# SPDX-License-Identifier: GPL-2.0-only
"""Trees are found, read, fetched and unpacked; a half-unpacked one is never taken for a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pytest

from uaccel.errors import UserError
from uaccel.host import apt
from uaccel.host import tree as tree_module
from uaccel.host.apt import silent
from uaccel.host.run import find_program, run
from uaccel.host.tree import cached, fetch, find_tree, is_tree, open_tree, read_file, version
from uaccel.model.dossier import Tree

FOLDERS = ("Documentation", "arch", "include", "drivers", "fs", "init")
MORE_FOLDERS = ("ipc", "kernel", "lib", "scripts", "sound/core")
FILES = ("COPYING", "CREDITS", "Kbuild", "MAINTAINERS", "README")
needs_dpkg = pytest.mark.skipif(find_program("dpkg-deb") is None, reason="no dpkg-deb here")
needs_apt = pytest.mark.skipif(find_program("apt-get") is None, reason="no apt-get here")


def plant(folder: Path, number: str = "6.12.117") -> Path:
    """Make the smallest folder that checkpatch takes for a kernel tree."""
    for name in (*FOLDERS, *MORE_FOLDERS):
        (folder / name).mkdir(parents=True)
    for name in FILES:
        (folder / name).touch()
    first, second, third = number.split(".")
    makefile = f"# x\nVERSION = {first}\nPATCHLEVEL = {second}\nSUBLEVEL = {third}\n"
    (folder / "Makefile").write_text(f"{makefile}EXTRAVERSION =\nNAME = Baby Opossum\n")
    (folder / "sound/core/pcm_native.c").write_text("int x;\n")
    (folder / "sound/core/pcm_lib.c").write_text("int y;\n")
    return folder


@pytest.fixture
def linux(tmp_path: Path) -> Tree:
    return open_tree(plant(tmp_path / "linux"))


@pytest.fixture
def cache(tmp_path: Path) -> dict[str, str]:
    return {"UACCEL_CACHE": str(tmp_path / "cache")}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package as Debian makes it: the tree in a tar.xz below usr/src."""
    source = tmp_path / "root" / "usr" / "src"
    plant(source / "linux-source-6.12")
    archive = source / "linux-source-6.12.tar"
    must("tar", "--create", f"--file={archive}", "linux-source-6.12", folder=source)
    must("rm", "-r", "linux-source-6.12", folder=source)
    must("python3", "-c", XZ, str(archive), folder=source)
    return built(tmp_path / "root", tmp_path)


XZ = """
import lzma, pathlib, sys
plain = pathlib.Path(sys.argv[1])
plain.with_name(plain.name + ".xz").write_bytes(lzma.compress(plain.read_bytes()))
plain.unlink()
"""


def built(root: Path, folder: Path) -> Path:
    (root / "DEBIAN").mkdir(exist_ok=True)
    (root / "DEBIAN" / "control").write_text(
        "Package: linux-source-6.12\nVersion: 6.12.117-1\nArchitecture: all\n"
        "Maintainer: Nobody <nobody@example.org>\nDescription: a tree\n"
    )
    file = folder / "linux-source-6.12_6.12.117-1_all.deb"
    must("dpkg-deb", "--build", "--root-owner-group", str(root), str(file), folder=folder)
    return file


def must(*argv: str, folder: Path) -> None:
    command = run(argv, folder=folder, timeout=60)
    assert command.status == 0, command.stderr


def offering(package: Path) -> Callable[[str, Path, apt.Progress], tuple[Path, str]]:
    """Stand in for the mirror: give a copy of `package`."""

    def download(_name: str, folder: Path, _progress: apt.Progress) -> tuple[Path, str]:
        file = folder / package.name
        file.write_bytes(package.read_bytes())
        return file, "6.12.117-1"

    return download


def test_a_tree_is_known_by_the_marks_of_checkpatch(linux: Tree) -> None:
    assert linux.version == "6.12.117"
    Path(linux.path, "MAINTAINERS").unlink()
    assert not is_tree(Path(linux.path))
    with pytest.raises(UserError, match="is no kernel tree: it has no MAINTAINERS"):
        open_tree(Path(linux.path))
    with pytest.raises(UserError, match="none is no folder"):
        open_tree(Path(linux.path, "none"))


def test_a_makefile_without_a_version_is_no_kernels(linux: Tree) -> None:
    Path(linux.path, "Makefile").write_text("all:\n")
    with pytest.raises(UserError, match="its Makefile names no VERSION"):
        open_tree(Path(linux.path))


def test_a_candidate_for_release_says_so(linux: Tree) -> None:
    makefile = Path(linux.path, "Makefile")
    makefile.write_text(makefile.read_text().replace("EXTRAVERSION =", "EXTRAVERSION = -rc3"))
    assert version(Path(linux.path)) == "6.12.117-rc3"


def test_the_nearest_tree_is_taken(
    tmp_path: Path, cache: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    named, around, here, kdir = (plant(tmp_path / name) for name in ("a", "b", "c", "d"))
    kept = plant(tmp_path / "cache/trees/6.12/linux")
    (kept.parent / "package").touch()
    environment = {**cache, "KDIR": str(kdir)}
    inside = Path(here, "sound/core")
    target = around / "sound/core/pcm_native.c"

    monkeypatch.chdir(inside)
    assert find_tree(str(named), target, environment).path == str(named)
    assert find_tree(None, target, environment).path == str(around)
    assert find_tree(None, Path("pcm_native.c"), environment).path == str(here)
    assert find_tree(None, Path("sound/core/pcm_native.c"), environment).path == str(here)
    assert find_tree(None, None, environment).path == str(here)
    monkeypatch.chdir(tmp_path)
    assert find_tree(None, None, environment).path == str(kdir)
    assert find_tree(None, None, cache).path == str(kept)


def test_no_tree_at_all_says_how_to_get_one(
    tmp_path: Path, cache: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"`uaccel tree fetch 6\.12` gets one"):
        find_tree(None, None, cache)


def test_the_seeds_tree_comes_first_then_the_newest(tmp_path: Path, cache: dict[str, str]) -> None:
    for number in ("6.1", "6.12", "7.3", "7.10"):
        entry = plant(tmp_path / "cache/trees" / number / "linux", f"{number}.1")
        (entry.parent / "package").touch()
    plant(tmp_path / "cache/trees/8.0/linux", "8.0.1")  # its marker was never written
    assert [tree.version for tree in cached(cache)] == ["6.12.1", "7.10.1", "7.3.1", "6.1.1"]


def test_a_file_is_read_with_its_place_in_the_tree(linux: Tree) -> None:
    source = read_file(linux, "sound/core/pcm_native.c")
    assert (source.path, source.text) == (PurePosixPath("sound/core/pcm_native.c"), b"int x;\n")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("sound/core/pcm_nativ.c", r"has no .*; near it: sound/core/pcm_native\.c"),
        ("sond/core/pcm_native.c", "has no .*; near it: sound$"),
        ("zzz.c", r"has no zzz\.c$"),
        ("sound/core", "is a folder, not a file"),
    ],
)
def test_a_wrong_name_is_one_sentence(linux: Tree, wrong: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_file(linux, wrong)


@pytest.mark.parametrize("path", ["../secret.c", "sound/../../secret.c", "link.c"])
def test_nothing_outside_the_tree_is_read(linux: Tree, path: str) -> None:
    secret = Path(linux.path).parent / "secret.c"
    secret.write_text("int z;\n")
    Path(linux.path, "link.c").symlink_to(secret)
    with pytest.raises(UserError, match="lies outside the kernel tree"):
        read_file(linux, path)
    with pytest.raises(UserError, match="lies outside the kernel tree"):
        read_file(linux, str(secret))


@needs_dpkg
def test_a_fetched_tree_is_whole_and_alone(
    package: Path, cache: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree_module, "download", offering(package))
    tree = fetch("6.12", silent, cache)
    assert tree == Tree(f"{cache['UACCEL_CACHE']}/trees/6.12/linux", "6.12.117")
    assert sorted(path.name for path in Path(tree.path).parent.iterdir()) == ["linux", "package"]
    assert cached(cache) == (tree,)
    monkeypatch.setattr(tree_module, "download", None)
    assert fetch("v6.12", silent, cache) == tree  # nothing is downloaded twice


@needs_dpkg
@pytest.mark.parametrize("program", ["dpkg-deb", "tar"])
def test_an_interrupted_fetch_leaves_nothing(
    package: Path, cache: dict[str, str], monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    real = tree_module._must

    def interrupted(*argv: str, folder: Path, stdin: BinaryIO | None = None) -> None:
        real(*argv, folder=folder, stdin=stdin)
        if argv[0] == program:
            raise KeyboardInterrupt

    monkeypatch.setattr(tree_module, "download", offering(package))
    monkeypatch.setattr(tree_module, "_must", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch("6.12", silent, cache)
    assert cached(cache) == ()
    root = Path(cache["UACCEL_CACHE"])
    assert sorted(path.name for path in root.rglob("*")) == [".filling", ".lock"]
    monkeypatch.setattr(tree_module, "_must", real)
    assert fetch("6.12", silent, cache).version == "6.12.117"


@needs_dpkg
@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("cut", [0.5, 0.9])
def test_a_damaged_archive_is_one_sentence(
    tmp_path: Path,
    cache: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    cut: float,
) -> None:
    archive = tmp_path / "root/usr/src/linux-source-6.12.tar.xz"
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * cut)])
    monkeypatch.setattr(tree_module, "download", offering(built(tmp_path / "root", tmp_path)))
    with pytest.raises(UserError, match=r"is damaged|could not unpack"):
        fetch("6.12", silent, cache)
    assert cached(cache) == ()


@pytest.mark.parametrize("wrong", ["", "six", "6", "6.12.117", "6.12; rm -rf /", "-o"])
def test_what_is_no_version_is_refused(cache: dict[str, str], wrong: str) -> None:
    with pytest.raises(UserError, match=r"is no kernel version; write it as X\.Y"):
        fetch(wrong, silent, cache)


@needs_dpkg
@needs_apt
def test_the_package_comes_through_apt(
    package: Path, tmp_path: Path, cache: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    package.rename(mirror / package.name)
    content = (mirror / package.name).read_bytes()
    (mirror / "Packages").write_text(
        (tmp_path / "root/DEBIAN/control").read_text().replace("6.12", "0.12")
        + f"Filename: ./{package.name}\nSize: {len(content)}\n"
        + f"SHA256: {hashlib.sha256(content).hexdigest()}\n"
    )
    origin = apt.Origin(f"copy:{mirror}", ("./",), "", (("Trusted", "yes"),))
    monkeypatch.setattr(apt, "archive", lambda _configured, _codename: (origin,))
    monkeypatch.setattr(apt, "_OTHER_SUITES", ())
    with pytest.raises(UserError, match=r"no suite .* offers linux-source-0\.11; there are 0\.12"):
        fetch("0.11", silent, cache)
    said: list[str] = []
    tree = fetch("0.12", lambda what, _share: said.append(what), cache)
    assert tree.version == "6.12.117"
    assert any("downloading linux-source-0.12" in what for what in said)


ONE_LINE = """
# a comment
deb [arch=amd64,arm64 signed-by=/k.gpg] http://mirror.example/debian bookworm main non-free
deb-src http://mirror.example/debian bookworm main
deb cdrom:[Debian 12]/ bookworm main
deb http://other.example/apt tool-bookworm main
"""
DEB822 = """# written by an installer
Types: deb deb-src
URIs: http://mirror.example/security
Suites: bookworm-security bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
URIs: http://off.example/
Suites: bookworm
Components: main
Enabled: no
"""


def test_the_machines_sources_are_read_in_both_forms(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(ONE_LINE)
    (tmp_path / "sources.list.d" / "x.sources").write_text(DEB822)
    key = "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc"
    options = (("Architectures", "amd64 arm64"), ("Signed-By", "/k.gpg"))
    main = apt.Origin("http://mirror.example/debian", ("bookworm",), "main non-free", options)
    other = apt.Origin("http://other.example/apt", ("tool-bookworm",), "main", ())
    suites = ("bookworm-security", "bookworm-updates")
    security = apt.Origin("http://mirror.example/security", suites, "main", (("Signed-By", key),))
    assert apt.origins(tmp_path) == (main, other, security)
    assert apt.archive((security, other, main), "bookworm") == (main, security)
    assert f"Signed-By: {key}\n" in str(security)
