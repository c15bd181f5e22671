"""The update journal: an intent is committed before every edit, its outcome after it.

A row without outcome (or `unknown`) is an edit of which nobody knows whether it happened: it is read back from the shop
and settled, never blindly repeated. Outcomes and what leads to them: domain/transitions.py.
Not for: making the edit (sync/base_updates) or what a listing shows (shown.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, distinct, func, insert, or_, select, update

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey, Diff, Kind, ListingKey, Outcome
from ecauto_pipeline.domain.transitions import EDITS, NEW, moves_of, next_state
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.of_accounts import of_accounts
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.state.schema_decisions import diffs, journal

_OUTCOMES: Final = {"intent": None, "done": Outcome.DONE, "dry_run": Outcome.DRY_RUN}
_IN_ORDER = (func.coalesce(journal.c.attempted_at, journal.c.intent_at), journal.c.update_id)
"""As they left: intents of several edits are written at once."""
UNSETTLED = or_(journal.c.outcome.is_(None), journal.c.outcome == Outcome.UNKNOWN)
_MAY_HAVE_HAPPENED = or_(journal.c.outcome == Outcome.DONE, UNSETTLED)
_OUTCOMES_OF = select(journal.c.update_id, journal.c.outcome).where(
    journal.c.update_id.in_(bindparam("names", expanding=True))
)
_INSERT = insert(journal)


@dataclass(frozen=True, slots=True)
class Update:
    """One edit as journalled. `outcome` None: the intent alone is known. `attempted_at` / `completed_at`: of the last
    call; None = never, or nobody knows when it ended.
    """

    update_id: str
    diff_id: str
    run_id: str
    key: ListingKey
    asin: str
    kind: Kind
    before: int | None
    after: int
    outcome: Outcome | None
    error: str
    intent_at: datetime
    rollback_of: str
    attempts: int = 0
    attempted_at: datetime | None = None
    completed_at: datetime | None = None

    @property
    def target(self) -> tuple[ListingKey, Kind]:
        return self.key, self.kind

    @property
    def is_unsettled(self) -> bool:
        """Whether nobody knows if it happened."""
        return self.outcome in (None, Outcome.UNKNOWN)


def key_of(diff: Diff) -> str:
    """Names the change itself: the same listing, kind, value and snapshot give the same key in every run."""
    key = diff.key
    parts = (key.platform, key.account_id, key.item_id, diff.kind, str(diff.wanted), diff.snapshot_id)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def intend(
    connection: Connection,
    run_id: str,
    decided: Decided,
    now: datetime,
    *,
    event: Literal["intend", "record", "rehearse"] = "intend",
    rollback_of: str = "",
) -> str:
    """Write the intent of one edit; returns its update_id. `record`, `rehearse`: the whole row, no call follows.

    A second try of the same change in the same run takes the row of the first one again. Raises MoveNotAllowed where
    that one is done, or still to be settled.
    """
    (update_id,) = intend_all(connection, run_id, (decided,), now, event=event, rollback_of=rollback_of)
    return update_id


def intend_all(
    connection: Connection,
    run_id: str,
    rows: Sequence[Decided],
    now: datetime,
    *,
    event: Literal["intend", "record", "rehearse"] = "intend",
    rollback_of: str = "",
) -> list[str]:
    """`intend` for several edits (<= 500), each of another target: their update_ids, in order."""
    stamp, outcome = to_ms(now), _OUTCOMES[next_state(EDITS, NEW, event)]
    done_at = stamp if outcome is not None else None
    shared = {"outcome": outcome, "error": "", "intent_at": stamp, "attempted_at": stamp, "completed_at": done_at}
    shared |= {"exported": 0, "refused": 0, "rollback_of": rollback_of}
    changes = [key_of(decided.diff) for decided in rows]
    names = [hashlib.sha256(f"{run_id}\x1f{change}".encode()).hexdigest()[:32] for change in changes]
    before = {row.update_id: row.outcome for row in connection.execute(_OUTCOMES_OF, {"names": names})}
    new: list[dict[str, Any]] = []
    for update_id, change, decided in zip(names, changes, rows, strict=True):
        diff = decided.diff
        fields = {**shared, "before": diff.shown, "diff_id": decided.diff_id}
        if update_id in before:
            next_state(EDITS, before[update_id] or "intent", event)
            again = update(journal).where(journal.c.update_id == update_id)
            connection.execute(again.values(**fields, attempts=journal.c.attempts + 1))
            continue
        of_listing = {"platform": diff.key.platform, "account_id": diff.key.account_id, "item_id": diff.key.item_id}
        fields |= {"update_id": update_id, "key": change, "run_id": run_id, **of_listing, "asin": diff.asin}
        fields |= {"kind": diff.kind, "after": diff.wanted, "attempts": 0 if outcome is Outcome.DRY_RUN else 1}
        new.append(fields)
    if new:
        connection.execute(_INSERT, new)
    return names


def finish(
    connection: Connection,
    update_id: str,
    event: Literal["confirm", "refuse", "lose"],
    now: datetime,
    error: str = "",
    *,
    refused: bool = False,
) -> bool:
    """Write how an edit ended; one that was lost stays to be settled. False where it was settled otherwise already.

    `refused`: not for want of an answer or of time, the shop will not have this value for this item.
    """
    was, outcome = moves_of(EDITS, event)
    ended = None if outcome == Outcome.UNKNOWN else to_ms(now)
    row = update(journal).where(journal.c.update_id == update_id, is_in(was))
    ends = {"outcome": outcome, "error": error, "completed_at": ended, "exported": 0, "refused": int(refused)}
    moved = connection.execute(row.values(**ends))
    return moved.rowcount > 0


def withdraw(connection: Connection, update_id: str) -> bool:
    """Take an intent back: the shop certainly did not act on it (its window was used up, or it was closed to us).

    False, and nothing goes, where it is no mere intent any more.
    """
    was, _ = moves_of(EDITS, "withdraw")
    return connection.execute(delete(journal).where(journal.c.update_id == update_id, is_in(was))).rowcount > 0


def unsettled(connection: Connection, platform: str, account_id: str) -> list[Update]:
    """Edits of one shop of which nobody knows whether they happened, oldest first."""
    mine = (journal.c.platform == platform, journal.c.account_id == account_id)
    query = select(journal).where(UNSETTLED, *mine).order_by(journal.c.intent_at, journal.c.update_id)
    return [update_row(row) for row in connection.execute(query)]


def of_run(connection: Connection, run_id: str) -> list[Update]:
    """Every edit of one run, in the order in which they left."""
    query = select(journal).where(journal.c.run_id == run_id).order_by(*_IN_ORDER)
    return [update_row(row) for row in connection.execute(query)]


def runs_starting_with(connection: Connection, prefix: str) -> list[str]:
    """The runs with an edit on record that was done, or may have been, whose id begins so."""
    begins = (journal.c.run_id.startswith(prefix, autoescape=True), _MAY_HAVE_HAPPENED)
    return sorted(connection.execute(select(journal.c.run_id).where(*begins).distinct()).scalars())


def since(connection: Connection, moment: datetime) -> list[Update]:
    """Every edit since then that was done, or may have been, those of rollbacks left out, as they left."""
    query = select(journal).where(journal.c.intent_at >= to_ms(moment), _MAY_HAVE_HAPPENED)
    rows = connection.execute(query.where(journal.c.rollback_of == "").order_by(*_IN_ORDER))
    return [update_row(row) for row in rows]


def undone(connection: Connection) -> set[tuple[str, ListingKey, Kind]]:
    """(run, listing, kind) of what rollbacks have put back already; `rollback_of` names one run or several.

    What a rollback put back, and a later one took back in its turn, is as the run left it: not undone.
    """
    query = select(journal).where(journal.c.rollback_of != "", journal.c.outcome == Outcome.DONE)
    back = map(update_row, connection.execute(query.order_by(journal.c.intent_at.desc(), journal.c.update_id)))
    found: set[tuple[str, ListingKey, Kind]] = set()
    for one in back:
        if (one.run_id, *one.target) not in found:
            found |= {(run, *one.target) for run in one.rollback_of.split(",")}
    return found


def count_done(connection: Connection, run_id: str, reason: str) -> int:
    """How many edits of a run were made for this reason, and done."""
    query = select(func.count()).select_from(journal).join(diffs, diffs.c.diff_id == journal.c.diff_id)
    mine = (journal.c.run_id == run_id, journal.c.outcome == Outcome.DONE)
    return int(connection.execute(query.where(*mine, diffs.c.reason == reason)).scalar_one())


def any_done(connection: Connection) -> bool:
    """Whether any edit on record took place."""
    query = select(journal.c.update_id).where(journal.c.outcome == Outcome.DONE).limit(1)
    return connection.execute(query).first() is not None


def hidden_since(
    connection: Connection, since: datetime, but_for: Iterable[str], accounts: Iterable[AccountKey] | None = None
) -> dict[AccountKey, int]:
    """By account: listings that were hidden after `since` and are hidden still, each once.

    Not those hidden for one of the reasons `but_for`, nor by a rollback. `accounts`: only these; None = all.
    """
    query = _HIDDEN if accounts is None else _HIDDEN.where(of_accounts(journal, accounts))
    found = connection.execute(query, {"since": to_ms(since), "but_for": list(but_for)})
    return {AccountKey(row[0], row[1]): row[2] for row in found}


_HIDDEN = (
    select(journal.c.platform, journal.c.account_id, func.count(distinct(journal.c.item_id)))
    .join(diffs, diffs.c.diff_id == journal.c.diff_id)
    .join(
        listings,
        (listings.c.platform == journal.c.platform)
        & (listings.c.account_id == journal.c.account_id)
        & (listings.c.item_id == journal.c.item_id),
    )
    .where(journal.c.kind == Kind.VISIBILITY, journal.c.after == 0)
    .where(journal.c.outcome == Outcome.DONE, journal.c.intent_at > bindparam("since"), journal.c.rollback_of == "")
    .where(diffs.c.reason.not_in(bindparam("but_for", expanding=True)), listings.c.shown_visible == 0)
    .group_by(journal.c.platform, journal.c.account_id)
)


def refused_as_gone(connection: Connection, account: AccountKey, since: datetime) -> list[Update]:
    """Edits that the shop answered with "no such item", one per listing, the newest."""
    query = select(journal).where(
        journal.c.outcome == Outcome.FAILED,
        journal.c.error.startswith("bad_item_id"),
        journal.c.platform == account.platform,
        journal.c.account_id == account.account_id,
        journal.c.intent_at >= to_ms(since),
    )
    rows = connection.execute(query.order_by(journal.c.intent_at, journal.c.update_id))
    return list({row.item_id: update_row(row) for row in rows}.values())


def about(connection: Connection, key: str) -> list[Update]:
    """Every edit that is still here of `key`, an item id or an ASIN; in no order."""
    query = select(journal).where(or_(journal.c.item_id == key, journal.c.asin == key))
    return [update_row(row) for row in connection.execute(query)]


def count_open_intents(connection: Connection) -> int:
    """Intents without an outcome: the next run reads them back."""
    return int(connection.execute(select(func.count()).where(journal.c.outcome.is_(None))).scalar_one())


def is_in(states: Sequence[str]) -> ColumnElement[bool]:
    """Rows in these states of domain/transitions.py; an intent is an outcome of NULL."""
    outcome = journal.c.outcome
    return or_(*(outcome.is_(None) if state == "intent" else outcome == state for state in states))


def update_row(row: Row[Any]) -> Update:
    return Update(
        update_id=row.update_id,
        diff_id=row.diff_id,
        run_id=row.run_id,
        key=ListingKey(row.platform, row.account_id, row.item_id),
        asin=row.asin,
        kind=Kind(row.kind),
        before=row.before,
        after=row.after,
        outcome=Outcome(row.outcome) if row.outcome is not None else None,
        error=row.error,
        intent_at=from_ms(row.intent_at),
        rollback_of=row.rollback_of,
        attempts=row.attempts,
        attempted_at=None if row.attempted_at is None else from_ms(row.attempted_at),
        completed_at=None if row.completed_at is None else from_ms(row.completed_at),
    )
