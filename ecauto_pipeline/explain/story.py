"""Why is this price this price, why is this hidden: the story of one ASIN or item at any moment.

A past moment is answered from history alone; "now" adds what state.db knows and history does not yet.
Not for: deciding anything, or the form in which people read it (words.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.domain.model import AccountKey, ListingKey, Role
from ecauto_pipeline.domain.selling.item_rules import QUESTIONS, ItemRule
from ecauto_pipeline.domain.selling.price_steps import price_steps
from ecauto_pipeline.domain.selling.pricing import selling_price
from ecauto_pipeline.explain import present as explain_state
from ecauto_pipeline.explain.model import Answered, Decided, Explanation, Figure, ListingStory, Sent
from ecauto_pipeline.explain.past import BEGINNING, answered, decided, offer_lines, sent
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.sync.selling_terms import TermsOfShops

SWEEPS = frozenset(operation.name for operation in registered().of(Role.SWEEP, Role.OPINION))
"""Operations that never carry a price the shop could act on."""

_INSTANT = timedelta(microseconds=1)
_ASIN = re.compile(r"[A-Z0-9]{10}")


class Past(Protocol):
    """What is asked of history (history.HistoryReader)."""

    def snapshots_of(self, asin: str, start: datetime, end: datetime) -> list[dict[str, object]]: ...

    def diffs_of(self, item_id_or_asin: str, start: datetime, end: datetime) -> list[dict[str, object]]: ...

    def updates_of(self, item_id_or_asin: str, start: datetime, end: datetime) -> list[dict[str, object]]: ...


def explain(
    past: Past,
    settings: Settings,
    key: str,
    now: datetime,
    *,
    as_of: datetime | None = None,
    state: Database | None = None,
    within: timedelta = timedelta(days=14),
) -> Explanation:
    """The story of `key` (ASIN or item id) at `as_of` (None = now). `within`: how far back the lists go.

    `state` adds the present, and names the ASIN of an item about which nothing was decided by then. An unknown key
    gives an Explanation whose `found` is False. Prices are worked out by today's rules; where a decision of that time
    wanted another price, a note says that the rules have changed since.
    """
    at = as_of or now
    present = explain_state.read(state, key, now) if as_of is None and state is not None else explain_state.NOTHING
    asin = present.asin or _asin_of(past, key, at)
    if not asin and state is not None:
        asin = explain_state.asin_of(state, key)
    start, end = at - within, at + _INSTANT
    answers = _merged(
        [answered(row) for row in past.snapshots_of(asin, start, end)] if asin else [], present.answers, "snapshot_id"
    )
    decisions = _merged([decided(row) for row in past.diffs_of(key, BEGINNING, end)], present.decisions, "diff_id")
    updates = _merged(
        [_known_by(sent(row), at) for row in past.updates_of(key, BEGINNING, end)], present.updates, "update_id"
    )
    newest = sorted(answers, key=lambda one: (one.observed_at, one.snapshot_id), reverse=True)
    said = [one for one in newest if one.authoritative]
    last = said[0] if said else _older(past, asin, start, lambda one: one.authoritative)
    basis = next((one for one in said if _carries_facts(one)), None) or _older(past, asin, start, _carries_facts)
    by_time = sorted(decisions, key=lambda one: (one.decided_at, one.diff_id), reverse=True)
    went = sorted(updates, key=lambda one: (one.attempted_at, one.update_id), reverse=True)
    rules = explain_state.rules_about(state, key, asin, now) if state is not None else {}
    listings = _listings(settings, by_time, went, present.listings, basis, rules)
    if as_of is not None and state is not None:
        listings = _without_the_gone(listings, explain_state.gone_by(state, key, at))
    return Explanation(
        key=key,
        asin=asin,
        as_of=at,
        from_history_alone=as_of is not None or state is None,
        answers=tuple(newest),
        last=last,
        basis=basis,
        offers=offer_lines(basis.offers_json, settings.offers) if basis else None,
        listings=tuple(listings),
        decisions=tuple(one for one in by_time if one.decided_at >= start),
        updates=tuple(one for one in went if one.attempted_at >= start),
        freshness=present.freshness,
        notes=present.notes,
    )


def _carries_facts(one: Answered) -> bool:
    return one.authoritative and one.operation not in SWEEPS


def _older(past: Past, asin: str, before: datetime, wanted: Any) -> Answered | None:
    """The newest answer before `before` that is wanted, looking back in growing steps."""
    until = before
    for span in (timedelta(days=30), timedelta(days=365), None):
        since = BEGINNING if span is None else before - span
        rows = past.snapshots_of(asin, since, until) if asin else []
        fitting = [one for one in map(answered, rows) if wanted(one)]
        if fitting:
            return max(fitting, key=lambda one: (one.observed_at, one.snapshot_id))
        until = since
    return None


def _asin_of(past: Past, key: str, at: datetime) -> str:
    """The ASIN of an item id, as its last decision or update named it; an ASIN names itself."""
    rows = [*past.diffs_of(key, BEGINNING, at + _INSTANT), *past.updates_of(key, BEGINNING, at + _INSTANT)]
    asins = [str(row["asin"]) for row in rows if row.get("item_id") == key and row.get("asin")]
    if asins:
        return asins[-1]
    return key if _ASIN.fullmatch(key) else ""


def _listings(
    settings: Settings,
    decisions: Sequence[Decided],
    updates: Sequence[Sent],
    present: Sequence[ListingStory],
    basis: Answered | None,
    rules: Mapping[ListingKey, ItemRule],
) -> list[ListingStory]:
    known = {(one.platform, one.account_id, one.item_id): one for one in present}
    for place in [(row.platform, row.account_id, row.item_id) for row in decisions] + [
        (row.platform, row.account_id, row.item_id) for row in updates
    ]:
        known.setdefault(place, ListingStory(*place))
    stories, terms = [], TermsOfShops(settings)
    for place in sorted(known):
        mine = [one for one in decisions if (one.platform, one.account_id, one.item_id) == place]
        went = [one for one in updates if (one.platform, one.account_id, one.item_id) == place]
        story = replace(
            known[place],
            price=_figure(known[place].price, "price", mine, went),
            visibility=_figure(known[place].visibility, "visibility", mine, went),
            stock=_figure(known[place].stock, "stock", mine, went),
        )
        stories.append(_priced(terms, story, basis, rules.get(ListingKey(*place))))
    return stories


def _without_the_gone(
    listings: Sequence[ListingStory], gone: Mapping[tuple[str, str, str], datetime]
) -> list[ListingStory]:
    """History holds what was decided and sent; that a shop lost an item is known to state alone."""
    since = [(one, gone.get((one.platform, one.account_id, one.item_id))) for one in listings]
    return [one if at is None else replace(one, gone=True, gone_since=at) for one, at in since]


def _figure(read: Figure, kind: str, decisions: Iterable[Decided], updates: Iterable[Sent]) -> Figure:
    """What was shown last, by the newest of: a read (now only), a done update, the `shown` of a decision."""
    decision = next((one for one in decisions if one.kind == kind), None)
    update = next((one for one in updates if one.kind == kind), None)
    done = next((one for one in updates if one.kind == kind and one.outcome == "done"), None)
    candidates: list[tuple[datetime, int | None, str]] = []
    if read.since is not None:
        candidates.append((read.since, read.value, "read"))
    if done is not None:
        candidates.append((done.completed_at or done.attempted_at, done.after, "update"))
    seen = next((one for one in decisions if one.kind == kind and one.shown is not None), None)
    if seen is not None:
        candidates.append((seen.decided_at, seen.shown, "decision"))
    if not candidates:
        return replace(read, decision=decision, update=update)
    since, value, origin = max(candidates, key=lambda one: one[0])
    return Figure(value, since, origin, decision, update)


def _priced(terms: TermsOfShops, story: ListingStory, basis: Answered | None, rule: ItemRule | None) -> ListingStory:
    """The price worked out step by step, by the rules of this shop and the owner's own of this item."""
    if rule is not None:
        story = replace(story, rules=tuple(sorted(rule.answers().items(), key=lambda one: QUESTIONS.index(one[0]))))
    if basis is None or basis.status != "success" or basis.price_jpy is None:
        return story
    of_shop = terms.of(AccountKey(story.platform, story.account_id), rule)
    price = selling_price(basis.price_jpy, of_shop)
    notes = story.notes
    decision = story.price.decision
    if decision and decision.snapshot_id == basis.snapshot_id and decision.wanted not in (None, price.price_jpy):
        notes = (*notes, f"rules_changed_since:{decision.wanted}")
    return replace(
        story,
        price_steps=price_steps(basis.price_jpy, of_shop),
        wanted_price_jpy=price.price_jpy,
        price_blocked=price.blocked,
        notes=notes,
    )


def _merged(old: Sequence[Any], new: Sequence[Any], key: str) -> list[Any]:
    """Rows of history and of state.db, each once; state.db's word is the newer one."""
    rows = {getattr(row, key): row for row in old}
    rows.update({getattr(row, key): row for row in new})
    return list(rows.values())


def _known_by(update: Sent, at: datetime) -> Sent:
    """The update as it was known at `at`: one that ended later had no outcome yet."""
    if update.completed_at is not None and update.completed_at > at:
        return replace(update, completed_at=None, outcome="", error="")
    return update
