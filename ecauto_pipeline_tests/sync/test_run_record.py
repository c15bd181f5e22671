"""The record of a run: a section a step, kept as it was reported, unknown where nothing was measured."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.domain.selling.row_counts import RowCounts
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema_runs import run_sections
from ecauto_pipeline.sync.catalogue_section import CatalogueReport
from ecauto_pipeline.sync.diff_section import DiffReport
from ecauto_pipeline.sync.history_section import HistoryReport
from ecauto_pipeline.sync.order_section import OrdersReport
from ecauto_pipeline.sync.push_section import DelistReport, HandReport, PushReport, WriteBackReport
from ecauto_pipeline.sync.run_metrics import metrics_row
from ecauto_pipeline.sync.run_record import (
    SECTIONS,
    RunRecord,
    Section,
    SectionName,
    keep,
    read_record,
)
from ecauto_pipeline.sync.sections import (
    FetchReport,
    ListingsReport,
    PlanReport,
    ShopsReport,
    StartReport,
    Survey,
    ViewsReport,
)
from ecauto_pipeline.sync.sweep_evidence import sweep_evidence

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
COUNTS = {"total_asins", "cache_hits", "cache_misses", "sp_api_calls", "base_api_updates", "errors", "targets"}
COUNTS |= {"pushed", "unchanged", "held", "blocked", "skipped", "failed"}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'state.db'}")
    yield opened
    opened.close()


def begun(database: Database, run_id: str = "r1", at: datetime = NOW) -> str:
    with database.write() as connection:
        run_book.begin(connection, run_id, "full_sync", "2026-06-01-12:00", at, False)
    return run_id


def kept(database: Database, run_id: str, **sections: Section) -> RunRecord:
    with database.write() as connection:
        for name, section in cast(dict[SectionName, Section], sections).items():
            keep(connection, run_id, name, section)
    with database.read() as connection:
        record = read_record(connection, run_id)
    assert record is not None
    return record


def a_record(**sections: Any) -> RunRecord:
    return RunRecord(run_id="r", job="full_sync", partition_key="", started_at=NOW, **sections)


FULL: dict[str, Section] = {
    "start": StartReport("cli", 3, False, "all"),
    "listings": ListingsReport(
        listings=5, by_account={"a": 5}, not_read={"b": "timeout"}, shops=ShopsReport(1, 3.5, (("b", "token"),))
    ),
    "stale_asins": PlanReport(
        Survey(total_asins=5, by_reason={"new": 2}, oldest_stock_s={"high": None, "low": 2.5}),
        planned_calls={"detail": 1},
        views=ViewsReport(1, 1, 0, ((2, "品"),), "v"),
    ),
    "sp_api_snapshots": FetchReport(by_status={"success": 2}, used_share={"a/b": 0.5}, not_believed=("x",)),
    "early_updates": PushReport(RowCounts(1, 1), edits=1),
    "price_diffs": DiffReport(
        RowCounts(1, 1), {"a": RowCounts(1, 1)}, {Kind.PRICE: RowCounts(1, 1)}, {"push:change": 1}
    ),
    "visibility_diffs": DiffReport(),
    "base_updates": PushReport(
        out_of_calls=(("a", 4),),
        failures=(("a", "1", "price", "bad"),),
        written_back=WriteBackReport(1, 2, "busy"),
        delist=DelistReport(RowCounts(1, 1), (("a", "9"),)),
        catalogue_texts={"title": 3},
    ),
    "by_hand": HandReport(RowCounts(2, 2), PushReport(edits=2), {"changed_since": 1}),
    "catalog_refresh": CatalogueReport(due=1),
    "order_watch": OrdersReport(1, 2, {"shop": 2}, asked=1, by_status={"success": 1}, not_read={"other": "timeout"}),
    "history": HistoryReport({"snapshots": 2}, 2, damaged=("snapshots/dt=2026-10-23/hour=12/r.parquet",)),
}


def test_every_section_comes_back_as_it_was_reported(database: Database) -> None:
    """What a step reports is what everybody reads, field by field and nested, in every section there is."""
    assert set(FULL) == set(SECTIONS) == set(get_args(SectionName))
    assert set(SECTIONS) <= {one.name for one in fields(RunRecord)}
    record = kept(database, begun(database), **FULL)
    assert FULL == {name: getattr(record, name) for name in FULL}


def test_a_step_that_was_not_done_has_no_section(database: Database) -> None:
    """Not measured is None, neither zero nor well; a run nobody began keeps nothing."""
    record = kept(database, begun(database), listings=ListingsReport())
    assert {"listings"} == {name for name in SECTIONS if getattr(record, name) is not None}
    with database.write() as connection:
        keep(connection, "nobody", "listings", ListingsReport())
        assert [] == connection.execute(select(run_sections).where(run_sections.c.run_id == "nobody")).all()


def test_a_section_is_of_its_own_shape(database: Database) -> None:
    """A report under another step's name is a mistake in the program, not a row."""
    run_id = begun(database)
    with database.write() as connection, pytest.raises(TypeError):
        keep(connection, run_id, "listings", FetchReport())


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"listings":"many"}', '{"by_account":[1]}'])
def test_a_shape_of_another_version_reads_as_not_measured(database: Database, text: str) -> None:
    """What can't be read, and sections that nobody knows, are absent; the rest of the record stands."""
    run_id = begun(database)
    with database.write() as connection:
        rows = [{"run_id": run_id, "section": name, "document": text} for name in ("listings", "of_tomorrow")]
        connection.execute(insert(run_sections), rows)
    record = kept(database, run_id, start=StartReport())
    assert (None, StartReport()) == (record.listings, record.start)


