"""What a person starts in the UI works: one hour materialized, six hours backfilled as one run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.defs.jobs import STOCK_ASSETS
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.emulator import process
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state.installation import look_up_first_hour
from ecauto_pipeline_tests.defs.installation import worked_since
from ecauto_pipeline_tests.scenarios.webserver import Webserver, webserver


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webserver]:
    folder = tmp_path_factory.mktemp("ui")
    worked_since(parse({}, folder), datetime.now(UTC) - timedelta(hours=8))
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


def test_the_catalog_shows_the_hours_since_the_installation(server: Webserver) -> None:
    """Nine hours (ten where the clock struck), of which the seven that ran are filled."""
    stats = server.ask("{ assetNodes { assetKey { path } partitionStats { numMaterialized numPartitions } } }")
    by_name = {node["assetKey"]["path"][-1]: node["partitionStats"] for node in stats["assetNodes"]}
    for name in STOCK_ASSETS:
        assert by_name[name]["numPartitions"] in (9, 10)
        assert 7 == by_name[name]["numMaterialized"]


def test_a_run_begins_where_the_code_server_that_started_it_began(tmp_path: Path) -> None:
    """Nothing in state when the run's process loads: it offers what its code server offers, and writes that down."""
    began = worked_since(parse({}, tmp_path), datetime.now(UTC) - timedelta(hours=3))
    try:
        with webserver(tmp_path) as server:
            for file in (tmp_path / "data").glob("state.db*"):
                file.unlink()
            assert "SUCCESS" == server.wait_for_run(server.launch("full_sync", hour_key(began)))
            assert began == look_up_first_hour(parse({}, tmp_path).state_url())
            assert "FAILURE" == server.wait_for_run(server.launch("full_sync", hour_key(began - timedelta(hours=1))))
    finally:
        process.stop(tmp_path / "data" / "emulator")


def test_a_key_out_of_range_never_runs_well(server: Webserver) -> None:
    """1999 is no hour of ours."""
    try:
        status = server.wait_for_run(server.launch("full_sync", "1999-01-01-00:00"))
    except RuntimeError:
        status = "REFUSED"
    assert status in ("REFUSED", "FAILURE")
