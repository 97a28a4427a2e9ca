# SPDX-License-Identifier: GPL-2.0-only
"""An entry that can be found is whole; a file that was asked for is never half-written."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from uaccel.errors import UserError
from uaccel.host.store import Store, cache_folder, key, write_atomically


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


def in_child(work: Callable[[], None]) -> None:
    """Let a process do `work` and die at once, without any of its clean-up."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


def unfinished(store: Store) -> list[str]:
    nursery = store.root / ".filling"
    return [path.name for path in nursery.iterdir() if path.name != ".lock"]


def test_an_entry_is_found_once_it_is_whole(store: Store) -> None:
    with store.filling("objects", "abc") as folder:
        (folder / "a.o").write_bytes(b"code")
        assert store.find("objects", "abc") is None
    entry = store.find("objects", "abc")
    assert entry is not None
    assert (entry / "a.o").read_bytes() == b"code"
    assert store.keys("objects") == ("abc",)
    assert unfinished(store) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
def test_an_interrupted_entry_is_removed(store: Store, error: type[BaseException]) -> None:
    with pytest.raises(error), store.filling("objects", "abc") as folder:
        (folder / "a.o").write_bytes(b"co")
        raise error
    assert store.find("objects", "abc") is None
    assert unfinished(store) == []


def test_two_may_fill_the_same_entry(store: Store) -> None:
    with store.filling("objects", "abc") as one, store.filling("objects", "abc") as other:
        (one / "a.o").write_bytes(b"code")
        (other / "a.o").write_bytes(b"code")
    entry = store.find("objects", "abc")
    assert entry is not None
    assert [path.name for path in entry.iterdir()] == ["a.o"]
    assert unfinished(store) == []


def test_many_threads_fill_at_once(store: Store) -> None:
    def fill() -> None:
        with store.filling("objects", "abc") as folder:
            (folder / "a.o").write_bytes(b"code")

    threads = [threading.Thread(target=fill) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.keys("objects") == ("abc",)
    assert unfinished(store) == []


def test_what_a_dead_process_left_is_removed(store: Store) -> None:
    def die_in_the_middle() -> None:
        with store.filling("objects", "abc") as folder:
            (folder / "a.o").write_bytes(b"co")
            os.kill(os.getpid(), signal.SIGKILL)

    in_child(die_in_the_middle)
    assert len(unfinished(store)) == 1
    assert store.find("objects", "abc") is None
    with store.filling("objects", "other"):
        assert len(unfinished(store)) == 1


def test_what_a_living_process_fills_is_left_alone(store: Store) -> None:
    def fill_another() -> None:
        with store.filling("objects", "other"):
            pass

    with store.filling("objects", "abc") as folder:
        in_child(fill_another)
        assert store.keys("objects") == ("other",)
        assert folder.is_dir()


def test_a_full_disk_is_one_sentence(store: Store) -> None:
    with (
        pytest.raises(UserError, match=r"the disk is full: .* has \d+ MB left"),
        store.filling("objects", "abc"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert store.find("objects", "abc") is None


def test_other_errors_of_the_block_are_not_the_stores(store: Store) -> None:
    with pytest.raises(FileNotFoundError), store.filling("objects", "abc") as folder:
        (folder / "none").read_text()


def test_a_root_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(UserError, match=r"file/cache cannot be written: Not a directory"),
        Store(tmp_path / "file" / "cache").filling("objects", "abc"),
    ):
        pass


def test_the_cache_is_where_the_environment_says() -> None:
    assert cache_folder({"UACCEL_CACHE": "/one", "XDG_CACHE_HOME": "/two"}) == Path("/one")
    assert cache_folder({"XDG_CACHE_HOME": "/two"}) == Path("/two/uaccel")
    assert cache_folder({"XDG_CACHE_HOME": ""}) == Path.home() / ".cache" / "uaccel"


def test_a_key_tells_where_one_part_ends() -> None:
    assert key("ab", "c") == key(b"ab", b"c")
    assert len({key("ab", "c"), key("a", "bc"), key("abc"), key("c", "ab"), key()}) == 5


def test_a_written_file_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write_atomically(path, b"one")
    path.chmod(0o640)
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_atomically(tmp_path / "link", b"one")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"one"


def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(b"one")

    def run_out_of_room(place: Path, content: bytes) -> None:
        with place.open("wb") as stream:
            stream.write(content[:1])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", run_out_of_room)
    with pytest.raises(UserError, match="the disk is full"):
        write_atomically(path, b"two")
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_device_is_written_to_and_not_replaced() -> None:
    with pytest.raises(UserError, match="the disk is full"):
        write_atomically(Path("/dev/full"), b"one")
    assert Path("/dev/full").is_char_device()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none/out\.json cannot be written: No such file"):
        write_atomically(tmp_path / "none" / "out.json", b"one")
    with pytest.raises(UserError, match="cannot be written: Is a directory"):
        write_atomically(tmp_path, b"one")
