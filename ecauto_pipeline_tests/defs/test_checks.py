"""The results of an asset's checks, as Dagster takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import Engine, event

from ecauto_pipeline.defs.checks import of_one_materialization

HOURS = dg.StaticPartitionsDefinition(["an hour", "another"])


def _asset(checks: int, partitions: dg.PartitionsDefinition | None) -> dg.AssetsDefinition:
    names = [f"holds_{number}" for number in range(checks)]

    @dg.asset(check_specs=[dg.AssetCheckSpec(name, asset="counted") for name in names], partitions_def=partitions)
    def counted() -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster refuses MaterializeResult[None] here
        found = [dg.AssetCheckResult(passed=True, check_name=name, metadata={"n": 7}) for name in names]
        return dg.MaterializeResult(check_results=of_one_materialization(found))

    return counted


@contextmanager
def _looked_up() -> Iterator[list[str]]:
    """Every statement that reads materializations while this is open."""
    found: list[str] = []

    def asked(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT") and "ASSET_MATERIALIZATION" in parameters:
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", asked)
    yield found
    event.remove(Engine, "before_cursor_execute", asked)


def _played(checks: int, partitions: dg.PartitionsDefinition | None) -> tuple[int, Sequence[dg.AssetCheckEvaluation]]:
    """How often a materialization was read in a run of so many checks, and their evaluations; it is a second run."""
    key = "an hour" if partitions is not None else None
    with dg.DagsterInstance.ephemeral() as instance:
        assets = [_asset(checks, partitions)]
        dg.materialize(assets, instance=instance, partition_key=key)
        with _looked_up() as found:
            result = dg.materialize(assets, instance=instance, partition_key=key)
        newest = instance.fetch_materializations(dg.AssetKey("counted"), limit=1).records[0]
        for one in result.get_asset_check_evaluations():
            assert one.target_materialization_data is not None
            assert (newest.storage_id, result.run_id) == (
                one.target_materialization_data.storage_id,
                one.target_materialization_data.run_id,
            )
        return len(found), result.get_asset_check_evaluations()


@pytest.mark.parametrize("partitions", [None, HOURS])
def test_what_the_checks_of_a_step_are_of_is_looked_up_once(partitions: dg.PartitionsDefinition | None) -> None:
    """Thirty checks cost no more reading than one; each names what its own run has just made."""
    once, _ = _played(1, partitions)
    many, found = _played(30, partitions)
    assert once == many
    assert 30 == len({one.check_name for one in found})
    assert {7} == {one.metadata["n"].value for one in found}
