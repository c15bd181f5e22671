"""The decisions of the runs: every verdict but UNCHANGED, and what became of it.

The states of a row and what moves it are domain/transitions.py's. A dry run's rows are closed at birth, so that
nothing of it can ever be sent or stand in the way.
Not for: judging (domain/) or sending (journal.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, Update, and_, bindparam, func, or_, select, update

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey, Decision, Diff, Kind, ListingKey
from ecauto_pipeline.domain.transitions import DECISIONS, NEW, DecisionEvent, moves_of, next_state
from ecauto_pipeline.state.exporting import in_portions
from ecauto_pipeline.state.of_accounts import of_accounts, of_shops
from ecauto_pipeline.state.schema_decisions import diffs
from ecauto_pipeline.state.upsert import add_rows

CHUNK_ROWS = 5_000
STANDING = ("open", "approved", "rejected")
SHUT = ("account_blocked", "not_read", "shop_unreachable")
"""Why a change is skipped whose shop as a whole can't be worked on."""
Target = tuple[ListingKey, Kind]
_BY_IDS = select(diffs).where(diffs.c.diff_id.in_(bindparam("names", expanding=True)))
_standing = of_shops(
    select(diffs).where(diffs.c.state.in_(STANDING)).order_by(diffs.c.decided_at, diffs.c.diff_id), diffs
)
_HELD_OPEN = (diffs.c.decision == Decision.HELD, diffs.c.state == "open")


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as remembered. `state`: as in domain/transitions.py."""

    diff_id: str
    run_id: str
    diff: Diff
    decided_at: datetime
    state: str
    state_at: datetime | None = None

    @property
    def target(self) -> Target:
        return self.diff.key, self.diff.kind


def diff_id(run_id: str, diff: Diff, when: Literal["", "early"] = "") -> str:
    """The name of this decision in this run: the same judgement twice is one row. `early`: made while the run asked,
    and another than what the run makes of it when it has seen everything."""
    key = diff.key
    parts = (run_id + when, key.platform, key.account_id, key.item_id, diff.kind, str(diff.wanted), diff.snapshot_id)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def store(
    connection: Connection,
    run_id: str,
    partition_key: str,
    found: Sequence[Diff],
    now: datetime,
    *,
    closed: bool,
    when: Literal["", "early"] = "",
) -> None:
    """Write decisions of a run; `closed`: of a dry run; `when`: as in `diff_id`. Storing the same ones again changes
    nothing."""
    stamp = to_ms(now)
    for start in range(0, len(found), CHUNK_ROWS):
        rows = [_values(run_id, partition_key, diff, stamp, closed) for diff in found[start : start + CHUNK_ROWS]]
        for row, diff in zip(rows, found[start:], strict=False):
            row["diff_id"] = diff_id(run_id, diff, when)
        add_rows(connection, diffs, rows, known_stay=True)


def standing(connection: Connection, accounts: Iterable[AccountKey]) -> dict[Target, list[Decided]]:
    """What still stands of earlier decisions: pushes not sent, holds not settled. Oldest first per target."""
    found: dict[Target, list[Decided]] = {}
    for row in connection.execute(_standing(accounts)):
        decided = decided_row(row)
        found.setdefault(decided.target, []).append(decided)
    return found


def to_push(connection: Connection, run_id: str, accounts: Iterable[AccountKey], *, dry_run: bool) -> list[Decided]:
    """The pushes a run has to see to: its own and what earlier runs left open.

    A dry run looks at its own (closed) rows and at the open ones, a live run at open ones alone.
    """
    wanted = diffs.c.state == "open"
    if dry_run:
        wanted = or_(wanted, diffs.c.run_id == run_id)
    query = select(diffs).where(diffs.c.decision == Decision.PUSH, wanted, of_accounts(diffs, accounts))
    rows = [decided_row(row) for row in connection.execute(query)]
    own = {row.target for row in rows if row.run_id == run_id}
    return [row for row in rows if row.run_id == run_id or row.target not in own]


def unsent(connection: Connection, account: AccountKey, since: datetime, most: int) -> list[Decided]:
    """Changes that can't reach a shop closed to us since then: left over, or skipped for it; hides first, each once."""
    left = and_(diffs.c.decision == Decision.PUSH, diffs.c.state == "open")
    skipped = and_(diffs.c.decision == Decision.SKIPPED, diffs.c.reason.in_(SHUT), diffs.c.decided_at >= to_ms(since))
    hides = and_(diffs.c.kind == Kind.VISIBILITY, diffs.c.wanted == 0)
    query = select(diffs).where(of_accounts(diffs, (account,)), or_(left, skipped))
    rows = connection.execute(query.order_by(hides.desc(), diffs.c.decided_at.desc(), diffs.c.item_id).limit(10 * most))
    found: dict[Target, Decided] = {}
    for row in rows:
        decided = decided_row(row)
        found.setdefault(decided.target, decided)
    return list(found.values())[:most]


