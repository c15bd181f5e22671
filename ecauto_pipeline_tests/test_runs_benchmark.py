"""What benchmarks.runs counts is what was spent, and a limit that does not hold ends `make load` with 1."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.runs import days, one_run
from benchmarks.runs.figures import (
    CHANGED_MS,
    EMPTY_S,
    GROWTH,
    HEAD,
    IDLE_S,
    PEAK_MB,
    STAGES,
    Played,
    RunCost,
    broken,
    exponent,
    line,
    ratios,
    steepest,
)
from benchmarks.runs.load import TimeOver, load
from benchmarks.runs.one_run import Stages
from benchmarks.runs.world import HERE, build, environ_of, partition
from ecauto_pipeline.register.master import Register
from ecauto_pipeline_tests.pages import read

SIZES = ((300, 3), (3_000, 30))


def _played(case: str, listings: int, ours_s: float, changed: int = 0, program: str = "now") -> Played:
    cost = RunCost(
        EMPTY_S + ours_s,
        9.0,
        300.0,
        {"listings": 0.75 * ours_s, "publish": 0.25 * ours_s, "dagster": 1.0},
        edits=changed,
        sp_api_calls=7,
    )
    return Played(case, listings, program, cost, EMPTY_S, changed)


def test_each_moment_belongs_to_the_innermost_stage_it_is_in() -> None:
    """The stages of a run add up to what the process spent."""
    clock = [0.0]
    stages = Stages(lambda: clock[0])

    def spend(seconds: float) -> None:
        clock[0] += seconds

    publish = stages.watch(spend, "publish")
    spend(1)
    stages.change("base_updates")
    spend(2)
    publish(4)
    spend(8)
    stages.change("dagster")
    spend(16)
    stages.change("end")
    assert {"start": 1, "base_updates": 10, "publish": 4, "dagster": 16} == stages.seconds
    assert clock[0] == sum(stages.seconds.values())


def test_no_run_that_is_measured_compiles_the_program_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nothing compiled is kept does not make each run a third of a second dearer."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("ECAUTO_CONFIG", "another.toml")
    environ = environ_of(tmp_path, tmp_path / "project")
    assert not {"PYTHONDONTWRITEBYTECODE", "ECAUTO_CONFIG"} & set(environ)
    assert (str(tmp_path), str(tmp_path / "project")) == (environ["PYTHONPATH"], environ["DAGSTER_HOME"])


def test_a_stage_ends_also_where_it_fails() -> None:
    """What comes after a step that raised is not counted as that step's."""
    clock = [0.0]
    stages = Stages(lambda: clock[0])

    def fail() -> None:
        clock[0] += 1
        raise ValueError("it fails")

    with pytest.raises(ValueError, match="it fails"):
        stages.watch(fail, "publish")()
    clock[0] += 2
    stages.change("end")
    assert {"start": 2, "publish": 1} == stages.seconds


def test_the_empty_project_is_played_by_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster's own part: seven assets run, none of them of ours, and each is a stage."""
    (tmp_path / "empty_project.py").write_bytes((HERE / "empty_project.py").read_bytes())
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    stages = Stages()
    assert one_run.play("empty_project", "everything", partition(), {}, tmp_path, stages)
    assert {*STAGES[:6], "capacity"} <= set(stages.seconds)
    assert math.isclose(os.times().user + os.times().system, sum(stages.seconds.values()), abs_tol=0.5)


@pytest.mark.parametrize(("listings", "shops"), SIZES, ids=str)
def test_a_world_has_the_listings_and_shops_it_was_asked_for(tmp_path: Path, listings: int, shops: int) -> None:
    """What is said to be measured over so many listings is."""
    build(tmp_path, listings, shops)
    found = Register(tmp_path / "master.db").read().listings
    assert listings == len(found)
    assert shops == len({one.account_id for one in found})


@pytest.mark.parametrize("power", [0.5, 1.0, 1.3])
def test_growth_is_the_exponent_of_the_listings(power: float) -> None:
    """Of each case alone, and the steepest step between two sizes is what the limit is for."""
    runs = [_played("idle", size, size**power / 1e4) for size in (300, 3_000, 9_000)]
    assert math.isclose(power, exponent(runs) or 0.0)
    assert math.isclose(power, steepest(runs) or 0.0)
    assert exponent(runs[:1]) is None


def test_limits_grow_with_what_an_empty_run_costs_in_the_same_minutes() -> None:
    """A slow machine breaks no limit by being slow, and a quick one does not hide what has grown."""
    most = IDLE_S[100_000]
    assert [] == broken([_played("idle", 100_000, most)])[1]
    beyond = _played("idle", 100_000, most * 1.5)
    assert 1 == len(broken([beyond])[1])
    slow = replace(beyond, cost=replace(beyond.cost, cpu_s=2 * EMPTY_S + most * 1.5), empty_s=2 * EMPTY_S)
    assert [] == broken([slow])[1]


