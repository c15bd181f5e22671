"""Whether all that is killed goes as far as its instants are spread over: measured from its beginning to its end.

A reach that is too long has its kills land at the end, one that is too short leaves the end alone: either shows less
than it says. Not for: killing (killing.py), or how far each goes (beside what is killed).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecauto_pipeline_tests.matrices import kills, kills_of_people, kills_of_upgrades
from ecauto_pipeline_tests.matrices.killing import END, FILE, MEASURE, STEP, Instant, Life, Reach, kill_one
from ecauto_pipeline_tests.matrices.stage import Stage

_FREE = 2.0
"""A reach may be so many times what was measured, or the other way round: what an asset does changes from version to
version. Beyond that half of the kills land at the end, or half of a life sees none."""


@dataclass(frozen=True, slots=True)
class Case:
    """One of all that is killed."""

    what: str

    @property
    def name(self) -> str:
        return f"reach of {self.what}"


def lives() -> dict[str, Life]:
    """All that is killed anywhere."""
    return kills.lives() | kills_of_people.lives() | kills_of_upgrades.lives()


def cases(_seed: int) -> list[Case]:
    return [Case(what) for what in lives()]


def play(stage: Stage, case: Case) -> list[str]:
    """It goes as far as it is said to go."""
    life = lives()[case.what]
    folder, body, given = life.begin(stage)
    death = kill_one(stage, folder, Instant(MEASURE), body, *given)
    if death.landed != END:
        return [f"it could not be measured: {death.broke or 'it ended before its end'}"]
    return differs(life.reach, death.met)


def differs(said: Reach, met: Mapping[str, int]) -> list[str]:
    """What of a reach is not what was measured."""
    pairs = {FILE: said.files, STEP: said.steps}
    wrong = {kind: reach for kind, reach in pairs.items() if not reach / _FREE <= met.get(kind, 0) <= reach * _FREE}
    return [f"{kind}: {met.get(kind, 0)} times, and {reach} are said" for kind, reach in wrong.items()]
