"""Views move tiers and weights, once each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from ecauto_pipeline.state.schema import asins
from ecauto_pipeline_tests.sync.stale_asins.planner_bench import PlannerBench, asin_no


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[PlannerBench]:
    bench = PlannerBench(tmp_path)
    (tmp_path / "data").mkdir()
    yield bench
    bench.database.close()


def _write(bench: PlannerBench, *lines: str) -> None:
    text = "\n".join(("item_id,asin,viewed_at,count", *lines)) + "\n"
    bench.tools.settings.views.write_text(text, encoding="utf-8-sig")


def _counts(bench: PlannerBench) -> dict[str, float]:
    with bench.database.read() as connection:
        return {
            row.asin: round(row.views_30d, 2) for row in connection.execute(select(asins.c.asin, asins.c.views_30d))
        }


def test_views_lift_the_tier_and_are_counted_once(bench: PlannerBench) -> None:
    """By ASIN or by item; the same file again counts nothing, a longer one only what is new."""
    bench.list_asins(range(3))
    now = bench.clock.now().isoformat()
    _write(bench, f"1,,{now},10", f",{asin_no(2)},{now},4", f"999,,{now},4")
    first = bench.plan()[0].views
    assert (3, 2, 1) == (first.read, first.counted, first.unknown)
    assert {asin_no(1): 10.0, asin_no(2): 4.0} == _counts(bench)
    assert 0 == bench.plan()[0].views.counted
    bench.clock.advance(3600)
    _write(bench, f"1,,{now},10", f"1,,{bench.clock.now().isoformat()},3")
    assert 1 == bench.plan()[0].views.counted
    assert {"high": 0, "medium": 2, "low": 1} == dict(bench.plan()[0].survey.by_tier)


def test_a_file_is_read_once_and_its_errors_do_not_end_the_run(bench: PlannerBench) -> None:
    """An unchanged file costs nothing; garbage is a problem told."""
    bench.list_asins([1])
    _write(bench, f"1,,{bench.clock.now().isoformat()},10", "1,,never,1")
    assert (1, 1) == ((report := bench.plan()[0].views).read, len(report.problems))
    assert 0 == bench.plan()[0].views.read
    bench.tools.settings.views.write_bytes(b"\xff\xfe\x00\x81")
    assert 1 == len(bench.plan()[0].views.problems)


def test_counts_fade_over_thirty_days(bench: PlannerBench) -> None:
    """After 30 days a count weighs 1/e; a new view counts whole."""
    bench.list_asins([1])
    _write(bench, f"1,,{bench.clock.now().isoformat()},100")
    bench.plan()
    bench.clock.advance(30 * 86_400)
    _write(bench, f"1,,{bench.clock.now().isoformat()},1")
    bench.plan()
    assert {asin_no(1): 37.79} == _counts(bench)
