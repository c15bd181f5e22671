"""The rules in force a page at a time, searched by the database, and how many listings each of them selects.

Not for: what rules say of a listing (item_rules.py).
"""

from __future__ import annotations

from array import array
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, String, cast, func, or_, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.selling.item_rules import RuleLine
from ecauto_pipeline.domain.spreadsheets import folded
from ecauto_pipeline.state.exporting import in_portions
from ecauto_pipeline.state.item_rules import lines_of, rules_in_force
from ecauto_pipeline.state.owner_files import RULES
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.state.schema_notes import item_rules, owner_files

_SEARCHED = ("item_id", "asin", "title", "brand", "category", "account", "note")


@dataclass(frozen=True, slots=True)
class FileStands:
    """When the file that is in force was taken up, None = none ever was; since when it can't be (None = it is well)."""

    read_at: datetime | None
    broken_since: datetime | None


def file_stands(connection: Connection) -> FileStands:
    """Of the owner's file of rules, without its content."""
    query = select(owner_files.c.read_at, owner_files.c.broken_since).where(owner_files.c.name == RULES)
    row = connection.execute(query).first()
    if row is None:
        return FileStands(None, None)
    return FileStands(*(None if at is None else from_ms(at) for at in row))


def listings_by_line(connection: Connection) -> array[int]:
    """How many listings that take part each line selects, by line (0 for what is no line): an array, as a hundred
    thousand lines are looked through for every page."""
    last = int(connection.execute(select(func.max(item_rules.c.line))).scalar() or 0)
    counts = array("I", bytes(4 * (last + 1)))
    query = select(listings.c.item_rules).where(listings.c.item_rules != "", listings.c.listed == 1)
    for part in connection.execution_options(yield_per=5_000).execute(query).scalars().partitions():
        for text in part:
            for line in lines_of(text):
                if line <= last:
                    counts[line] += 1
    return counts


def count_matching(connection: Connection, search: str = "", over_by: datetime | None = None) -> int:
    """How many lines name what is searched for (or are about it). `over_by`: those alone whose last day was past by
    then."""
    return int(connection.execute(_matching(select(func.count()), search, over_by)).scalar_one())


def matching_lines(
    connection: Connection, search: str = "", over_by: datetime | None = None, *, offset: int = 0, most: int = -1
) -> list[int]:
    """These lines in the file's order, `most` of them (-1 = all) from `offset` on."""
    query = _matching(select(item_rules.c.line), search, over_by).order_by(item_rules.c.line).offset(offset)
    return list(connection.execute(query.limit(most) if most >= 0 else query).scalars())


def _matching(query: Select[Any], search: str, over_by: datetime | None) -> Select[Any]:
    query = query.select_from(item_rules)
    if search:
        query = query.where(_about(search))
    return query if over_by is None else query.where(item_rules.c.until_at <= to_ms(over_by))


def rules_at(connection: Connection, lines: Collection[int]) -> list[RuleLine]:
    """These rules, in the file's order."""
    found: dict[int, RuleLine] = {}
    for part in in_portions(sorted(lines)):
        found |= rules_in_force(connection, part)
    return [found[line] for line in sorted(found)]


def _about(search: str) -> ColumnElement[bool]:
    """Words of ours are kept folded; an id is compared without regard to upper and lower case."""
    pattern = folded(search).replace("!", "!!").replace("%", "!%").replace("_", "!_")
    columns = [func.lower(item_rules.c[name]).like(f"%{pattern}%", escape="!") for name in _SEARCHED]
    line = search.strip()
    return or_(*columns, cast(item_rules.c.line, String) == line)
