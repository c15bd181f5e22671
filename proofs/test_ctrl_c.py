"""Ctrl-C at many moments of a run: no run is left open, none is shown as failed."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from ecauto_pipeline.emulator import process
from ecauto_pipeline_tests.cli.interrupting import WORLD, Place, assert_ends_well

MOMENTS = 12


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("ctrl_c"), WORLD)
    yield made
    process.stop(made.folder / "data" / "emulator")


@pytest.mark.parametrize("command", ["sync", "validate", "demo"])
@pytest.mark.parametrize("seed", range(MOMENTS))
def test_at_any_moment_of_a_run(place: Place, command: str, seed: int) -> None:
    """Wherever it is by then, by a patient person or an impatient one."""
    chance = random.Random(f"{command}{seed} moment")
    assert_ends_well(place, command, chance.uniform(1.0, 9.0), chance.choice((1, 1, 3)))
