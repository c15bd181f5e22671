"""Listings whose price a run could not correct, as its decisions stand: those that may be on sale at a loss.

Not for: whether they are (domain/selling/visibility.py) or hiding them (sync/base_updates/safety.py).
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, and_, func, or_, select

from ecauto_pipeline.domain.model import AccountKey, Decision, Kind
from ecauto_pipeline.domain.selling.corrections import FAILED_CORRECTIONS
from ecauto_pipeline.state.of_accounts import of_accounts
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.state.schema_decisions import diffs


def uncorrected(connection: Connection, account: AccountKey, runs: Collection[str], *, dry_run: bool) -> list[str]:
    """Items of one account on show, by id: rises that wait for a person, whoever held them, and what `runs` blocked or
    left because an earlier edit failed. `dry_run`: what these hold counts too, which waits for nobody.

    A price that is to fall is no loss, however it is held.
    """
    own = diffs.c.run_id.in_(list(runs))
    waits = or_(diffs.c.state == "open", own) if dry_run else diffs.c.state == "open"
    held = and_(diffs.c.decision == Decision.HELD, waits)
    blocked = and_(diffs.c.decision == Decision.BLOCKED, own)
    failed = and_(diffs.c.decision == Decision.SKIPPED, diffs.c.reason.in_(FAILED_CORRECTIONS), own)
    rises = diffs.c.wanted > listings.c.shown_price_jpy  # as it is shown now, not when it was held
    of_listing = and_(*(diffs.c[name] == listings.c[name] for name in ("platform", "account_id", "item_id")))
    prices = (of_accounts(diffs, (account,)), diffs.c.kind == Kind.PRICE.value, listings.c.shown_visible == 1)
    query = select(diffs.c.item_id).join(listings, of_listing).where(*prices)
    query = query.where(or_(and_(held, rises), blocked, failed)).distinct().order_by(diffs.c.item_id)
    return list(connection.execute(query).scalars())


def hides_to_send(connection: Connection, account: AccountKey, said_so: Collection[str]) -> int:
    """How many hides of one account wait to be sent, but for those that a person asked for (reasons `said_so`)."""
    hides = (diffs.c.kind == Kind.VISIBILITY.value, diffs.c.wanted == 0, diffs.c.decision == Decision.PUSH)
    unasked = (diffs.c.state == "open", diffs.c.reason.not_in(said_so))
    query = select(func.count()).where(of_accounts(diffs, (account,)), *hides, *unasked)
    return int(connection.execute(query).scalar_one())
