"""Laws of a shop's call windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.clock import Clock, ManualClock
from ecauto_pipeline.domain.selling.call_shares import RESERVE, allowance, reserved
from ecauto_pipeline.errors import BudgetSpent
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.windows import (
    SPANS,
    ShopWindows,
    Span,
    WindowCount,
    window_end,
    window_start,
    windows_counted,
)
from ecauto_pipeline_tests.processes import fresh

JST_22_50 = datetime(2026, 11, 10, 13, 50, tzinfo=UTC)  # 22:50 in Japan
MIDNIGHT_IN_JAPAN = datetime(2026, 11, 10, 15, tzinfo=UTC)


def windows_of(path: Path, clock: Clock, **limits: Any) -> ShopWindows:
    options: dict[str, Any] = {"per_hour": 40, "per_day": 100_000, "min_interval_s": 0.0, **limits}
    return ShopWindows(Database(f"sqlite:///{path}"), clock, "base", "shop_1", **options)


def counted_of(windows: ShopWindows) -> list[WindowCount]:
    with windows._database.read() as connection:
        return windows_counted(connection)


def take(windows: ShopWindows, kind: str, most: int = 10_000) -> tuple[int, BudgetSpent | None]:
    """How many reservations go through before one is refused."""
    for count in range(most):
        try:
            windows.reserve(kind)
        except BudgetSpent as refusal:
            return count, refusal
    return most, None


def test_the_hour_opens_again_at_minute_00(tmp_path: Path) -> None:
    """A spent hour says until when, and not one call earlier is let through."""
    clock = ManualClock(JST_22_50)
    windows = windows_of(tmp_path / "state.db", clock)
    count, refusal = take(windows, "read")
    assert (40, "hour_api_limit") == (count, refusal and refusal.reason)
    assert datetime(2026, 11, 10, 14, 0, tzinfo=UTC) == (refusal and refusal.until)
    clock.advance(599.9)
    assert 0 == take(windows, "read")[0]
    clock.advance(0.1)
    assert 40 == take(windows, "read")[0]


def test_the_day_opens_again_at_midnight_in_japan(tmp_path: Path) -> None:
    """The day's calls are counted over the hours and forgotten at 00:00 JST, not at 00:00 UTC."""
    clock = ManualClock(JST_22_50)
    windows = windows_of(tmp_path / "state.db", clock, per_day=60)
    assert 40 == take(windows, "read")[0]
    clock.advance(600)
    count, refusal = take(windows, "read")
    assert (20, "day_api_limit") == (count, refusal and refusal.reason)
    assert datetime(2026, 11, 10, 15, 0, tzinfo=UTC) == (refusal and refusal.until)
    clock.advance(3600)
    assert 40 == take(windows, "read")[0]


def test_the_last_calls_are_kept_for_hides_and_reads(tmp_path: Path) -> None:
    """Price edits end first, then hides; reads may use the window to its end."""
    windows = windows_of(tmp_path / "state.db", ManualClock(JST_22_50), per_hour=250)
    edits, refusal = take(windows, "edit")
    assert (250 - 20 - 25, "hour_reserve") == (edits, refusal and refusal.reason)
    assert 25 == windows.left("hide")
    assert 25 == take(windows, "hide")[0]
    assert 20 == take(windows, "read")[0]


def test_calls_that_follow_at_once_are_counted_before_the_first(tmp_path: Path) -> None:
    """All of them, once; those that did not follow are given back at the end, and the others wait for nobody."""
    clock = ManualClock(JST_22_50)
    windows, others = (windows_of(tmp_path / "state.db", clock, per_hour=400) for _ in range(2))
    with windows.ahead(["hide", "edit", "edit", "edit"]):
        assert 4 == others.usage()[0].used
        assert [0.0, 0.0] == [windows.reserve(kind) for kind in ("edit", "hide")]
        assert 4 == others.usage()[0].used
        windows.reserve("read")
        assert 5 == others.usage()[0].used
    assert [3, 3] == [use.used for use in others.usage()]
    windows.reserve("edit")
    assert 4 == others.usage()[0].used


