"""Ctrl-C at any moment of a command: one line, no trace, no alarm, and what was done is counted.

Real processes, from the first line of the program on; what a moment meets (imports, the run's beginning, reading,
asking, pushing) is whatever the machine makes of it: no order or span is asserted.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.cli.interrupts import INTERRUPTED
from ecauto_pipeline.emulator import process
from ecauto_pipeline_tests.cli.interrupting import WORLD, Place, assert_ends_well, assert_one_line, lives_after

pytestmark = pytest.mark.long

UNANSWERED: dict[str, Any] = {"seed": 5, "listings": 500, "accounts": 2, "speed": 16.0}
COUNTED = re.compile(r"(sp_api_calls|answers|shop_calls|base_api_updates)\s+([\d,]+)")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("ctrl_c"), WORLD)
    yield made
    process.stop(made.folder / "data" / "emulator")


@pytest.fixture
def unanswered(tmp_path: Path) -> Iterator[Place]:
    """Where nothing was ever asked, at a pace that leaves a first run ten seconds from its end at its fourth call."""
    made = Place(tmp_path, UNANSWERED)
    yield made
    process.stop(made.folder / "data" / "emulator")


@pytest.mark.parametrize("command", ["sync", "validate", "demo", "status", "doctor"])
@pytest.mark.parametrize("seed", range(2))
def test_in_the_first_second(place: Place, command: str, seed: int) -> None:
    """While the program's own modules, then Dagster, are imported: it is gone at once, in one line."""
    started = place.begin(command)
    lives_after(started, random.Random(f"{command}{seed}").uniform(0.0, 0.5))
    ended = place.interrupt(started)
    if ended.code != INTERRUPTED:  # it was over when the signal came
        assert "Traceback" not in ended.err + ended.out
        assert "Aborted" not in ended.err  # click's word for what reached nobody else
        return
    assert_one_line(ended)


@pytest.mark.parametrize(
    ("command", "after_s", "times"), [("sync", 1.5, 3), ("validate", 2.5, 3), ("sync", 3.5, 1), ("demo", 3.0, 1)]
)
def test_at_any_moment_of_a_run(place: Place, command: str, after_s: float, times: int) -> None:
    """Wherever it is by then. No run is left open, and Dagster shows none as failed: nobody is alarmed.

    By a patient person or an impatient one; proofs/test_ctrl_c.py has many more moments.
    """
    assert_ends_well(place, command, after_s, times)


def test_while_amazon_is_asked_what_was_done_is_counted(unanswered: Place) -> None:
    """The run's steps could not sum up; what they committed is counted all the same, and the run is canceled."""
    before = unanswered.seen("sp_api")
    started = unanswered.begin("sync")
    while unanswered.seen("sp_api") < before + 4 and lives_after(started, 0.05):
        pass
    ended = unanswered.interrupt(started)
    assert_one_line(ended)
    counted = {name: int(text.replace(",", "")) for name, text in COUNTED.findall(ended.out)}
    assert counted["sp_api_calls"] >= 1
    assert counted["answers"] >= 1
    assert "CANCELED" == unanswered.shown_by_dagster()[0]
    assert 0 == unanswered.open_runs()
