"""Listings that the shop says are gone: marked as candidates for delisting, on two proofs and a control.

First proof: an edit of this run was answered "no such item"; second: the item's own page says so, too. Control: another
item of the same account resolves in the same run, or the shop itself is confused. Marked only, never deleted; undone by
rollback. Not for: how many may be marked at once (domain/selling/guards.py).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import Decision, Diff, Kind
from ecauto_pipeline.errors import CallError, ItemGone
from ecauto_pipeline.shops.protocol import Shop
from ecauto_pipeline.state import decisions, journal, locks, shown
from ecauto_pipeline.state.journal import Update
from ecauto_pipeline.state.listing_lookup import lately_read
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.diffs import decide as deciding
from ecauto_pipeline.sync.diffs.decide import EvaluatedDiffs
from ecauto_pipeline.sync.diffs.evaluate import load_input
from ecauto_pipeline.sync.faults import fault_of
from ecauto_pipeline.sync.push_section import DelistReport

ABSENT = frozenset({"no_item", "bad_item_id"})  # no_item_id means that the call was malformed: no proof of anything


def delist(context: Context) -> DelistReport:
    """Judge this run's evidence, shop by shop. A dry run has none: it edits nothing."""
    report = DelistReport()
    if context.run.dry_run:
        return report
    for account in context.accounts:
        with context.state.read() as connection:
            evidence = journal.refused_as_gone(connection, account, context.run.started_at)
            evidence = [update for update in evidence if update.run_id == context.run.run_id]
        if evidence:
            context.go_on()
            try:
                one = _judge_shop(context, context.shops[account], evidence)
            except Exception as error:  # nothing of this shop is marked; its next refused edit is evidence again
                one = DelistReport(faults=(fault_of(context, account, "delist", error),))
            report = DelistReport(
                report.account + one.account, (*report.marked, *one.marked), (*report.faults, *one.faults)
            )
    return report


def _judge_shop(context: Context, shop: Shop, evidence: Sequence[Update]) -> DelistReport:
    with context.state.read() as connection:
        canary = _canary(connection, shop, {update.key.item_id for update in evidence})
        inputs = load_input(context, connection, context.clock.now())
        standing = deciding.standing_of(context, connection)
    resolves = canary is not None and _resolves(shop, canary)
    evaluated = EvaluatedDiffs(inputs, standing)
    for update in evidence:
        evaluated.add(_judge(shop, update, canary, resolves))
    deciding.apply_guards_and_holds(context, evaluated, inputs)
    marked = []
    with context.state.write(locks.shops(context.accounts)) as connection:
        account = deciding.keep(context, connection, evaluated).account
        for diff in evaluated.found:
            if diff.decision is Decision.PUSH:
                _mark(context, connection, diff)
                marked.append((context.name_of(diff.key.account), diff.key.item_id))
    return DelistReport(account, tuple(marked))


def _judge(shop: Shop, update: Update, canary: str | None, resolves: bool) -> Diff:
    reason = _absence(shop, update.key.item_id) if resolves else "canary_failed"
    gone = reason in ABSENT
    proof = {"edit": update.error, "update_id": update.update_id, "detail": reason, "canary": canary}
    return Diff(
        key=update.key,
        asin=update.asin,
        kind=Kind.DELIST,
        shown=0,
        wanted=1,
        decision=Decision.PUSH if gone else Decision.SKIPPED,
        reason="gone" if gone else reason,
        evidence=json.dumps(proof, ensure_ascii=False),
    )


def _absence(shop: Shop, item_id: str) -> str:
    """The shop's own word for "there is none"; else why that is not proven."""
    try:
        shop.item(item_id)
    except ItemGone as error:
        return error.reason if error.reason in ABSENT else f"no_proof:{error.reason}"
    except CallError as error:
        return f"no_proof:{error.reason}"
    return "resolves"


def _resolves(shop: Shop, item_id: str) -> bool:
    try:
        return shop.item(item_id).item_id == item_id
    except CallError:
        return False


def _canary(connection: Connection, shop: Shop, suspects: set[str]) -> str | None:
    """An item of this shop that was there when it was last read, lately read first; None where there is no other."""
    return next(iter(lately_read(connection, shop.platform, shop.account_id, suspects)), None)


def _mark(context: Context, connection: Connection, diff: Diff) -> None:
    now = context.clock.now()
    name = decisions.diff_id(context.run.run_id, diff)
    decided = decisions.by_id(connection, name)
    if decided is not None and decisions.move(connection, [name], "send", now):
        journal.intend(connection, context.run.run_id, decided, now, event="record")
        shown.record_edit(connection, diff.key, Kind.DELIST, 1, now, diff.reason)