def test_a_state_of_an_earlier_version_opens(tmp_path: Path) -> None:
    """Runs that kept one document of everything are still runs; new ones are kept beside them."""
    with sqlite3.connect(tmp_path / "state.db") as old:
        old.execute(
            "CREATE TABLE runs (run_id TEXT PRIMARY KEY, job TEXT NOT NULL, partition_key TEXT NOT NULL DEFAULT '',"
            " started_at BIGINT NOT NULL, ended_at BIGINT, heartbeat_at BIGINT, dry_run INTEGER NOT NULL DEFAULT '0',"
            " document TEXT NOT NULL DEFAULT '{}', exported INTEGER NOT NULL DEFAULT '0')"
        )
        old.execute("INSERT INTO runs (run_id, job, started_at, document) VALUES ('r0', 'x', 1, '{\"targets\": 3}')")
    old.close()
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    with database.read() as connection:
        before = read_record(connection, "r0")
    record = kept(database, begun(database), start=StartReport())
    database.close()
    assert before is not None
    assert (None, None, StartReport()) == (before.start, before.account, record.start)


accounts = st.builds(RowCounts, *[st.integers(0, 1000)] * 7)


@given(price=st.none() | accounts, visibility=st.none() | accounts, own=accounts, others=accounts)
def test_the_account_of_a_run_is_what_was_judged_and_what_became_of_it(
    price: RowCounts | None, visibility: RowCounts | None, own: RowCounts, others: RowCounts
) -> None:
    """The whole adds up whenever its parts do, and is never kept a second time."""
    judged = [DiffReport(_summed(one)) for one in (price, visibility) if one is not None]
    account, pushes = _summed(own) + _summed(others), sum(one.account.pushed for one in judged)
    correction = account + RowCounts(targets=-pushes, pushed=-pushes) if judged else account
    sections = dict(zip(("price_diffs", "visibility_diffs"), judged, strict=False))
    whole = a_record(**sections, base_updates=PushReport(account, correction)).account
    assert whole is not None
    assert whole.targets == sum(getattr(whole, one.name) for one in fields(RowCounts) if one.name != "targets")
    assert whole.targets == account.targets + sum(one.account.targets - one.account.pushed for one in judged)


def _summed(account: RowCounts) -> RowCounts:
    ends = [getattr(account, one.name) for one in fields(RowCounts) if one.name != "targets"]
    return RowCounts(sum(ends), *ends)


def test_nothing_counts_as_pushed_before_it_was(database: Database) -> None:
    """A run that died between judging and sending pushed nothing: its account is unknown, its counts are 0."""
    record = a_record(price_diffs=DiffReport(RowCounts(targets=3, pushed=3)))
    assert record.account is None
    assert 0 == metrics_row(record)["pushed"]


def test_what_nobody_measured_is_unknown_in_run_metrics() -> None:
    """Counts of the contract are whole numbers, 0 at the least; every other figure of an empty run is unknown."""
    row = metrics_row(a_record())
    assert dict.fromkeys(COUNTS, 0) == {name: row[name] for name in COUNTS}
    who = {"run_id", "job", "partition_key", "started_at", "dry_run", "lane"}
    known = COUNTS | who | {"sp_account_calls", "reason_counts"}
    assert {None} == {row[name] for name in row.keys() - known}


def test_asins_without_an_answer_are_errors_of_a_run_that_only_fetches() -> None:
    """A run that pushes nothing (validate_cache) says how much went without an answer."""
    assert 7 == metrics_row(a_record(sp_api_snapshots=FetchReport(by_status={"api_error": 7, "success": 1})))["errors"]


def test_the_time_of_pushing_belongs_to_the_plan_of_a_run_that_waits_for_amazon() -> None:
    """Both are summed where they are read; a run with nothing to wait for has no plan to be late by."""
    pushing = PushReport(planned_s=5.0)
    assert 65.0 == a_record(stale_asins=PlanReport(planned_seconds=60.0), base_updates=pushing).planned_seconds
    assert 0.0 == a_record(stale_asins=PlanReport(), base_updates=pushing).planned_seconds
    assert a_record(base_updates=pushing).planned_seconds is None


def test_shops_are_as_the_run_saw_them_last() -> None:
    """What pushing found outlives what reading found; with neither it is unknown."""
    early, late = ShopsReport(held_open=1), ShopsReport(held_open=2)
    assert early == a_record(listings=ListingsReport(shops=early)).shops
    assert late == a_record(listings=ListingsReport(shops=early), base_updates=PushReport(shops=late)).shops
    assert a_record().shops is None


def test_evidence_about_the_sweep_is_that_of_a_week(database: Database) -> None:
    """Summed over the runs that asked; what is older, or of runs that did not ask, says nothing."""
    for days in (0, 6, 8):
        run_id = begun(database, f"r{days}", NOW - timedelta(days=days))
        kept(database, run_id, sp_api_snapshots=FetchReport(sweep_answers=10, sweep_unknown=days))
    begun(database, "silent")
    with database.read() as connection:
        found = sweep_evidence(connection, NOW)
    assert (20, 6) == (found.answers, found.unknown)
