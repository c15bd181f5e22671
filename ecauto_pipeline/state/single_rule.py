"""One rule among those in force: found by whom it is about, put in, taken out, and the lines behind it renumbered.

So a change of one line costs no reading of all others. Everything here belongs into one write with the file's new text
(owner_files.py). Not for: all rules at once (item_rules.py) or what a line says (domain/selling/item_rules.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Text,
    and_,
    case,
    cast,
    delete,
    insert,
    literal,
    or_,
    select,
    update,
)

from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.domain.selling.item_rules import RuleLine, Selectors
from ecauto_pipeline.state.item_rules import Selected, lines_of, rules_in_force, save_selected, values_of
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.state.schema_notes import item_rules


def rule_about(connection: Connection, selectors: Sequence[Selectors]) -> RuleLine | None:
    """The rule about exactly these items, the first of `selectors` first."""
    wanted = [and_(*(item_rules.c[name] == value for name, value in one._asdict().items())) for one in selectors]
    lines = connection.execute(select(item_rules.c.line).where(or_(*wanted))).scalars().all()
    found = {one.selectors: one for one in rules_in_force(connection, lines).values()}
    return next((found[one] for one in selectors if one in found), None)


def selected_by(connection: Connection, line: int) -> list[Selected]:
    """Every listing beside which this line is kept."""
    columns = (listings.c.platform, listings.c.account_id, listings.c.item_id, listings.c.asin, listings.c.item_rules)
    rows = connection.execute(select(*columns).where(_beside(line)))
    return [Selected(ListingKey(*row[:3]), row[3] or "", row[4]) for row in rows]


def _beside(line: int) -> ColumnElement[bool]:
    kept = literal(" ").concat(listings.c.item_rules).concat(" ").contains(f" {line} ")
    return and_(listings.c.item_rules != "", kept)


def put_rule(connection: Connection, rule: RuleLine) -> None:
    """It is in force from now on; no other stands at its line. Listings beside which another was kept there are judged
    again."""
    connection.execute(insert(item_rules), [dict(values_of(rule))])
    connection.execute(update(listings).where(_beside(rule.line)).values(revision=listings.c.revision + 1))


def take_rule(connection: Connection, line: int) -> None:
    """The one at this line is in force no more; listings beside which it is kept are the caller's affair."""
    connection.execute(delete(item_rules).where(item_rules.c.line == line))


def move_rules(connection: Connection, after: int, by: int) -> None:
    """Every rule behind line `after` stands `by` lines higher now, and so does its number beside listings."""
    behind = item_rules.c.line > after
    if connection.execute(select(item_rules.c.line).where(behind).limit(1)).first() is None:
        return
    # by way of numbers that no line has: a database checks each row for its key's being single as it comes to it
    connection.execute(update(item_rules).where(behind).values(line=by - item_rules.c.line))
    connection.execute(update(item_rules).where(item_rules.c.line < 0).values(line=-item_rules.c.line))
    text = listings.c.item_rules
    alone = case((or_(text == "", text.contains(" ")), 0), else_=cast(text, Integer))
    connection.execute(update(listings).where(alone > after).values(item_rules=cast(alone - by, Text)))
    several = select(listings.c.platform, listings.c.account_id, listings.c.item_id, text).where(text.contains(" "))
    rows = [(ListingKey(*row[:3]), lines_of(row[3])) for row in connection.execute(several)]
    save_selected(
        connection,
        (
            (key, tuple(line - by if line > after else line for line in lines))
            for key, lines in rows
            if lines[-1] > after
        ),
    )
