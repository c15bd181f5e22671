"""The owner's rules per item that are in force, and which of them select each listing.

Both change in one transaction, so that a line named beside a listing is always a line of these rules.
Not for: reading the owner's file (sync/listings/item_rules.py) or what rules mean (domain/selling/item_rules.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    Connection,
    CursorResult,
    Row,
    bindparam,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.domain.selling.item_rules import NOBODY_KNOWS, ItemRule, RuleLine, Selectors, together
from ecauto_pipeline.domain.selling.rule_selection import Goods, Named
from ecauto_pipeline.state import judged
from ecauto_pipeline.state.exporting import in_portions
from ecauto_pipeline.state.joined_listings import accounts_with_listings
from ecauto_pipeline.state.of_accounts import bound_to_listing, of_accounts, of_bound_listing
from ecauto_pipeline.state.owner_files import RULES, is_unknown
from ecauto_pipeline.state.schema import catalogue, listings
from ecauto_pipeline.state.schema_notes import item_rules
from ecauto_pipeline.state.upsert import add_rows

Lines = tuple[int, ...]


class Selected(NamedTuple):
    """A listing that the register or a shop has, and the lines of the rules that select it, ascending (`text`: as they
    are kept)."""

    key: ListingKey
    asin: str
    text: str

    @property
    def lines(self) -> Lines:
        return lines_of(self.text)


def lines_of(text: str) -> Lines:
    """The lines beside a listing, as they are kept."""
    return tuple(map(int, text.split())) if text else ()


def unknown(connection: Connection) -> bool:
    """There is a file of rules, and it could never be read."""
    return is_unknown(connection, RULES)


class RulesAsTheyStand:
    """What the rules in force say of listings at one moment, by the lines beside them. `whole`: many will be asked for,
    so that all rules are read at once; the columns that select only where several lines have to be weighed."""

    def __init__(self, connection: Connection, now: datetime, *, whole: bool = False) -> None:
        self._connection, self._now, self._whole = connection, now, whole
        self._unless_said = NOBODY_KNOWS if unknown(connection) else None
        self._lines: dict[int, RuleLine] | None = None
        self._said: dict[str, ItemRule | None] = self._said_alone() if whole else {}
        self._said[""] = self._unless_said

    def of(self, text: str) -> ItemRule | None:
        """`text`: as lines are kept beside a listing."""
        try:
            return self._said[text]
        except KeyError:
            said = together(self._weighed(lines_of(text)), self._now) or self._unless_said
            return self._said.setdefault(text, said)

    def _said_alone(self) -> dict[str, ItemRule | None]:
        """What each line says where it is the only one."""
        found: dict[str, ItemRule | None] = {}
        for rows in _raw(self._connection.execute(_ALONE)):
            found.update((str(row[_LINE]), _item_rule(row)) for row in rows)
        over = [text for text, rule in found.items() if rule is not None and rule.until and rule.until <= self._now]
        return found | dict.fromkeys(over, self._unless_said) if over else found

    def _weighed(self, lines: Lines) -> list[RuleLine]:
        if self._whole and self._lines is None:
            self._lines = rules_in_force(self._connection)
        known = rules_in_force(self._connection, lines) if self._lines is None else self._lines
        return [known[line] for line in lines if line in known]


def _raw(found: CursorResult[Any]) -> Iterator[list[tuple[Any, ...]]]:
    """The rows as the driver has them: a hundred thousand are paid for by the column."""
    cursor = cast(Any, found.cursor)
    while rows := cursor.fetchmany(10_000):
        yield rows


def replace_rules(connection: Connection, rules: Iterable[RuleLine]) -> None:
    """These are in force from now on, and no others."""
    connection.execute(delete(item_rules))
    add_rows(connection, item_rules, [values_of(one) for one in rules])
    judged.changed_rules(connection)


def rules_in_force(connection: Connection, lines: Collection[int] | None = None) -> dict[int, RuleLine]:
    """By line, in the file's order; `lines`: those alone."""
    query = _WHOLE.order_by(item_rules.c.line)
    if lines is not None:
        query = query.where(item_rules.c.line.in_(lines))
    return {row.line: _rule(row) for row in connection.execute(query)}


def next_end(connection: Connection, now: datetime) -> datetime | None:
    """When the next rule in force is over, from now on; None where none ends."""
    query = select(func.min(item_rules.c.until_at)).where(item_rules.c.until_at >= to_ms(now))
    at = connection.execute(query).scalar()
    return None if at is None else from_ms(at)


def count_rules(connection: Connection) -> int:
    """How many are in force."""
    return int(connection.execute(select(func.count()).select_from(item_rules)).scalar_one())


MOST_NAMED = 10_000
"""Items and ASINs: where rules name more, each listing is looked at."""


