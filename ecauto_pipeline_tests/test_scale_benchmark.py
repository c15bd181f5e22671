"""What benchmarks.scale says of a queue holds for any queue: places are not exceeded, one run of a lane at a time."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from benchmarks.scale import CASES, HEAD, LAUNCH_S, POLICY, SLICE_S, START, Day, LaneDay, a_lane, play, work
from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.freshness.ages import evaluate_freshness
from ecauto_pipeline.domain.freshness.planning import choose_due
from ecauto_pipeline_tests.pages import read

HOURS = 1


def _lanes(count: int) -> list[LaneDay]:
    luck = np.random.default_rng(3)
    return [a_lane(luck, 10, 500) for _ in range(count)]


def test_where_every_lane_has_a_place_nobody_waits_for_one() -> None:
    """Then the only wait is the daemon's, which lets one run after the other go."""
    day = play(_lanes(3), 3, HOURS, np.random.default_rng(1))
    assert len(day.waits) >= 3 * HOURS
    assert max(day.waits) <= 3 * LAUNCH_S + 1e-9
    assert 0 == day.most_waiting


def test_fewer_places_mean_fewer_runs_that_wait_longer() -> None:
    """Work that waits is done by fewer runs; no place does more than a day's work."""
    few, many = (play(_lanes(6), places, HOURS, np.random.default_rng(1)) for places in (1, 6))
    assert len(few.waits) < len(many.waits)
    assert np.mean(many.waits) < np.mean(few.waits)
    assert 0 < few.working_s <= HOURS * 3600
    assert 0 < few.most_waiting <= 5


def test_no_account_is_asked_more_than_its_rate_and_bursts_allow() -> None:
    """A slice begins with a full burst at most, whatever the planner hands it."""
    lanes = _lanes(2)
    day = play(lanes, 2, HOURS, np.random.default_rng(1))
    for asked, pick in ((day.detail, "detail"), (day.sweep, "sweep")):
        channels = [getattr(lane.rates, pick) for lane in lanes]
        bursts = max(one.burst_asins for one in channels) * len(day.waits)
        assert 0 <= asked <= sum(one.asins_per_s for one in channels) * HOURS * 3600 + bursts


def test_rows_that_are_left_out_of_a_plan_change_nothing_in_it() -> None:
    """The planner over those that may be due chooses what it chooses over all of the lane, hour after hour."""
    luck, day = np.random.default_rng(1), Day()
    (lane,) = _lanes(1)
    for hour in range(12):
        now_s = hour * 3600.0
        now = START + timedelta(seconds=now_s)
        some = lane.may_be_due(to_ms(now))
        of_all, of_some = (
            choose_due(rows, evaluate_freshness(rows, now, POLICY), to_ms(now), SLICE_S, lane.rates)
            for rows in (lane.rows, lane.rows[some])
        )
        assert of_all.detail.tolist() == some[of_some.detail].tolist()
        assert of_all.sweep.tolist() == some[of_some.sweep].tolist()
        assert of_all.left_over == of_some.left_over
        assert some.size < lane.rows.size
        work(lane, now_s, luck, day)
    assert day.detail + day.sweep > 0


def test_the_paper_shows_the_table_that_the_benchmark_prints() -> None:
    """Same columns, one line for each case that is played, the same figures in both languages."""
    english, japanese = (read(page).splitlines() for page in ("docs/scale.md", "docs/ja/scale.md"))
    names, dashes = HEAD.split("\n")
    first = english.index(names)
    assert dashes == english[first + 1]
    shown = english[first + 2 : first + 2 + len(CASES)]
    cases = [f"| {accounts} | {places} | {hours} |" for accounts, places, hours in CASES]
    assert cases == [line[: len(case)] for line, case in zip(shown, cases, strict=True)]
    assert shown == [line for line in japanese if line in shown]
