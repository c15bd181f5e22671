"""The weekly page, from a real history and state.db; it needs nothing from outside."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.clock import JST, ManualClock, to_ms
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.history.summaries import HistorySummaries
from ecauto_pipeline.reports.picture_rows import budget_rows, freshness_rows, held_now
from ecauto_pipeline.reports.pictures import updates_by_kind
from ecauto_pipeline.reports.weekly import WeekFacts, figures, page, weekly_report
from ecauto_pipeline.state.installation import remember_first_hour
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.state.schema_calls import buckets
from ecauto_pipeline.state.schema_decisions import diffs
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline_tests.alerts.alert_tools import tools_at

END = datetime(2026, 1, 12, 9, 0, tzinfo=JST)


def before(hours: float) -> datetime:
    return END - timedelta(hours=hours)


@pytest.fixture
def past(tmp_path: Path) -> HistorySummaries:
    """Two ASINs: one answered each hour but the last three, one only once, 20 hours ago; some calls, updates, runs."""
    store = HistoryStore(tmp_path / "history", tmp_path / "history.duckdb", ManualClock(END))
    answers = [
        {
            "snapshot_id": f"s{hour}",
            "run_id": "r",
            "asin": "B000000001",
            "observed_at": before(hour + 0.5),
            "status": "success",
        }
        for hour in range(3, 24)
    ]
    answers.append(
        {
            "snapshot_id": "x",
            "run_id": "r",
            "asin": "B000000002",
            "observed_at": before(20),
            "status": "out_of_stock",
        }
    )
    answers.append(
        {"snapshot_id": "y", "run_id": "r", "asin": "B000000002", "observed_at": before(1), "status": "api_error"}
    )
    store.write("snapshots", "r", answers, END)
    call = {"run_id": "r", "api": "sp_api", "operation": "getItemOffersBatch", "account": "sp_1"}
    store.write(
        "api_calls",
        "r",
        [
            {"call_id": f"c{number}", "started_at": before(2), "outcome": "ok" if number else "throttled", **call}
            for number in range(5)
        ],
        END,
    )
    update = {"run_id": "r", "kind": "price", "attempted_at": before(2)}
    store.write("updates", "r", [{"update_id": "u1", "outcome": "unknown", **update}], before(2))
    store.write("updates", "r2", [{"update_id": "u1", "outcome": "done", **update}], before(1))
    run = {"started_at": before(2), "cache_hits": 9, "cache_misses": 1, "execution_time_seconds": 90.0}
    price = {"kind": "price", "decision": "push", "decided_at": before(2), "run_id": "r"}
    loss = {**price, "kind": "visibility", "wanted": 0, "reason": "price_blocked", "profit_jpy": -200}
    decided = [
        {"diff_id": "p1", "profit_jpy": 300, **price},
        {"diff_id": "p2", "profit_jpy": 101, **price},
        {"diff_id": "loss", **loss},
        {"diff_id": "gone", **loss, "reason": "out_of_stock"},
    ]
    store.write("diffs", "r", decided, END)
    store.write("diffs", "dry", [{"diff_id": "p3", "profit_jpy": -50, **price, "run_id": "dry"}], END)
    store.write("run_metrics", "r", [{"run_id": "r", "dry_run": False, **run}], END)
    store.write("run_metrics", "dry", [{"run_id": "dry", "dry_run": True, **run}], END)
    store.load()
    return HistorySummaries(store)


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    tools = tools_at(tmp_path, at=END)
    with tools.state.write() as connection:
        for number, sold in ((1, before(24)), (2, None)):
            asin = f"B00000000{number}"
            connection.execute(asins.insert().values(asin=asin, last_sold_at=sold and to_ms(sold)))
            connection.execute(
                listings.insert().values(platform="base", account_id="shop_1", item_id=str(number), asin=asin, listed=1)
            )
        connection.execute(
            buckets.insert().values(
                account="sp_1", operation="getItemOffersBatch", rate_per_s=0.1, burst=1, tokens=1, updated_at=0
            )
        )
        connection.execute(
            diffs.insert().values(
                diff_id="d",
                run_id="r",
                kind="visibility",
                platform="base",
                account_id="shop_1",
                item_id="1",
                asin="B000000001",
                decision="held",
                reason="mass_hide",
                decided_at=to_ms(before(5)),
            )
        )
    return tools


def test_freshness_is_counted_by_hour_and_tier(tools: Tools, past: HistorySummaries) -> None:
    """High: fresh while its last answer is within the hour; low: within a day; an api_error confirms nothing."""
    rows = {(row["at"], row["tier"]): (row["fresh"], row["total"]) for row in freshness_rows(tools, past, END)}
    assert 50 == len(rows)
    assert {(1, 1)} == {rows[before(hour), "high"] for hour in range(3, 24)}
    assert {(0, 1)} == {rows[before(hour), "high"] for hour in range(3)}
    assert [(0, 1), (1, 1), (1, 1)] == [rows[before(hour), "low"] for hour in (21, 20, 0)]


def test_no_zero_is_drawn_before_the_installation(tools: Tools, past: HistorySummaries) -> None:
    """Installed 22 hours ago: the hours before it are not there, which is something else than "nothing fresh"."""
    with tools.state.write() as connection:
        remember_first_hour(connection, before(22))
    hours = {row["at"] for row in freshness_rows(tools, past, END)}
    assert {before(hour) for hour in range(22)} == hours


def test_the_page_says_what_is_left_of_a_sale(tools: Tools, past: HistorySummaries) -> None:
    """Of the prices that live runs sent, 300 and 101 yen: the mean and the least; and one listing hidden for a loss. A
    week without a run says nothing of it."""
    runs = past.runs_between(before(24), END)
    left = past.left_of_sales(before(24), END, ["r"])
    assert [{"prices": 2, "mean_left_jpy": 201, "least_left_jpy": 101, "hidden": 1}] == left
    said = dict(figures(WeekFacts(before(24), END, runs, left=left[0])))
    assert ("201円", "101円", "1") == tuple(
        said[name] for name in ("手元に残る額(送った価格の平均)", "手元に残る額(最低)", "赤字を避けて非公開")
    )
    nothing = dict(figures(WeekFacts(before(24), END), "en"))
    assert ("–", "–", "–") == tuple(
        nothing[name] for name in ("left of a sale, mean", "left of a sale, least", "hidden for a loss")
    )
    assert "201円" in weekly_report(tools, past, END)


def test_a_dry_run_is_no_edit_in_the_picture() -> None:
    """What a dry run would have sent leaves no trace in it, alone or beside real edits."""
    dry, real = ({"kind": "price", "outcome": outcome, "count": 7} for outcome in ("dry_run", "done"))
    assert updates_by_kind([]) == updates_by_kind([dry])
    assert updates_by_kind([real]) == updates_by_kind([real, dry])


@pytest.mark.parametrize(("audited", "said"), [(30, "–"), (100, "2.0%")])
def test_a_share_of_contradictions_is_told_once_enough_were_compared(audited: int, said: str) -> None:
    """Of a few it is a dash; dry runs ask Amazon as others do, and are left out like everywhere in these numbers."""
    runs: list[dict[str, object]] = [
        {"dry_run": False, "opinion_audited": audited, "opinion_contradicted": 2},
        {"dry_run": False, "opinion_audited": None, "opinion_contradicted": None},
        {"dry_run": True, "opinion_audited": 90, "opinion_contradicted": 90},
    ]
    numbers = dict(figures(WeekFacts(before(168), END, runs), "en"))
    assert said == numbers["contradicted by a second opinion"]


def test_a_week_without_a_run_has_no_numbers() -> None:
    """Nothing is known of it: dashes, no zeros, for what only a run can find out."""
    numbers = dict(figures(WeekFacts(before(168), END), "en"))
    assert {"–"} == {numbers[name] for name in ("answers from Amazon", "updates done", "updates failed")}


def test_budget_and_holds(tools: Tools, past: HistorySummaries) -> None:
    """Calls against rate x 3600; holds with the age of the oldest."""
    assert [{"at": before(2).astimezone(UTC), "used": 5, "allowed": 360}] == budget_rows(tools, past, END)
    assert [{"reason": "mass_hide", "count": 1, "oldest_h": 5.0}] == held_now(tools, END)
    assert [(5, 1)] == [(row["count"], row["failed"]) for row in past.calls_by_hour(before(24), END)]


def test_numbers_leave_dry_runs_out_and_count_each_update_once(tools: Tools, past: HistorySummaries) -> None:
    """An update that ended later counts as it ended; a dry run is no run of the shop."""
    text = weekly_report(tools, past, END, "en")
    for part in ("<b>1</b><span>runs", "<b>1 min</b>", "<b>90.0%</b><span>cache", "<b>1</b><span>updates done"):
        assert part in text
    assert "<b>0</b><span>updates failed" in text


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_page_is_complete_in_itself(language: str) -> None:
    """No address but its own pictures, even when the week was empty; what people wrote is escaped."""
    text = page(WeekFacts(before(168), END, firing=((("run_failed:<job>"), before(1)),)), language)
    assert [] == re.findall(r"""(?:src|href)=["'](?!data:)""", text) + re.findall(r"https?://|url\(", text)
    assert 5 == text.count("data:image/png;base64,")
    assert "&lt;job&gt;" in text
    numbers = dict(figures(WeekFacts(before(168), END), "en"))
    assert ("–", "–") == (numbers["cache hit rate"], numbers["SP-API error rate"])
