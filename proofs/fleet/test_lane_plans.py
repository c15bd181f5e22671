"""Plans of lanes over PostgreSQL are those over SQLite: the laws of ecauto_pipeline_tests, on the other database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecauto_pipeline_tests.sync.stale_asins import lane_laws, quiet_laws, test_quiet
from ecauto_pipeline_tests.sync.stale_asins.planner_bench import PlannerBench

SHOPS = [(number % 3, (0, 2, 8, 30, None)[number % 5], number % 4 == 0) for number in range(60)]


@pytest.fixture
def bench(state_url: str, tmp_path: Path) -> Iterator[PlannerBench]:
    opened = PlannerBench(tmp_path, state_url)
    yield opened
    opened.database.close()


def test_lanes_together_plan_what_one_lane_with_everything_plans(bench: PlannerBench) -> None:
    """The law's own docstring says what."""
    lane_laws.lanes_together_plan_what_one_lane_plans(bench, SHOPS)


def test_what_one_lane_finds_answered_by_another_is_not_asked_again(bench: PlannerBench) -> None:
    """The law's own docstring says what."""
    lane_laws.what_another_lane_answered_is_not_asked_again(bench)


def test_what_is_read_of_some_accounts_is_theirs_alone(bench: PlannerBench) -> None:
    """The law's own docstring says what."""
    lane_laws.what_is_read_of_some_accounts_is_theirs_alone(bench, 3)


def test_what_is_not_read_is_only_counted(bench: PlannerBench) -> None:
    """The law's own docstring says what."""
    cases = (*test_quiet.QUIET.values(), *test_quiet.READ.values())
    known = [([number % 3], {**test_quiet.FRESH, **columns}) for number, columns in enumerate(cases)]
    quiet_laws.keep(bench, [*known, *(([0, 2], columns) for _, columns in known)])
    quiet_laws.what_is_not_read_is_only_counted(bench)
