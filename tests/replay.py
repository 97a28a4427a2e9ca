# SPDX-License-Identifier: GPL-2.0-only
"""What each catalogue makes of a case.

A case gives some fences and expects others; both are named by their first word.

* `uaccel/arch/NAME.md` gives ```listing, a row of `mnemonic operands` per instruction, and expects
  ```roles, a row of `LINE role` per line that means something to a window; ```objdump, the same as
  GNU objdump writes it, where it is told of a toggle which way it goes, and `user` stands at what
  reaches user memory; or ```entries, a
  row of `KIND FIELD=VALUE...` per entry of an exception table, and expects ```effects, a row per
  entry that says what a fault does besides going on elsewhere.
* `uaccel/styles/NAME.md` gives ```c, a file, for struct copies ```layout [ARCH] (see
  `tests/layouts.py`), and where it matters what the tree offers ```dialect NAME...: the fields of
  `Dialect` that hold there, `clang=13.0.1` and `opens=no` among them, `unmasked` where no begin
  masks; without one it is that of every tree.  It expects ```diff, the lines that change, or
  ```refusal, one sentence per
  cluster that is left alone (that of its macro, where that cannot be written out), or both;
  ```differences, what a user program could notice, may stand
  there too and is then compared.
* `uaccel/checks/NAME.md` gives one of
  ```log built, ```log failed: what the compiler said, with or without an object at the end;
  ```listing ARCH: a row of `mnemonic operands` per instruction, with `-> NAME` or `-> LINE` where a
  call or jump leads and `!! LINE` where a fault goes on, `NAME:` above another function's rows,
  `names NAME` for a symbol of another object;
  ```runs: pairs of runs as `tests/runs.py` writes them down;
  ```objtool: what objtool said of an object, ```objtool none where it does not run;
  ```command STATUS: what a program printed before it ended so, with ```stderr for its other stream;
  ```compiled ARCH...: the architectures whose object holds the lines;
  ```nothing: no evidence was gathered.
  It expects ```verdict: `outcome: why`, and ```story, what is told of a difference, where it
  stands there.
* `uaccel/machines/NAME.md` gives ```listing, and expects ```roles as above; or ```without, lines
  that a configuration lacks, and expects ```lost, those that the machine refuses to go without.
* `uaccel/rules/NAME.md` gives ```c, a file, judged alone, or ```c landed as in a tree whose
  accessors land on a label of their own, or ```c together as in one where all openings are alike.
  It expects ```findings, a row of `LINE: level: message` per finding of that rule, and
  ```unknown, a row of `LINE: why` per thing that it, or any rule, cannot judge; neither where
  there is nothing to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import unified_diff
from pathlib import PurePosixPath
from typing import TypeGuard

import uaccel.arch
import uaccel.checks
import uaccel.machines
import uaccel.rules
import uaccel.styles
from tests import runs
from tests.cases import Block, Case
from tests.layouts import layouts
from uaccel.annotated.slices import code_of
from uaccel.annotated.spelling import plain, role_of
from uaccel.attribution import attribute
from uaccel.catalog import catalog
from uaccel.edits import apply, longest
from uaccel.elements import members
from uaccel.flow.judge import Ground, judge_beside
from uaccel.flow.vicinity import Vicinity
from uaccel.host.kbuild import fragment_lines, survivors
from uaccel.lending import LINUX
from uaccel.model.annotation import Annotated, Annotation
from uaccel.model.boot import Machine
from uaccel.model.command import Command
from uaccel.model.dialect import COMMON, Dialect
from uaccel.model.expansion import Expansion
from uaccel.model.judged import Rule
from uaccel.model.judgement import Check, Evidence
from uaccel.model.machine import Arch, Build, Insn, Listing
from uaccel.model.rewrite import Edit, Refusal, Rewrite, Style
from uaccel.model.series import Change
from uaccel.model.source import Source
from uaccel.read.bounds import unbound
from uaccel.read.definitions import read_header
from uaccel.read.expansions import expansions
from uaccel.read.fixups import interpret
from uaccel.read.flowfile import Helpers
from uaccel.read.reading import read_source

ARCHES: Mapping[str, Arch] = catalog(uaccel.arch, Arch)
MACHINES: Mapping[str, Machine] = catalog(uaccel.machines, Machine)
STYLES: Mapping[str, Style] = catalog(uaccel.styles, Style)
CHECKS: Mapping[str, Check] = catalog(uaccel.checks, Check)
RULES: Mapping[str, Rule] = catalog(uaccel.rules, Rule)

GIVEN = (
    *(
        "listing",
        "objdump",
        "runs",
        "entries",
        "c",
        "layout",
        "dialect",
        "log",
        "objtool",
        "command",
        "stderr",
        "compiled",
        "without",
    ),
    "nothing",
)
OPTIONAL = ("differences", "story")


def arch(name: str, case: Case) -> dict[str, str]:
    """Return the role of each line of a listing that has one, or what each entry does."""
    for entries in case.of("entries"):
        told = (_effects(ARCHES[name], row) for row in entries.text.splitlines())
        return {"effects": "".join(f"{effects}\n" for effects in told)}
    for written in case.of("objdump"):
        return {"roles": _written(ARCHES[name], written.text)}
    (given,) = case.of("listing")
    insns = (_insn(number, row) for number, row in enumerate(given.text.splitlines(), start=1))
    found = ((insn.address, ARCHES[name].role(insn)) for insn in insns)
    return {"roles": "".join(f"{number} {role.value}\n" for number, role in found if role)}


def _written(given: Arch, text: str) -> str:
    rows = tuple(Annotated(1.0, 4 * i, b"", row) for i, row in enumerate(text.splitlines()))
    note = Annotation("f", "", "", "", "", rows, True, True, 0, "")
    assert given.spelling is not None
    roles = tuple(role_of(given.spelling.rows, plain(row.text)) for row in rows)
    code = code_of(note, given.spelling, (None,) * len(rows), roles)
    found = attribute(note, (given,))
    shares = [share for window in found.windows for share in window.shares]
    told = []
    for number, (row, opens) in enumerate(zip(code.rows, code.opens, strict=True), start=1):
        reaches = any(
            number - 1 in one.rows and one.what == " ".join(rows[number - 1].text.split())
            for one in shares
        )
        if opens is not None:
            told.append(f"{number} {'opens' if opens else 'closes'}\n")
        elif row.role is not None or reaches:
            what = row.role.value if row.role else ""
            told.append(f"{number} {what}{' user' if reaches else ''}".replace("  ", " ") + "\n")
    return "".join(told)


def styles(name: str, case: Case) -> dict[str, str]:
    """Return what a style does with a file: the lines it changes, the clusters it refuses."""
    (given,) = case.of("c")
    known = tuple(layouts(block.argument or "any", block.text) for block in case.of("layout"))
    source = Source(PurePosixPath("case.c"), given.text.encode())
    edits: list[Edit] = []
    why: list[str] = []
    differences: dict[str, None] = {}
    own = (read_header(source.text),)
    for function in read_source(source).functions:
        told = replace(dialect(case), unbound=unbound(own, members(function)))
        kept = {r.cluster: r.why for r in expansions(function) if _stays(r)}
        for answer in STYLES[name].plan(function, known, told):
            match answer:
                case Refusal():
                    why.append(kept.get(answer.cluster, answer.why))
                case Rewrite():
                    edits += answer.edits
                    differences |= dict.fromkeys(answer.differences)
    said = {
        "diff": _diff(given.text, apply(source.text, longest(edits)).decode()),
        "refusal": "".join(f"{sentence}\n" for sentence in why),
        "differences": "".join(f"{sentence}\n" for sentence in differences),
    }
    return {kind: text for kind, text in said.items() if text}


def _stays(answer: Expansion | Refusal) -> TypeGuard[Refusal]:
    # A macro that is called for accesses outside of windows and cannot be written out.
    return isinstance(answer, Refusal) and not answer.cluster.stands


def dialect(case: Case) -> Dialect:
    """Return what may be written in the tree of a case."""
    given = case.of("dialect")
    if not given:
        return COMMON
    words = (given[0].argument or "").split()
    offered = {word for word in words if "=" not in word}
    clang = next((w.partition("=")[2] for w in words if w.startswith("clang=")), "")
    names = {"copies_from", "copies_to", "scoped", "masked", "directed"}
    names |= {"lent", "clamps", "unmasked", "unfenced"}
    assert offered <= names, f"no field of Dialect: {sorted(offered - names)}"
    return Dialect(
        copies_from="copies_from" in offered,
        copies_to="copies_to" in offered,
        scoped="scoped" in offered,
        masked="masked" in offered,
        directed="directed" in offered,
        clang=tuple(int(part) for part in clang.split(".")) if clang else COMMON.clang,
        masks="unmasked" not in offered,
        clamps="clamps" in offered,
        fences="unfenced" not in offered,
        lent=Change(LINUX, b"", b"") if "lent" in offered else None,
        opens="opens=no" not in words,
    )


def checks(name: str, case: Case) -> dict[str, str]:
    """Return what a check says of the evidence."""
    judgement = CHECKS[name].judge(_evidence(name, case))
    story = "".join(f"{line}\n" for line in judgement.story)
    return {"verdict": f"{judgement.outcome.value}: {judgement.why}\n", "story": story}


def rules(name: str, case: Case) -> dict[str, str]:
    """Return what one rule finds in a file, and what could not be judged."""
    (given,) = case.of("c")
    words = (given.argument or "").split()
    around = Vicinity(Helpers(), apart="together" not in words, landed="landed" in words)
    ground = Ground(None, rules=(name.replace("_", "-"),))
    judged = judge_beside(ground, "case.c", given.text.encode(), around)
    said = {
        "findings": "".join(
            f"{one.place.line}: {one.level.value}: {one.message}\n" for one in judged.findings
        ),
        "unknown": "".join(f"{one.place.line}: {one.why}\n" for one in judged.doubts),
    }
    return {kind: text for kind, text in said.items() if text}


def machines(name: str, case: Case) -> dict[str, str]:
    """Return the role of each line of a listing that has one, or what a machine lacks."""
    machine = MACHINES[name]
    for absent in case.of("without"):
        left = set(fragment_lines(machine.config)) - set(absent.text.splitlines())
        lost, _ = survivors(machine.config, "\n".join(left))
        return {"lost": "".join(f"{line}\n" for line in lost)}
    (given,) = case.of("listing")
    rows = machine.rows or ARCHES[machine.arch].rows
    insns = enumerate(given.text.splitlines(), start=1)
    roles = ((number, [r.role for r in rows if re.fullmatch(r.pattern, i)]) for number, i in insns)
    return {"roles": "".join(f"{number} {found[0].value}\n" for number, found in roles if found)}


BY_FOLDER: Mapping[str, Callable[[str, Case], dict[str, str]]] = {
    "arch": arch,
    "checks": checks,
    "machines": machines,
    "rules": rules,
    "styles": styles,
}


def _effects(arch: Arch, row: str) -> str:
    kind, *words = row.split()
    assert arch.fixups is not None and arch.emulation is not None
    fields = dict.fromkeys((field.name for field in arch.fixups.fields), 0)
    fields |= {name: int(value) for name, _, value in (word.partition("=") for word in words)}
    fixup = interpret(0, 0, kind, fields, arch.fixups)
    names = arch.emulation.numbered
    said = [f"{names[number]} := {value}" for number, value in fixup.sets]
    if fixup.scales:
        first, second, factor = fixup.scales
        said.insert(0, f"{names[first]} := {names[second]} + {factor} * {names[first]}")
    if fixup.clears:
        said.append(f"{fixup.clears[1]} bytes at {names[fixup.clears[0]]} are zero")
    if fixup.shortens:
        said.append("the move is shortened")
    return "; ".join(said) or ("nothing" if fixup.known else "not known")


def _insn(number: int, row: str) -> Insn:
    mnemonic, _, operands = row.strip().partition(" ")
    return Insn(number, 1, mnemonic, operands.strip(), None, (), False)


def _evidence(name: str, case: Case) -> Evidence:
    given = {block.kind: block for block in case.blocks}
    if "nothing" in given:
        return Evidence()
    if "compiled" in given:
        return Evidence(compiled_on=tuple((given["compiled"].argument or "").split()))
    if "command" in given:
        said, errors = given["command"], given.get("stderr")
        status = int(said.argument or "0")
        return Evidence(
            command=Command((name,), "linux", status, said.text, errors.text if errors else "")
        )
    if "runs" in given:
        return runs.evidence(given["runs"].text)
    if "listing" in given:
        return Evidence(listing=_listing(given["listing"]))
    return Evidence(build=_build(given.get("log"), given.get("objtool")))


_ROW = re.compile(r"(?P<insn>.*?)(?: -> (?P<to>\S+))?(?: !! (?P<fixup>\d+))?")


def _listing(block: Block) -> Listing:
    assert block.argument is not None
    parts: dict[str, list[Insn]] = {"lamp_get": []}
    foreign: list[str] = []
    insns = parts["lamp_get"]
    for number, row in enumerate(block.text.splitlines(), start=1):
        if row.startswith("names "):
            foreign.append(row.removeprefix("names "))
        elif row.endswith(":"):
            insns = parts[row.removesuffix(":")] = []
        else:
            insns.append(_row(number, row))
    arch = ARCHES[block.argument]
    whole, *callees = (Listing(arch, at, tuple(one), len(one), 0) for at, one in parts.items())
    return replace(whole, callees=tuple(callees), foreign=tuple(foreign))


def _row(number: int, row: str) -> Insn:
    found = _ROW.fullmatch(row)
    assert found is not None, f"no instruction: {row}"
    to, fixup = found["to"], found["fixup"]
    return replace(
        _insn(number, found["insn"]),
        target=int(to) if to and to.isdigit() else to,
        access=fixup is not None,
        fixup=int(fixup) if fixup else None,
    )


def _build(log: Block | None, objtool: Block | None) -> Build:
    failed = log is not None and log.argument == "failed"
    silent = objtool is None or objtool.argument == "none"
    return Build(
        arch="invented",
        toolchain="gcc 1.2.3",
        path=None if failed else "case.o",
        log=log.text if log else "",
        objtool=None if silent or objtool is None else objtool.text,
        command="gcc -c case.c",
        reused=False,
    )


def _diff(before: str, after: str) -> str:
    # The hunks alone; a blank line of context stays blank for editors' sake.
    lines = unified_diff(before.splitlines(True), after.splitlines(True), n=1)
    hunks = (line for line in lines if not line.startswith(("---", "+++", "@@")))
    return "".join("\n" if line == " \n" else line for line in hunks)
