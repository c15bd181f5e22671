"""What a run has decided and edited while it still asks Amazon, and how much of each shop it has seen by then.

Not for: which changes are in a hurry (domain/selling/guards.py) or making them (sync/base_updates/early.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, func, or_, select

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey, Decision, Kind, ListingKey
from ecauto_pipeline.domain.selling.guards import MASS_HIDE
from ecauto_pipeline.state.decisions import STANDING, Decided, Target, decided_row
from ecauto_pipeline.state.exporting import in_portions
from ecauto_pipeline.state.of_accounts import of_accounts, of_shops
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.state.schema_decisions import diffs, journal

_LISTING = ("platform", "account_id", "item_id")


_edited = of_shops(
    select(diffs)
    .where(diffs.c.run_id == bindparam("of_run"), diffs.c.decision == Decision.PUSH)
    .where(diffs.c.state.in_(("sent", "closed")), diffs.c.kind.in_(bindparam("kinds", expanding=True)))
    .where(diffs.c.diff_id.in_(select(journal.c.diff_id).where(journal.c.run_id == bindparam("of_run"))))
    .order_by(diffs.c.decided_at, diffs.c.diff_id),
    diffs,
)


def edited(
    connection: Connection, run_id: str, accounts: Iterable[AccountKey], kinds: Iterable[Kind] = tuple(Kind)
) -> dict[Target, list[Decided]]:
    """The pushes of this run for which it has made an edit already, however that ended; what is open again is none."""
    found: dict[Target, list[Decided]] = {}
    for row in connection.execute(_edited(accounts), {"of_run": run_id, "kinds": sorted(kinds)}):
        decided = decided_row(row)
        found.setdefault(decided.target, []).append(decided)
    return found


def on_show(connection: Connection, accounts: Iterable[AccountKey], wanted: Sequence[str]) -> list[ListingKey]:
    """The listings of these ASINs that take part, are on show, and about which nothing waits for a person or for the
    shop's word on an edit; in order."""
    of_listing = and_(*(diffs.c[name] == listings.c[name] for name in _LISTING))
    by_people = or_(diffs.c.decision == Decision.HELD, diffs.c.state.in_(("approved", "rejected")))
    waits = select(diffs.c.diff_id).where(of_listing, diffs.c.state.in_(STANDING), by_people)
    unsettled = or_(journal.c.outcome.is_(None), journal.c.outcome == "unknown")
    in_flight = select(journal.c.update_id).where(
        *(journal.c[name] == listings.c[name] for name in _LISTING), unsettled
    )
    query = select(*(listings.c[name] for name in _LISTING)).where(
        of_accounts(listings, accounts), listings.c.listed == 1, listings.c.shown_visible == 1
    )
    query = query.where(~waits.exists(), ~in_flight.exists())
    found = [
        ListingKey(*row)
        for few in in_portions(sorted(set(wanted)))
        for row in connection.execute(query.where(listings.c.asin.in_(few)))
    ]
    return sorted(found)


def public_answered(connection: Connection, account: AccountKey, since: datetime) -> int:
    """Listings of one account on show of whose ASIN something was heard since then, by whatever question."""
    stamps = (asins.c[name] >= to_ms(since) for name in ("detail_at", "probe_at", "stock_at"))
    query = select(func.count()).select_from(listings.join(asins, asins.c.asin == listings.c.asin))
    mine = (of_accounts(listings, (account,)), listings.c.listed == 1, listings.c.shown_visible == 1)
    return int(connection.execute(query.where(*mine, or_(*stamps))).scalar_one())


def hides_wanted(
    connection: Connection, run_id: str, account: AccountKey, but_for: Collection[str]
) -> dict[ListingKey, bool]:
    """The listings of one account that are to be hidden: by this run so far, sent or not, and by what still stands of
    others, a mass that waits for a person included; whether each is on show still.

    Not those for one of the reasons `but_for`.
    """
    hides = (diffs.c.kind == Kind.VISIBILITY, diffs.c.wanted == 0, diffs.c.reason.not_in(list(but_for)))
    own = and_(diffs.c.run_id == run_id, diffs.c.state.in_(("open", "sent", "closed")))
    pushed = and_(diffs.c.decision == Decision.PUSH, or_(own, diffs.c.state == "open"))
    massed = and_(diffs.c.decision == Decision.HELD, diffs.c.reason == MASS_HIDE, diffs.c.state == "open")
    query = select(*(diffs.c[name] for name in _LISTING), listings.c.shown_visible).join(
        listings, and_(*(diffs.c[name] == listings.c[name] for name in _LISTING))
    )
    rows = connection.execute(query.where(of_accounts(diffs, (account,)), *hides, or_(pushed, massed)))
    return {ListingKey(*key): visible == 1 for *key, visible in rows}
