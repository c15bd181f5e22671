"""People and held rows: which wait and why, and what somebody said of them.

A word counts for exactly the change that was held: approved, the next run that still wants it sends it; rejected, it
is skipped for as long as the same is wanted. Not for: holding (domain/selling) or heeding it (sync/diffs/decide.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import AccountKey, Decision, Kind, ListingKey
from ecauto_pipeline.domain.transitions import DECISIONS, next_state
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.state import decisions, locks
from ecauto_pipeline.state.decisions import Decided, Target
from ecauto_pipeline.sync.base_updates.push import push_own
from ecauto_pipeline.sync.context import Context, Tools
from ecauto_pipeline.sync.diff_section import DiffReport
from ecauto_pipeline.sync.diffs import decide as deciding
from ecauto_pipeline.sync.diffs.evaluate import load_input
from ecauto_pipeline.sync.diffs.price import evaluate_prices
from ecauto_pipeline.sync.diffs.visibility import evaluate_visibility
from ecauto_pipeline.sync.push_section import HandReport, PushReport
from ecauto_pipeline.sync.run_record import keep

Word = Literal["approve", "reject"]
MOST_NAMED = 5
OVER = ("approved", "rejected", "expired", "superseded")
"""What a held row of a live run has come to once nobody waits for a word on it."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One held row. `state`: open | approved | rejected | expired | superseded.

    `evidence`: what it was held on, as a document, and who said what of it (approved_by, rejected_at, ...).
    `cost_jpy`, `profit_jpy`: Amazon's price, and what would be left of a sale; None = unknown, or the question itself.
    """

    diff_id: str
    run_id: str
    key: ListingKey
    asin: str
    kind: Kind
    shown: int | None
    wanted: int | None
    reason: str
    state: str
    age: timedelta
    evidence: dict[str, object]
    cost_jpy: int | None = None
    profit_jpy: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What came of a person's word, in the order in which it was given. `done`: the rows that have it now.

    `late`: rows that somebody had decided, or newer facts had settled, before: they stay as they are, as their `state`
    and `evidence` (approved_by, rejected_by) say.
    """

    done: tuple[Hold, ...] = ()
    late: tuple[Hold, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleaseReport:
    """What a release did: the holds approved, what judging said of them now, what was sent."""

    approved: int
    decided: DiffReport
    pushed: PushReport


def list_holds(tools: Tools, account: AccountKey | None = None, states: Sequence[str] = ("open",)) -> list[Hold]:
    """Held rows in these states, oldest first."""
    now = tools.clock.now()
    with tools.state.read() as connection:
        rows = decisions.holds(connection, states)
    return [hold_of(row, now) for row in rows if account in (None, row.diff.key.account)]


def show_hold(tools: Tools, prefix: str) -> Hold:
    """The one held row whose diff_id starts so. Raises NotOnRecord when there is none, or more than one."""
    with tools.state.read() as connection:
        return hold_of(held_row_named(connection, prefix), tools.clock.now())


def held_row_named(connection: Connection, prefix: str) -> Decided:
    """The row itself, whatever became of it. Raises NotOnRecord when there is none, or more than one."""
    named = decisions.starting_with(connection, prefix) if prefix else []
    return _one([one for one in named if _was_held(one) and one.state in ("open", *OVER)], prefix)


def approve(
    tools: Tools,
    ids: Iterable[str] = (),
    *,
    account: AccountKey | None = None,
    asin: str = "",
    everything: bool = False,
    who: str = "",
) -> list[Hold]:
    """Say yes to open holds: by the beginning of their diff_id, of one account, or all. Raises NotOnRecord.

    `asin`: those of this ASIN in every shop, or in the one of `account`.
    """
    return list(decide(tools, "approve", ids, account=account, asin=asin, everything=everything, who=who).done)


def reject(
    tools: Tools,
    ids: Iterable[str] = (),
    *,
    account: AccountKey | None = None,
    asin: str = "",
    everything: bool = False,
    who: str = "",
) -> list[Hold]:
    """Say no to open holds, chosen as in `approve`. Raises NotOnRecord."""
    return list(decide(tools, "reject", ids, account=account, asin=asin, everything=everything, who=who).done)


def decide(
    tools: Tools,
    word: Word,
    ids: Iterable[str] = (),
    *,
    account: AccountKey | None = None,
    asin: str = "",
    everything: bool = False,
    who: str = "",
) -> Said:
    """Say yes or no, chosen as in `approve`; what was decided meanwhile is named, the rest has the word.

    Raises NotOnRecord, and decides nothing, where an id names no held row that there ever was, or several.
    """
    now = tools.clock.now()
    with tools.state.write() as connection:
        chosen, late = _chosen(connection, ids, account, asin, everything)
        said_so = next_state(DECISIONS, "open", word)
        signed = {f"{said_so}_by": who or "unknown", f"{said_so}_at": now.isoformat()}
        evidence = {
            row.diff_id: json.dumps({**_document(row), **signed}, ensure_ascii=False) for row in chosen.values()
        }
        decisions.move(connection, chosen, word, now)
        decisions.note_evidence(connection, evidence)
    done = (
        replace(row, state=said_so, diff=replace(row.diff, evidence=evidence[row.diff_id])) for row in chosen.values()
    )
    return Said(tuple(hold_of(row, now) for row in done), tuple(hold_of(row, now) for row in late.values()))


def choose(
    tools: Tools,
    ids: Iterable[str] = (),
    *,
    account: AccountKey | None = None,
    asin: str = "",
    everything: bool = False,
) -> Said:
    """The rows that a word would be about (`done`), and those it would come too late for. Raises NotOnRecord."""
    now = tools.clock.now()
    with tools.state.read() as connection:
        chosen, late = _chosen(connection, ids, account, asin, everything)
    return Said(tuple(hold_of(row, now) for row in chosen.values()), tuple(hold_of(row, now) for row in late.values()))


def approved_ids(tools: Tools, ids: Iterable[str] = ()) -> list[str]:
    """The diff_ids of approved rows that no run has seen to yet: those named by their beginning, or all.

    Raises NotOnRecord for a name that fits no approved row, or several.
    """
    with tools.state.read() as connection:
        rows = decisions.holds(connection, ("approved",))
    named = [_one(rows, prefix) for prefix in ids]
    return [row.diff_id for row in (named or rows)]


def consequence_of_rejecting(holds: Iterable[Hold]) -> tuple[str, ...]:
    """What the owner has to know once these are rejected, in Japanese and in English; () when there is nothing."""
    hides = sorted((hold for hold in holds if hold.kind is Kind.VISIBILITY and hold.wanted == 0), key=_by_item)
    if not hides:
        return ()
    named = ", ".join(hold.key.item_id for hold in hides[:MOST_NAMED]) + (" ..." if len(hides) > MOST_NAMED else "")
    return (
        f"注意: 非公開を却下した {len(hides)} 件の商品は、公開されたまま販売が続きます({named})。"
        "Amazonで在庫切れなら、注文が入っても仕入れられません。",
        f"Note: the {len(hides)} items whose hide was rejected stay on show and keep selling ({named});"
        " where Amazon is out of stock, their orders cannot be filled.",
    )


def release_holds(context: Context, ids: Iterable[str], who: str = "") -> ReleaseReport:
    """Approve these holds and send at once what the rules still want of them, nothing else. Raises NotOnRecord.

    A delisting is not sent: approved, it takes place when the next run proves it once more.
    """
    ids = list(ids)
    context = context.allowing(include_price="all", include_visibility=True, max_items=None)
    with context.state.read() as connection:
        known = decisions.holds(connection, ("open", "approved"))
    chosen = [_one(known, prefix) for prefix in ids]
    if not context.run.dry_run:
        approve(context, [row.diff_id for row in chosen if row.state == "open"], who=who)
    targets = {row.target for row in chosen}
    with context.state.read() as connection:
        inputs = load_input(context, connection, context.clock.now())
        standing = deciding.standing_of(context, connection)
    if context.run.dry_run:
        standing = _as_if_approved(standing, {row.diff_id for row in chosen})
    report = DiffReport()
    for evaluated in (evaluate_prices(context, inputs, standing), evaluate_visibility(context, inputs, standing)):
        with context.state.write() as connection:
            report += deciding.keep(context, connection, evaluated.narrowed(targets))
    pushed = push_own(context)
    with context.state.write(locks.run(context.run.run_id)) as connection:
        by_hand = HandReport(report.account + pushed.correction, pushed)
        keep(connection, context.run.run_id, "by_hand", by_hand)
    return ReleaseReport(len(chosen), report, pushed)


def _by_item(hold: Hold) -> tuple[str, int, str]:
    return hold.key.account_id, len(hold.key.item_id), hold.key.item_id


def _chosen(
    connection: Connection, ids: Iterable[str], account: AccountKey | None, asin: str, everything: bool
) -> tuple[dict[str, Decided], dict[str, Decided]]:
    """(rows that wait, rows that are over), each by diff_id."""
    rows = decisions.holds(connection)
    mine = [row for row in rows if everything or row.diff.key.account == account]
    if asin:
        mine = [row for row in rows if row.diff.asin == asin and account in (None, row.diff.key.account)]
        if not mine:
            raise NotOnRecord(f"no hold of {asin} waits", ja=f"{asin} の保留はありません")
    chosen, late = {row.diff_id: row for row in mine}, dict[str, Decided]()
    waiting = {row.diff_id: row for row in rows}
    for prefix in ids:
        row = waiting.get(prefix) or _one_or_over(connection, rows, prefix)
        (chosen if row.diff_id in waiting else late)[row.diff_id] = row
    return chosen, late


def _one(rows: Sequence[Decided], prefix: str) -> Decided:
    found = [row for row in rows if prefix and row.diff_id.startswith(prefix)]
    if len(found) != 1:
        raise NotOnRecord(
            f"{len(found)} holds start with {prefix!r}; ecauto holds list shows what waits",
            ja=f"{prefix!r} で始まる保留が{f' {len(found)}件あります' if found else 'ありません'}"
            "。ecauto holds list で確かめてください",
        )
    return found[0]


def _one_or_over(connection: Connection, waiting: Sequence[Decided], prefix: str) -> Decided:
    """The one row that waits and is named so, else the one that waited and is over. Raises NotOnRecord."""
    if not any(row.diff_id.startswith(prefix) for row in waiting) and prefix:
        over = [row for row in decisions.starting_with(connection, prefix) if row.state in OVER and _was_held(row)]
        if len(over) == 1:
            return over[0]
    return _one(waiting, prefix)


def _was_held(row: Decided) -> bool:
    return row.diff.decision is Decision.HELD


def _as_if_approved(standing: dict[Target, list[Decided]], ids: set[str]) -> dict[Target, list[Decided]]:
    """A dry run says nothing in anybody's name; it only looks at what would follow."""
    return {
        target: [replace(row, state="approved") if row.diff_id in ids else row for row in rows]
        for target, rows in standing.items()
    }


def hold_of(row: Decided, now: datetime) -> Hold:
    """A held decision as people meet it."""
    diff = row.diff
    return Hold(
        *(row.diff_id, row.run_id, diff.key, diff.asin, diff.kind, diff.shown, diff.wanted, diff.reason, row.state),
        age=now - row.decided_at,
        evidence=_document(row),
        cost_jpy=diff.cost_jpy,
        profit_jpy=diff.profit_jpy,
    )


def _document(row: Decided) -> dict[str, object]:
    if not row.diff.evidence:
        return {}
    found = json.loads(row.diff.evidence)
    return found if isinstance(found, dict) else {"evidence": found}
