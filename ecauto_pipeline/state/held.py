"""Held rows a page at a time: narrowed, sorted and counted by the database, with what else is known of each listing.

A mass hold has thousands of rows; whoever looks sees fifty. Not for: what a person says of them
(sync/people/holds.py) or deciding (domain/selling).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, func, or_, select

from ecauto_pipeline.domain.model import AccountKey, Decision, Kind, ListingKey
from ecauto_pipeline.state.decisions import Decided, decided_row
from ecauto_pipeline.state.exporting import in_portions
from ecauto_pipeline.state.of_accounts import of_accounts
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.state.schema_decisions import diffs

HeldSort = Literal["age", "change", "profit", "asin", "shop"]
HeldState = Literal["open", "approved"]
"""Waits for a person; or has a yes for which nothing was sent yet."""
MOST_NAMED = 20_000
"""So many ASINs one statement can name beside everything else."""
_SAID_SO = ("rejected", "approved")
"""The last word first: a yes may be taken back, a no never becomes a yes."""


@dataclass(frozen=True, slots=True)
class HeldQuestion:
    """Which held rows somebody wants to see. `text`: the beginning of an ASIN, an item id or a diff_id.

    `titled`: ASINs whose titles hold the text, which this database does not know. "" and None: any.
    """

    account: AccountKey | None = None
    kind: Kind | None = None
    reason: str = ""
    text: str = ""
    titled: frozenset[str] = frozenset()
    sort: HeldSort = "age"
    descending: bool = False
    state: HeldState = "open"


@dataclass(frozen=True, slots=True)
class HeldGroup:
    """How many rows of one shop, kind and reason wait."""

    account: AccountKey
    kind: Kind
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class HeldListing:
    """The listing behind a held row as the shop showed it last. `priced_cost_jpy`: what the price shown was made from,
    None where we did not set it. `rules`: the lines of the owner's rules that select it, as they are kept."""

    key: ListingKey
    price_jpy: int | None
    priced_cost_jpy: int | None
    on_sale: bool | None
    visible: int | None
    rules: str


@dataclass(frozen=True, slots=True)
class WordBefore:
    """What a person said the last time something of this kind was held for a listing: approved | rejected."""

    word: str
    who: str
    at: datetime | None
    wanted: int | None


def held_rows(connection: Connection, question: HeldQuestion, first: int, most: int) -> list[Decided]:
    """One page of them, `first` counted from 0."""
    query = select(diffs).where(*_asked(question)).order_by(*_order(question)).offset(first).limit(most)
    return [decided_row(row) for row in connection.execute(query)]


def held_ids(connection: Connection, question: HeldQuestion) -> list[str]:
    """The diff_ids of all that match, in the order of the pages."""
    return list(
        connection.execute(select(diffs.c.diff_id).where(*_asked(question)).order_by(*_order(question))).scalars()
    )


def count_held(connection: Connection, question: HeldQuestion) -> int:
    """How many match."""
    return int(connection.execute(select(func.count()).select_from(diffs).where(*_asked(question))).scalar_one())


def held_groups(connection: Connection, state: HeldState = "open") -> list[HeldGroup]:
    """What waits at all, by shop, kind and reason."""
    columns = (diffs.c.platform, diffs.c.account_id, diffs.c.kind, diffs.c.reason)
    rows = connection.execute(
        select(*columns, func.count()).where(*_asked(HeldQuestion(state=state))).group_by(*columns).order_by(*columns)
    )
    return [HeldGroup(AccountKey(row[0], row[1]), Kind(row[2]), row[3], row[4]) for row in rows]


def held_asins(connection: Connection, state: HeldState = "open") -> list[str]:
    """Every ASIN of which something waits."""
    return list(connection.execute(select(diffs.c.asin).where(*_asked(HeldQuestion(state=state))).distinct()).scalars())


def held_of_asins(connection: Connection, asins: Iterable[str]) -> dict[str, int]:
    """How many rows of each ASIN wait, in all shops together."""
    found: dict[str, int] = {}
    for part in in_portions(sorted(set(asins))):
        query = select(diffs.c.asin, func.count()).where(*_asked(HeldQuestion()), diffs.c.asin.in_(part))
        found |= {asin: count for asin, count in connection.execute(query.group_by(diffs.c.asin))}
    return found


def held_listings(connection: Connection, keys: Iterable[ListingKey]) -> dict[ListingKey, HeldListing]:
    """Those that are known; one that was never read has no price and nobody knows whether it is on sale."""
    wanted = set(keys)
    found: dict[ListingKey, HeldListing] = {}
    for part in in_portions(sorted({key.item_id for key in wanted})):
        for row in connection.execute(select(listings).where(listings.c.item_id.in_(part))):
            key = ListingKey(row.platform, row.account_id, row.item_id)
            if key not in wanted:
                continue
            shown = row.shown_price_jpy
            ours = row.priced_cost_jpy if shown is not None and row.priced_jpy == shown else None
            sells = row.shown_visible == 1 and row.shown_stock != 0 and not row.delist
            on_sale = None if row.shown_visible is None else sells
            found[key] = HeldListing(key, shown, ours, on_sale, row.shown_visible, row.item_rules)
    return found


