"""Which edits a rollback takes back: of the runs that are named, of everything since a moment, or of both.

Several runs that changed the same target are one change: what was before the first of them comes back in one edit.
Not for: whether it may come back (rollback_gate.py) or sending it (rollback.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.model import Decision, Diff, Outcome
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.state import journal
from ecauto_pipeline.state.decisions import Target
from ecauto_pipeline.state.journal import Update


@dataclass(frozen=True, slots=True)
class Chosen:
    """`runs`: whole ids, sorted. `edits`: what is still to be taken back, one a target, first and last value joined.

    `all_edits`: every done edit of these runs, those that a rollback has put back already included. `unsettled`: edits
    of these runs of which nobody knows whether they happened, one a target; none of the others is about such a target.
    `named`, `since`: what was asked for.
    """

    runs: tuple[str, ...]
    edits: tuple[Update, ...]
    all_edits: tuple[Update, ...]
    unsettled: tuple[Update, ...] = ()
    named: tuple[str, ...] = ()
    since: datetime | None = None


def choose(connection: Connection, prefixes: Sequence[str], since: datetime | None) -> Chosen:
    """The edits of the runs that begin so, and of every run since a moment (what rollbacks sent since is not among
    those). Raises NotOnRecord where a beginning names no run or several, or nothing is on record at all."""
    named = tuple(dict.fromkeys(_whole_id(connection, prefix) for prefix in prefixes))
    chosen = _chosen(connection, named, since, ())
    for whole in named:
        if whole not in chosen.runs:
            raise NotOnRecord(
                f"no edit of run {whole} is on record", ja=f"この実行が送った変更の記録はありません: {whole}"
            )
    if not chosen.runs:
        at = f"{jst(since):%Y-%m-%d %H:%M}" if since is not None else ""
        raise NotOnRecord(
            f"no edit since {at} is on record" if at else "no run is named",
            ja=f"{at} 以降に送った変更の記録はありません" if at else "取り消す実行がありません",
        )
    return chosen


def choose_again(connection: Connection, chosen: Chosen) -> Chosen:
    """The same runs, now that what was unsettled was read back: some of it has happened, some has not."""
    return _chosen(connection, chosen.named, chosen.since, chosen.runs)


def _chosen(connection: Connection, named: Sequence[str], since: datetime | None, runs: Iterable[str]) -> Chosen:
    found = [edit for run in named for edit in journal.of_run(connection, run)]
    found += journal.since(connection, since) if since is not None else []
    done = {edit.update_id: edit for edit in found if edit.outcome is Outcome.DONE}
    unsettled = {edit.target: edit for edit in found if edit.is_unsettled}
    undone = journal.undone(connection)
    left = [edit for edit in done.values() if (edit.run_id, *edit.target) not in undone]
    return Chosen(
        tuple(sorted({edit.run_id for edit in (*done.values(), *unsettled.values())} | set(runs))),
        joined(edit for edit in left if edit.target not in unsettled),
        tuple(done.values()),
        tuple(unsettled.values()),
        tuple(named),
        since,
    )


def joined(edits: Iterable[Update]) -> tuple[Update, ...]:
    """One edit a target, in the order of the last ones: what the last of them set, and what was before the first.

    Where something that is not among them came between two, what was before it is not touched.
    """
    by_target: dict[Target, Update] = {}
    for edit in sorted(edits, key=lambda one: (one.intent_at, one.update_id)):
        earlier = by_target.pop(edit.target, None)
        follows = earlier is not None and edit.before is not None and earlier.after == edit.before
        before = earlier.before if earlier is not None and follows else edit.before
        by_target[edit.target] = replace(edit, before=before)
    return tuple(by_target.values())


def left_alone(edit: Update, reason: str) -> Diff:
    """An edit that nobody looks at, and why."""
    bare = (edit.key, edit.asin, edit.kind, edit.after, edit.before, Decision.SKIPPED, reason)
    return Diff(*bare, snapshot_id=f"rollback:{edit.update_id}")


def _whole_id(connection: Connection, prefix: str) -> str:
    found = journal.runs_starting_with(connection, prefix)
    if len(found) > 1 and prefix not in found:
        some = ", ".join(found[:3])
        raise NotOnRecord(
            f"{len(found)} runs begin with {prefix!r}: {some}",
            ja=f"{prefix!r} で始まる実行が {len(found)}件あります: {some}",
        )
    return found[0] if len(found) == 1 else prefix
