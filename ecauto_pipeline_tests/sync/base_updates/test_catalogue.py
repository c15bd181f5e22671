"""Whether catalogue text of master.db has vanished: counted after each run that pushes, against the one before."""

from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.register.stamp import SETTLES_AFTER_S
from ecauto_pipeline.sync.base_updates.catalogue import watch_catalogue
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.push_section import PushReport
from ecauto_pipeline.sync.run_record import begin_run, keep
from ecauto_pipeline_tests.register.register_laws import LISTINGS, PRODUCTS
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, tools_at


class _Counted(Register):
    """Counts how often it is asked for all its texts."""

    counted = 0

    def catalogue_filled(self) -> dict[str, int]:
        self.counted += 1
        return super().catalogue_filled()


class _Shop:
    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(datetime(2026, 3, 2, 3, 20, tzinfo=UTC))
        self.path = folder / "master.db"
        Register.create(self.path, PRODUCTS, LISTINGS)
        self.register = _Counted(self.path, wall_s=lambda: time.time() + self.later_s)
        self.later_s = 0.0
        tools: Tools = tools_at(folder, "http://127.0.0.1:1", self.clock)
        self.tools = replace(tools, register=self.register)
        self.runs = 0

    def run(self) -> PushReport:
        self.runs += 1
        self.clock.advance(60)
        context = self.tools.for_run(a_run(f"run-{self.runs}", self.clock.now()))
        begin_run(context)
        report = watch_catalogue(context, PushReport())
        with context.state.write() as connection:
            keep(connection, context.run.run_id, "base_updates", report)
        return report

    def sql(self, statement: str) -> None:
        with sqlite3.connect(self.path) as database:
            database.execute(statement)


@pytest.fixture
def shop(tmp_path: Path) -> _Shop:
    return _Shop(tmp_path)


@pytest.mark.parametrize("emptiness", ["NULL", "''", "' \u3000'"])
def test_text_that_became_nothing_is_lost_and_what_left_the_register_is_not(shop: _Shop, emptiness: str) -> None:
    """Nothing, an empty text and blanks are the same. The first run has nothing to compare with."""
    assert (None, 2) == ((first := shop.run()).catalogue_nulled, (first.catalogue_texts or {})["title_ja"])
    assert 0 == shop.run().catalogue_nulled
    shop.sql(f"UPDATE products SET title_ja = {emptiness} WHERE asin = 'B000000001'")
    assert 1 == shop.run().catalogue_nulled
    assert 0 == shop.run().catalogue_nulled
    shop.sql("DELETE FROM products WHERE asin = 'B000000002'")
    assert 0 == shop.run().catalogue_nulled


def test_a_register_that_is_still_what_it_was_is_not_counted_again(shop: _Shop) -> None:
    """Once its stamp has settled; a write, by whomever, has it counted."""
    shop.later_s = 10 * SETTLES_AFTER_S
    reports = [shop.run() for _ in range(4)]
    assert (1, [None, 0, 0, 0]) == (shop.register.counted, [one.catalogue_nulled for one in reports])
    assert 1 == len({tuple((one.catalogue_texts or {}).items()) for one in reports})
    shop.sql("UPDATE products SET title_ja = NULL")
    os.utime(shop.path)
    assert 2 == shop.run().catalogue_nulled
    assert 2 == shop.register.counted