def move(connection: Connection, ids: Iterable[str], event: DecisionEvent, now: datetime) -> int:
    """Let `event` happen to these rows (domain/transitions.py); the number that moved.

    Rows in a state in which it can't happen stay as they are: somebody else was faster. Raises MoveNotAllowed for an
    event that the table does not know.
    """
    statement, moved = _move(event), 0
    for names in in_portions(list(ids)):
        moved += connection.execute(statement, {"names": names, "moved_at": to_ms(now)}).rowcount
    return moved


@cache
def _move(event: DecisionEvent) -> Update:
    was, state = moves_of(DECISIONS, event)
    by_name = func.coalesce(diffs.c.state, "").in_(was)  # no index fits this: SQLite would go through all that is open
    rows = update(diffs).where(diffs.c.diff_id.in_(bindparam("names", expanding=True)), by_name)
    return rows.values(state=state, state_at=bindparam("moved_at"))


def reopen(connection: Connection, name: str, now: datetime) -> None:
    """What was sent waits again: the shop did not act on it. It ends where a later decision on its target stands."""
    decided = by_id(connection, name)
    if decided is None:
        return
    others = select(func.count()).where(*_about(*decided.target), diffs.c.state.in_(STANDING), diffs.c.diff_id != name)
    move(connection, [name], "end" if connection.execute(others).scalar_one() else "reopen", now)


def note_evidence(connection: Connection, evidence: Mapping[str, str]) -> None:
    """Replace the evidence of these rows, by diff_id."""
    statement = update(diffs).where(diffs.c.diff_id == bindparam("of")).values(evidence=bindparam("text"))
    if evidence:
        connection.execute(statement, [{"of": name, "text": text} for name, text in evidence.items()])


def holds(connection: Connection, states: Sequence[str] = ("open",)) -> list[Decided]:
    """Held rows in these states, oldest first."""
    query = select(diffs).where(diffs.c.decision == Decision.HELD, diffs.c.state.in_(states))
    return [decided_row(row) for row in connection.execute(query.order_by(diffs.c.decided_at, diffs.c.diff_id))]


def by_id(connection: Connection, name: str) -> Decided | None:
    """One decision, None where there is none of this name."""
    row = connection.execute(select(diffs).where(diffs.c.diff_id == name)).first()
    return decided_row(row) if row is not None else None


def by_ids(connection: Connection, names: Collection[str]) -> dict[str, Decided]:
    """Some decisions by their names; those that are not here are left out."""
    found: dict[str, Decided] = {}
    for few in in_portions(list(names)):
        rows = connection.execute(_BY_IDS, {"names": few})
        found |= {row.diff_id: decided_row(row) for row in rows}
    return found


def starting_with(connection: Connection, prefix: str) -> list[Decided]:
    """Every decision whose id begins so, by id."""
    query = select(diffs).where(diffs.c.diff_id.startswith(prefix, autoescape=True))
    return [decided_row(row) for row in connection.execute(query.order_by(diffs.c.diff_id))]


def of_run(connection: Connection, run_id: str) -> list[Decided]:
    """Every decision of one run, by listing and kind."""
    order = (diffs.c.platform, diffs.c.account_id, diffs.c.item_id, diffs.c.kind, diffs.c.diff_id)
    return [
        decided_row(row) for row in connection.execute(select(diffs).where(diffs.c.run_id == run_id).order_by(*order))
    ]


