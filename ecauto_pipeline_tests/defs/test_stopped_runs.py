"""A run that a person ends is canceled, whoever launched it; one that is broken off otherwise has failed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ecauto_pipeline.cli.dagster_run import execute
from ecauto_pipeline.defs import resources
from ecauto_pipeline.defs.partitions import hour_key
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


NOTED = ["RUN_START", "ENGINE_EVENT", "RESOURCE_INIT_STARTED", "RESOURCE_INIT_SUCCESS", "STEP_START", "STEP_SUCCESS"]


@pytest.mark.parametrize("noted", NOTED)
def test_ctrl_c_between_two_pieces_of_our_code_is_no_failure(
    here: Installation, monkeypatch: pytest.MonkeyPatch, noted: str
) -> None:
    """Dagster keeps a signal that comes while it works itself, and raises it where the next piece would begin."""
    note = dg.DagsterInstance.handle_new_event
    sent: list[str] = []

    def note_and_interrupt(instance: dg.DagsterInstance, event: dg.EventLogEntry, **options: Any) -> None:
        note(instance, event, **options)
        if not sent and event.dagster_event is not None and noted == event.dagster_event.event_type.name:
            sent.append(noted)
            os.kill(os.getpid(), signal.SIGINT)

    home = here.folder / "instance"
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setattr(dg.DagsterInstance, "handle_new_event", note_and_interrupt)
    ended = execute("validate_cache", hour_key(datetime.now(UTC)), {"trigger": "cli"}, lambda _: None)
    assert [noted] == sent
    assert "CANCELED" == here.instance.get_runs()[0].status.value
    assert ended.interrupted
    assert not ended.success
    with open_tools(here.settings, offline=True) as tools, tools.state.read() as connection:
        assert [] == run_book.unended(connection)
