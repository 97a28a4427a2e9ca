# SPDX-License-Identifier: GPL-2.0-only
"""What an instruction means is the same in objdump's spelling and in capstone's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import replay
from tests.annotating import Line, objdump, sample
from uaccel.annotated.spelling import FLAGS, plain, role_of, spelled
from uaccel.host.run import find_program
from uaccel.model.machine import Arch, Insn, Role
from uaccel.read.disassembly import machine

HERE = Path(__file__).parent
OBJECTS = sorted((HERE / "objects").glob("*.o"))
# Where the spelling of capstone has no role: jumps with a hint how likely they are, and those
# whose target it does not print.
UNTOLD = re.compile(r"b\w+[+-] .*|b\w+")


def unlike(arch: Arch, lines: list[Line]) -> list[tuple[str, str, Role | None, Role | None]]:
    """Return the instructions that mean something else in the other spelling, padding apart."""
    assert arch.spelling is not None
    disassembler = machine(arch)
    found = []
    for line in lines:
        other = _capstone(disassembler, arch, line)
        if other is None or not line.text:
            continue
        mine, theirs = role_of(arch.spelling.rows, plain(line.text)), arch.role(other)
        padding = {mine, theirs} == {Role.NOP, None}
        if mine is not theirs and not padding and not UNTOLD.fullmatch(str(other)):
            found.append((line.text, str(other), mine, theirs))
    return found


def _capstone(disassembler: object, arch: Arch, line: Line) -> Insn | None:
    code = bytes.fromhex(line.code.replace(" ", ""))
    # As one word, unless there are blanks between the bytes.
    little = arch.emulation is not None and "UC_MODE_BIG_ENDIAN" not in arch.emulation.machine[1]
    code = code[::-1] if little and " " not in line.code and len(code) > 1 else code
    rows = list(disassembler.disasm_lite(code, line.address))  # type: ignore[attr-defined]
    if not rows:
        return None
    address, size, mnemonic, operands = rows[0]
    return Insn(address, size, mnemonic, operands, None, (), access=False)


@pytest.mark.parametrize("path", OBJECTS, ids=lambda path: path.name)
def test_roles_of_our_objects(path: Path) -> None:
    arch = replay.ARCHES[path.name.split(".")[0].split("-")[0]]
    if find_program(f"{arch.triplet}-objdump") is None:
        pytest.skip(f"no objdump for {arch.name}")
    functions = objdump(arch, path)
    assert sum(map(len, functions.values())) > 20
    assert [one for lines in functions.values() for one in unlike(arch, lines)] == []


@pytest.mark.parametrize("options", [(), ("-M", "intel")], ids=["as it is", "intel"])
@pytest.mark.parametrize("name", replay.ARCHES)
def test_roles_of_the_seed_file(
    tree_6_12: Path, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    arch = replay.ARCHES[name]
    if options and arch.srcarch != "x86":
        pytest.skip("it has one spelling")
    made = sample(tree_6_12, tmp_path, arch, "fieldwise")
    if made is None:
        pytest.skip(f"no compiler or no objdump for {name}")
    functions = objdump(arch, made.path, options)
    assert sum(map(len, functions.values())) > 5000
    assert [one for lines in functions.values() for one in unlike(arch, lines)] == []


@pytest.mark.parametrize(
    ("name", "text", "writes", "reads"),
    [
        ("ppc8xx", "stw r20,0(r10)", "", "r10 r20"),
        ("ppc8xx", "lwz r9,8(r31)", "r9", "r31"),
        ("ppc8xx", "cmplw r10,r9", FLAGS, "r10 r9"),
        ("ppc64le", "cmpdi cr7,r9,0", "cr7", "r9"),
        ("ppc64le", "bne cr7,c000000000001234 <f+0x8>", "", "cr7"),
        ("x86_64", "mov    %rax,0x38(%rsp)", "", "a sp"),
        ("x86_64", "mov    (%r14),%edx", "d", "r14"),
        ("x86_64", "mov    rdx,QWORD PTR [r14+0x8]", "d", "r14"),
        ("x86_64", "→ call   __put_user_4", "", ""),
        ("arm64", "bfxil	x2, x3, #0, #48", "2", "2 3"),
        ("arm64", "cbnz	w2, ffff800080003e58 <f+0x3c8>", "", "2"),
        ("arm", "add	r0, r4, #68	@ 0x44", "r0", "r4"),
        ("riscv64", "bltu	a5,a4,52c4 <.L1349>", "", "a4 a5"),
        ("s390x", "la	%r4,196(%r15)", "r4", "r15"),
    ],
)
def test_registers(name: str, text: str, writes: str, reads: str) -> None:
    spelling = replay.ARCHES[name].spelling
    assert spelling is not None
    one = spelled(spelling, text)
    assert " ".join(sorted(one.writes)) == writes
    assert " ".join(sorted(one.reads)) == reads


def test_where_a_jump_leads() -> None:
    spelling = replay.ARCHES["ppc8xx"].spelling
    assert spelling is not None
    jump = spelled(spelling, "bgt c057f3c0 <snd_pcm_ioctl+0xbb0>")
    assert (jump.target, jump.name, jump.offset) == (0xC057F3C0, "snd_pcm_ioctl", 0xBB0)
    bare = spelled(spelling, "↓ bgt    5d0")
    assert (bare.role, bare.target, bare.name) == (Role.FORKS, 0x5D0, "")
    call = spelled(spelling, "bl      c0012345 <_copy_to_user>")
    assert (call.role, call.name, call.offset) == (Role.CALLS, "_copy_to_user", 0)
