# SPDX-License-Identifier: GPL-2.0-only
"""The shape of the code base, written as tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

import pytest

from tests import replay
from tests.cases import cases

HERE = Path(__file__).parent
ROOT = HERE.parent / "uaccel"

# Lowest first.  A module imports from the lines above its own, never from its own.
LAYERS = (
    ("errors",),
    ("model",),
    (
        "edits",
        "tables",
        "catalog",
        "ctext",
        "accessors",
        "candidates",
        "sites",
        "lending",
        "paths",
        "traces",
        "stories",
        "fragments",
    ),
    ("lengths", "tracking", "extents", "annotated"),
    ("walking",),
    ("ruling",),
    ("leaving",),
    ("fields", "ranges", "outlines"),
    ("hoists", "elements"),
    ("windows",),
    ("drawing", "sharing", "pointers"),
    ("landings", "orphans"),
    ("changes",),
    ("writing",),
    ("shares", "noise"),
    ("moves",),
    ("causes",),
    ("remarks",),
    (
        "read",
        "arch",
        "machines",
        "styles",
        "checks",
        "rules",
        "host",
        "report",
        "attribution",
        "count",
        "gain",
        "rank",
        "compare",
        "dialects",
        "traceshares",
    ),
    ("ties",),
    ("flow",),
    ("cli",),
)
CATALOGUES: Mapping[str, Mapping[str, object]] = {
    "arch": replay.ARCHES,
    "checks": replay.CHECKS,
    "machines": replay.MACHINES,
    "rules": replay.RULES,
    "styles": replay.STYLES,
}
FILES = sorted(ROOT.rglob("*.py"))
TESTS = [HERE.parent / "conftest.py", *sorted(HERE.rglob("*.py"))]
# The story of a file system: opening, looking, changing.
DISK = {
    *("open", "read_text", "read_bytes", "write_text", "write_bytes", "unlink", "mkdir", "rmdir"),
    *("touch", "rename", "symlink_to", "hardlink_to", "chmod", "iterdir", "glob", "rglob"),
    *("rmtree", "copytree", "copyfile", "makedirs", "listdir", "scandir"),
}
PROGRAMS = {"subprocess", "pty", "popen2", "commands"}
STARTS = {"system", "popen", "fork", "posix_spawn", "execv", "execve", "execvp", "spawnv"}
# Files of read/ that say why a style must leave something alone.
SPEAKING = (
    *("forms", "standing", "scaffold", "landings"),
    *("operands", "steps", "sequence", "stretches", "outcomes"),
)
# What the styles with a window share: why there can be none, and what changes by it.
WINDOWS = (
    *("lengths", "ranges", "elements", "hoists", "windows", "pointers", "drawing"),
    *("writing", "changes", "landings", "orphans"),
)
# Of two stages together: tests/test_rewrites.py has the example.
DRAFTED = ("RANGE",)
# What a page of an architecture shows instructions in.
SHOWN = ("listing", "objdump")
# Sentences a person reads have at least this many blanks.
SENTENCE = 2

Definition = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    """Return how a test names the file at `path`."""
    return str(path.relative_to(HERE.parent))


every_file = pytest.mark.parametrize("path", FILES, ids=name_of)
every_file_and_test = pytest.mark.parametrize("path", [*FILES, *TESTS], ids=name_of)
every_entry = pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, entries in CATALOGUES.items() for name in entries]
)


def syntax(path: Path) -> ast.Module:
    """Return the syntax tree of the file at `path`."""
    return ast.parse(path.read_text())


def top(path: Path) -> str:
    """Return the part of the package that `path` belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def layer(module: str) -> int:
    """Return the floor of a part of the package."""
    found = [floor for floor, names in enumerate(LAYERS) if module in names]
    assert found, f"uaccel/{module} has no floor: name it in LAYERS"
    return found[0]


def imports(path: Path) -> set[str]:
    """Return the full names that the module at `path` imports."""
    names = set()
    for node in ast.walk(syntax(path)):
        match node:
            case ast.ImportFrom(module=str(module), names=aliases):
                names |= {f"{module}.{alias.name}" for alias in aliases}
            case ast.Import(names=aliases):
                names |= {alias.name for alias in aliases}
    return names


