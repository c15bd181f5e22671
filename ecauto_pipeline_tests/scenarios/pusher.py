"""A process of its own that pushes, to be killed: it is told run ids, and forks one child an id that runs it.

It tells ("pid", N) when a child begins and ("ended", CODE) when it is over. Only for tests that kill; not for: laws.
"""

from __future__ import annotations

import contextlib
import os
import traceback
from multiprocessing.connection import Connection
from pathlib import Path

import requests

from ecauto_pipeline.amazon.operations import catalog_items, competitive_summary, item_offers_batch
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.settings import Settings, load
from ecauto_pipeline.shops.base import shop
from ecauto_pipeline.sync.context import Run
from ecauto_pipeline.sync.line import STEPS
from ecauto_pipeline.wiring.open import open_tools

_A_RUN_LOADS = (requests, catalog_items, competitive_summary, item_offers_batch, shop)
"""When it first needs them: each child would load them anew."""


def run_once(settings: Settings, run_id: str) -> None:
    """Read the shops, decide, push."""
    clock = SystemClock()
    run = Run(run_id=run_id, job="full_sync", partition_keys=("2026-06-01-12:00",), started_at=clock.now())
    with open_tools(settings, run_id=run_id) as tools:
        for name in ("listings", "price_diffs", "visibility_diffs", "base_updates"):
            STEPS[name].run(tools.for_run(run))


def push_what_is_told(told: Connection, file: Path) -> None:
    """Until the other end is closed. `file`: ecauto.toml."""
    settings = load(file, {})
    with contextlib.suppress(EOFError):
        while run_id := told.recv():
            child = os.fork()
            if child == 0:
                try:
                    run_once(settings, run_id)
                except BaseException:
                    traceback.print_exc()
                    os._exit(1)
                os._exit(0)
            told.send(("pid", child))
            told.send(("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
