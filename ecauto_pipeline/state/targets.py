"""What the planner reads and writes of the ASINs: one row per ASIN that takes part.

Not for: the list that comes of it (plans.py), what is due (domain/freshness/ages.py) or what was answered (asins.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    update,
)

from ecauto_pipeline.clock import from_ms
from ecauto_pipeline.domain.freshness.ages import AUDIT, CHANGED, NEW, ROW, SECOND_LOOK, Rows
from ecauto_pipeline.domain.freshness.failing import is_unanswerable
from ecauto_pipeline.domain.freshness.quiet import QuietBounds, QuietOnes
from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.domain.selling.selection import best_sellers
from ecauto_pipeline.state.of_accounts import are_all, of_accounts
from ecauto_pipeline.state.quiet_asins import LOW_AFTER, SOLD_SINCE, VIEWED_SINCE, bound_to, is_quiet, since
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.state.schema_calls import buckets
from ecauto_pipeline.state.shop_accounts import refusing_accounts

Floats = npt.NDArray[np.float64]
PART_ROWS = 10_000


def read_rows(
    connection: Connection,
    now: datetime,
    accounts: Sequence[AccountKey] = (),
    max_items: int | None = None,
    changes: bool = False,
    but: QuietBounds | None = None,
) -> Rows:
    """Every distinct ASIN of the listings that take part (of these accounts; () = all), with what is known of it.

    A shop that refuses everything takes no part: no call is spent on what could not be pushed. `now` tells who has
    failed so long that a person has to look. `changes`: with how often each of them changes, which costs a twentieth of
    the reading; without, nothing is known of that.

    With `max_items` only those of that many listings, the ones sold last. `but`: without those that are quiet now
    (count_quiet).
    """
    whom = _of_whom(connection, accounts)
    packed = np.fromiter(_tuples(connection, whom, changes, but), dtype=_PACKED)
    if whom.some:
        packed = packed[np.argsort(packed["asin"], kind="stable")]
    rows = _unpacked(connection, packed, "", whom, now)
    if max_items is not None:
        keys = (listings.c.platform, listings.c.account_id, listings.c.item_id)
        sold = select(*keys, listings.c.asin, asins.c.last_sold_at).where(_taking_part(whom))
        sold = sold.outerjoin_from(listings, asins, asins.c.asin == listings.c.asin)
        found = [(ListingKey(p, a, i), asin, at) for p, a, i, asin, at in connection.execute(sold)]
        chosen = best_sellers(((key, from_ms(at) if at else None) for key, _, at in found), max_items)
        rows = rows[np.isin(rows["asin"], [asin for key, asin, _ in found if key in chosen])]
    return rows


def each_part(
    connection: Connection,
    now: datetime,
    accounts: Sequence[AccountKey] = (),
    most: int = PART_ROWS,
    but: QuietBounds | None = None,
) -> Iterator[Rows]:
    """The same rows, at most so many at a time, for whoever only counts them; those of some accounts at once."""
    whom = _of_whom(connection, accounts)
    if whom.some:
        yield read_rows(connection, now, accounts, but=but)
        return
    answer, last = iter(_tuples(connection, whom, False, but)), ""
    while (packed := np.fromiter(islice(answer, most), dtype=_PACKED)).size:
        yield _unpacked(connection, packed, last, whom, now)
        last = str(packed["asin"][-1])


def count_quiet(
    connection: Connection, quiet: QuietBounds, read: int, accounts: Sequence[AccountKey] = ()
) -> tuple[QuietOnes, ...]:
    """Those that `read_rows` and `each_part` leave out, by tier code; `read`: how many they gave.

    The few that were sold or viewed lately are found by that; the others are who is left of all who take part.
    """
    values = bound_to(quiet)
    everybody, *lately, oldest = _questions_of_quiet(_of_whom(connection, accounts))
    all_of_them = connection.execute(everybody).scalar_one()
    found = [QuietOnes(*connection.execute(one, values).one()) for one in lately]
    low = all_of_them - read - sum(one.asins for one in found)
    return (*found, QuietOnes(low, connection.execute(oldest, values).scalar() if low else None))


class _Whom(NamedTuple):
    """Whose listings: of `accounts` where they are `some` of all; without those of `refusing`."""

    some: bool
    accounts: tuple[AccountKey, ...]
    refusing: tuple[AccountKey, ...]


def _of_whom(connection: Connection, accounts: Sequence[AccountKey]) -> _Whom:
    """Listings of these accounts (() = all), without those of shops that refuse everything; and whether they are only
    some of all, whom an index by shop finds. Where they are all, the index of who takes part alone answers."""
    some = bool(accounts) and not are_all(connection, listings, accounts, _TAKING_PART_BY_KEY)
    return _Whom(some, tuple(accounts) if some else (), tuple(refusing_accounts(connection)))


def _theirs(whom: _Whom) -> Sequence[ColumnElement[bool]]:
    # each is said only where there is one: an index alone answers the question of all the others
    chosen = [of_accounts(listings, whom.accounts)] if whom.some else []
    return [*chosen, not_(of_accounts(listings, whom.refusing))] if whom.refusing else chosen


def _taking_part(whom: _Whom) -> ColumnElement[bool]:
    return and_(_TAKING_PART_BY_KEY if whom.some else _TAKING_PART, *_theirs(whom))


def _tuples(connection: Connection, whom: _Whom, changes: bool, but: QuietBounds | None) -> Iterable[Any]:
    query = _query(whom, changes, but is not None)
    values = {} if but is None else bound_to(but)
    return cast(Iterable[Any], connection.execute(query, values).cursor)  # raw ones


def _unpacked(connection: Connection, packed: Rows, last: str, whom: _Whom, now: datetime) -> Rows:
    """One row an ASIN, but for `last`: its row was in the part before."""
    names = packed["asin"]
    begins = np.append(names[:1] != last, names[1:] != names[:-1])
    packed = packed[begins]
    rows = np.empty(packed.size, ROW)
    for name in _WHOLE:
        rows[name] = packed[name]
    for name, shift, mask in (("wants", 3, 15), ("fetched", 2, 1), ("probed", 1, 1), ("out", 0, 1)):
        rows[name] = (packed["flags"] >> shift) & mask
    _add_failures(connection, rows, packed["asin"][packed["flags"] >= _FAILS].tolist(), whom, now)
    return rows


def _add_failures(connection: Connection, rows: Rows, failing: Sequence[str], whom: _Whom, now: datetime) -> None:
    """The columns of the few that fail: a second question, because a million rows are paid for by the column."""
    rows["failures"] = rows["failed_at"] = rows["unanswerable"] = rows["public"] = 0
    query = _question_of_failures(whom)
    found = [row for some in _portions(failing) for row in connection.execute(query, {"some": some})]
    if not found:
        return
    places = np.searchsorted(rows["asin"], np.array([row[0] for row in found], rows["asin"].dtype))
    rows["failures"][places] = [min(row[1], 100) for row in found]
    rows["failed_at"][places] = [row[2] or 0 for row in found]
    rows["unanswerable"][places] = [
        is_unanswerable(row[1], row[3], None if row[4] is None else from_ms(row[4]), now) for row in found
    ]
    rows["public"][places] = [row[5] for row in found]


def _portions(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + _CHUNK] for start in range(0, len(names), _CHUNK))


_CHUNK = 500
_FAILS = 128
"""Of the flags: it has failed since its last answer."""
_TAKING_PART = and_(listings.c.listed == 1, listings.c.asin.is_not(None), listings.c.asin != "")
_TAKING_PART_BY_KEY = and_(listings.c.listed + 0 == 1, func.coalesce(listings.c.asin, "") != "")
"""The same where some accounts are asked for: no index fits these words, so that the key does, which begins with the
account, and nobody else's listings are gone through."""
_OF_CHANGES = ("changes", "watched_days")
_WHOLE = (ROW.names or ())[:-8]
_PACKED = np.dtype([(name, ROW[name]) for name in _WHOLE] + [("flags", np.int64)])
"""ROW as it is read: four of its small columns in one number, because a million rows are paid for by the column."""