def reasons_of(connection: Connection, names: Iterable[str]) -> dict[str, str]:
    """Why each of these decisions was made, by diff_id; those that are not here any more are left out."""
    found: dict[str, str] = {}
    for few in in_portions(list(names)):
        rows = connection.execute(select(diffs.c.diff_id, diffs.c.reason).where(diffs.c.diff_id.in_(few)))
        found |= {row.diff_id: row.reason for row in rows}
    return found


def of_target(connection: Connection, run_id: str, key: ListingKey, kind: Kind) -> Decided | None:
    """What one run decided of one target; None where it stored nothing of it."""
    row = connection.execute(select(diffs).where(diffs.c.run_id == run_id, *_about(key, kind)).limit(1)).first()
    return decided_row(row) if row is not None else None


def waits(connection: Connection, key: ListingKey, kind: Kind) -> bool:
    """Whether something stands about this target: a push not sent, a hold, a person's word."""
    query = select(diffs.c.diff_id).where(*_about(key, kind), diffs.c.state.in_(STANDING))
    return connection.execute(query.limit(1)).first() is not None


def about(connection: Connection, key: str) -> list[Decided]:
    """Every decision that is still here about `key`, an item id or an ASIN; in no order."""
    query = select(diffs).where(or_(diffs.c.item_id == key, diffs.c.asin == key))
    return [decided_row(row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class OpenHolds:
    """Held rows that wait for a person, of one reason."""

    reason: str
    count: int
    oldest: datetime


def open_holds(connection: Connection) -> list[OpenHolds]:
    """What waits for a person, by reason."""
    query = select(diffs.c.reason, func.count(), func.min(diffs.c.decided_at)).where(*_HELD_OPEN)
    rows = connection.execute(query.group_by(diffs.c.reason).order_by(diffs.c.reason))
    return [OpenHolds(reason, count, from_ms(oldest)) for reason, count, oldest in rows]


def count_open_holds(connection: Connection, accounts: Iterable[AccountKey] | None = None) -> int:
    """How many rows wait for a person. `accounts`: only of these; None = of all."""
    mine = [] if accounts is None else [of_accounts(diffs, accounts)]
    return int(connection.execute(select(func.count()).select_from(diffs).where(*_HELD_OPEN, *mine)).scalar_one())


def _about(key: ListingKey, kind: Kind) -> tuple[ColumnElement[bool], ...]:
    of_listing = (
        diffs.c.platform == key.platform,
        diffs.c.account_id == key.account_id,
        diffs.c.item_id == key.item_id,
    )
    return (*of_listing, diffs.c.kind == kind.value)


def _values(run_id: str, partition_key: str, diff: Diff, stamp: int, closed: bool) -> dict[str, Any]:
    waits = not closed and diff.decision in (Decision.PUSH, Decision.HELD)
    return {
        "run_id": run_id,
        "partition_key": partition_key,
        "kind": diff.kind.value,
        "platform": diff.key.platform,
        "account_id": diff.key.account_id,
        "item_id": diff.key.item_id,
        "asin": diff.asin,
        "shown": diff.shown,
        "wanted": diff.wanted,
        "decision": diff.decision.value,
        "reason": diff.reason,
        "snapshot_id": diff.snapshot_id,
        "decided_at": stamp,
        "cost_jpy": diff.cost_jpy,
        "profit_jpy": diff.profit_jpy,
        "evidence": diff.evidence,
        "tier": diff.tier,
        "state": next_state(DECISIONS, NEW, "wait" if waits else "file"),
        "state_at": stamp,
        "exported": 0,
    }


def decided_row(row: Row[Any]) -> Decided:
    """A row of `diffs` as a value."""
    diff = Diff(
        key=ListingKey(row.platform, row.account_id, row.item_id),
        asin=row.asin,
        kind=Kind(row.kind),
        shown=row.shown,
        wanted=row.wanted,
        decision=Decision(row.decision),
        reason=row.reason,
        snapshot_id=row.snapshot_id,
        cost_jpy=row.cost_jpy,
        profit_jpy=row.profit_jpy,
        evidence=row.evidence,
        tier=row.tier,
    )
    state_at = None if row.state_at is None else from_ms(row.state_at)
    return Decided(row.diff_id, row.run_id, diff, from_ms(row.decided_at), row.state, state_at)