def functions(tree: ast.Module) -> Iterator[Definition]:
    """Yield the functions of a module and the methods of its public classes."""
    for node in tree.body:
        if isinstance(node, Definition):
            yield node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from (inner for inner in node.body if isinstance(inner, Definition))


@every_file
def test_imports_go_down(path: Path) -> None:
    if path == ROOT / "__init__.py":
        assert not imports(path)
        return
    parts = {name.split(".")[1] for name in imports(path) if name.startswith("uaccel.")}
    for other in parts - {top(path), "__version__"}:
        assert layer(other) < layer(top(path)), f"{top(path)} must not import {other}"


@every_file
def test_only_one_door_starts_programs(path: Path) -> None:
    if path == ROOT / "host" / "run.py":
        return
    assert not {name.split(".")[0] for name in imports(path)} & PROGRAMS
    assert not {name for name in called(path) if name in STARTS}


@every_file
def test_only_host_touches_files(path: Path) -> None:
    if top(path) == "host":
        return
    assert not called(path) & DISK


@every_file
def test_only_cli_prints(path: Path) -> None:
    if top(path) == "cli":
        return
    nodes = list(ast.walk(syntax(path)))
    assert not [node for node in nodes if isinstance(node, ast.Name) and node.id == "print"]
    streams = [n for n in nodes if isinstance(n, ast.Attribute) and n.attr in ("stdout", "stderr")]
    assert not [n for n in streams if isinstance(n.value, ast.Name) and n.value.id == "sys"]


@every_file
def test_no_architecture_is_named_outside_its_file(path: Path) -> None:
    # A machine names the architecture that its code is of: that is what it is there for.
    if top(path) in ("arch", "machines"):
        return
    words = {n.value for n in ast.walk(syntax(path)) if isinstance(n, ast.Constant)}
    assert not words & set(replay.ARCHES)


@every_file_and_test
def test_files_are_short_and_say_their_licence(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0] == "# SPDX-License-Identifier: GPL-2.0-only"
    assert len(lines) <= 400


@every_file_and_test
def test_functions_are_short(path: Path) -> None:
    for node in ast.walk(syntax(path)):
        if isinstance(node, Definition):
            assert length(node) <= 60, f"{node.name} has {length(node)} lines"


def test_most_functions_are_very_short() -> None:
    sizes = [length(node) for path in FILES for node in functions(syntax(path))]
    assert median(sizes) <= 12
    assert sum(size <= 30 for size in sizes) >= 0.9 * len(sizes)


@every_file
def test_public_functions_say_what_comes_back(path: Path) -> None:
    for function in functions(syntax(path)):
        said = ast.get_docstring(function)
        if not function.name.startswith("_"):
            assert said, f"{function.name} is public and says nothing"
            assert said.partition("\n\n")[0].endswith("."), f"{function.name}: one sentence first"
        else:
            assert not said, f"{function.name} is private: its name must do"


@every_entry
def test_every_entry_is_immutable_all_the_way_down(kind: str, name: str) -> None:
    hash(CATALOGUES[kind][name])  # raises on a list or dict inside a frozen record


@pytest.mark.parametrize("kind", CATALOGUES)
def test_every_entry_has_its_page(kind: str) -> None:
    pages = {path.stem for path in (ROOT / kind).glob("*.md")}
    assert pages == set(CATALOGUES[kind])


@pytest.mark.parametrize("kind", CATALOGUES)
def test_every_page_is_collected(kind: str, request: pytest.FixtureRequest) -> None:
    session = request.session
    collected = {item.path for item in session.items}
    whole = session.config.args == [str(HERE.parent)] or not session.config.args
    assert not whole or set((ROOT / kind).glob("*.md")) <= collected


def test_nothing_is_booted_unasked(request: pytest.FixtureRequest) -> None:
    assert not [item for item in request.session.items if item.get_closest_marker("boot")]


