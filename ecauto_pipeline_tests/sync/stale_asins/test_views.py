"""Views move tiers and weights, once each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ecauto_pipeline.alerts.rule import AlertSetup
from ecauto_pipeline.alerts.rules import RULES
from ecauto_pipeline.domain.freshness.views_file import parse
from ecauto_pipeline.settings import Alerts
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.sync.run_record import RunRecord
from ecauto_pipeline_tests.examples import examples
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


UNREADABLE = {
    "UTF-16": "item_id,viewed_at\n1,2026-06-01\n".encode("utf-16"),
    "UTF-16 without a mark": "item_id,viewed_at\n1,2026-06-01\n".encode("utf-16-le"),
    "no text": b"\x80\x81\xff\xff",
    "other columns": b"a,b\n1,2\n",
    "no line that is one": b"item_id,viewed_at\n1,someday\n2,never\n",
}


@pytest.mark.parametrize("how", UNREADABLE)
def test_a_file_that_can_not_be_read_leaves_the_tiers_as_they_were(bench: PlannerBench, how: str) -> None:
    """It is named, and since when; the views counted before stand; mended, it counts again."""
    bench.list_asins(range(3))
    _write(bench, f"1,,{bench.clock.now().isoformat()},10")
    bench.plan()
    tiers = dict(bench.plan()[0].survey.by_tier)
    bench.tools.settings.views.write_bytes(UNREADABLE[how])
    began = bench.clock.now()
    bench.plan()
    bench.clock.advance(3600)
    report = bench.plan()[0]
    assert tiers == dict(report.survey.by_tier)
    assert {asin_no(1): 10.0} == _counts(bench)
    trouble = report.views.trouble
    assert trouble is not None
    assert (began, "views.csv") == (trouble.since, trouble.file)
    record = RunRecord(run_id="r", job="j", partition_key="", started_at=began, stale_asins=report)
    verdict = RULES["views_read"].judge(record, AlertSetup(Alerts()))
    assert (False, True) == (verdict.passed, "views.csv" in verdict.message_ja)
    _write(bench, f"2,,{bench.clock.now().isoformat()},3")
    report = bench.plan()[0]
    assert (1, None) == (report.views.counted, report.views.trouble)


ABSURD = ["1,,0001-01-01,1", "1,,9999-12-31T23:59:59+09:00,1", "1,,1899-12-31,1", "1,,,", ",,2026-06-01,1"]
ABSURD += ["1,,2026-06-01,nan", "1,,2026-06-01,inf", "1,,2026-06-01,-1", "1,,2026-06-01,1e400", ",NOASIN,2026-06-01,1"]


@settings(max_examples=examples(8), deadline=None)
@given(st.lists(st.sampled_from(ABSURD) | st.text(max_size=30).filter(lambda text: "\n" not in text), max_size=8))
def test_absurd_lines_cost_themselves_alone(absurd: list[str]) -> None:
    """Whatever stands in them, the sound line above is read; they are named by their number."""
    now = datetime(2026, 6, 1, 3, tzinfo=UTC)
    text = "\n".join([f"item_id,asin,viewed_at,count\n7,,{now.isoformat()},2", *absurd])
    found = parse(text, now)
    assert ("7", 2.0) == (found.views[0].item_id, found.views[0].count)
    if set(absurd) <= set(ABSURD):
        assert list(range(3, 3 + len(absurd))) == [line for line, _ in found.problems]
