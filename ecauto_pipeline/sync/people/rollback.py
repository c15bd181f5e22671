"""Taking runs back: every edit they made is undone where the shop still shows what they set.

What is wrong and can be bought comes first: a price below the floor goes back in one call, which ends it as surely as a
hide would; it is hidden where its price may not, or does not, go back, and shown again by the rollback that mends it.
What was before goes through the same limits (never below the floor, never past the blocklist) and the same journal.
The holds of one run do not apply, nor does a stop: somebody asked for exactly this. What the shop's calls do not allow
now is left for the next call of the same. Not for: which edits (undoing.py), the limits (rollback_gate.py), or pushing
itself (sync/base_updates).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import AccountKey, Decision, Diff, Kind, ListingFacts, ListingKey, Outcome
from ecauto_pipeline.domain.selling.diff_builder import profit_at
from ecauto_pipeline.domain.selling.guards import push_order
from ecauto_pipeline.domain.selling.pricing import breaks_floor
from ecauto_pipeline.domain.selling.row_counts import RowCounts, count_rows
from ecauto_pipeline.state import decisions, journal, locks, shown
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.journal import Update
from ecauto_pipeline.state.known_asins import known_asin
from ecauto_pipeline.sync.base_updates.ends import RowOutcome
from ecauto_pipeline.sync.base_updates.push import WAITS, push
from ecauto_pipeline.sync.base_updates.push_totals import together
from ecauto_pipeline.sync.base_updates.read_back import shown_value
from ecauto_pipeline.sync.context import Context, Run
from ecauto_pipeline.sync.people.reading_back import Reading
from ecauto_pipeline.sync.people.rollback_gate import (
    MENDED,
    PRICE_BELOW_FLOOR,
    WRONG_PRICE,
    RollbackGate,
    facts_of,
    forbidden,
    shown_in,
)
from ecauto_pipeline.sync.people.shops_seen import ShopsSeen, edited_since
from ecauto_pipeline.sync.people.undoing import Chosen, choose, choose_again, left_alone
from ecauto_pipeline.sync.push_section import HandReport, PushReport
from ecauto_pipeline.sync.run_record import keep
from ecauto_pipeline.sync.selling_terms import TermsOfShops

MOST_NAMED = 5_000
"""Of the rows that stayed as they were when they were to be sent."""


@dataclass(frozen=True, slots=True)
class RollbackReport:
    """One target a (listing, kind) that the runs changed, and one a hide or show of the rollback's own.

    `account` is the whole of it: what was sent, refused, or left alone. `left`: rows that only wait for calls, for
    another run to let go of the shop, or for an edit to be read back: the same rollback again sends them. `hidden`:
    taken off sale, for their prices could not go back; `shown_again`: hidden by an earlier rollback and mended now.
    `refused`: (account, item_id, kind, why) of blocked and skipped rows, and of those that failed.
    """

    targets: tuple[str, ...]
    account: RowCounts = field(default_factory=RowCounts)
    pushed: PushReport = field(default_factory=PushReport)
    left: int = 0
    hidden: int = 0
    shown_again: int = 0
    refused: tuple[tuple[str, str, str, str], ...] = ()


def rollback_run(context: Context, *targets: str, since: datetime | None = None) -> RollbackReport:
    """Undo what these runs did (ids, or their beginnings), and every run since a moment, as run `run`.

    Raises NotOnRecord when no run, or more than one, begins so, or when no edit is on record.
    """
    context = replace(context, shops={key: shop.for_undoing() for key, shop in context.shops.items()})
    with context.state.read() as connection:
        chosen = choose(connection, targets, since)
    mine, settled = set(context.accounts), _settle(context, chosen)
    if settled is not None:
        with context.state.read() as connection:
            chosen = choose_again(connection, chosen)
    edits = [edit for edit in chosen.edits if edit.key.account in mine]
    work = Rollback(context, chosen)
    diffs = work.not_looked_at(mine)
    work.seen.read(edits)
    for account, reading in work.seen.readings.items():
        of_shop = [edit for edit in edits if edit.key.account == account]
        with context.state.write() as connection:
            diffs += work.diffs_of(connection, of_shop, reading)
    pushed = work.send(diffs) if settled is None else together(settled, work.send(diffs))
    if not context.run.dry_run:
        second = work.hides_of_what_failed() + work.shows_of_what_is_mended()
        if second:
            pushed = together(pushed, work.send(second))
            diffs += second
    _close(context)
    names = [_named(context, diff) for diff in diffs if diff.decision in (Decision.BLOCKED, Decision.SKIPPED)]
    report = RollbackReport(
        chosen.runs,
        count_rows(diffs) + pushed.correction,
        pushed,
        left=pushed.waiting + sum(why in WAITS and why != "not_read" for *_, why in names),
        hidden=work.done(WRONG_PRICE),
        shown_again=work.done(MENDED),
        refused=(*names, *(_named(context, replace(row.diff, reason=why)) for row, why in work.stayed)),
    )
    stayed = {row.diff_id: why for row, why in work.stayed[:MOST_NAMED]}
    by_hand = HandReport(report.account, pushed, dict(Counter(why for *_, why in names)), report.left, stayed)
    with context.state.write(locks.run(context.run.run_id)) as connection:
        keep(connection, context.run.run_id, "by_hand", by_hand)
    return report


class Rollback:
    """The rows of one rollback: what they are, in which order they leave, and what of them was the rollback's own."""

    def __init__(
        self, context: Context, chosen: Chosen, listings: Mapping[ListingKey, ListingFacts] | None = None
    ) -> None:
        """`listings`: those that the edits are about as they stand, where whoever asks has read them already."""
        self._context, self._chosen, self._listings = context, chosen, listings
        self._terms = TermsOfShops(context.settings)
        self._urgent: set[ListingKey] = set()
        self.seen = ShopsSeen(context)
        self.stayed: list[tuple[Decided, str]] = []
        """What was to be sent, and was refused at the last look or by the shop, with why."""

    def not_looked_at(self, accounts: Collection[AccountKey]) -> list[Diff]:
        """Of shops that are not among these, and what nobody knows whether it happened."""
        chosen = self._chosen
        found = [left_alone(edit, "shop_off") for edit in chosen.edits if edit.key.account not in accounts]
        for edit in chosen.unsettled:
            found.append(left_alone(edit, "unsettled" if edit.key.account in accounts else "shop_off"))
        return found

    def diffs_of(self, connection: Connection, edits: Sequence[Update], reading: Reading) -> list[Diff]:
        """One row an edit of one shop, and a hide for each price that is a loss, can be bought, and may not go back."""
        ours = edited_since(connection, edits[0].key.account, reading.items.values()) if edits else set()
        found = [self._diff(connection, edit, reading, ours) for edit in edits]
        hidden = {diff.key for diff in found if diff.kind is Kind.VISIBILITY and diff.wanted == 0}
        for edit, diff in zip(edits, list(found), strict=True):
            item = reading.items.get(edit.key.item_id)
            if diff.kind is not Kind.PRICE or item is None or diff.shown != edit.after:
                continue
            on_sale = item.visible is not False and item.stock != 0
            listing = self._facts_of(connection, diff) if on_sale else None
            terms = self._terms.of(diff.key.account, listing.rule if listing is not None else None)
            if not on_sale or not breaks_floor(diff.shown, diff.cost_jpy, terms):
                continue
            self._urgent.add(diff.key)
            if diff.decision is not Decision.PUSH and diff.key not in hidden:
                found.append(_hide(diff))
        return found

    def send(self, diffs: Sequence[Diff]) -> PushReport:
        """Store and push these rows: hides, then what is a loss and on sale, then as in any run."""
        context, run = self._context, self._context.run
        changed = [diff for diff in diffs if diff.decision is not Decision.UNCHANGED]
        now = context.clock.now()
        with context.state.write() as connection:
            decisions.store(connection, run.run_id, run.partition_key, changed, now, closed=run.dry_run)
            for diff in changed:
                if diff.kind is Kind.DELIST and not run.dry_run:
                    _unmark(connection, run, diff, now, self._rollback_of)
        mine = {decisions.diff_id(run.run_id, diff) for diff in changed if diff.kind is not Kind.DELIST}

        def rows_of(account: AccountKey) -> Sequence[Decided]:
            with context.state.read() as connection:
                rows = decisions.to_push(connection, run.run_id, [account], dry_run=run.dry_run)
            return [row for row in rows if row.diff_id in mine]

        return push(
            context,
            rows_of,
            RollbackGate(context, self.seen),
            rollback_of=self._rollback_of,
            order=self._order,
            ended=self._ended,
            look_again=self.seen.look_again,
        )

    def _ended(self, ended: RowOutcome) -> None:
        self.seen.took(ended)
        only_waits = ended.end == "skipped" and ended.reason in WAITS
        if ended.end in ("blocked", "skipped", "failed") and not only_waits:
            self.stayed.append((ended.decided, ended.reason))

    def hides_of_what_failed(self) -> list[Diff]:
        """A hide for each price on sale at a loss whose edit BASE refused, or never answered."""
        run_id, found = self._context.run.run_id, []
        with self._context.state.read() as connection:
            for edit in journal.of_run(connection, run_id):
                if edit.kind is Kind.PRICE and edit.outcome is not Outcome.DONE and edit.key in self._urgent:
                    bare = (edit.key, edit.asin, edit.kind, edit.before, edit.after, Decision.BLOCKED, "")
                    found.append(_hide(Diff(*bare, snapshot_id=f"rollback:{edit.update_id}")))
        return found

    def shows_of_what_is_mended(self) -> list[Diff]:
        """A show for each listing that a rollback of these runs hid and whose price is in order again."""
        found = []
        prices = {edit.key: edit for edit in self._chosen.all_edits if edit.kind is Kind.PRICE}
        with self._context.state.read() as connection:
            for key in sorted(shown.hidden_for(connection, self._context.accounts, WRONG_PRICE) & set(prices)):
                edit = prices[key]
                bare = (key, edit.asin, Kind.VISIBILITY, 0, 1, Decision.PUSH, MENDED)
                diff = Diff(*bare, snapshot_id=f"rollback:{edit.update_id}")
                listing, known = facts_of(connection, diff, self._now), known_asin(connection, edit.asin)
                cost_jpy = known.facts.price_jpy if known else None
                if listing is None:
                    continue
                listing = self.seen.as_shown(connection, [listing])[key]
                if not forbidden(diff, listing, cost_jpy, self._terms.of(key.account, listing.rule)):
                    found.append(diff)
        return found

    def done(self, reason: str) -> int:
        """How many edits of this rollback for this reason the shops have taken."""
        with self._context.state.read() as connection:
            return journal.count_done(connection, self._context.run.run_id, reason)

    def _facts_of(self, connection: Connection, diff: Diff) -> ListingFacts | None:
        if self._listings is not None:
            return self._listings.get(diff.key)
        return facts_of(connection, diff, self._now)

    @property
    def _now(self) -> datetime:
        return self._context.clock.now()

    @property
    def _rollback_of(self) -> str:
        return ",".join(self._chosen.runs)

    def _order(self, diff: Diff) -> tuple[int, tuple[int, str, str, str, str]]:
        hides = diff.kind is Kind.VISIBILITY and diff.wanted == 0
        urgent = diff.kind is Kind.PRICE and diff.key in self._urgent
        return 0 if hides else 1 if urgent else 2, push_order(diff)

    def _diff(self, connection: Connection, edit: Update, reading: Reading, ours: Collection[tuple[str, Kind]]) -> Diff:
        known = known_asin(connection, edit.asin)
        cost_jpy = known.facts.price_jpy if known else None
        bare = Diff(
            *(edit.key, edit.asin, edit.kind, edit.after, edit.before, Decision.PUSH, "rollback"),
            snapshot_id=f"rollback:{edit.update_id}",
            cost_jpy=cost_jpy,
        )
        if edit.kind is Kind.DELIST:
            return bare
        item = reading.items.get(edit.key.item_id)
        value = shown_value(item, edit.kind) if item is not None else None
        if (edit.key.item_id, edit.kind) in ours:  # after the shop showed this
            stands = self._facts_of(connection, bare)
            value = shown_in(stands, edit.kind) if stands is not None else value
        if value is None:
            return replace(bare, shown=None, decision=Decision.SKIPPED, reason=reading.problem or "not_read")
        if value == edit.before:
            return replace(bare, shown=value, decision=Decision.UNCHANGED, reason="")
        if value != edit.after:
            return replace(bare, shown=value, decision=Decision.SKIPPED, reason="changed_since")
        if edit.before is None:
            return replace(bare, decision=Decision.SKIPPED, reason="before_unknown")
        listing = self._facts_of(connection, bare)
        if listing is None:
            return replace(bare, decision=Decision.SKIPPED, reason="not_listed")
        terms = self._terms.of(edit.key.account, listing.rule)
        if edit.kind is Kind.PRICE:
            bare = replace(bare, profit_jpy=profit_at(edit.before, known.facts if known else None, terms))
        why = forbidden(bare, listing, cost_jpy, terms)
        if why == PRICE_BELOW_FLOOR:  # its price may be put back first: the last look says
            why = ""
        return replace(bare, decision=Decision.BLOCKED, reason=why) if why else bare


