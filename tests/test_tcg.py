# SPDX-License-Identifier: GPL-2.0-only
"""Our plugin of the emulator is built by any compiler of the host, once, and told what to count."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakelinux import machine_without
from uaccel.errors import UserError
from uaccel.host.run import find_program, run
from uaccel.host.store import Store
from uaccel.host.tcg import Marks, counting, plugin
from uaccel.read.elf import read_elf

SOURCE = Path(__file__).parent.parent / "uaccel" / "host" / "plugin" / "uaccel_count.c"
needs_compiler = pytest.mark.skipif(not find_program("gcc"), reason="gcc is not here")


@needs_compiler
def test_it_is_built_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = Path(plugin(store))
    before = made.stat().st_mtime_ns
    assert plugin(store) == str(made)
    assert made.stat().st_mtime_ns == before


@needs_compiler
def test_it_offers_what_the_interface_asks_for_and_no_warning_is_left(tmp_path: Path) -> None:
    flags = ("-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O2", "-fPIC", "-fvisibility=hidden")
    made = tmp_path / "plugin.o"
    said = run(("gcc", *flags, "-c", "-o", str(made), str(SOURCE)), folder=tmp_path, timeout=60)
    assert said.stderr == ""
    names = {one.name: one.section for one in read_elf(made.read_bytes()).symbols}
    assert names["qemu_plugin_version"] and names["qemu_plugin_install"]
    foreign = {name for name, section in names.items() if name.startswith("qemu_") and not section}
    assert "qemu_plugin_register_vcpu_tb_trans_cb" in foreign


def test_without_a_compiler_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = machine_without(tmp_path / "bin", r"(.*-)?(gcc|cc|clang)(-\d+)?")
    monkeypatch.setenv("PATH", path)
    with pytest.raises(UserError, match="no compiler of this machine is here"):
        plugin(Store(tmp_path / "store"))


def test_a_comma_in_a_path_does_not_part_words() -> None:
    marks = Marks((0x10, 0x20), 0x30, b"\x44\x00")
    switch, words = counting("/a,b/count.so", "/tmp/out", marks, repeats=True)
    assert switch == "-plugin"
    assert words == ("/a,,b/count.so,out=/tmp/out,end=30,begin=10,begin=20,code=4400,repeats=on")


def test_what_is_not_needed_is_not_said() -> None:
    _, words = counting("count.so", "out", Marks((0x10,), 0x30, b""), repeats=False)
    assert words == "count.so,out=out,end=30,begin=10"
