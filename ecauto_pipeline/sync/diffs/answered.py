"""What just answered ASINs ask for at once: hides and price rises, judged by the rules of the whole run and stored.

A listing about which something waits for a person is left to the judgement of the whole, and so are the hides of an
account while they are too many for what was seen of it. Nothing but pushes is stored: what is held, blocked or
skipped the whole will say. Not for: that judgement (decide.py) or sending (sync/base_updates/early.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, groupby

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import AccountKey, Decision, Diff, Kind, ListingKey
from ecauto_pipeline.domain.selling.guards import hides_allowed, hides_leave_early, stops_a_loss
from ecauto_pipeline.state import decisions, journal, locks
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.early_edits import hides_wanted, on_show, public_answered
from ecauto_pipeline.state.shop_listings import count_public
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.diffs.evaluate import SAID_SO, Rules, closed_accounts
from ecauto_pipeline.sync.diffs.judge_again import JudgedAgain


@dataclass(frozen=True, slots=True)
class DecidedEarly:
    """`stored`: accounts of which changes may leave; `waiting`: ASINs some of whose hides are too many for what was
    seen."""

    stored: frozenset[AccountKey]
    waiting: tuple[str, ...]


def decide_answered(context: Context, answered: Sequence[str]) -> DecidedEarly:
    """Judge the listings of these ASINs, store what ends a wrong sale.

    `answered`: those that waited before included, so that a mass is counted as one. Raises Stopped.
    """
    context.go_on()
    with context.state.read() as connection:
        now = context.clock.now()
        found = _urgent(context, connection, answered, now)
        hides = {account: _hides(diffs) for account, diffs in found.items()}
        waiting = {account for account, some in hides.items() if some and not _may_hide(context, connection, some, now)}
    context.go_on()
    stored, put_off = set[AccountKey](), set[str]()
    for account, diffs in found.items():
        late = {diff.key: diff.asin for diff in hides[account]} if account in waiting else {}
        put_off.update(late.values())
        left = [diff for diff in diffs if diff.kind is not Kind.VISIBILITY or diff.key not in late]
        if left and _store(context, account, left):
            stored.add(account)
    return DecidedEarly(frozenset(stored), tuple(sorted(put_off)))


def _urgent(
    context: Context, connection: Connection, answered: Sequence[str], now: datetime
) -> dict[AccountKey, list[Diff]]:
    closed = closed_accounts(context, connection, now)
    accounts = [
        account
        for account in context.accounts
        if account not in closed and not context.shops[account].abilities.together
    ]
    rules = Rules(context.settings)
    found: dict[AccountKey, list[Diff]] = defaultdict(list)
    for account, of_account in groupby(on_show(connection, accounts, answered), key=lambda key: key.account):
        edits, keys = context.shops[account].abilities.edits, list(of_account)
        again = JudgedAgain(rules, connection, account, [key.item_id for key in keys], now)
        for diff in chain.from_iterable(_verdicts(context, rules, again, key, now) for key in keys):
            if diff.kind in edits and stops_a_loss(diff):
                found[account].append(diff)
    return found


def _verdicts(context: Context, rules: Rules, again: JudgedAgain, key: ListingKey, now: datetime) -> Iterator[Diff]:
    """Of the kinds that this run may change."""
    include = context.run.include_price
    kinds = [kind for kind in (Kind.VISIBILITY, Kind.PRICE) if kind in context.run.kinds]
    for kind in kinds:
        verdict, known = again.verdict(key, kind, priced=False, include=include)
        if verdict is not None:
            yield replace(verdict, tier=rules.tier(known, now))


def _hides(diffs: Iterable[Diff]) -> list[Diff]:
    """Those that the guards count: nobody has asked for them."""
    return [diff for diff in diffs if diff.kind is Kind.VISIBILITY and diff.reason not in SAID_SO]


def _may_hide(context: Context, connection: Connection, hides: Sequence[Diff], now: datetime) -> bool:
    """Whether these hides of one account are few enough to leave before the run has seen the rest."""
    account, guards, run = hides[0].key.account, context.settings.guards, context.run
    wanted = hides_wanted(connection, run.run_id, account, SAID_SO) | {diff.key: True for diff in hides}
    on_show_still = sum(wanted.values())
    seen = public_answered(connection, account, run.started_at) + len(wanted) - on_show_still
    lately = journal.hidden_since(connection, now - guards.hide_window, SAID_SO, (account,)).get(account, 0)
    allowed = hides_allowed(count_public(connection, account), guards, lately)
    return on_show_still <= allowed and hides_leave_early(len(wanted), seen, guards)


def _store(context: Context, account: AccountKey, found: Sequence[Diff]) -> int:
    """Keep them in place of what earlier runs meant to send; whatever a person has to say of them by now goes first."""
    run, now = context.run, context.clock.now()
    with context.state.write(locks.shop(account)) as connection:
        standing = decisions.standing(connection, (account,))
        for_people = {key for (key, _), some in standing.items() if any(map(_waits_for_a_person, some))}
        diffs = [diff for diff in found if diff.key not in for_people]
        names = {(diff.key, diff.kind): decisions.diff_id(run.run_id, diff, "early") for diff in diffs}
        older = [
            old.diff_id for target, name in names.items() for old in standing.get(target, ()) if old.diff_id != name
        ]
        decisions.move(connection, older, "supersede", now)
        decisions.store(connection, run.run_id, run.partition_key, diffs, now, closed=False, when="early")
    return len(diffs)


def _waits_for_a_person(decided: Decided) -> bool:
    return decided.diff.decision is Decision.HELD or decided.state != "open"