def test_no_more_is_counted_ahead_than_a_window_has_left(tmp_path: Path) -> None:
    """What it has not is refused when its turn comes, as ever; hides may use what is kept for them."""
    windows = windows_of(tmp_path / "state.db", ManualClock(JST_22_50), per_hour=250)
    assert 203 == take(windows, "edit", 203)[0]
    with windows.ahead(["edit"] * 9 + ["hide"]):
        assert 206 == windows.usage()[0].used
        count, refusal = take(windows, "edit")
        assert (2, "hour_reserve") == (count, refusal and refusal.reason)
        assert 1 == take(windows, "hide", 1)[0]
    assert 206 == windows.usage()[0].used


def test_what_was_counted_ahead_is_of_its_hour(tmp_path: Path) -> None:
    """A call after minute 00 is counted in the hour in which it is made."""
    clock = ManualClock(JST_22_50)
    windows = windows_of(tmp_path / "state.db", clock)
    with windows.ahead(["read", "read"]):
        clock.advance(600)
        windows.reserve("read")
        assert 1 == windows.usage()[0].used
    assert [(0, "hour"), (1, "hour")] == [(one.calls, one.span) for one in counted_of(windows) if one.span == "hour"]


def test_spaced_calls_are_counted_one_by_one(tmp_path: Path) -> None:
    """Each has a moment of its own."""
    windows = windows_of(tmp_path / "state.db", ManualClock(JST_22_50), min_interval_s=1.0)
    with windows.ahead(["edit", "edit"]):
        assert 0 == windows.usage()[0].used
        assert [0.0, 1.0] == [windows.reserve("edit") for _ in range(2)]


@pytest.mark.parametrize("span", ["hour", "day"])
@pytest.mark.parametrize(("kept", "calls"), [(RESERVE, 20), (0.2, 40), (0.0, 0)])
def test_a_share_is_kept_for_hides_and_for_undoing(tmp_path: Path, span: str, kept: float, calls: int) -> None:
    """Edits and whole lists end before it; what takes an edit back uses all of it and of the last calls what it did not
    need for reading, of the hour as of the day."""
    limits = {f"per_{span}": 200, "per_day" if span == "hour" else "per_hour": 100_000, "kept": kept}
    windows = windows_of(tmp_path / "state.db", ManualClock(JST_22_50), **limits)
    taken, _ = take(windows, "list")
    assert (180 - calls, 0) == (taken, take(windows, "edit")[0])
    count, refusal = take(windows, "hide")
    assert (calls, f"{span}_reserve") == (count, refusal and refusal.reason)
    assert 20 == take(windows, "undo")[0]


@given(limit=st.integers(1, 200_000), reserve=st.sampled_from((0.0, RESERVE, 0.25)))
def test_reserves_never_swallow_the_window(limit: int, reserve: float) -> None:
    """Whatever the limit, edits get at least half of it and reads get all."""
    assert limit == allowance(limit, "read", reserve)
    edits, hides = allowance(limit, "edit", reserve), allowance(limit, "hide", reserve)
    assert limit // 2 <= edits <= hides <= limit
    assert (edits, limit) == (allowance(limit, "list", reserve), allowance(limit, "undo", reserve))
    assert reserved(limit, reserve) == hides - edits


def test_the_api_has_the_last_word(tmp_path: Path) -> None:
    """hour_api_limit closes the window in which the call was sent, for every process and after a restart."""
    clock = ManualClock(JST_22_50)
    windows = windows_of(tmp_path / "state.db", clock)
    assert datetime(2026, 11, 10, 14, 0, tzinfo=UTC) == windows.exhausted("hour", clock.now())
    again = windows_of(tmp_path / "state.db", clock)
    with pytest.raises(BudgetSpent):
        again.reserve("read")
    clock.advance(600)
    again.reserve("read")


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("at_s", [0.0, 0.4, 299.9])
def test_a_refusal_at_the_edge_is_about_the_window_before(tmp_path: Path, span: Span, at_s: float) -> None:
    """BASE's clock is behind ours, or it resets late: everybody waits a minute, then asks again, hides included."""
    clock = ManualClock(MIDNIGHT_IN_JAPAN + timedelta(seconds=at_s))
    windows, others = (windows_of(tmp_path / "state.db", clock) for _ in range(2))
    windows.reserve("hide")
    until = windows.exhausted(span, clock.now())
    assert timedelta(seconds=59) <= until - clock.now() <= timedelta(seconds=60)
    count, refusal = take(others, "hide", 1)
    assert (0, f"{span}_api_limit", until) == (count, refusal and refusal.reason, refusal and refusal.until)
    assert not any(row.exhausted for row in counted_of(windows))
    clock.set(until)
    assert 0.0 == others.reserve("hide")


