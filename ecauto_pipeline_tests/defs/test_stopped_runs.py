"""A run that a person ends is canceled, whoever launched it; one that is broken off otherwise has failed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from ecauto_pipeline.defs import resources
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.context import Progress
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.defs.installation import Installation, installed


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Installation]:
    with installed(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(("who", "end"), [("owner", "CANCELED"), ("", "FAILURE")])
def test_who_interrupts_a_run_decides_how_dagster_shows_it(here: Installation, who: str, end: str) -> None:
    """A run of the schedule's gets the signal of `ecauto runs stop`: canceled, so nothing tries it again; without a
    person's wish it is a failure, as when the machine goes down. Its record in state.db is closed both times."""

    def interrupt(_progress: Progress) -> None:
        resources.listeners.remove(interrupt)
        with open_tools(here.settings, offline=True) as tools, tools.state.write() as connection:
            (run,) = run_book.unended(connection)
            if who:
                run_book.ask_to_end(connection, run.run_id, who)
        os.kill(os.getpid(), signal.SIGINT)

    resources.listeners.append(interrupt)
    with pytest.raises(dg.DagsterExecutionInterruptedError):
        here.run("validate_cache", {"trigger": "schedule"})
    (run,) = here.instance.get_runs()
    assert end == run.status.value
    with open_tools(here.settings, offline=True) as tools, tools.state.read() as connection:
        assert [] == run_book.unended(connection)
