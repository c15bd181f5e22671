"""What was decided of each listing last, from what, and for how long that holds: so that a step judges what changed.

A verdict stands while the listing and its ASIN are of the revisions it was made from (revisions.py), until the moment
at which time alone would change it, and not before the moment at which it was made (a clock that was set back). It is
kept only where nothing of it has to be looked at again by every run; whoever keeps it says so. NULL = to be judged.
Not for: which terms a shop is judged by, or what may be kept (sync/diffs/changed.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Update,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    text,
    update,
)

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey, Kind, ListingKey
from ecauto_pipeline.state.exporting import in_portions
from ecauto_pipeline.state.few_rows import PRICE_UNJUDGED, VISIBILITY_UNJUDGED, words_for
from ecauto_pipeline.state.of_accounts import ByShop, bound_to, by_shop, of_accounts, of_bound_listing, of_shops
from ecauto_pipeline.state.revisions import ASIN_CHANGES
from ecauto_pipeline.state.schema import asins, counters, judged_shops, listings
from ecauto_pipeline.state.upsert import upsert

JudgingStep = Literal["price", "visibility"]
KINDS: Mapping[JudgingStep, tuple[Kind, ...]] = {"price": (Kind.PRICE,), "visibility": (Kind.VISIBILITY, Kind.STOCK)}
"""What of a listing each step judges."""
_UNJUDGED: Mapping[JudgingStep, str] = {"price": PRICE_UNJUDGED, "visibility": VISIBILITY_UNJUDGED}
MOST_CHANGED = 20_000
"""ASINs: where more have changed, each listing is looked at."""
Said = tuple[str | None, ...]
"""One word for each kind of a step: "" = unchanged, else the reason of a skip; None = has to be judged."""


class Seen(NamedTuple):
    """A listing as it stands now. `holds`: what was said of it last still does, and would until `until_ms` (None = for
    good). (A tuple: a shop has a hundred thousand.)"""

    item_id: str
    revision: int
    asin_revision: int | None
    holds: bool
    until_ms: int | None
    said: Said


class Judged(NamedTuple):
    """What was decided of a listing: from which revisions, until when (None = time does not change it), and what."""

    item_id: str
    revision: int
    asin_revision: int | None
    holds_until: datetime | None
    said: Said


@dataclass(frozen=True, slots=True)
class WholeLook:
    """When all of a shop was judged last, and by which terms (a digest).

    `asins_seen`: up to which change the ASINs of its listings were looked at since (revisions.py; None = all have to be
    compared). `judged_at`: no verdict of it was made later (None = nobody knows).
    """

    terms: str
    at: datetime
    asins_seen: int | None = None
    judged_at: datetime | None = field(default=None, compare=False)


def whole_looks(
    connection: Connection, accounts: Iterable[AccountKey], step: JudgingStep
) -> dict[AccountKey, WholeLook]:
    """Of these shops; one never judged as a whole is left out."""
    return {
        AccountKey(row.platform, row.account_id): WholeLook(
            row.terms, from_ms(row.whole_at), row.asins_seen, None if row.judged_at is None else from_ms(row.judged_at)
        )
        for row in connection.execute(_looks(accounts), {"of_step": step})
    }


_looks = of_shops(select(judged_shops).where(judged_shops.c.step == bindparam("of_step")), judged_shops)


def save_looks(connection: Connection, step: JudgingStep, looks: Mapping[AccountKey, WholeLook]) -> None:
    """Of these shops, from now on."""
    rows = [
        {
            **{"platform": account.platform, "account_id": account.account_id, "step": step},
            **{"terms": look.terms, "whole_at": to_ms(look.at), "asins_seen": look.asins_seen},
            "judged_at": None if look.judged_at is None else to_ms(look.judged_at),
        }
        for account, look in sorted(looks.items())
    ]
    upsert(connection, judged_shops, rows)


def asin_changes(connection: Connection) -> int | None:
    """The number of the last change of an ASIN that this connection sees; None where changes have no numbers."""
    if connection.dialect.name != "sqlite":
        return None
    query = select(counters.c.value).where(counters.c.name == ASIN_CHANGES)
    return int(connection.execute(query).scalar() or 0)


def seen_of(
    connection: Connection,
    account: AccountKey,
    step: JudgingStep,
    now: datetime,
    items: Collection[str] | None = None,
) -> list[Seen]:
    """The listings of a shop that take part, in no order: all of them, or `items` alone."""
    answers = _question(step).ask(connection, account, None if items is None else {account: items}, now=to_ms(now))
    return [_seen(row) for answer in answers for row in answer]


def unsettled(
    connection: Connection, looks: Mapping[AccountKey, WholeLook], step: JudgingStep, now: datetime
) -> dict[ListingKey, Seen]:
    """The listings of these shops that take part and have to be judged again, in no order.

    Where changes of ASINs have numbers, nobody else is looked at than who may be one of them: whose row changed or has
    no verdict, whose verdict only held until now, whose ASIN changed since its shop was last looked at.
    """
    upto = asin_changes(connection)
    shops = {account: look for account, look in looks.items() if _is_followed(look, upto, now)}
    changed: list[str] = []
    if shops:
        since = min(look.asins_seen or 0 for look in shops.values())
        news = select(asins.c.asin).where(asins.c.change_number > since).limit(MOST_CHANGED + 1)
        changed = list(connection.execute(news).scalars())
        shops = {} if len(changed) > MOST_CHANGED else shops
    found: dict[ListingKey, Seen] = {}
    values: dict[str, object] = {"now": to_ms(now)}
    for account in looks.keys() - shops.keys():
        for answer in _question_again(step).ask(connection, account, now=to_ms(now)):
            found |= {ListingKey(*account, row[0]): _seen(row) for row in answer}
    if not shops:
        return found
    fresh, past, of_asins = _questions_of_changes(step)
    questions = [(fresh.where(of_accounts(listings, shops, found_else=True)), values), (past, values)]
    questions += [(of_asins, {**values, "some": few}) for few in in_portions(sorted(changed))]
    for question, bound in questions:
        for *row, platform, account_id in connection.execute(question, bound):
            account = AccountKey(platform, account_id)
            if account in shops:
                found[ListingKey(*account, row[0])] = _seen(row)
    return found


def _is_followed(look: WholeLook, upto: int | None, now: datetime) -> bool:
    """Whether what has changed of a shop since it was looked at can be told without a look at each of its listings: not
    after a clock was set back, nor where numbers began anew."""
    if upto is None or look.asins_seen is None or look.asins_seen > upto:
        return False
    return look.judged_at is not None and look.judged_at <= now


_NOW = bindparam("now", type_=BigInteger())


def _query(step: JudgingStep) -> Select[Any]:
    """The columns of Seen, of what takes part, as it stands `now`."""
    columns = (listings.c.item_id, listings.c.revision, asins.c.revision, case((_holds(step), 1), else_=0))
    until = listings.c[f"{step}_holds_until"]
    query = select(*columns, until, *_said(step)).where(listings.c.listed + 0 == 1)
    return query.select_from(listings.outerjoin(asins, asins.c.asin == listings.c.asin))


@cache
def _question(step: JudgingStep) -> ByShop:
    """Of the listings of a shop."""
    return by_shop(_query(step), listings)


@cache
def _question_again(step: JudgingStep) -> ByShop:
    """Of those of which nothing holds now."""
    return by_shop(_query(step).where(~_holds(step)), listings)


@cache
def _questions_of_changes(step: JudgingStep) -> tuple[Select[Any], Select[Any], Select[Any]]:
    """The same of every shop, with whose they are: where nothing was said, where it held until now, of `some` ASINs."""
    of_them = _query(step).where(~_holds(step)).add_columns(listings.c.platform, listings.c.account_id)
    until = listings.c[f"{step}_holds_until"]
    return (
        of_them.where(words_for("sqlite", _UNJUDGED[step])),
        of_them.where(until <= _NOW),
        of_them.where(listings.c.asin.in_(bindparam("some", expanding=True))),
    )


def _seen(row: Sequence[Any]) -> Seen:
    return Seen(row[0], row[1], row[2], row[3] == 1, row[4], tuple(row[5:]))


def count_said(
    connection: Connection, accounts: Sequence[AccountKey], step: JudgingStep
) -> dict[tuple[AccountKey, Kind, str | None], int]:
    """How many listings that take part have this word said of them, by shop and kind."""
    found: dict[tuple[AccountKey, Kind, str | None], int] = {}
    groups = (listings.c.platform, listings.c.account_id, *_said(step))
    query = select(func.count(), *groups).where(listings.c.listed == 1, of_accounts(listings, accounts))
    for count, platform, account_id, *said in connection.execute(query.group_by(*groups)):
        account = AccountKey(platform, account_id)
        for kind, word in zip(KINDS[step], said, strict=True):
            found[account, kind, word] = found.get((account, kind, word), 0) + count
    return found


def save(
    connection: Connection, account: AccountKey, step: JudgingStep, judged: Iterable[Judged], now: datetime
) -> None:
    """What was decided of these listings of a shop now; a word that is None: it has to be judged again."""
    names = _names(step)
    values = [
        {
            **bound_to(account, of_item=one.item_id),
            **dict(
                zip(
                    names,
                    (
                        *(one.revision, one.asin_revision, to_ms(now)),
                        *(None if one.holds_until is None else to_ms(one.holds_until), *one.said),
                    ),
                    strict=True,
                )
            ),
        }
        for one in judged
    ]
    if values:
        values.sort(key=lambda row: str(row["of_item"]))
        connection.execute(_save(step), values)


@cache
def _save(step: JudgingStep) -> Update:
    rows = update(listings).where(*of_bound_listing(listings))
    return rows.values({name: bindparam(name) for name in _names(step)})


def changed_rules(connection: Connection) -> None:
    """The owner's rules are others: every listing that one of them selects has to be judged again."""
    connection.execute(update(listings).where(text("item_rules != ''")).values(revision=listings.c.revision + 1))


def _holds(step: JudgingStep) -> ColumnElement[bool]:
    """Whether what was said of a row of listings, with its row of asins joined to it, holds `now`; never NULL."""
    revision, asin_revision, judged_at, until = (listings.c[name] for name in _names(step)[:4])
    return and_(
        revision.is_not_distinct_from(listings.c.revision),
        asin_revision.is_not_distinct_from(asins.c.revision),
        judged_at.is_not(None),
        judged_at <= _NOW,
        or_(until.is_(None), until > _NOW),
        *(word.is_not(None) for word in _said(step)),
    )


def _names(step: JudgingStep) -> tuple[str, ...]:
    own = (f"{step}_revision", f"{step}_asin_revision", f"{step}_judged_at", f"{step}_holds_until")
    return (*own, *(f"{kind.value}_said" for kind in KINDS[step]))


def _said(step: JudgingStep) -> tuple[ColumnElement[Any], ...]:
    return tuple(listings.c[f"{kind.value}_said"] for kind in KINDS[step])
