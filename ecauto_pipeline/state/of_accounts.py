"""Rows of certain shops in any table that names a shop by `platform` and `account_id`; of some items of theirs.

Not for: which shops (sync/context.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Result,
    Select,
    Table,
    and_,
    bindparam,
    false,
    func,
    or_,
    select,
    tuple_,
)

from ecauto_pipeline.domain.model import AccountKey, ListingKey

ItemsOf = Mapping[AccountKey, Collection[str]]
"""Which items of a shop; a shop that is not named: all of its."""
Accounts = Iterable[AccountKey]
FEW = 500
"""Items in one statement."""


def portions_of(account: AccountKey, items: ItemsOf | None) -> Iterator[Sequence[str] | None]:
    """The items of a shop, so few at a time that one statement can name them; None, once, where it is all of them."""
    if items is None or account not in items:
        yield None
        return
    names = sorted(items[account])
    for start in range(0, len(names), FEW):
        yield names[start : start + FEW]


def of_accounts(table: Table, accounts: Iterable[AccountKey], *, found_else: bool = False) -> ColumnElement[bool]:
    """True for the rows of these shops; of no shop, for none. Said by platform, so that an index by shop finds them:
    one word a shop is compared with every row. `found_else`: an index of few rows finds them, and SQLite is not to take
    one by shop for the better one, so no index fits these words."""
    return _of_accounts(table, frozenset(accounts), found_else)


@lru_cache(maxsize=256)  # of the same shops again and again; who makes the words anew pays more than their answer costs
def _of_accounts(table: Table, accounts: frozenset[AccountKey], found_else: bool) -> ColumnElement[bool]:
    named: dict[str, set[str]] = defaultdict(set)
    for one in accounts:
        named[one.platform].add(one.account_id)
    columns: tuple[ColumnElement[str], ...] = (table.c.platform, table.c.account_id)
    by_platform, by_account = (func.coalesce(one, "") for one in columns) if found_else else columns
    each = (and_(by_platform == platform, by_account.in_(sorted(shops))) for platform, shops in sorted(named.items()))
    return or_(false(), *each)


def of_shops(query: Select[Any], table: Table, *, found_else: bool = False) -> Callable[[Accounts], Select[Any]]:
    """This question about the rows of `table`, for whichever shops; made once for the same ones."""

    @lru_cache(maxsize=32)
    def made(accounts: frozenset[AccountKey]) -> Select[Any]:
        return query.where(of_accounts(table, accounts, found_else=found_else))

    return lambda accounts: made(frozenset(accounts))


def are_all(connection: Connection, table: Table, accounts: Collection[AccountKey], rows: ColumnElement[bool]) -> bool:
    """Whether all these rows of `table` are of these shops. A question a shop, each a step in an index by shop; `rows`
    in words that no other index fits."""
    named, last = set(accounts), ("", "")
    by_shop = (table.c.platform, table.c.account_id)
    query = select(*by_shop).where(tuple_(*by_shop) > tuple_(bindparam("platform"), bindparam("account_id")), rows)
    query = query.order_by(*by_shop).limit(1)
    while (found := connection.execute(query, {"platform": last[0], "account_id": last[1]}).first()) is not None:
        if AccountKey(*found) not in named:
            return False
        last = (found.platform, found.account_id)
    return True


def item_of(key: ListingKey) -> ItemsOf:
    """This one item of its shop."""
    return {key.account: (key.item_id,)}


class ByShop(NamedTuple):
    """One question about the rows of shops, made once, because making it costs more than what it finds: about `whole`
    shops, and about the items that `bound_to` names."""

    whole: Select[Any]
    named: Select[Any]

    def ask(
        self, connection: Connection, account: AccountKey, items: ItemsOf | None = None, **values: object
    ) -> Iterator[Result[*tuple[Any, ...]]]:
        """The answers about one shop, or about these items of it, so many at a time as one statement can name."""
        for few in portions_of(account, items):
            yield connection.execute(self.whole if few is None else self.named, bound_to(account, few, **values))


def by_shop(query: Select[Any], table: Table) -> ByShop:
    """This question about the rows of `table`."""
    whole = query.where(*of_bound_account(table))
    return ByShop(whole, whole.where(of_bound_items(table)))


def of_bound_account(table: Table) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What is true for the rows of the one shop that `bound_to` names: for statements that are made once, because
    making one costs more than what it finds."""
    return table.c.platform == bindparam("of_platform"), table.c.account_id == bindparam("of_account")


def of_bound_items(table: Table) -> ColumnElement[bool]:
    """What is true for the rows of the items that `bound_to` names."""
    return table.c.item_id.in_(bindparam("of_items", expanding=True))


def of_bound_listing(table: Table) -> tuple[ColumnElement[bool], ...]:
    """What is true for the rows of the one listing that `bound_to_listing` names."""
    return *of_bound_account(table), table.c.item_id == bindparam("of_item")


def bound_to_listing(key: ListingKey) -> dict[str, object]:
    """The values of a statement with `of_bound_listing`."""
    return bound_to(key.account, of_item=key.item_id)


def bound_to(account: AccountKey, items: Sequence[str] | None = None, **others: object) -> dict[str, object]:
    """The values of a statement with `of_bound_account`; with `of_bound_items`, too, where items are given."""
    named = {} if items is None else {"of_items": list(items)}
    return {"of_platform": account.platform, "of_account": account.account_id, **named, **others}


def of_account(table: Table, platform: str, account_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What is true for the rows of one shop."""
    return table.c.platform == platform, table.c.account_id == account_id
