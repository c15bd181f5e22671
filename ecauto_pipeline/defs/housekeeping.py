"""Dagster's own records of runs, kept to a number: each is a file of more than half a megabyte, and Dagster keeps all.

What the runs did stays in history and the logs; with its record an hour's partition forgets that it was filled.
Not for: our own tables (sync/publish.py) or log files (sync/log_files.py).
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable

ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
AT_ONCE = 100
"""A record takes some 20 ms to remove, and a look may take a minute."""


def forget_old_runs(instance: dg.DagsterInstance, keep: int, at_once: int = AT_ONCE) -> int:
    """Remove the oldest ended runs beyond the newest `keep`: record, events, captured output. Returns how many."""
    ended = dg.RunsFilter(statuses=ENDED)
    beyond = instance.get_runs_count(ended) - keep
    if beyond <= 0:
        return 0
    oldest = instance.get_run_records(ended, limit=min(beyond, at_once), ascending=True)
    for record in oldest:
        run_id = record.dagster_run.run_id
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        instance.delete_run(run_id)
        _remove_check_results(instance, run_id)
        _remove_shard(instance, run_id)
    return len(oldest)


def _remove_check_results(instance: dg.DagsterInstance, run_id: str) -> None:
    """Dagster keeps the results of a run's checks when it forgets the run."""
    connect = getattr(instance.event_log_storage, "index_connection", None)
    if connect is not None:
        with connect() as connection:
            table = AssetCheckExecutionsTable
            connection.execute(table.delete().where(table.c.run_id == run_id))


def _remove_shard(instance: dg.DagsterInstance, run_id: str) -> None:
    """SQLite keeps a file of events for each run, which Dagster empties and leaves."""
    path_of = getattr(instance.event_log_storage, "path_for_shard", None)
    if path_of is not None:
        shard = Path(path_of(run_id))
        for file in (shard, *shard.parent.glob(f"{run_id}.db-*")):
            file.unlink(missing_ok=True)