@lru_cache(maxsize=16)  # made once, here and below: making them costs more than what they find in a small shop
def _query(whom: _Whom, changes: bool, without_quiet: bool) -> Select[Any]:
    """The columns of `_PACKED`, NULL as 0, one row per listing: no grouping; in order of ASIN where they are all.
    `changes`: or 0 for what tells of them. `without_quiet`: of those that bound_to() tells."""
    known = asins.c
    wants = case(
        (and_(known.wants_detail == "", known.doubt == ""), 0),  # nearly all: nothing else is compared then
        (or_(known.doubt != "", known.wants_detail.in_(("zero", "doubtful"))), SECOND_LOOK),
        (known.wants_detail == "changed", CHANGED),
        (known.wants_detail == "audit", AUDIT),
        (known.wants_detail != "", NEW),
        else_=0,
    )
    comparable = and_(  # with no offers there is nothing to compare, and a sweep that finds none agrees
        known.probe_at.is_not(None),
        or_(
            known.probe_price_jpy.is_not(None),
            known.probe_offer_count.is_not(None),
            known.status.in_(("out_of_stock", "not_found")),
        ),
    )
    owes_second = and_(known.status == "filtered_out", known.filtered_count < 2)
    stamps = ("price_at", "stock_at", "detail_at", "probe_at", "error_at", "last_sold_at", "last_viewed_at")
    query = (
        select(
            listings.c.asin,
            *(func.coalesce(known[name], 0) for name in stamps),
            case((owes_second, func.coalesce(known.filtered_since, 0)), else_=0),
            func.coalesce(known.orders_30d, 0.0),
            func.coalesce(known.views_30d, 0.0),
            func.coalesce(known.demand_at, 0),
            *(func.coalesce(known[name], 0.0) if changes else literal_column("0.0") for name in _OF_CHANGES),
            case((known.failures > 0, _FAILS), else_=0)
            + 8 * wants
            + 4 * case((known.status.is_not(None), 1), else_=0)
            + 2 * case((comparable, 1), else_=0)
            + case((known.in_stock == 0, 1), else_=0),
        )
        .select_from(listings.outerjoin(asins, asins.c.asin == listings.c.asin))
        .where(_taking_part(whom), *([_may_be_due()] if without_quiet else []))
    )
    return query if whom.some else query.order_by(listings.c.asin)


