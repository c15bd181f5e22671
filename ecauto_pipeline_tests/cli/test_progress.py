"""What a terminal that is none is told of long work: a log file, a scheduler's output."""

from __future__ import annotations

import pytest

from ecauto_pipeline.cli.progress import progress_shown
from ecauto_pipeline.sync.context import Progress


def test_work_that_grows_goes_on_being_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The end is said once; when more is planned then, its end is said too, and nothing twice."""
    with progress_shown() as tell:
        for done, total in ((1, 100), (100, 100), (100, 100), (101, 300), (300, 300), (300, 300)):
            tell(Progress("sp_api_snapshots", done, total))
    said = [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()]
    assert ["1/100", "100/100", "300/300"] == said
