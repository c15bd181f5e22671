"""Taking a run back: every edit it made is undone where the shop still shows what it set.

What was before goes through the same limits (never below the floor, never past the blocklist) and the same journal.
The holds of one run do not apply: somebody asked for exactly this. Not for: pushing itself (sync/base_updates).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey, Decision, Diff, Kind, ListingFacts, Outcome
from ecauto_pipeline.domain.selling.pricing import breaks_floor, outside
from ecauto_pipeline.domain.selling.row_counts import RowCounts, count_rows
from ecauto_pipeline.domain.selling.terms import SellingTerms
from ecauto_pipeline.domain.selling.visibility import SHOWN_AGAIN
from ecauto_pipeline.errors import AccountBlocked, BudgetSpent, CallError, NotOnRecord
from ecauto_pipeline.shops.protocol import Item, Shop
from ecauto_pipeline.state import decisions, journal, shop_listings, shown
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.journal import Update
from ecauto_pipeline.state.known_asins import known_asin
from ecauto_pipeline.state.shop_listings import listing_facts
from ecauto_pipeline.sync.base_updates.push import push
from ecauto_pipeline.sync.base_updates.read_back import shown_value
from ecauto_pipeline.sync.base_updates.recheck import RecheckResult, superseded_or_unsettled
from ecauto_pipeline.sync.context import Context, Run, Tools
from ecauto_pipeline.sync.run_record import keep
from ecauto_pipeline.sync.sections import HandReport, PushReport
from ecauto_pipeline.sync.selling_terms import TermsOfShops

ONE_BY_ONE = 100  # items to read singly; past that the whole list is cheaper
PRICE_BELOW_FLOOR = "price_below_floor"


@dataclass(frozen=True, slots=True)
class RollbackReport:
    """One target an edit that the run made. `account` is the whole of it: what was sent, refused, or left alone.

    `refused`: (account, item_id, kind, why) of blocked and skipped rows.
    """

    target_run_id: str
    account: RowCounts = field(default_factory=RowCounts)
    pushed: PushReport = field(default_factory=PushReport)
    refused: tuple[tuple[str, str, str, str], ...] = ()


def rollback_run(context: Context, target_run_id: str) -> RollbackReport:
    """Undo what a run did, as run `run`. `target_run_id`: its id, or the beginning of it.

    Raises NotOnRecord when no run, or more than one, begins so, or when it made no edit that is on record.
    """
    with context.state.read() as connection:
        target_run_id = _whole_id(connection, target_run_id)
        edits = [edit for edit in journal.of_run(connection, target_run_id) if edit.outcome is Outcome.DONE]
        undone = journal.undone_of(connection, target_run_id)
    if not edits:
        raise NotOnRecord(
            f"no edit of run {target_run_id} is on record",
            ja=f"この実行が送った変更の記録はありません: {target_run_id}",
        )
    mine, terms = set(context.accounts), TermsOfShops(context.settings)
    edits = [edit for edit in edits if (edit.key, edit.kind) not in undone]
    diffs = [_left(edit, "shop_off") for edit in edits if edit.key.account not in mine]
    edits = [edit for edit in edits if edit.key.account in mine]
    for account in sorted({edit.key.account for edit in edits}):
        of_shop = [edit for edit in edits if edit.key.account == account]
        seen, problem = _read(
            context, context.shops[account], [e.key.item_id for e in of_shop if e.kind != Kind.DELIST]
        )
        with context.state.write() as connection:
            diffs += [_diff(context, connection, edit, seen, problem, terms) for edit in of_shop]
    now = context.clock.now()
    changed = [diff for diff in diffs if diff.decision is not Decision.UNCHANGED]
    with context.state.write() as connection:
        decisions.store(
            connection, context.run.run_id, context.run.partition_key, changed, now, closed=context.run.dry_run
        )
        marks = [diff for diff in changed if diff.kind is Kind.DELIST and not context.run.dry_run]
        for diff in marks:
            _unmark(connection, context.run, diff, now, target_run_id)

    def rows_of(account: AccountKey) -> Sequence[Decided]:
        with context.state.read() as connection:
            rows = decisions.to_push(connection, context.run.run_id, [account], dry_run=context.run.dry_run)
        return [row for row in rows if row.run_id == context.run.run_id and row.diff.kind is not Kind.DELIST]

    pushed = push(context, rows_of, RollbackGate(context), rollback_of=target_run_id)
    _close(context)
    refused = [diff for diff in changed if diff.decision in (Decision.BLOCKED, Decision.SKIPPED)]
    names = tuple(
        (context.name_of(diff.key.account), diff.key.item_id, diff.kind.value, diff.reason) for diff in refused
    )
    report = RollbackReport(target_run_id, count_rows(diffs) + pushed.correction, pushed, names)
    by_hand = HandReport(report.account, pushed, dict(Counter(why for *_, why in names)))
    with context.state.write() as connection:
        keep(connection, context.run.run_id, "by_hand", by_hand)
    return report


def _whole_id(connection: Connection, prefix: str) -> str:
    found = journal.runs_starting_with(connection, prefix)
    if len(found) > 1 and prefix not in found:
        some = ", ".join(found[:3])
        raise NotOnRecord(
            f"{len(found)} runs begin with {prefix!r}: {some}",
            ja=f"{prefix!r} で始まる実行が {len(found)}件あります: {some}",
        )
    return found[0] if len(found) == 1 else prefix


def _left(edit: Update, reason: str) -> Diff:
    """An edit that nobody looks at, and why."""
    bare = (edit.key, edit.asin, edit.kind, edit.after, edit.before, Decision.SKIPPED, reason)
    return Diff(*bare, snapshot_id=f"rollback:{edit.update_id}")


class RollbackGate:
    """The last look before something is put back: it still shows what we set, and the limits still allow it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._terms = TermsOfShops(context.settings)

    def __call__(self, connection: Connection, decided: Decided, now: datetime, priced: bool) -> RecheckResult:
        refused = superseded_or_unsettled(connection, decided)
        if refused is not None:
            return refused
        diff = decided.diff
        listing = _listing(connection, diff)
        if listing is None:
            return RecheckResult("skipped", "not_listed")
        if _shown(listing, diff.kind) != diff.shown:
            return RecheckResult("skipped", "changed_since")
        if priced and self._context.run.dry_run:  # its price would be another one by now
            listing = replace(listing, shown_price_jpy=None)
        known = known_asin(connection, diff.asin)
        cost_jpy = known.facts.price_jpy if known else None
        why = forbidden(diff, listing, cost_jpy, self._terms.of(diff.key.account))
        return RecheckResult("blocked", why) if why else RecheckResult()


