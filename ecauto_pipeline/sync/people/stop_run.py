"""A person ends a run under way, as Ctrl-C would: what is in flight is finished and noted, the next run goes on.

The wish is kept first, then the run's process is interrupted: the run itself then tells Dagster that it was canceled,
whoever launched it, so that nothing is called a failure or tried again. Not for: pushing (stop.py), which no run's end
stops, or runs that wait in Dagster's queue.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from ecauto_pipeline.errors import EcautoError, NotOnRecord
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.owner import interrupt, place_of, process_of
from ecauto_pipeline.state.runs import RunRow
from ecauto_pipeline.sync.context import Tools


@dataclass(frozen=True, slots=True)
class AskedToEnd:
    """A run that was told to end. It may need some seconds for what is in flight."""

    run_id: str
    job: str
    who: str


def stop_run(tools: Tools, prefix: str, who: str) -> AskedToEnd:
    """End the run under way whose id begins so; returns once its process was told.

    Raises NotOnRecord where no run, or several, begin so, or it has ended; EcautoError where its process works on
    another host or has gone: nothing is signalled then, and the words say who works on it and where.
    """
    run = _under_way(tools, prefix)
    host, pid = place_of(run.owner)
    found = process_of(run.owner)
    if found == "gone":
        raise _gone(run)
    if found == "unknown" or os.name != "posix":
        place = f"{host or '?'} (pid {pid or '?'})"
        raise EcautoError(
            f"run {run.run_id} is worked on at {place}: end it there, or with Terminate in Dagster's UI",
            ja=f"実行 {run.run_id} は {place} で動いています。"
            "そこで終了するか、Dagsterの画面でTerminateを押してください",
        )
    with tools.state.write() as connection:
        run_book.ask_to_end(connection, run.run_id, who)
    found = interrupt(run.owner)
    if found == "gone":
        raise _gone(run)
    if found != "lives":
        raise EcautoError(
            f"the process of run {run.run_id} can't be told to end (pid {pid} belongs to somebody else's account)",
            ja=f"実行 {run.run_id} のプロセス（pid {pid}）に終了を伝える権限がありません",
        )
    tools.log.warning("run %s (%s) was asked to end by %s", run.run_id, run.job, who)
    return AskedToEnd(run.run_id, run.job, who)


def _under_way(tools: Tools, prefix: str) -> RunRow:
    with tools.state.read() as connection:
        names = run_book.starting_with(connection, prefix) if prefix else []
        names = [prefix] if prefix in names else names
        run = run_book.read(connection, names[0]) if len(names) == 1 else None
    if len(names) > 1:
        raise NotOnRecord(
            f"{len(names)} runs begin with {prefix!r}", ja=f"{prefix!r} で始まる実行が {len(names)}件あります"
        )
    if run is None:
        raise NotOnRecord(f"no run {prefix!r} is on record", ja=f"実行 {prefix!r} の記録はありません")
    if run.ended_at is not None:
        raise NotOnRecord(f"run {run.run_id} has ended already", ja=f"実行 {run.run_id} はもう終わっています")
    return run


def _gone(run: RunRow) -> EcautoError:
    return EcautoError(
        f"the process of run {run.run_id} has gone; the next run goes on where it was",
        ja=f"実行 {run.run_id} のプロセスはもうありません。次の実行が続きから始めます",
    )
