"""kill -9 while the data folder of an earlier version is brought to this one's, then opened again.

Not for: what the folders hold (upgrades/folders.py), or how a process is killed (killing.py).
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ecauto_pipeline.settings import load
from ecauto_pipeline.state.migrations import VERSION
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.matrices.killing import Begun, Life, Reach, Within, kill_one
from ecauto_pipeline_tests.matrices.stage import Stage
from ecauto_pipeline_tests.upgrades.folders import LANDED, answered, answers_in_database, answers_in_files, unpacked

KILLS_A_CASE = 5
_REACH = Reach(files=13, steps=76_000, cpu_s=0.09)


@dataclass(frozen=True, slots=True)
class Case:
    """One version's folder, killed several times on its way to this one, at instants chosen by the seed."""

    version: str
    seed: int

    @property
    def name(self) -> str:
        return f"upgrade of {self.version}"


def cases(seed: int) -> list[Case]:
    """Every version that was ever handed out."""
    return [Case(version, seed) for version in LANDED]


def play(stage: Stage, case: Case) -> list[str]:
    """Whatever was killed on the way: opened again it has this version's tables and all that it knew."""
    chance = random.Random(f"{case.name}{case.seed}")
    folder, config = _unpacked(stage, case.version)
    knew, wrote = answered(folder), answers_in_files(folder)
    found: list[str] = []
    kept = shutil.copytree(folder, stage.folder / "earlier", dirs_exist_ok=True)
    for _ in range(KILLS_A_CASE):
        if chance.random() < 0.6:  # else what was killed is killed once more on its way
            shutil.rmtree(folder)
            shutil.copytree(kept, folder)
        instant = _REACH.instant(chance)
        death = kill_one(stage, folder, instant, _upgrade, config)
        stage.count("migration", death.landed)
        found += [f"{instant}: broke: {death.broke}"] if death.broke else []
        if answered(folder) != knew:
            found.append(f"{instant}: what was known of an ASIN is another")
    shutil.rmtree(kept)
    with open_tools(load(config, {}), offline=True) as tools:
        found += [f"set aside: {one}" for one in tools.history.load().set_aside]
    with closing(sqlite3.connect(folder / "data" / "state.db")) as state:
        version = state.execute("PRAGMA user_version").fetchone()[0]
    if version != VERSION:
        found.append(f"tables of version {version}, not {VERSION}")
    if answered(folder) != knew:
        found.append("what was known of an ASIN is another")
    if lost := wrote - answers_in_database(folder):
        found.append(f"{len(lost)} answers are in the files, not in history's database")
    return found


def lives() -> dict[str, Life]:
    """All that is killed here, and how far it goes."""

    def of(version: str) -> Callable[[Stage], Begun]:
        def begin(stage: Stage) -> Begun:
            folder, config = _unpacked(stage, version)
            return folder, _upgrade, (config,)

        return begin

    return {Case(version, 0).name: Life(_REACH, of(version)) for version in LANDED}


def _unpacked(stage: Stage, version: str) -> tuple[Path, Path]:
    """Its folder, and its ecauto.toml."""
    folder = stage.folder / "upgrade"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder, unpacked(version, folder)


def _upgrade(config: Path, within: Within) -> None:
    """What is to be killed, in a process of its own."""
    settings = load(config, {})
    with within(), open_tools(settings, offline=True) as tools:
        tools.history.load()