def words_before(connection: Connection, keys: Iterable[ListingKey]) -> dict[tuple[ListingKey, Kind], WordBefore]:
    """The last word of a person on each listing and kind, of held rows that are over and still kept."""
    wanted = set(keys)
    found: dict[tuple[ListingKey, Kind], WordBefore] = {}
    over = (diffs.c.decision == Decision.HELD, diffs.c.state != "open", diffs.c.evidence.like('%ed_by"%'))
    for part in in_portions(sorted({key.item_id for key in wanted})):
        query = select(diffs).where(*over, diffs.c.item_id.in_(part)).order_by(diffs.c.state_at, diffs.c.diff_id)
        for row in map(decided_row, connection.execute(query)):
            said = word_of(row)
            if said is not None and row.diff.key in wanted:
                found[row.target] = said
    return found


def pushes_of_yes(connection: Connection, names: Iterable[str], keys: Iterable[ListingKey]) -> dict[str, list[Decided]]:
    """The changes of these listings that a yes to one of these held rows let pass, by the row: those that are still to
    be sent, and those that were."""
    wanted = set(names)
    found: dict[str, list[Decided]] = {}
    passed = (diffs.c.decision == Decision.PUSH, diffs.c.reason == "approved", diffs.c.state.in_(("open", "sent")))
    for part in in_portions(sorted({key.item_id for key in keys})):
        for row in map(decided_row, connection.execute(select(diffs).where(*passed, diffs.c.item_id.in_(part)))):
            name = hold_behind(row)
            if name in wanted:
                found.setdefault(name, []).append(row)
    return found


def hold_behind(row: Decided) -> str:
    """The diff_id of the held row whose yes let this change pass; "" = none did."""
    try:
        document: Any = json.loads(row.diff.evidence or "{}")
    except ValueError:
        return ""
    return str(document.get("hold") or "") if isinstance(document, dict) else ""


def word_of(row: Decided) -> WordBefore | None:
    """What a person said of this row; None where nobody did."""
    try:
        document: Any = json.loads(row.diff.evidence or "{}")
    except ValueError:
        return None
    return word_in(document, row.diff.wanted) if isinstance(document, dict) else None


def word_in(evidence: Mapping[str, Any], wanted: int | None) -> WordBefore | None:
    """The word that is signed in the evidence of a held row; None where nobody gave it."""
    for word in _SAID_SO:
        if f"{word}_by" in evidence:
            at = evidence.get(f"{word}_at")
            return WordBefore(word, str(evidence[f"{word}_by"]), datetime.fromisoformat(at) if at else None, wanted)
    return None


def _was_sent() -> ColumnElement[bool]:
    """An edit that the yes to the row let pass has left; the row itself waits for the next run to get over it."""
    push = diffs.alias("push")
    same = [push.c[name] == diffs.c[name] for name in ("platform", "account_id", "item_id", "kind")]
    left = (push.c.decision == Decision.PUSH, push.c.reason == "approved", push.c.state == "sent")
    return select(push.c.diff_id).where(*same, *left, push.c.evidence.contains(diffs.c.diff_id)).exists()


def _asked(question: HeldQuestion) -> Sequence[ColumnElement[bool]]:
    asked = [diffs.c.decision == Decision.HELD, diffs.c.state == question.state]
    if question.state == "approved":
        asked.append(~_was_sent())
    if question.account is not None:
        asked.append(of_accounts(diffs, (question.account,)))
    if question.kind is not None:
        asked.append(diffs.c.kind == question.kind.value)
    if question.reason:
        asked.append(diffs.c.reason == question.reason)
    if question.text:
        asked.append(
            or_(
                diffs.c.asin.startswith(question.text.upper(), autoescape=True),
                diffs.c.item_id.startswith(question.text, autoescape=True),
                diffs.c.diff_id.startswith(question.text.lower(), autoescape=True),
                diffs.c.asin.in_(sorted(question.titled)[:MOST_NAMED]),
            )
        )
    return asked


def _order(question: HeldQuestion) -> Sequence[ColumnElement[Any]]:
    """`change` goes by yen, whichever way; what has none of the figure comes last."""
    by: Sequence[ColumnElement[Any]]
    match question.sort:
        case "change":
            by = (func.coalesce(func.abs(diffs.c.wanted - diffs.c.shown), -1),)
        case "profit":
            by = (diffs.c.profit_jpy,)
        case "asin":
            by = (diffs.c.asin,)
        case "shop":
            by = (diffs.c.platform, diffs.c.account_id, diffs.c.item_id)
        case _:
            by = (diffs.c.decided_at,)
    turned = [one.desc() if question.descending else one.asc() for one in by]
    unknown = [diffs.c.profit_jpy.is_(None)] if question.sort == "profit" else []
    return [*unknown, *turned, diffs.c.decided_at, diffs.c.diff_id]
