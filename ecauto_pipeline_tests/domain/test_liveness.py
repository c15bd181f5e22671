"""Whether a run is alive: its process decides where somebody can look, else its last sign of life."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ecauto_pipeline.domain.liveness import LONGEST_SILENCE, Life, Process, Signs, life_of, stands_in_the_way

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
AGES = {
    "just now": timedelta(0),
    "within the silence": LONGEST_SILENCE,
    "an hour": timedelta(hours=1),
    "a day": timedelta(days=1),
    "a month": timedelta(days=30),
    "from the future": -timedelta(days=300),
}


@pytest.mark.parametrize("age", AGES.values(), ids=AGES)
def test_a_process_that_is_there_works_however_long_it_has_been_silent(age: timedelta) -> None:
    """Pushing for an hour without a word is work; a second run beside it would be a mistake."""
    assert "works" == life_of(Signs("lives", NOW - age), NOW)


@pytest.mark.parametrize("age", AGES.values(), ids=AGES)
def test_a_process_that_is_surely_gone_is_dead_at_once(age: timedelta) -> None:
    """After a power cut of a minute nobody waits out the silence."""
    assert "dead" == life_of(Signs("gone", NOW - age), NOW)


@pytest.mark.parametrize(
    ("age", "life"),
    [
        ("just now", "works"),
        ("within the silence", "works"),
        ("an hour", "silent"),
        ("a day", "silent"),
        ("a month", "silent"),
        ("from the future", "silent"),
    ],
)
def test_where_nobody_can_look_the_last_sign_decides(age: str, life: Life) -> None:
    """On another host, and after the clock was set back: a heartbeat from the future is none."""
    assert life == life_of(Signs("unknown", NOW - AGES[age]), NOW)


def test_what_was_last_heard_of_before_this_machine_came_up_is_dead() -> None:
    """The process was never named; whatever it was, the restart ended it."""
    up = NOW - timedelta(minutes=2)
    assert "dead" == life_of(Signs("unknown", NOW - timedelta(minutes=3), host_up_since=up), NOW)
    assert "works" == life_of(Signs("unknown", NOW - timedelta(minutes=1), host_up_since=up), NOW)


@pytest.mark.parametrize("process", ["lives", "gone", "unknown"])
def test_a_queued_run_has_no_process_and_is_never_dead(process: Process) -> None:
    """The queue outlives a restart. For too long in it, it is no reason for others to wait."""
    assert "waits" == life_of(Signs(process, NOW - LONGEST_SILENCE, queued=True), NOW)
    assert "overdue" == life_of(Signs(process, NOW - AGES["an hour"], queued=True), NOW)


def test_only_work_and_waiting_are_reasons_to_wait() -> None:
    """Nothing that is over, or that nobody can vouch for, holds up the next run."""
    lives: tuple[Life, ...] = ("works", "waits", "overdue", "silent", "dead")
    assert ["works", "waits"] == [life for life in lives if stands_in_the_way(life)]
