"""Listings as the owner's register names them, and which of them have to be joined with it again.

A row of which anything that joining reads or writes changes is marked by the database itself (revisions.py); whoever
has joined it takes the mark away, as of the changes that he saw. Not for: the shop's side (shop_listings.py) or what
comes of both (domain/selling/joining.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, not_, or_, select, text, tuple_, update

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.hidden_by import OWNER_SCRIPTS, PERSON
from ecauto_pipeline.state.exporting import in_portions
from ecauto_pipeline.state.of_accounts import of_account, of_accounts
from ecauto_pipeline.state.revisions import JOIN_INPUTS
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.state.upsert import upsert


def load_both_sides(
    connection: Connection, platform: str, account_id: str, *, unplaced: bool = False, unjoined: bool = False
) -> Iterator[dict[str, Any]]:
    """Every listing of an account: item_id, unjoined and JOIN_INPUTS; `unplaced`: those alone whose ASIN is not
    known; `unjoined`: those of which something has changed since they were joined."""
    names = ("item_id", "unjoined", *JOIN_INPUTS)
    query = select(*(listings.c[name] for name in names)).where(*of_account(listings, platform, account_id))
    if unplaced:
        query = query.where(or_(listings.c.asin.is_(None), listings.c.asin == ""))
    if unjoined:
        query = query.where(listings.c.unjoined.is_not(None))
    for row in connection.execute(query):
        yield dict(zip(names, row, strict=True))


class JoinedAs(NamedTuple):
    """As what a listing was joined last, whether the shop has it now, and when that was read (None = never)."""

    register_id: int | None
    register_status: str
    orphan: str
    listed: int
    present: int
    read_at: int | None


def joined_as(connection: Connection, platform: str, account_id: str, item_ids: Sequence[str]) -> dict[str, JoinedAs]:
    """Of these items, those that nobody has seen left out."""
    columns = [listings.c[name] for name in ("item_id", *JoinedAs._fields)]
    found: dict[str, JoinedAs] = {}
    for part in in_portions(item_ids):
        query = select(*columns).where(*of_account(listings, platform, account_id), listings.c.item_id.in_(part))
        found |= {item: JoinedAs(*rest) for item, *rest in connection.execute(query)}
    return found


def unjoined_items(connection: Connection, platform: str, account_id: str) -> dict[str, int]:
    """Items of which something has changed since they were joined, those never joined with them: and how often."""
    query = select(listings.c.item_id, listings.c.unjoined).where(
        *of_account(listings, platform, account_id), listings.c.unjoined.is_not(None)
    )
    return {item: changes for item, changes in connection.execute(query)}


def note_joined(connection: Connection, platform: str, account_id: str, seen: Mapping[str, int]) -> None:
    """These are joined, as of so many changes of each; what has changed more often since is joined again."""
    statement = update(listings).where(
        *of_account(listings, platform, account_id),
        listings.c.item_id == bindparam("of_item"),
        listings.c.unjoined <= bindparam("seen"),
    )
    rows = [{"of_item": item, "seen": changes} for item, changes in sorted(seen.items())]
    if rows:
        connection.execute(statement.values(unjoined=None), rows)


def save_register_side(connection: Connection, platform: str, account_id: str, rows: Iterable[dict[str, Any]]) -> None:
    """Keep the register's columns of these items (item_id and all that joining writes)."""
    key = {"platform": platform, "account_id": account_id}
    upsert(connection, listings, [{**key, **row} for row in rows])


def settle_who_hid(connection: Connection, platform: str, account_id: str) -> None:
    """The register could be asked: what was first seen hidden, and nobody knew by whom, is the owner's scripts' where
    the register calls it hidden too, else a person's (domain/selling/hidden_by.py)."""
    unknown = (text("shown_visible = 0 AND hidden_by = ''"), listings.c.read_at.is_not(None))
    by_scripts = func.coalesce(listings.c.register_visible, 1) == 0
    for hider, of_them in ((OWNER_SCRIPTS, by_scripts), (PERSON, not_(by_scripts))):
        connection.execute(
            update(listings)
            .where(*of_account(listings, platform, account_id), *unknown, of_them)
            .values(hidden_by=hider, hidden_at=listings.c.read_at)
        )


def retire(connection: Connection, active: Iterable[AccountKey], among: Iterable[AccountKey] | None = None) -> None:
    """Listings of accounts that are not active take no part. `among`: only of these accounts; None = of any."""
    others = accounts_with_listings(connection) - set(active)
    others = others if among is None else others & set(among)
    if others:
        connection.execute(
            update(listings).where(of_accounts(listings, others), listings.c.listed == 1).values(listed=0)
        )


def accounts_with_listings(connection: Connection) -> set[AccountKey]:
    """Accounts that have any. One look in the key's index each, not one at each listing."""
    key = (listings.c.platform, listings.c.account_id)
    query, found = select(*key).order_by(*key).limit(1), set[AccountKey]()
    row = connection.execute(query).first()
    while row is not None:
        found.add(last := AccountKey(*row))
        row = connection.execute(query.where(tuple_(*key) > tuple_(*last))).first()
    return found
