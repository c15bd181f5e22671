"""Processes of their own for the tests: begun from one that has imported the product, where the system has such.

Not for: commands of the product (subprocess, where those are what is tested).
"""

from __future__ import annotations

import functools
import multiprocessing
from typing import Any

_IMPORTED = (
    "ecauto_pipeline.wiring.open",
    "ecauto_pipeline.sync.sp_api_snapshots.fetch",
    "ecauto_pipeline_tests.sync.sp_api_snapshots.means",
    "ecauto_pipeline_tests.scenarios.pusher",
    "ecauto_pipeline_tests.shops.base.shops_at_hand",
    "ecauto_pipeline_tests.shops.csv.file_shop",
    "ecauto_pipeline.emulator.server",
    "hypothesis",
)


@functools.cache
def fresh() -> Any:
    """A context of multiprocessing whose processes share nothing with this one: no thread, file or lock of it."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_IMPORTED))
    return context


def from_nothing() -> Any:
    """A context of multiprocessing whose processes begin as any program does: they import what they need themselves."""
    return multiprocessing.get_context("spawn")


_also_imported: set[str] = set()


def imported_before(*modules: str) -> None:
    """What fresh processes are begun from imports these too, so that none of them needs to. One that was begun without
    them ends: to begin another costs less than to import them in a few processes."""
    if fresh().get_start_method() != "forkserver" or _also_imported.issuperset(modules):
        return
    _also_imported.update(modules)
    from multiprocessing import forkserver  # there is none on Windows

    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # as the tests of Python end it
    fresh().set_forkserver_preload([*_IMPORTED, *sorted(_also_imported)])
