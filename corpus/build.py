# SPDX-License-Identifier: GPL-2.0-only
"""Compile everything that the styles write, by Kbuild's own commands of an allmodconfig.

    python -m corpus.build [--tree DIR] [--arch NAME ...] [--style NAME ...] [--files GLOB]
                           [--out DIR]

What was built before is not built again; Ctrl-C leaves nothing half written.  Exit status 1 when
a rewriting broke, does not compile, or adds a warning of the compiler or of objtool.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace

import uaccel.arch
from corpus.tables import answered, table, version
from uaccel.catalog import catalog
from uaccel.cli.progress import Bar
from uaccel.errors import UserError
from uaccel.flow.coverage import Fate, files, left, offered, shares, total
from uaccel.flow.drafts import STYLES
from uaccel.flow.ground import Ground
from uaccel.flow.rebuild import Rebuilding, Rebuilt, Result, rebuild
from uaccel.host.allmod import Allmod, configure
from uaccel.host.files import put
from uaccel.host.store import Store, cache_folder
from uaccel.host.toolchain import find_toolchain
from uaccel.host.tree import find_tree
from uaccel.model.machine import Arch, Unbuilt
from uaccel.report.plain import line

ARCHES = catalog(uaccel.arch, Arch)
# Off is what only slows a build or hides what is looked for: warnings are compared, not fatal;
# with IBT objtool looks at whole modules, without it at every object.  KASAN, UBSAN and KCOV stay:
# what they put into a window is a call that objtool sees.
_OFF = (
    "# CONFIG_WERROR is not set",
    "CONFIG_DEBUG_INFO_NONE=y",
    "# CONFIG_GCC_PLUGINS is not set",
    "# CONFIG_MODVERSIONS is not set",
)
CONFIGS: Mapping[str, tuple[str, ...]] = {
    "x86_64": (
        *_OFF,
        "# CONFIG_X86_KERNEL_IBT is not set",
        *("CONFIG_KASAN=y", "CONFIG_UBSAN=y", "CONFIG_KCOV=y", "CONFIG_COMPAT=y"),
    ),
    "ppc64le": (
        *_OFF,
        "# CONFIG_PPC_WERROR is not set",
        *("CONFIG_PPC64=y", "CONFIG_CPU_LITTLE_ENDIAN=y"),
        *("CONFIG_PPC_RADIX_MMU=y", "CONFIG_PPC_KUAP=y"),
    ),
}
BAD = (Result.FAILS, Result.WARNS)
COLUMNS = ("style", "file", "clusters", "functions", "arch", "compiler", "result", "message")


def main() -> int:
    """Print what fails, the sums, and write the tables that were asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tree")
    parser.add_argument("--arch", action="append", choices=tuple(CONFIGS))
    parser.add_argument("--style", action="append", choices=tuple(STYLES))
    parser.add_argument("--files", default="*", metavar="GLOB")
    parser.add_argument("--out", metavar="DIR", help="folder for the tables")
    parser.add_argument("--jobs", type=int, default=2)
    return answered(parser, _answer)


def configured(
    ground: Ground, arch: Arch, configs: Mapping[str, tuple[str, ...]] = CONFIGS
) -> Allmod:
    """Return the allmodconfig of `arch` with the lines of `configs`, made if need be.

    A UserError says why there is none.
    """
    toolchain = find_toolchain(arch, ground.environment, ground.compiler)
    if isinstance(toolchain, Unbuilt):
        raise UserError(toolchain.why)
    wanted = replace(arch, config=configs[arch.name])
    made = configure(
        ground.tree, wanted, toolchain, ground.store, lambda what: ground.progress(what, 0, 0)
    )
    if isinstance(made, Unbuilt):
        raise UserError(made.why)
    return made


def _answer(args: argparse.Namespace) -> int:
    return max([_arch(args, ARCHES[name]) for name in args.arch or CONFIGS])


def _arch(args: argparse.Namespace, arch: Arch) -> int:
    tree = find_tree(args.tree, None)
    store = Store(cache_folder(os.environ))
    started = time.monotonic()
    with Bar("looking", verbose=not sys.stderr.isatty()) as bar:
        paths = files(tree, store, args.files, args.jobs, lambda _what, _done, _of: None)
        ground = Ground(tree, store, os.environ, (arch,), "gcc", args.jobs, bar.step)
        allmod = configured(ground, arch)
        styles = tuple(args.style or offered(tree))
        made = rebuild(ground, allmod, styles, paths)
    if args.out:
        put(args.out, f"build-v{version(tree)}-{arch.name}.tsv", _table(made.rows))
    print(f"{arch.name}, {allmod.first.toolchain}: {len(allmod.objects)} objects are configured")
    _show(made, styles)
    print(f"{arch.name}: {time.monotonic() - started:.0f} s")
    broken = any(one.fate is Fate.BROKEN for one in left(made.covered))
    return 1 if broken or any(row.result in BAD for row in made.rows) else 0


def _show(made: Rebuilding, styles: tuple[str, ...]) -> None:
    for row in made.rows:
        if row.result in BAD:
            print(line(f"{row.file}: {row.style}: {row.result.value}: {row.message}"))
    for one in left(made.covered):
        if one.fate is Fate.BROKEN:
            print(line(f"{one.file}:{one.line}:{one.function}: broken: {one.why}"))
    for style in styles:
        mine = [row for row in made.rows if row.style == style]
        wrote = total(shares(one for one in made.covered if one.style == style))
        print(
            f"{style}: {wrote.written} of {wrote.clusters} written in {len(mine)} files; "
            f"{sum(row.reused for row in mine)} were built before"
        )
        for result in Result:
            some = [row for row in mine if row.result is result]
            clusters = sum(row.clusters for row in some)
            print(f"{style}: {result.value}: {len(some)} files, {clusters} clusters")


def _table(rows: tuple[Rebuilt, ...]) -> str:
    cells = (
        (
            *(row.style, row.file, str(row.clusters), " ".join(row.functions)),
            *(row.arch, row.compiler, row.result.value, row.message),
        )
        for row in rows
    )
    return table((COLUMNS, *cells))


if __name__ == "__main__":
    sys.exit(main())