def forbidden(diff: Diff, listing: ListingFacts, cost_jpy: int | None, terms: SellingTerms) -> str:
    """Why the limits forbid to put this value back; "" where they do not."""
    value = diff.wanted
    if diff.kind is Kind.PRICE and value is not None:
        why = outside(value, cost_jpy, terms)
        return f"price_{why}" if why else ""
    if diff.kind is Kind.VISIBILITY and value == 1:
        if listing.blocked_by_list:
            return "blocklist"
        if listing.blocked_by_list is None:
            return "blocklist_unknown"
        if listing.hidden_by not in SHOWN_AGAIN:
            return f"hidden_by_{listing.hidden_by or 'unknown'}"
        if breaks_floor(listing.shown_price_jpy, cost_jpy, terms):
            return PRICE_BELOW_FLOOR
    return ""


def _diff(
    context: Context,
    connection: Connection,
    edit: Update,
    seen: Mapping[str, Item],
    problem: str,
    terms: TermsOfShops,
) -> Diff:
    known = known_asin(connection, edit.asin)
    cost = known.facts.price_jpy if known else None
    bare = Diff(
        *(edit.key, edit.asin, edit.kind, edit.after, edit.before, Decision.PUSH, "rollback"),
        snapshot_id=f"rollback:{edit.update_id}",
        cost_jpy=cost,
    )
    if edit.kind is Kind.DELIST:
        return bare
    item = seen.get(edit.key.item_id)
    value = _shows(connection, edit, item) if item is not None else None
    if value is None:
        return replace(bare, shown=None, decision=Decision.SKIPPED, reason=problem or "not_read")
    if not context.run.dry_run:
        shown.record_reading(connection, edit.key, edit.kind, value)
    if value == edit.before:
        return replace(bare, shown=value, decision=Decision.UNCHANGED, reason="")
    if value != edit.after:
        return replace(bare, shown=value, decision=Decision.SKIPPED, reason="changed_since")
    if edit.before is None:
        return replace(bare, decision=Decision.SKIPPED, reason="before_unknown")
    listing = _listing(connection, bare)
    if listing is None:
        return replace(bare, decision=Decision.SKIPPED, reason="not_listed")
    why = forbidden(bare, listing, cost, terms.of(edit.key.account))
    if why == PRICE_BELOW_FLOOR:  # its price may be put back first: the last look says
        why = ""
    return replace(bare, decision=Decision.BLOCKED, reason=why) if why else bare


