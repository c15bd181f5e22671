"""The old JSON cache with its traps: what is believed, what is not, and that nothing of ours is displaced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ecauto_pipeline.clock import from_ms
from ecauto_pipeline.migrate.cache_files import export_cache, import_cache
from ecauto_pipeline.state.schema import asins, catalogue
from ecauto_pipeline_tests.sync.stale_asins.planner_bench import PlannerBench, asin_no

STAMP, STAMP_UTC = "2026-11-23T09:30:00.123456", datetime(2026, 11, 23, 0, 30, 0, 123000, tzinfo=UTC)
FRESH = {"price": 1980.0, "in_stock": True, "price_updated_at": STAMP, "stock_updated_at": STAMP}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[PlannerBench]:
    bench = PlannerBench(tmp_path)
    (tmp_path / "cache").mkdir()
    yield bench
    bench.database.close()


def _put(bench: PlannerBench, **files: object) -> Path:
    folder = bench.tools.settings.root / "cache"
    for stem, document in files.items():
        text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
        (folder / f"{stem}.json").write_text(text, encoding="utf-8")
    return folder


def _rows(bench: PlannerBench) -> dict[str, Any]:
    with bench.database.read() as connection:
        return {row.asin: row for row in connection.execute(select(asins))}


def test_price_and_stock_come_in_with_the_age_of_the_file(bench: PlannerBench) -> None:
    """A time without a zone is Japanese; the ASIN may stand in the name alone; either spelling of the price."""
    folder = _put(
        bench,
        B000000001=FRESH,
        x={**FRESH, "asin": "B000000002"},
        B000000003={**FRESH, "price": None, "price_jpy": 500},
    )
    report = import_cache(bench.tools, folder)
    rows = _rows(bench)
    assert (3, 3, ()) == (report.files, report.taken, report.broken)
    assert [1980, 1980, 500] == [rows[asin_no(n)].price_jpy for n in (1, 2, 3)]
    assert [STAMP_UTC] * 2 == [from_ms(at) for at in (rows[asin_no(1)].price_at, rows[asin_no(1)].stock_at)]
    assert ("success", 1, "", None) == (
        rows[asin_no(1)].status,
        rows[asin_no(1)].in_stock,
        rows[asin_no(1)].snapshot_id,
        rows[asin_no(1)].detail_at,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"price": 0},
        {"price": None},
        {"price": -5},
        {"price": True},
        {"price": 10.5},
        {"price": "1e400"},
        {"currency": "USD"},
        {"in_stock": False},
        {"in_stock": None},
        {"in_stock": "true"},
    ],
)
def test_what_proves_nothing_is_not_believed(bench: PlannerBench, change: dict[str, object]) -> None:
    """No price, another currency, or "not in stock" (failures wrote it too): the ASIN stays unknown."""
    report = import_cache(bench.tools, _put(bench, B000000001={**FRESH, **change}))
    assert (0, 1, {}) == (report.taken, report.nothing_usable, _rows(bench))


@pytest.mark.parametrize("stamp", [None, "soon", "2027-01-01T00:00:00", 5])
def test_an_absent_or_impossible_stamp_is_stale(bench: PlannerBench, stamp: object) -> None:
    """cached_at says when a file was written, not when Amazon was asked; such a figure is due at once."""
    bench.list_asins([1])
    document = {**FRESH, "price_updated_at": stamp, "stock_updated_at": stamp, "cached_at": STAMP}
    report = import_cache(bench.tools, _put(bench, B000000001=document))
    assert (1, 1, None) == (report.taken, report.stale, _rows(bench)[asin_no(1)].price_at)
    assert ["price_due"] == [target.reason for target in bench.plan()[1]]


def test_broken_files_are_told_and_cost_no_other(bench: PlannerBench) -> None:
    """Torn, empty, no object, no ASIN, twice the same, not UTF-8; metadata.json is none of them."""
    folder = _put(
        bench,
        B000000001=FRESH,
        B000000002='{"price": 19',
        B000000003="",
        B000000004="[]",
        notes=FRESH,
        z={**FRESH, "asin": "B000000001"},
        metadata={"total_cached": 3},
    )
    (folder / "B000000005.json").write_bytes(b'{"title_ja": "\x83\x65"}')
    report = import_cache(bench.tools, folder)
    assert 1 == report.taken
    assert ["B000000002", "B000000003", "B000000004", "B000000005", "notes", "z"] == sorted(
        name.removesuffix(".json") for name, _ in report.broken
    )
    assert report.files == report.taken + report.known + report.nothing_usable + len(report.broken)


def test_our_own_answers_stand(bench: PlannerBench) -> None:
    """An imported memory never displaces an observation, nor a text; importing twice changes nothing."""
    bench.know([1])
    folder = _put(bench, B000000001={**FRESH, "title_ja": "題"}, B000000002={**FRESH, "title_ja": "名"})
    import_cache(bench.tools, folder)
    before = _rows(bench)
    report = import_cache(bench.tools, folder)
    assert (0, 2) == (report.taken, report.known)
    assert before == _rows(bench)
    assert 1000 == before[asin_no(1)].price_jpy


def test_a_dry_run_counts_and_keeps_nothing(bench: PlannerBench) -> None:
    """The same figures, an untouched state."""
    folder = _put(bench, B000000001={**FRESH, "title_ja": "題"})
    dry = import_cache(bench.tools, folder, dry_run=True)
    with bench.database.read() as connection:
        assert [] == list(connection.execute(select(catalogue)))
    assert {} == _rows(bench)
    assert (dry.taken, dry.texts) == ((wet := import_cache(bench.tools, folder)).taken, wet.texts)


def test_out_and_in_again_is_the_same(bench: PlannerBench, tmp_path: Path) -> None:
    """What is exported, another installation reads: price, stamps to the millisecond, text, emoji and all."""
    import_cache(
        bench.tools, _put(bench, B000000001={**FRESH, "title_ja": "㎥😀\u200b", "images": ["https://x/1.jpg"]})
    )
    bench.know([2], status="out_of_stock", in_stock=0)
    assert 2 == export_cache(bench.tools, tmp_path / "out").files
    (tmp_path / "other").mkdir()
    other = PlannerBench(tmp_path / "other")
    report = import_cache(other.tools, tmp_path / "out")
    assert (1, 1, 1) == (report.taken, report.nothing_usable, report.texts)
    ours, theirs = _rows(bench)[asin_no(1)], _rows(other)[asin_no(1)]
    assert (ours.price_jpy, ours.price_at, ours.stock_at) == (theirs.price_jpy, theirs.price_at, theirs.stock_at)
    with other.database.read() as connection:
        assert ["㎥😀\u200b"] == list(connection.execute(select(catalogue.c.title)).scalars())
    assert [] == list((tmp_path / "out").glob(".*"))
    other.database.close()


def test_no_such_folder(bench: PlannerBench) -> None:
    """A mistyped folder is an error, not an empty import."""
    with pytest.raises(FileNotFoundError):
        import_cache(bench.tools, Path("nowhere"))
