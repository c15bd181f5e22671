"""What is believed of each shop's part of master.db, and the count that stands against it where it fell.

A fall stays until a count is believed again, or a person accepts it; until then what was believed stays as it is.
Not for: what a fall is (domain/selling/register_fall.py) or counting (sync/listings/register_watch.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.register_fall import Believed, Fall, RegisterCounts, falls
from ecauto_pipeline.state.schema import listings, shop_accounts
from ecauto_pipeline.state.upsert import upsert


@dataclass(frozen=True, slots=True)
class Watched:
    """Of one shop. `fallen`: the newest count, where it is not believed."""

    believed: Believed
    fallen: RegisterCounts | None = None

    def falls(self, most_share: float) -> tuple[Fall, ...]:
        """What fell; also where the guard has been widened since: until the next run looks, it stands."""
        if self.fallen is None:
            return ()
        return falls(self.believed.counts, self.fallen, most_share) or falls(self.believed.counts, self.fallen, 0.0)


def load(connection: Connection, account: AccountKey) -> Watched | None:
    """What is known of this shop's register; None where none was ever counted."""
    query = select(shop_accounts.c.register_counts).where(
        shop_accounts.c.platform == account.platform, shop_accounts.c.account_id == account.account_id
    )
    text = connection.execute(query).scalar()
    return _watched(text) if text else None


def save(connection: Connection, account: AccountKey, watched: Watched) -> None:
    document: dict[str, Any] = {
        "before": asdict(watched.believed.before),
        "lately": asdict(watched.believed.lately),
        "since": to_ms(watched.believed.since),
    }
    if watched.fallen is not None:
        document["fallen"] = asdict(watched.fallen)
    key = {"platform": account.platform, "account_id": account.account_id}
    upsert(connection, shop_accounts, [{**key, "register_counts": json.dumps(document)}])


def fallen(connection: Connection) -> Mapping[AccountKey, Watched]:
    """The shops whose register fell and was not accepted, by platform and id."""
    columns = (shop_accounts.c.platform, shop_accounts.c.account_id, shop_accounts.c.register_counts)
    rows = connection.execute(select(*columns).where(columns[2] != "").order_by(*columns[:2]))
    found = {AccountKey(platform, account_id): _watched(text) for platform, account_id, text in rows}
    return {account: one for account, one in found.items() if one is not None and one.fallen is not None}


def joined(connection: Connection, account: AccountKey) -> RegisterCounts:
    """What the register listed when this shop was last joined with it: a beginning where nothing was counted yet."""
    query = select(func.count()).where(
        listings.c.platform == account.platform,
        listings.c.account_id == account.account_id,
        listings.c.register_status == "listed",
        listings.c.asin.is_not(None),
    )
    return RegisterCounts(listed=connection.execute(query).scalar_one())


def _watched(text: str) -> Watched | None:
    """A document of another version's shape is one that was not counted."""
    try:
        document = json.loads(text)
        before, lately = (RegisterCounts(**document[name]) for name in ("before", "lately"))
        now = RegisterCounts(**document["fallen"]) if "fallen" in document else None
        return Watched(Believed(before, lately, from_ms(document["since"])), now)
    except (ValueError, TypeError, KeyError):
        return None
