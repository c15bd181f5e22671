"""What a person starts in the UI works: one hour materialized, six hours backfilled as one run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ecauto_pipeline.defs.jobs import STOCK_ASSETS
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.emulator import process
from proofs.webserver import Webserver, webserver


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webserver]:
    folder = tmp_path_factory.mktemp("ui")
    with webserver(folder) as running:
        yield running
    process.stop(folder / "data" / "emulator")


def test_one_hour_is_materialized(server: Webserver) -> None:
    """A materialization of one hourly partition, started over GraphQL, succeeds."""
    run_id = server.launch("full_sync", hour_key(datetime.now(UTC)))
    assert server.wait_for_run(run_id) == "SUCCESS"


def test_six_hours_are_backfilled_as_one_run(server: Webserver) -> None:
    """A backfill over a range is one catch-up, never one run an hour."""
    now = datetime.now(UTC)
    keys = [hour_key(now - timedelta(hours=back)) for back in range(6, 0, -1)]
    status, runs = server.wait_for_backfill(server.backfill(list(STOCK_ASSETS), keys))
    assert status == "COMPLETED_SUCCESS"
    assert [run["status"] for run in runs] == ["SUCCESS"]


@pytest.mark.parametrize(("field", "value"), [("include_price", "flor"), ("spend", "bugdet"), ("trigger", "somebody")])
def test_a_wrong_word_is_refused_in_the_launchpad(server: Webserver, field: str, value: str) -> None:
    """Launching names the field and the word; no run exists."""
    runs = server.ask("{ runsOrError { ... on Runs { count } } }")
    with pytest.raises(RuntimeError, match=f"RunConfigValidationInvalid.*{field}.*{value}"):
        server.launch("full_sync", hour_key(datetime.now(UTC)), {field: value})
    assert runs == server.ask("{ runsOrError { ... on Runs { count } } }")


def test_a_key_out_of_range_never_runs_well(server: Webserver) -> None:
    """1999 is no hour of ours."""
    try:
        status = server.wait_for_run(server.launch("full_sync", "1999-01-01-00:00"))
    except RuntimeError:
        status = "REFUSED"
    assert status in ("REFUSED", "FAILURE")