@pytest.mark.parametrize(
    ("one", "word"),
    [
        (_played("changes", 3_000, 2_000 * 0.0121, changed=2_000), "ms a changed listing"),
        (replace(_played("changes", 3_000, 0.1, changed=60), changed=100), "changes not sent"),
        (replace(_played("idle", 3_000, 0.1), cost=RunCost(2.7, 9.0, 300.0, {}, edits=31)), "edits without a change"),
        (replace(_played("idle", 100_000, 0.1), cost=RunCost(2.7, 9.0, 400.1, {})), "MB at most"),
        (replace(_played("idle", 300_000, 0.1), cost=RunCost(2.7, 9.0, None, {})), "MB at most"),
    ],
    ids=["time of a change", "not sent", "sent for nothing", "memory", "memory not known"],
)
def test_each_limit_can_break(one: Played, word: str) -> None:
    """What was never measured holds no limit either."""
    looked, found = broken([one])
    assert looked >= 1
    assert [word] == [name for name in (word,) if any(name in said for said in found)]


def _of(ours_s: Callable[[int], float]) -> Callable[..., Sequence[Played]]:
    def play(listings: int, _shops: int, told: Callable[[Played], None]) -> Sequence[Played]:
        runs = [
            _played("idle", listings, ours_s(listings)),
            _played("changes", listings, listings / 5_000, changed=listings // 50),
        ]
        for one in runs:
            told(one)
        return runs

    return play


def test_load_ends_with_one_line_and_no_error_where_every_limit_holds() -> None:
    """One line of verdict, with counts."""
    told: list[str] = []
    assert 0 == load(SIZES, _of(lambda listings: 0.1 + listings / 10_000), told.append)
    assert [HEAD] == told[:1]
    assert told[-1].startswith("load: 4 runs of 300, 3,000 listings, ")
    assert ", 0 broken" in told[-1]


def test_load_ends_with_1_where_something_grows_faster_than_the_listings() -> None:
    """The verdict names the case."""
    told: list[str] = []
    assert 1 == load(SIZES, _of(lambda listings: (listings / 1_000) ** 1.2), told.append)
    assert "idle: grows with listings to the power of 1.20, at most 1.1" in told[-1]


@pytest.mark.parametrize(("second", "time_left", "code"), [(1.0, True, 0), (1.2, True, 1), (1.0, False, 1)])
def test_what_grows_too_fast_is_played_once_more_and_the_lesser_counts(
    second: float, time_left: bool, code: int
) -> None:
    """A neighbour who took the machine meanwhile is no growth of ours; what grows does so twice. Without time for it
    the first word stands."""
    told: list[str] = []
    powers = iter([1.2, 1.2, second, second])

    def play(listings: int, shops: int, tell: Callable[[Played], None]) -> Sequence[Played]:
        power = next(powers)
        return _of(lambda listings: (listings / 300) ** power)(listings, shops, tell)

    assert code == load(SIZES, play, told.append, lambda: time_left)
    assert told[-1].startswith(f"load: {8 if time_left else 4} runs of 300, 3,000 listings, ")
    assert f"growth idle {second if time_left else 1.2:.2f}" in told[-1]


@pytest.mark.parametrize(
    ("error", "runs"), [(SystemExit("it failed"), 2), (TimeOver("not all"), 0)], ids=["a run fails", "no time left"]
)
def test_load_ends_with_1_where_a_run_was_not_played(error: SystemExit, runs: int) -> None:
    """What was not seen is not said to hold; a failed run does not keep the next size from being played."""
    told: list[str] = []
    fine = _of(lambda listings: 0.1)

    def play(listings: int, shops: int, tell: Callable[[Played], None]) -> Sequence[Played]:
        if listings == 300:
            raise error
        return fine(listings, shops, tell)

    assert 1 == load(SIZES, play, told.append)
    assert told[-1].startswith(f"load: {runs} runs")
    assert str(error) in told[-1]


def test_a_line_has_a_cell_for_each_column_and_ratios_are_to_the_program_before() -> None:
    """Two programs that played the same are compared case by case, size by size."""
    now, before = (_played("idle", 3_000, ours_s, program=name) for name, ours_s in (("now", 1.0), ("before", 4.0)))
    columns = HEAD.split("\n")[0].count("|")
    assert columns == line(now).count("|")
    assert ["idle, 3,000 listings: ours 0.25 of before, the whole run 0.55"] == ratios([before, now])


def test_days_are_slices_of_the_line_on_a_clock_moved_by_hand(tmp_path: Path) -> None:
    """What they leave is counted where it stands, and publishing once more finds nothing."""
    left = days.play(tmp_path, 30, 1 / 144, 10, "due")
    assert 1 == left.slices
    assert left.edits <= left.journal
    assert left.state_mb > 0
    assert left.publish_s < days.PUBLISH_S
    assert days.line(left).count("|") == days.HEAD.split("\n")[0].count("|")


def test_what_is_said_of_more_listings_lies_on_the_line_through_those_that_were_played() -> None:
    """Of one size nothing is drawn."""
    small, large = (days.Left(count, 432, 0, megabytes, 0, 0, 0.0) for count, megabytes in ((1_000, 3.0), (3_000, 7.0)))
    assert 201.0 == days.drawn([small, large])
    assert days.drawn([large]) is None


def test_the_paper_shows_the_table_that_the_benchmark_prints() -> None:
    """Same columns, and the limits that are looked at."""
    paper = read("docs/performance.md")
    assert HEAD in paper
    assert f"{CHANGED_MS:.0f} ms a changed listing" in paper
    assert f"empty run takes {EMPTY_S} s" in paper
    assert f"to the power of {GROWTH}" in paper
    assert f"limit {days.STATE_MB:.0f} MB at {days.OF:,} listings" in paper
    for listings, megabytes in PEAK_MB.items():
        assert f"{megabytes:.0f} MB at {listings:,}" in paper