@lru_cache(maxsize=16)
def _question_of_failures(whom: _Whom) -> Select[Any]:
    """Asked by name, and with no other condition on the name, for which SQLite would go through all of them."""
    on_show = func.max(case((listings.c.shown_visible == 1, 1), else_=0))
    known = (asins.c.asin, asins.c.failures, asins.c.failed_at, asins.c.failing_reason, asins.c.failing_since)
    query = select(*known, on_show).select_from(asins.join(listings, listings.c.asin == asins.c.asin))
    some_of_them = (listings.c.listed == 1, listings.c.asin.in_(bindparam("some", expanding=True)), *_theirs(whom))
    return query.where(*some_of_them).group_by(*known)


@lru_cache(maxsize=16)
def _questions_of_quiet(whom: _Whom) -> tuple[Select[Any], ...]:
    """How many ASINs take part; how many of them are quiet that were sold or viewed lately, with the oldest stamp of
    stock; that stamp of the others."""
    offered = exists().where(listings.c.asin == asins.c.asin, listings.c.listed == 1, *_theirs(whom))
    sold, viewed = since(asins.c.last_sold_at, SOLD_SINCE), since(asins.c.last_viewed_at, VIEWED_SINCE)
    oldest = select(asins.c.stock_at).where(asins.c.stock_at > LOW_AFTER, not_(sold), not_(viewed))
    return (
        select(func.count(listings.c.asin.distinct())).where(_taking_part(whom)),
        *(
            select(func.count(), func.min(asins.c.stock_at)).where(*of_tier, is_quiet(), offered)
            for of_tier in (
                (asins.c.last_sold_at >= SOLD_SINCE,),
                (asins.c.last_viewed_at >= VIEWED_SINCE, not_(sold)),
            )
        ),
        oldest.where(is_quiet(), offered).order_by(asins.c.stock_at).limit(1),
    )


def _may_be_due() -> ColumnElement[bool]:
    """Of a listing: its ASIN is not quiet, or was never asked about. Found by names, which lie in indexes: the rows of
    most ASINs, wherever they lie, are gone through once and in their order."""
    loud = select(asins.c.asin).where(not_(is_quiet()))
    known = select(asins.c.asin).where(asins.c.asin == listings.c.asin).correlate(listings)
    return or_(listings.c.asin.in_(loud), not_(known.exists()))


def write_periods(
    connection: Connection, names: Rows, tau_s: Floats, next_check_ms: Floats, next_full_ms: Floats
) -> None:
    """The solved periods of these ASINs and when they are next meant to be asked, for people who want to know."""
    statement = (
        update(asins)
        .where(asins.c.asin == bindparam("key"))
        .values(tau_s=bindparam("tau"), next_check_at=bindparam("check"), next_full_at=bindparam("full"))
    )
    columns = (names.tolist(), tau_s.tolist(), next_check_ms.tolist(), next_full_ms.tolist())
    rows = [{"key": k, "tau": t, "check": int(c), "full": int(f)} for k, t, c, f in zip(*columns, strict=True)]
    if rows and connection.dialect.name != "sqlite":  # who writes some of them besides goes by ASIN too (upsert.py)
        rows.sort(key=lambda row: row["key"])
    if rows:
        connection.execute(statement, rows)


def rates(connection: Connection, operation: str) -> dict[str, tuple[float, float]]:
    """Measured rate (calls a second) and burst of an operation, by SP-API account that has used it."""
    query = select(buckets.c.account, buckets.c.rate_per_s, buckets.c.burst).where(buckets.c.operation == operation)
    return {row.account: (row.rate_per_s, row.burst) for row in connection.execute(query)}


def count_asins(connection: Connection, accounts: Sequence[AccountKey] = ()) -> int:
    """Distinct ASINs of the listings that take part (of these accounts; () = all)."""
    query = select(func.count(listings.c.asin.distinct())).where(listings.c.listed == 1, listings.c.asin != "")
    query = query.where(of_accounts(listings, accounts)) if accounts else query
    return int(connection.execute(query).scalar_one())


def count_listings(connection: Connection) -> int:
    """Listings that take part."""
    query = select(func.count()).select_from(listings).where(listings.c.listed == 1, listings.c.asin.is_not(None))
    return int(connection.execute(query).scalar_one())
