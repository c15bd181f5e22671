"""The rules in force as a table: whom each line is about, what it decides, how many listings it selects.

A page of fifty lines at a time. Not for: the file itself (sync/people/rules.py) or one item's rules (item.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ecauto_pipeline.domain.selling.item_rules import RuleLine
from ecauto_pipeline.domain.selling.rule_lines import bare_note, cells_of
from ecauto_pipeline.domain.selling.rules_file import SELECT
from ecauto_pipeline.state.item_rules import count_rules
from ecauto_pipeline.state.rules_table import count_matching, file_stands, listings_by_line, matching_lines, rules_at
from ecauto_pipeline.sync.context import Tools

PAGE_ROWS = 50
Only = Literal["", "idle", "over"]
ONLY: tuple[Only, ...] = ("", "idle", "over")


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One line. `about`: by column that selects; `decides`: by column that decides, as written; `until`: its last day,
    "" = none; `note`, `said_by`: the owner's own words, and who set the line when; `listings`: how many it selects."""

    line: int
    about: Mapping[str, str]
    decides: Mapping[str, str]
    until: str
    note: str
    said_by: str
    listings: int
    over: bool


@dataclass(frozen=True, slots=True)
class RulesTable:
    """One page of `total` lines that match; `rules` are in force, of which `idle` select no listing, and of `over` the
    last day is past. `read_at`: when the file in force was taken up; `broken_since`: since when it can't be."""

    rows: tuple[RuleRow, ...]
    total: int
    page: int
    pages: int
    rules: int
    idle: int
    over: int
    read_at: datetime | None
    broken_since: datetime | None


def rules_table(tools: Tools, search: str = "", only: Only = "", page: int = 1, most: int = PAGE_ROWS) -> RulesTable:
    """Page `page` (from 1; one behind the last is the last) of the lines that match."""
    now, search = tools.clock.now(), search.strip()
    past = now if only == "over" else None
    with tools.state.read() as connection:
        counts, rules, stands = listings_by_line(connection), count_rules(connection), file_stands(connection)
        over = count_matching(connection, over_by=now)
        idle: list[int] = []
        if only == "idle":
            idle = [line for line in matching_lines(connection, search) if not counts[line]]
        total = len(idle) if only == "idle" else count_matching(connection, search, past)
        pages = max(1, -(-total // most))
        page = min(max(1, page), pages)
        first = (page - 1) * most
        lines = idle[first : first + most]
        if only != "idle":
            lines = matching_lines(connection, search, past, offset=first, most=most)
        rows = tuple(_row(one, counts[one.line], now) for one in rules_at(connection, lines))
    selecting = sum(1 for count in counts if count)
    return RulesTable(rows, total, page, pages, rules, rules - selecting, over, stands.read_at, stands.broken_since)


def _row(one: RuleLine, count: int, now: datetime) -> RuleRow:
    cells = cells_of(one)
    until = cells.pop("until", "")
    about = {name: getattr(one.selectors, field) for name, (field, _, _) in SELECT.items()}
    note = bare_note(one.rule.note)
    over = one.rule.until is not None and one.rule.until <= now
    said_by = one.rule.note[len(note) :].strip(" []")
    return RuleRow(
        one.line, {name: value for name, value in about.items() if value}, cells, until, note, said_by, count, over
    )