@every_entry
def test_every_page_has_what_is_and_what_is_not(kind: str, name: str) -> None:
    page = (ROOT / kind / f"{name}.md").read_text()
    blocks = [block for case in cases(page) for block in case.blocks]
    assert page.startswith(f"# {name}\n")
    if kind == "styles":
        assert {"diff", "refusal"} <= {block.kind for block in blocks}
    if kind == "checks":
        said = {block.text.partition(":")[0] for block in blocks if block.kind == "verdict"}
        assert "pass" in said and said - {"pass"}
    if kind == "rules":
        told = {
            frozenset(block.kind for block in case.blocks) & {"findings", "unknown"}
            for case in cases(page)
            if case.blocks
        }
        assert {frozenset(), frozenset({"findings"}), frozenset({"unknown"})} <= told
    if kind == "machines":
        refused = {bool(block.text) for block in blocks if block.kind == "lost"}
        assert refused == {True, False}
    if kind in ("arch", "machines"):
        listed = sum(len(b.text.splitlines()) for b in blocks if b.kind in SHOWN)
        meant = sum(len(b.text.splitlines()) for b in blocks if b.kind == "roles")
        assert 0 < meant < listed


@pytest.mark.parametrize("name", replay.MACHINES)
def test_a_machine_knows_its_name_and_what_runs_on_it(name: str) -> None:
    machine = replay.MACHINES[name]
    assert machine.name == name
    assert machine.userlands and machine.objects > 0
    assert machine.rows or machine.arch in replay.ARCHES


@every_entry
def test_no_two_cases_of_a_page_share_a_title(kind: str, name: str) -> None:
    titles = [case.title for case in cases((ROOT / kind / f"{name}.md").read_text())]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("name", replay.STYLES)
def test_every_sentence_of_a_style_has_an_example(name: str) -> None:
    shown = examples([name])
    for sentence in sentences(ROOT / "styles" / f"{name}.py"):
        assert any(re.match(sentence, line) for line in shown), f"no example of {sentence!r}"


SHARED = [
    ROOT / "fields.py",
    *(ROOT / f"{name}.py" for name in WINDOWS),
    *(ROOT / "read" / f"{name}.py" for name in SPEAKING),
]


@pytest.mark.parametrize("path", SHARED, ids=name_of)
def test_every_sentence_that_styles_share_has_an_example(path: Path) -> None:
    shown = examples(list(replay.STYLES))
    for sentence in sentences(path):
        assert any(re.search(sentence, line) for line in shown), f"no example of {sentence!r}"


def examples(styles: list[str]) -> list[str]:
    """Return every line that a page of `styles` shows as a refusal or a difference."""
    pages = ((ROOT / "styles" / f"{name}.md").read_text() for name in styles)
    blocks = (block for page in pages for case in cases(page) for block in case.blocks)
    kinds = ("refusal", "differences")
    return [line for b in blocks if b.kind in kinds for line in b.text.splitlines()]


def sentences(path: Path) -> Iterator[str]:
    """Yield, as patterns, what the module at `path` returns, refuses with, or keeps to say."""
    tree = syntax(path)
    for node in ast.walk(tree):
        match node:
            case ast.Return(value=ast.expr() as value):
                yield from _patterns(value)
            case ast.Call(func=ast.Name(id="Refusal" | "Whole"), args=arguments):
                for argument in arguments:
                    yield from _patterns(argument)
            case ast.keyword(arg="obstacle", value=value):
                yield from _patterns(value)
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if path.name != "fields.py" and name not in DRAFTED:
                    yield from _patterns(value)


def _patterns(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            pattern = re.sub(r"\\\{[\w\\.]+\\\}", ".+", re.escape(text))  # a template for format()
        case ast.JoinedStr(values=parts):
            pieces = (p.value if isinstance(p, ast.Constant) else None for p in parts)
            pattern = "".join(".+" if p is None else re.escape(str(p)) for p in pieces)
            text = pattern
        case ast.IfExp(body=body, orelse=other):
            yield from _patterns(body)
            yield from _patterns(other)
            return
        case ast.Dict(values=values):
            for value in values:
                yield from _patterns(value)
            return
        case _:
            return
    if text.count(" ") >= SENTENCE and "\n" not in text:  # several lines are C
        yield pattern


def called(path: Path) -> set[str]:
    """Return the last names of everything that the module at `path` calls."""
    names = set()
    for node in ast.walk(syntax(path)):
        match node:
            case ast.Call(args=[ast.Attribute(attr="devnull"), *_]):
                pass  # nothing is opened there
            case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
                names.add(name)
    return names


def length(node: Definition) -> int:
    """Return how many lines a function takes."""
    return (node.end_lineno or node.lineno) - node.lineno + 1
