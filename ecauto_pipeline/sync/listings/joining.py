"""Writes beside each listing what the register says of it: of all listings, or of those of which something changed.

A shop that is joined with all of its register has no look on record from that moment on until everything of the run's
listings is done (`note_look`): a run that dies in between leaves the whole to the next one. Not for: what is asked of
master.db (register_of_run.py), whether two sides are one listing (domain/selling/joining.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.joining import LISTED, RegisterSide, join
from ecauto_pipeline.state import joined_listings, locks, register_looks, shop_accounts
from ecauto_pipeline.state.sales import last_seen
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.listings.register_of_run import RegisterOfRun
from ecauto_pipeline.sync.listings.register_watch import RegisterNow

CLOCKS_DIFFER = timedelta(days=1)
"""A time of the register that lies further ahead is none."""
_Row = Mapping[str, object]
Blocked = frozenset[str] | None
"""ASINs on the blocklist; None: not known, that flag stays."""


def join_new(tools: Tools, account: AccountKey, register: RegisterOfRun) -> None:
    """Give just-read items their ASIN, so that their orders count from the first run on. All else is joined once every
    shop was read."""
    of_shop = (account.platform, account.account_id)
    items: list[str] = []
    if register.unchanged:
        with tools.state.read() as connection:
            found = joined_listings.load_both_sides(connection, *of_shop, unjoined=True)
            items = [row["item_id"] for row in found if not row["asin"]]
        if not items:
            return
    sides = register.of(account, items)
    with tools.state.write(locks.shop(account)) as connection:
        whole = shop_accounts.was_read_whole(connection, account)
        unplaced = joined_listings.load_both_sides(connection, *of_shop, unplaced=True, unjoined=register.unchanged)
        rows = [row for row in unplaced if not register.unchanged or row["item_id"] in items]
        changed = [
            after for row in rows if _differ(row, after := _side(row, sides.get(row["item_id"]), None, proven=whole))
        ]
        joined_listings.save_register_side(connection, *of_shop, changed)


def join_changed(tools: Tools, account: AccountKey, register: RegisterOfRun, blocked: Blocked) -> None:
    """Join what has changed of a shop since it was joined, while the register is what it was; what changes while the
    register is asked waits for the next run. Where it can't be done, nothing is, and all of the register has been read.
    """
    of_shop = (account.platform, account.account_id)
    with tools.state.read() as connection:
        items = joined_listings.unjoined_items(connection, *of_shop)
        same = register.looks[account].terms == register.terms(connection, account)
    sides = register.of(account, list(items), to_join=True) if same else register.all().of(account)
    if not register.unchanged:
        return
    with tools.state.write(locks.shop(account)) as connection:
        latest = register_looks.load(connection, [account]).get(account)
        same = latest is not None and latest.at == register.looks[account].at
        if same:
            rows = list(joined_listings.load_both_sides(connection, *of_shop, unjoined=True))
            as_asked = [row for row in rows if items.get(str(row["item_id"])) == row["unjoined"]]
            _save(connection, account, as_asked, sides, blocked)
            joined_listings.settle_who_hid(connection, *of_shop)
    if not same:  # another process has joined all of it meanwhile, or could not
        register.all()


def join_all(tools: Tools, account: AccountKey, register: RegisterNow, blocked: Blocked) -> None:
    """Write the register's side of every listing whose side changed. Where the register was read and is believed, it
    has the word on what was first seen hidden."""
    sides, of_shop = register.of(account), (account.platform, account.account_id)
    with tools.state.write(locks.shop(account)) as connection:
        register_looks.save(connection, account, None)
        met = _save(connection, account, joined_listings.load_both_sides(connection, *of_shop), sides, blocked)
        nothing = {"identifier": "", "present": 0, "delist": "", "orphan": "", "blocked": 0, "unjoined": 1}
        others = (one for one, side in sides.items() if one not in met and side.status == LISTED)
        _save(connection, account, [{**nothing, "item_id": one} for one in others], sides, blocked)
        if account in register.believed:
            joined_listings.settle_who_hid(connection, *of_shop)


def note_looks(connection: Connection, register: RegisterOfRun, accounts: Iterable[AccountKey], at: datetime) -> None:
    """All of the register stands beside the listings of these shops, and all else that it says was kept."""
    if register.unchanged or ahead(register.all(), at):
        return
    for account in accounts:
        look = register.look_of(connection, account, at)
        if look is not None:
            register_looks.save(connection, account, look)


def save_demand(connection: Connection, register: RegisterNow, now: datetime) -> None:
    """What the register itself knows of sales and views, where it has such columns. What is yet to come, it can't."""
    for column in _DEMAND:
        said = ((row.asin, getattr(row, column)) for row in register.products)
        last_seen(connection, column, {asin: at for asin, at in said if at is not None and at <= now + CLOCKS_DIFFER})


_DEMAND = ("last_sold_at", "last_viewed_at")


def ahead(register: RegisterNow, now: datetime) -> bool:
    """Whether it says something of a time that is still to come, so that it will have to be read again then."""
    times = (getattr(row, column) for row in register.products for column in _DEMAND)
    return any(at is not None and at > now + CLOCKS_DIFFER for at in times)


def _save(
    connection: Connection,
    account: AccountKey,
    rows: Iterable[_Row],
    sides: Mapping[str, RegisterSide],
    blocked: Blocked,
) -> set[str]:
    """Join these rows, keep what is another now, and note that they are joined. Returns whose they are."""
    whole = shop_accounts.was_read_whole(connection, account)
    changed, joined, met = [], {}, set()
    for before in rows:
        item_id, changes = str(before["item_id"]), before["unjoined"]
        met.add(item_id)
        after = _side(before, sides.get(item_id), blocked, proven=whole)
        differs = _differ(before, after)
        if differs:
            changed.append(after)
        if differs or changes is not None:  # keeping it is one change more
            joined[item_id] = (changes if isinstance(changes, int) else 0) + differs
    of_shop = (account.platform, account.account_id)
    joined_listings.save_register_side(connection, *of_shop, changed)
    joined_listings.note_joined(connection, *of_shop, joined)
    return met


def _differ(before: _Row, after: _Row) -> bool:
    return not after.items() <= before.items()


def _side(before: _Row, side: RegisterSide | None, blocklist: Blocked, *, proven: bool) -> dict[str, object]:
    joined = join(str(before["identifier"]), before["present"] == 1, proven, side)
    blocked = before["blocked"] if blocklist is None else int(joined.asin in blocklist)
    return {
        "item_id": before["item_id"],
        "asin": joined.asin,
        "register_id": side.register_id if side else None,
        "register_status": side.status if side else "",
        "register_visible": None if side is None or side.visible is None else int(side.visible),
        "register_price_jpy": side.price_jpy if side else None,
        "orphan": joined.orphan,
        "listed": int(joined.listed and not before["delist"]),
        "blocked": blocked,
    }
