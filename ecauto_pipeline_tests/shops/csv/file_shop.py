"""A real CsvShop in a small world, and a run of it that dies around the moment its update file takes its name.

As a program: `python -m ecauto_pipeline_tests.shops.csv.file_shop FOLDER before|during|after`. Not for: laws.
"""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path

from ecauto_pipeline.atomic_file import replacing
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.settings import parse
from ecauto_pipeline.shops.csv.shop import CsvShop
from ecauto_pipeline_tests.shops.csv.cart import FileCart
from ecauto_pipeline_tests.sync.diffs.selling import NOW, World


class FileShop(CsvShop):
    """With a cart that can be filled, and a moment to die at ("" = it lives)."""

    def __init__(self, folder: Path, dies: str = "") -> None:
        self.cart, self.dies = FileCart(folder), dies
        settings = parse({"csv": {"accounts": (self.cart.account(),)}}, folder)
        super().__init__(settings.csv.accounts[0], settings, ManualClock(NOW), f"run{dies}")

    def put(self, item_id: str, price_jpy: int, visible: bool = True, stock: int = 1) -> None:
        self.cart.put(item_id, price_jpy, int(visible), stock)
        self.cart.export(NOW - timedelta(hours=1))

    def flush(self) -> None:
        if self.dies == "during":
            with replacing(self.cart.updates / "store_20260601-120000000_run.csv") as temporary:
                temporary.write_bytes(b"item_id,pri")
                os.kill(os.getpid(), signal.SIGKILL)
        if self.dies == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        super().flush()
        if self.dies == "after":
            os.kill(os.getpid(), signal.SIGKILL)


def world_at(folder: Path, dies: str = "") -> tuple[World, FileShop]:
    """The world of this folder, new or as it was left."""
    shop = FileShop(folder, dies)
    return World(folder, shop), shop  # type: ignore[arg-type]  # no HonestShop, but it can be filled by `put` like one


def sync_and_die(folder: Path, dies: str) -> None:
    """A run over the world of this folder, for a process of its own."""
    world_at(folder, dies)[0].sync()
