"""When each shop was last joined with all of its register, as what that was known, and what was seen of it then.

Kept for shops whose register could be read and is believed. While the register is the same, only listings that have
changed since are joined again (revisions.py), and what is told of it is what was seen then, with that time.
Not for: whether it is the same (register/stamp.py) or who joins (sync/listings/).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.domain.selling.register_fall import RegisterCounts
from ecauto_pipeline.state.of_accounts import bound_to_listing, of_accounts, of_bound_listing
from ecauto_pipeline.state.schema import listings, shop_accounts
from ecauto_pipeline.state.upsert import upsert

OddValue = tuple[str, str, str, str]
"""(table, row, column, value)."""


@dataclass(frozen=True, slots=True)
class RegisterLook:
    """`stamp`: the register as it was read at `at`; `terms`: by what it was joined, a digest. `counts`: of this shop;
    `odd`, `odd_examples`: of all that was read with it."""

    stamp: str
    terms: str
    at: datetime
    counts: RegisterCounts
    odd: int = 0
    odd_examples: tuple[OddValue, ...] = ()


def load(connection: Connection, accounts: Iterable[AccountKey]) -> dict[AccountKey, RegisterLook]:
    """Of these shops; one that has to be joined with all of its register is left out."""
    columns = (shop_accounts.c.platform, shop_accounts.c.account_id, shop_accounts.c.register_look)
    query = select(*columns).where(of_accounts(shop_accounts, accounts), columns[2] != "")
    found = {AccountKey(row[0], row[1]): _look(row[2]) for row in connection.execute(query)}
    return {account: look for account, look in found.items() if look is not None}


def save(connection: Connection, account: AccountKey, look: RegisterLook | None) -> None:
    """None: its next joining is with all of its register."""
    document = "" if look is None else json.dumps(asdict(look) | {"at": to_ms(look.at)}, ensure_ascii=False)
    key = {"platform": account.platform, "account_id": account.account_id}
    upsert(connection, shop_accounts, [{**key, "register_look": document}])


def carry(connection: Connection, before: str, after: str, written: Iterable[ListingKey]) -> None:
    """We ourselves took the register from one stamp to another by writing these listings' sides, and nobody else wrote:
    every shop that was joined with the one is joined with the other, but for these, which have one change more: whoever
    read them before takes no mark of this one away."""
    columns = (shop_accounts.c.platform, shop_accounts.c.account_id, shop_accounts.c.register_look)
    for platform, account_id, text in connection.execute(select(*columns).where(columns[2] != "")).all():
        look = _look(text)
        if look is not None and look.stamp == before:
            save(connection, AccountKey(platform, account_id), replace(look, stamp=after))
    mark = update(listings).where(*of_bound_listing(listings))
    rows = [bound_to_listing(key) for key in sorted(set(written))]
    if rows:
        connection.execute(mark.values(unjoined=func.coalesce(listings.c.unjoined, 0) + 1), rows)


def _look(text: str) -> RegisterLook | None:
    """A document of another version's shape is one that was never written."""
    try:
        said: dict[str, Any] = json.loads(text)
        examples = tuple((table, row, column, value) for table, row, column, value in said["odd_examples"])
        counts: Mapping[str, int] = said["counts"]
        return RegisterLook(
            said["stamp"], said["terms"], from_ms(said["at"]), RegisterCounts(**counts), said["odd"], examples
        )
    except (ValueError, TypeError, KeyError):
        return None