def _shows(connection: Connection, edit: Update, item: Item) -> int | None:
    """What the shop shows now. Of an item shown a while ago (an export) what we did to it since is not seen."""
    key, value = edit.key, shown_value(item, edit.kind)
    if item.shown_at is None:
        return value
    since_ms = to_ms(item.shown_at)
    own = shop_listings.own_edits(connection, key.platform, key.account_id, [key.item_id], since_ms)
    listing = next(listing_facts(connection, (key.account,), key.item_id), None)
    later = any(one.kind == edit.kind and one.at_ms > since_ms for one in own)
    return _shown(listing, edit.kind) if later and listing is not None else value


def _read(tools: Tools, shop: Shop, item_ids: Iterable[str]) -> tuple[dict[str, Item], str]:
    """These items as the shop shows them now, and why some are missing ("" = the shop answered)."""
    wanted = set(item_ids)
    found: dict[str, Item] = {}
    try:
        if len(wanted) > ONE_BY_ONE:
            for page in shop.items():
                tools.go_on()
                found |= {item.item_id: item for item in page if item.item_id in wanted}
            return found, ""
        for item_id in sorted(wanted):
            tools.go_on()
            item = _item(shop, item_id)
            if item is not None:
                found[item_id] = item
    except AccountBlocked:
        return found, "account_blocked"
    except CallError as error:
        return found, error.reason
    return found, ""


def _item(shop: Shop, item_id: str) -> Item | None:
    try:
        return shop.item(item_id)
    except (BudgetSpent, AccountBlocked):
        raise
    except CallError:
        return None


def _listing(connection: Connection, diff: Diff) -> ListingFacts | None:
    return next(listing_facts(connection, (diff.key.account,), diff.key.item_id), None)


def _shown(listing: ListingFacts, kind: Kind) -> int | None:
    if kind is Kind.PRICE:
        return listing.shown_price_jpy
    if kind is Kind.STOCK:
        return listing.shown_stock
    return None if listing.shown_visible is None else int(listing.shown_visible)


def _unmark(connection: Connection, run: Run, diff: Diff, now: datetime, target_run_id: str) -> None:
    decided = decisions.by_id(connection, decisions.diff_id(run.run_id, diff))
    if decided is not None and decisions.move(connection, [decided.diff_id], "send", now):
        journal.intend(connection, run.run_id, decided, now, event="record", rollback_of=target_run_id)
        shown.record_edit(connection, diff.key, Kind.DELIST, 0, now)


def _close(context: Context) -> None:
    """What did not leave is not sent by a later run: taking back is asked for, never inherited."""
    with context.state.write() as connection:
        names = [row.diff_id for row in decisions.of_run(connection, context.run.run_id)]
        decisions.move(connection, names, "drop", context.clock.now())
