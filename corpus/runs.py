# SPDX-License-Identifier: GPL-2.0-only
"""Run everything that a style writes beside what stood there, with a fault at every access.

    python -m corpus.runs [--tree DIR] [--arch NAME ...] [--style NAME] [--files GLOB] [--out DIR]

The objects are those of an allmodconfig without sanitizers, checks and tracers: what these put
beside an access is a call that a window has not.  Exit status 1 when a function does otherwise
than before in a way that its style does not declare.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping

from corpus.build import ARCHES, configured
from corpus.tables import answered, table, version
from uaccel.cli.progress import Bar
from uaccel.flow.coverage import files
from uaccel.flow.drafts import STYLES
from uaccel.flow.ground import Ground
from uaccel.flow.running import Ran, run_files
from uaccel.host.files import put
from uaccel.host.store import Store, cache_folder
from uaccel.host.tree import find_tree
from uaccel.model.judgement import Outcome
from uaccel.model.machine import Arch
from uaccel.model.run import Coverage
from uaccel.report.plain import line

# Without EXPERT nothing selects DEBUG_KERNEL, and with it all that depends on it goes.
_LEAN = (
    *("# CONFIG_EXPERT is not set", "# CONFIG_DEBUG_KERNEL is not set if possible"),
    *("# CONFIG_WERROR is not set", "# CONFIG_GCC_PLUGINS is not set"),
    *("# CONFIG_MODVERSIONS is not set", "# CONFIG_FTRACE is not set"),
    *("# CONFIG_KASAN is not set", "# CONFIG_KCSAN is not set", "# CONFIG_KMSAN is not set"),
    *("# CONFIG_UBSAN is not set", "# CONFIG_KCOV is not set", "# CONFIG_GCOV_KERNEL is not set"),
    *("# CONFIG_HARDENED_USERCOPY is not set", "# CONFIG_FORTIFY_SOURCE is not set"),
    "# CONFIG_STACKPROTECTOR is not set",
)
CONFIGS: Mapping[str, tuple[str, ...]] = {
    "x86_64": (*_LEAN, "# CONFIG_X86_KERNEL_IBT is not set", "CONFIG_COMPAT=y"),
    "ppc64le": (
        *(*_LEAN, "# CONFIG_PPC_WERROR is not set", "CONFIG_PPC64=y"),
        *("CONFIG_CPU_LITTLE_ENDIAN=y", "CONFIG_PPC_RADIX_MMU=y", "CONFIG_PPC_KUAP=y"),
        "# CONFIG_PPC_MEM_KEYS is not set",  # what a task forbids itself is no part of a proof
    ),
    "arm64-ttbr0": (
        *(*_LEAN, "# CONFIG_ARM64_PAN is not set", "CONFIG_ARM64_SW_TTBR0_PAN=y"),
        *("# CONFIG_SHADOW_CALL_STACK is not set", "CONFIG_ARM64_VA_BITS_39=y"),
    ),
}
COLUMNS = (
    *("style", "file", "function", "clusters", "arch", "compiler", "outcome", "runs"),
    *("ways", "reached", "faulted", "why"),
)


def main() -> int:
    """Print what differs, the sums, and write the tables that were asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tree")
    parser.add_argument("--arch", action="append", choices=tuple(CONFIGS))
    parser.add_argument("--style", choices=tuple(STYLES), default="window")
    parser.add_argument("--files", default="*", metavar="GLOB")
    parser.add_argument("--out", metavar="DIR", help="folder for the tables")
    parser.add_argument("--jobs", type=int, default=2)
    return answered(parser, _answer)


def _answer(args: argparse.Namespace) -> int:
    return max([_arch(args, ARCHES[name]) for name in args.arch or CONFIGS])


def _arch(args: argparse.Namespace, arch: Arch) -> int:
    tree = find_tree(args.tree, None)
    store = Store(cache_folder(os.environ))
    started = time.monotonic()
    with Bar("looking", verbose=not sys.stderr.isatty()) as bar:
        paths = files(tree, store, args.files, args.jobs, lambda _what, _done, _of: None)
        ground = Ground(tree, store, os.environ, (arch,), "gcc", args.jobs, bar.step)
        rows = run_files(ground, configured(ground, arch, CONFIGS), arch, args.style, paths)
    if args.out:
        put(args.out, f"runs-v{version(tree)}-{arch.name}.tsv", _table(args.style, rows))
    _show(arch, rows)
    print(f"{arch.name}: {time.monotonic() - started:.0f} s")
    return 1 if any(row.proof.judgement.outcome is Outcome.FAIL for row in rows) else 0


def _show(arch: Arch, rows: tuple[Ran, ...]) -> None:
    for row in rows:
        if row.proof.judgement.outcome is Outcome.FAIL:
            print(line(f"{row.file}:{row.function}: {row.proof.judgement.why}"))
    for outcome in Outcome:
        some = [row for row in rows if row.proof.judgement.outcome is outcome]
        clusters = sum(row.clusters for row in some)
        print(f"{arch.name}: {outcome.value}: {len(some)} functions, {clusters} clusters")
    whys = Counter(
        row.proof.judgement.why.partition(":")[0]
        for row in rows
        if row.proof.judgement.outcome is Outcome.UNKNOWN
    )
    for why, times in whys.most_common():
        print(line(f"{arch.name}: unknown: {times}: {why}"))


def _table(style: str, rows: tuple[Ran, ...]) -> str:
    cells = (
        (
            *(style, row.file, row.function, str(row.clusters), row.arch, row.compiler),
            *(row.proof.judgement.outcome.value, str(row.proof.runs or "-")),
            *(_of(row.proof.after, "taken", "ways"), _of(row.proof.after, "reached", "entries")),
            _of(row.proof.after, "met", "entries"),
            row.proof.judgement.why,
        )
        for row in rows
    )
    return table((COLUMNS, *cells))


def _of(coverage: Coverage | None, some: str, every: str) -> str:
    return f"{getattr(coverage, some)}/{getattr(coverage, every)}" if coverage else "-"


if __name__ == "__main__":
    sys.exit(main())
