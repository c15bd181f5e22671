"""The hours begin with the installation, in every process that loads the definitions."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.definitions_load_context import DefinitionsLoadContext, DefinitionsLoadType
from dagster._core.definitions.metadata.metadata_value import CodeLocationReconstructionMetadataValue
from dagster._core.definitions.repository_definition import RepositoryLoadData

from ecauto_pipeline.defs.build import build_defs
from ecauto_pipeline.defs.jobs import STOCK_ASSETS
from ecauto_pipeline.defs.partitions import FIRST_HOUR, bad_key, hour_key
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state.installation import hour_of, look_up_first_hour
from ecauto_pipeline_tests.defs.installation import installed, worked_since

NOW = datetime(2026, 6, 1, 3, 20, tzinfo=UTC)


def offered(defs: dg.Definitions) -> list[str]:
    """The hours of the flow, oldest first; the same for each of the six."""
    graph = defs.get_repository_def().asset_graph
    definitions = [graph.get(dg.AssetKey(name)).partitions_def for name in STOCK_ASSETS]
    lists = [one.get_partition_keys() if one else [] for one in definitions]
    assert all(one == lists[0] for one in lists)
    return list(lists[0])


def hours_between(first: datetime, last: datetime) -> list[str]:
    count = int((hour_of(last) - hour_of(first)) / timedelta(hours=1)) + 1
    return [hour_key(first + timedelta(hours=number)) for number in range(count)]


def test_before_anything_ran_there_is_this_hour(tmp_path: Path) -> None:
    """A fresh folder offers no year of hours that nobody could have filled, and loading leaves it fresh."""
    settings = parse({}, tmp_path)
    before = datetime.now(UTC)
    keys = offered(build_defs(settings))
    assert keys in (hours_between(before, before), hours_between(before, datetime.now(UTC)))
    assert [] == list(tmp_path.iterdir())


def test_the_hours_begin_with_the_first_one_that_worked(tmp_path: Path) -> None:
    """Two days ago, then up to now; the same from every load."""
    settings = parse({}, tmp_path)
    first = worked_since(settings, datetime.now(UTC) - timedelta(days=2))
    for _ in range(2):
        keys = offered(build_defs(settings))
        assert hour_key(first) == keys[0]
        assert keys in (hours_between(first, datetime.now(UTC)), hours_between(first, datetime.now(UTC))[:-1])


def in_a_run_process(first: datetime) -> Any:
    """What Dagster has loaded into a run process of a code server that began with `first`."""
    handed = {FIRST_HOUR: CodeLocationReconstructionMetadataValue(hour_key(first))}
    data = RepositoryLoadData(cacheable_asset_data={}, reconstruction_metadata=handed)
    return DefinitionsLoadContext.scoped(DefinitionsLoadContext(DefinitionsLoadType.RECONSTRUCTION, data))


def test_a_run_process_begins_where_its_code_server_began(tmp_path: Path) -> None:
    """Loaded hours apart with nothing in state yet, both offer the same; the first run writes that down for good."""
    now = datetime.now(UTC)
    loaded = hour_of(now - timedelta(hours=3))
    with installed(tmp_path) as here:
        with in_a_run_process(loaded):
            assert hours_between(loaded, now)[0] == offered(build_defs())[0]
            assert here.run("validate_cache", partition=hour_key(now - timedelta(hours=1))).success
        assert loaded == look_up_first_hour(here.settings.state_url())
        with in_a_run_process(loaded - timedelta(hours=9)):
            assert hour_key(loaded) == offered(build_defs())[0]
        assert hour_key(loaded) == offered(build_defs())[0]


def test_after_one_sync_the_filled_share_means_something(tmp_path: Path) -> None:
    """One hour of one or, where the clock struck meanwhile, of two."""
    with installed(tmp_path) as here:
        assert here.run("full_sync").success
        keys = offered(build_defs())
        assert len(keys) in (1, 2)
        for name in STOCK_ASSETS:
            filled = here.instance.get_materialized_partitions(dg.AssetKey(name))
            assert 1 == len(filled & set(keys)) == len(filled)


@pytest.mark.parametrize("back", [1, 4])
def test_an_hour_of_before_the_installation_never_runs_well(tmp_path: Path, back: int) -> None:
    """Alone or as the beginning of a range: refused in a sentence before any step, with nothing kept of the run."""
    with installed(tmp_path) as here:
        first = here.older(5)
        early, last = hour_key(first - timedelta(hours=back)), hour_key(datetime.now(UTC))
        with pytest.raises(dg.DagsterUnknownPartitionError):
            here.run("full_sync", partition=early)
        tags = {"dagster/asset_partition_range_start": early, "dagster/asset_partition_range_end": last}
        job = build_defs().resolve_job_def("full_sync")
        result = job.execute_in_process(instance=here.instance, tags=tags, raise_on_error=False)
        assert not result.success
        assert [] == [event for event in result.all_events if event.is_step_start]
        assert early in " ".join(str(event.event_specific_data) for event in result.all_events)
        assert 0 == here.runs_kept()


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("2026-06-01-09:00", ""),
        ("2026-06-01-12:00", ""),
        ("2026-06-01-08:00", "2026-06-01-09:00 - 2026-06-01-12:00"),
        ("2026-06-01-13:00", "2026-06-01-09:00 - 2026-06-01-12:00"),
        ("2026-06-01-10:30", "did you mean '2026-06-01-10:00'"),
        ("yesterday", "2026-06-01-12:00"),
    ],
)
def test_a_key_that_cannot_run_says_why(key: str, words: str) -> None:
    """Before the installation, not begun yet, not the beginning of an hour, no key at all; one language at a time."""
    said = bad_key(key, datetime(2026, 6, 1, 0, 0, tzinfo=UTC), NOW)
    assert bool(words) == bool(said)
    if said is not None:
        ja, en = said
        assert words in en
        assert en.isascii()
        assert words.removeprefix("did you mean ") in ja
        assert not re.search(r"[a-z]{3}", ja.replace(key, "", 1))
