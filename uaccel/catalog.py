# SPDX-License-Identifier: GPL-2.0-only
"""Find the records that packages of one-file entries define.

A catalogue is a package in which every module defines exactly one record of
the wanted kind: `arch/riscv64.py` defines the `Arch` called `riscv64`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TypeVar

from uaccel.errors import BrokenInvariant

Record = TypeVar("Record")


def catalog(package: ModuleType, kind: type[Record]) -> Mapping[str, Record]:
    """Map module names to records, in alphabetical order."""
    names = sorted(module.name for module in iter_modules(package.__path__))
    return {name: _sole(import_module(f"{package.__name__}.{name}"), kind) for name in names}


def _sole(module: ModuleType, kind: type[Record]) -> Record:
    found = [value for value in vars(module).values() if isinstance(value, kind)]
    if len(found) != 1:
        raise BrokenInvariant(
            f"{module.__name__} defines {len(found)} records of kind {kind.__name__}, not 1"
        )
    return found[0]