def selected(connection: Connection, named: Named | None = None) -> Iterator[Selected]:
    """Every listing whose ASIN is known, those that take no part too, by platform, account and item.

    `named`: whom rules name, where that is all that they select by: of the others, those alone beside which a line is
    kept. No rule selects the rest, or did.
    """
    columns = (listings.c.platform, listings.c.account_id, listings.c.item_id, listings.c.asin, listings.c.item_rules)
    known = select(*columns).where(listings.c.asin.is_not(None), listings.c.asin != "")
    if named is None or len(named.items) + len(named.asins) > MOST_NAMED:
        for row in chain.from_iterable(connection.execute(known.order_by(*columns[:3])).partitions(10_000)):
            yield _selected(row)
        return
    known = select(*columns).where(func.coalesce(listings.c.asin, "") != "")  # so said, no index by ASIN finds them all
    in_shops = of_accounts(listings, accounts_with_listings(connection))
    questions = [
        known.where(listings.c.item_rules != literal_column("''")),
        *(known.where(listings.c.asin.in_(few)) for few in in_portions(sorted(named.asins))),
        *(known.where(in_shops, listings.c.item_id.in_(few)) for few in in_portions(sorted(named.items))),
    ]
    found = {one.key: one for question in questions for one in map(_selected, connection.execute(question))}
    yield from (one for _, one in sorted(found.items()))


def _selected(row: Any) -> Selected:
    platform, account, item, asin, text = row
    return Selected(ListingKey(platform, account, item), asin, text)


def rules_of(connection: Connection, item: str) -> list[Selected]:
    """Every listing with this item id or ASIN, and the lines that select it."""
    columns = (listings.c.platform, listings.c.account_id, listings.c.item_id, listings.c.asin, listings.c.item_rules)
    found = select(*columns).where(or_(listings.c.item_id == item, listings.c.asin == item)).order_by(*columns[:3])
    rows = connection.execute(found)
    return [Selected(ListingKey(*row[:3]), row[3] or "", row[4]) for row in rows]


def save_selected(connection: Connection, rows: Iterable[tuple[ListingKey, Lines]]) -> None:
    """Which lines select these listings now."""
    statement = update(listings).where(*of_bound_listing(listings))
    values = [bound_to_listing(key) | {"text": " ".join(map(str, lines))} for key, lines in rows]
    if values:
        connection.execute(statement.values(item_rules=bindparam("text")), values)


def count_selected(connection: Connection, accounts: Sequence[AccountKey]) -> int:
    """Listings of these accounts that take part and that a rule selects."""
    mine = (
        of_accounts(listings, accounts, found_else=True),
        listings.c.listed + 0 == 1,
        listings.c.item_rules != literal_column("''"),
    )
    return int(connection.execute(select(func.count()).select_from(listings).where(*mine)).scalar_one())


def goods_told(connection: Connection) -> dict[str, Goods]:
    """Title, brand and category as Amazon's catalogue said last, by ASIN."""
    columns = (catalogue.c.asin, catalogue.c.title, catalogue.c.brand, catalogue.c.category)
    rows = connection.execute(select(*columns))
    return {asin: Goods(title or "", brand or "", category or "") for asin, title, brand, category in rows}


def values_of(one: RuleLine) -> dict[str, Any]:
    """The row of a rule in force."""
    rule = one.rule
    never = None if rule.never_sell is None else int(rule.never_sell)
    until = None if rule.until is None else to_ms(rule.until)
    said = {name: getattr(rule, name) for name in _AS_THEY_ARE}
    return {"line": one.line, **one.selectors._asdict(), **said, "never_sell": never, "until_at": until}


_AS_THEY_ARE = (
    *("exclude", "fixed_price_jpy", "min_price_jpy", "max_price_jpy", "markup_ratio", "extra_cost_jpy"),
    *("by_hand", "note"),
)
_SAYS = (*_AS_THEY_ARE[:-2], "never_sell", "by_hand", "until_at", "note", "line")
"""What a line says, in the order of ItemRule's fields."""
_SELECTORS = len(Selectors._fields)
_WHOLE = select(*(item_rules.c[name] for name in (*Selectors._fields, *_SAYS)))
_ALONE = select(*(literal("").label(name) if name == "note" else item_rules.c[name] for name in _SAYS))
"""No decision reads a note."""


def _rule(row: Row[Any]) -> RuleLine:
    return RuleLine(Selectors(*row[:_SELECTORS]), _item_rule(tuple(row[_SELECTORS:])))


def _item_rule(cells: tuple[Any, ...]) -> ItemRule:
    """Of _SAYS. All of them in place: by name they cost three times as much."""
    if cells[_NEVER] is not None or cells[_UNTIL] is not None:
        plain = list(cells)
        plain[_NEVER] = None if cells[_NEVER] is None else cells[_NEVER] == 1
        plain[_UNTIL] = None if cells[_UNTIL] is None else from_ms(cells[_UNTIL])
        cells = tuple(plain)
    return ItemRule._make(cells + _NO_OTHER_LINES)


_NEVER, _UNTIL, _LINE = _SAYS.index("never_sell"), _SAYS.index("until_at"), _SAYS.index("line")
_NO_OTHER_LINES: tuple[Any, ...] = ((), ())
