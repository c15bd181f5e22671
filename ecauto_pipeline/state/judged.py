"""What was decided of each listing last, from what, and for how long that holds: so that a step judges what changed.

A verdict stands while the listing and its ASIN are of the revisions it was made from (revisions.py), until the moment
at which time alone would change it, and not before the moment at which it was made (a clock that was set back). It is
kept only where nothing of it has to be looked at again by every run; whoever keeps it says so. NULL = to be judged.
Not for: which terms a shop is judged by, or what may be kept (sync/diffs/changed.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, func, or_, select, update

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey, Kind
from ecauto_pipeline.state.exporting import in_portions
from ecauto_pipeline.state.of_accounts import of_accounts
from ecauto_pipeline.state.schema import asins, judged_shops, listings
from ecauto_pipeline.state.upsert import upsert

JudgingStep = Literal["price", "visibility"]
KINDS: Mapping[JudgingStep, tuple[Kind, ...]] = {"price": (Kind.PRICE,), "visibility": (Kind.VISIBILITY, Kind.STOCK)}
"""What of a listing each step judges."""
Said = tuple[str | None, ...]
"""One word for each kind of a step: "" = unchanged, else the reason of a skip; None = has to be judged."""


class Seen(NamedTuple):
    """A listing as it stands now. `holds`: what was said of it last still does. (A tuple: a shop has a hundred
    thousand.)"""

    item_id: str
    revision: int
    asin_revision: int | None
    holds: bool
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
    """When all of a shop was judged last, and by which terms (a digest)."""

    terms: str
    at: datetime


def whole_looks(
    connection: Connection, accounts: Iterable[AccountKey], step: JudgingStep
) -> dict[AccountKey, WholeLook]:
    """Of these shops; one never judged as a whole is left out."""
    query = select(judged_shops).where(judged_shops.c.step == step, of_accounts(judged_shops, accounts))
    rows = connection.execute(query)
    return {AccountKey(row.platform, row.account_id): WholeLook(row.terms, from_ms(row.whole_at)) for row in rows}


def save_whole_look(connection: Connection, account: AccountKey, step: JudgingStep, look: WholeLook) -> None:
    row = {"platform": account.platform, "account_id": account.account_id, "step": step}
    upsert(connection, judged_shops, [{**row, "terms": look.terms, "whole_at": to_ms(look.at)}])


def seen(
    connection: Connection,
    account: AccountKey,
    step: JudgingStep,
    now: datetime,
    items: Collection[str] | None = None,
    *,
    whole: bool = False,
) -> list[Seen]:
    """The listings of a shop that take part and have to be judged again, in no order; `whole`: all of them; `items`:
    these, whether or not."""
    holds = _holds(step, to_ms(now))
    query = (
        select(
            *(listings.c.item_id, listings.c.revision, asins.c.revision, case((holds, 1), else_=0)),
            *_said(step),
        )
        .select_from(listings.outerjoin(asins, asins.c.asin == listings.c.asin))
        .where(listings.c.platform == account.platform, listings.c.account_id == account.account_id)
        .where(listings.c.listed == 1)
    )
    if items is None:
        rows: Iterable[Any] = connection.execute(query if whole else query.where(~holds))
    else:
        portions = in_portions(sorted(items))
        rows = (row for few in portions for row in connection.execute(query.where(listings.c.item_id.in_(few))))
    return [Seen(row[0], row[1], row[2], row[3] == 1, tuple(row[4:])) for row in rows]


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
    statement = update(listings).where(
        listings.c.platform == account.platform,
        listings.c.account_id == account.account_id,
        listings.c.item_id == bindparam("of_item"),
    )
    values = [
        {
            "of_item": one.item_id,
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
        connection.execute(statement.values({name: bindparam(name) for name in names}), values)


def changed_rules(connection: Connection) -> None:
    """The owner's rules are others: every listing that one of them selects has to be judged again."""
    connection.execute(update(listings).where(listings.c.item_rules != "").values(revision=listings.c.revision + 1))


def _holds(step: JudgingStep, now_ms: int) -> ColumnElement[bool]:
    """Whether what was said of a row of listings, with its row of asins joined to it, still holds; never NULL."""
    revision, asin_revision, judged_at, until = (listings.c[name] for name in _names(step)[:4])
    return and_(
        revision.is_not_distinct_from(listings.c.revision),
        asin_revision.is_not_distinct_from(asins.c.revision),
        judged_at.is_not(None),
        judged_at <= now_ms,
        or_(until.is_(None), until > now_ms),
        *(word.is_not(None) for word in _said(step)),
    )


def _names(step: JudgingStep) -> tuple[str, ...]:
    own = (f"{step}_revision", f"{step}_asin_revision", f"{step}_judged_at", f"{step}_holds_until")
    return (*own, *(f"{kind.value}_said" for kind in KINDS[step]))


def _said(step: JudgingStep) -> tuple[ColumnElement[Any], ...]:
    return tuple(listings.c[f"{kind.value}_said"] for kind in KINDS[step])