@pytest.mark.parametrize("span", SPANS)
def test_a_refusal_that_stays_is_believed(tmp_path: Path, span: Span) -> None:
    """Asked again each minute of the first five, then closed to its end; a late word about an early call changes
    nothing of that."""
    clock = ManualClock(MIDNIGHT_IN_JAPAN)
    windows, end = windows_of(tmp_path / "state.db", clock), window_end(MIDNIGHT_IN_JAPAN, span)
    asked = 0
    while clock.now() < end:
        asked += 1
        windows.reserve("read")
        clock.set(windows.exhausted(span, clock.now()))
    assert (6, end) == (asked, clock.now())
    clock.set(MIDNIGHT_IN_JAPAN + timedelta(minutes=4))
    assert end == windows.exhausted(span, clock.now())
    assert (0, end) == (take(windows, "hide")[0], {use.span: use.until for use in windows.usage()}[span])


def test_who_has_spent_half_an_hour_himself_believes_it_at_once(tmp_path: Path) -> None:
    """So many calls in its first minutes, with another program's, may well be all of it."""
    clock = ManualClock(MIDNIGHT_IN_JAPAN)
    windows = windows_of(tmp_path / "state.db", clock)
    take(windows, "read", 19)
    assert MIDNIGHT_IN_JAPAN + timedelta(minutes=1) == windows.exhausted("hour", clock.now())
    clock.advance(60)
    windows.reserve("read")
    assert window_end(clock.now(), "hour") == windows.exhausted("hour", clock.now())


def test_counts_survive_a_restart(tmp_path: Path) -> None:
    """A new process goes on counting where the last one ended."""
    clock = ManualClock(JST_22_50)
    take(windows_of(tmp_path / "state.db", clock), "read", most=30)
    assert 10 == take(windows_of(tmp_path / "state.db", clock), "read")[0]


def test_calls_are_spaced_by_reservation(tmp_path: Path) -> None:
    """With an interval, each reservation names its own later moment: nobody fires together."""
    windows = windows_of(tmp_path / "state.db", ManualClock(JST_22_50), min_interval_s=2.0)
    assert [0.0, 2.0, 4.0] == [windows.reserve("read") for _ in range(3)]


def test_a_clock_set_back_does_not_stop_the_shop(tmp_path: Path) -> None:
    """A last call in the far future is a clock that was wrong, not a queue."""
    clock = ManualClock(JST_22_50)
    windows = windows_of(tmp_path / "state.db", clock, min_interval_s=2.0)
    windows.reserve("read")
    clock.set(JST_22_50 - timedelta(days=1))
    assert 0.0 == windows.reserve("read")


@given(minutes=st.integers(0, 3 * 24 * 60))
def test_windows_tile_time(minutes: int) -> None:
    """Every instant lies in exactly one hour and one day, and the end of one is the start of the next."""
    moment = JST_22_50 + timedelta(minutes=minutes)
    for span in ("hour", "day"):
        assert window_start(moment, span) <= moment < window_end(moment, span)
        assert window_end(moment, span) == window_start(window_end(moment, span), span)


def _spend(path: Path, most: int, answers: Queue[int]) -> None:
    answers.put(take(windows_of(path, ManualClock(JST_22_50), per_hour=60), "read", most)[0])


def test_processes_share_one_window(tmp_path: Path) -> None:
    """Two processes together get exactly the limit."""
    path = tmp_path / "state.db"
    windows_of(path, ManualClock(JST_22_50))
    context = fresh()
    answers: Queue[int] = context.Queue()
    workers = [context.Process(target=_spend, args=(path, 50, answers)) for _ in range(2)]
    for worker in workers:
        worker.start()
    got = sum(answers.get() for _ in workers)
    for worker in workers:
        worker.join()
    assert 60 == got
