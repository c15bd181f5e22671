"""One drill of `make drills`, small, and that the page it writes has a line for each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecauto_pipeline_tests.pages import read
from ecauto_pipeline_tests.scenarios.drilling import play
from ecauto_pipeline_tests.scenarios.drills import DRILLS, Drill


def test_a_secret_that_expires_in_mid_run_costs_nothing_and_is_told(tmp_path: Path) -> None:
    """No wrong hide, no wrong price, the alert within a quarter of an hour; renewed, the next run is answered."""
    (drill,) = [one for one in DRILLS if one.name == "secret expired"]
    outcome = play(drill, tmp_path, listings=40, into_a_run_s=1.0, pauses=(0.0,))
    assert [] == outcome.violations


@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.name)
def test_the_page_has_its_line(drill: Drill) -> None:
    """In both languages: what happens, nothing wrong, who is called, what a person has to change."""
    for page, english in (("docs/ja/drills.md", False), ("docs/drills.md", True)):
        (line,) = [one for one in read(page).splitlines() if one.startswith(f"| {drill.what[english]} |")]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert (drill.what[english], "0 / 0", drill.person[english]) == (cells[0], cells[1], cells[-1])
        assert (f"(runbook.md#{drill.rule})" in cells[2]) if drill.rule else cells[2] == "–"