def _settle(context: Context, chosen: Chosen) -> PushReport | None:
    """Read back first what a run that died has left open, as pushing nothing does: whether it happened says what is to
    be taken back. None = nothing to read back, or a dry run."""
    accounts = {edit.key.account for edit in chosen.unsettled} & set(context.accounts)
    if context.run.dry_run or not accounts:
        return None
    gate = RollbackGate(context, ShopsSeen(context))
    of_these = context.allowing(accounts=tuple(sorted(accounts)))
    return push(of_these, lambda _account: (), gate, rollback_of=",".join(chosen.runs))


def _named(context: Context, diff: Diff) -> tuple[str, str, str, str]:
    return context.name_of(diff.key.account), diff.key.item_id, diff.kind.value, diff.reason


def _hide(price: Diff) -> Diff:
    """Off sale instead: its price can't be put back."""
    off = replace(price, kind=Kind.VISIBILITY, shown=1, wanted=0, decision=Decision.PUSH, reason=WRONG_PRICE)
    return replace(off, profit_jpy=None)  # that of the price which did not go back says nothing of the one on show


def _unmark(connection: Connection, run: Run, diff: Diff, now: datetime, rollback_of: str) -> None:
    decided = decisions.by_id(connection, decisions.diff_id(run.run_id, diff))
    if decided is not None and decisions.move(connection, [decided.diff_id], "send", now):
        journal.intend(connection, run.run_id, decided, now, event="record", rollback_of=rollback_of)
        shown.record_edit(connection, diff.key, Kind.DELIST, 0, now)


def _close(context: Context) -> None:
    """What did not leave is not sent by a later run: taking back is asked for, never inherited."""
    with context.state.write() as connection:
        names = [row.diff_id for row in decisions.of_run(connection, context.run.run_id)]
        decisions.move(connection, names, "drop", context.clock.now())
