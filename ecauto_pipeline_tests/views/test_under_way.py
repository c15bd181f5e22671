"""How far a run under way has come, counted from what it has committed; when the next one begins by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.clock import jst, to_ms
from ecauto_pipeline.domain.cron import next_tick
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state import plans
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.owner import new_owner
from ecauto_pipeline.state.plans import Target
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.sync.run_record import keep
from ecauto_pipeline.sync.sections import ListingsReport
from ecauto_pipeline.views.next_runs import next_runs, words
from ecauto_pipeline.views.under_way import runs_under_way, step_words
from ecauto_pipeline_tests.sync.diffs.selling import World

HOUR = "2026-01-05-12:00"


def begun(world: World, run_id: str, owner: str = "", *, dry_run: bool = False) -> None:
    with world.state.write() as connection:
        run_book.begin(connection, run_id, "stock_sync", HOUR, world.clock.now(), dry_run, owner or new_owner())


def test_while_amazon_is_asked_the_answers_to_the_plan_are_counted(tmp_path: Path) -> None:
    """Answered or tried since the plan was made, whoever made it; what was known before is still to be asked, and so
    is what a clock stamped that stood ahead and was set back since."""
    world = World(tmp_path)
    begun(world, "run-1")
    assert ["listings"] == [one.step for one in runs_under_way(world.tools)]
    now = world.clock.now()
    with world.state.write() as connection:
        keep(connection, "run-1", "listings", ListingsReport())
        listed = [Target(number, f"B{number:09d}", "detail", "new", "low") for number in range(4)]
        plans.write_plan(connection, "killed", HOUR, "", "{}", now, listed, 0)
        ahead = to_ms(now + timedelta(days=30))
        stamps = ({"detail_at": to_ms(now)}, {"error_at": to_ms(now)}, {"detail_at": 1}, {"detail_at": ahead})
        for number, stamp in enumerate(stamps):
            connection.execute(asins.insert().values(asin=f"B{number:09d}", **stamp))
    (run,) = runs_under_way(world.tools)
    assert ("sp_api_snapshots", 2, 4) == (run.step, run.done, run.total)
    assert "Amazonに確認しています 2/4" == step_words(run, "ja")


def test_a_run_that_was_killed_is_not_under_way(tmp_path: Path) -> None:
    """It is a trouble (`ecauto status`), and nobody can end it."""
    world = World(tmp_path)
    begun(world, "gone", new_owner().replace("|", "|9", 1))
    assert () == runs_under_way(world.tools)


@pytest.mark.parametrize(
    ("cron", "at"),
    [
        ("0 * * * *", "2026-01-05 13:00"),
        ("0 2 * * *", "2026-01-06 02:00"),
        ("*/15 9-17 * * mon-fri", "2026-01-05 12:45"),
        ("30 12 * * 1", "2026-01-12 12:30"),
        ("0 0 1 * 3", "2026-01-07 00:00"),
        ("0 0 29 2 *", None),
        ("@daily", None),
    ],
)
def test_the_next_tick_is_the_first_one_later_than_now(cron: str, at: str | None) -> None:
    """Monday, 5 January 2026, 12:30 in Japan. Days of month and week together: either is enough."""
    now = jst(datetime(2026, 1, 5, 3, 30, tzinfo=UTC))
    found = next_tick(cron, now)
    assert at == (None if found is None else f"{found:%Y-%m-%d %H:%M}")


def test_schedules_say_when_they_run_and_in_emulated_mode_nothing_does(tmp_path: Path) -> None:
    """The next one first, one that is switched off last."""
    now = datetime(2026, 1, 5, 3, 30, tzinfo=UTC)
    assert () == next_runs(parse({}, tmp_path), now)
    live = parse({"mode": "live"}, tmp_path)
    found = [words(one, "ja") for one in next_runs(live, now, {"price_sync_schedule"})]
    assert ["在庫の同期 01-05 13:00", "商品情報の更新 01-06 04:30", "価格の同期: 停止中"] == found
