"""What pytest's workers load is compiled by one of them each: three would each compile all of it at the same time.

In a folder just cloned nothing is compiled yet. Each worker compiles its share of product and tests, then loads the
tests' modules from another one on: what is a third ahead of it, another worker has rewritten and kept by then.
Not for: what is collected, or in which order it is played (pytest does that afterwards, as ever).
"""

from __future__ import annotations

import compileall
import importlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

HERE = Path(__file__).absolute().parent
ROOMS = (HERE.with_name("ecauto_pipeline"), HERE)


def share(files: Sequence[Path], number: int, workers: int) -> list[Path]:
    """What worker `number` of so many, from 0, compiles: each file is of one worker."""
    return list(files[number::workers])


def turned(files: Sequence[Path], number: int, workers: int) -> list[Path]:
    """All of them, in the order in which worker `number` of so many, from 0, loads them."""
    first = len(files) * number // workers
    return [*files[first:], *files[:first]]


def compile_and_load(number: int, workers: int) -> None:
    """What this worker does before it collects. A module that can't be loaded is told where it is collected."""
    sources = sorted(file for room in ROOMS for file in room.rglob("*.py"))
    tests = [file for file in sources if file.name.startswith("test_")]  # pytest rewrites these: it compiles them
    others = [file for file in sources if not file.name.startswith("test_")]
    for file in share(others, number, workers):
        compileall.compile_file(file, quiet=2)
    for file in turned(tests, number, workers):
        name = ".".join(file.relative_to(HERE.parent).with_suffix("").parts)
        with suppress(Exception, pytest.skip.Exception):
            importlib.import_module(name)
