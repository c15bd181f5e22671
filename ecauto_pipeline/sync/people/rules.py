"""People and the rules per item: what a file would do, taking it in, what holds for one item.

Not for: what a rule says (domain/selling/item_rules.py) or taking the file up in a run (sync/listings/item_rules.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.domain.selling.item_rules import ItemRule, RuleLine, together
from ecauto_pipeline.domain.selling.rule_selection import RuleBook
from ecauto_pipeline.domain.selling.rules_file import COLUMNS, RuleProblem
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.state.item_rules import rules_in_force, rules_of
from ecauto_pipeline.state.owner_files import RULES, read_owner_file
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.file_trouble import RulesReport
from ecauto_pipeline.sync.listings.item_rules import of_bytes, over, select, tie_problems
from ecauto_pipeline.sync.listings.rules_history import BOM, Said
from ecauto_pipeline.sync.people.rules_placing import content_of, place_rules


@dataclass(frozen=True, slots=True)
class RulesCheck:
    """What a file would do. `selects`: how many listings each line selects, by line; `listings`: how many have a rule.

    `problems`: why it would be refused; then the counts say nothing. `over`: lines whose last day is past. `selects`
    None: titles and brands could not be looked up, so that nobody was counted.
    """

    rules: tuple[RuleLine, ...]
    problems: tuple[RuleProblem, ...] = ()
    selects: Mapping[int, int] | None = None
    listings: int = 0
    over: tuple[int, ...] = ()

    @property
    def idle(self) -> tuple[int, ...]:
        """Lines that select no listing."""
        return tuple(line for line, count in (self.selects or {}).items() if count == 0)


@dataclass(frozen=True, slots=True)
class RulesOfListing:
    """What the rules in force say of one listing. `rule` None: nothing, whatever selects it."""

    key: ListingKey
    asin: str
    lines: tuple[RuleLine, ...]
    rule: ItemRule | None


def check_rules(tools: Tools, content: bytes) -> RulesCheck:
    """Judge a file as a run would, over the listings as they are known; nothing is written."""
    now = tools.clock.now()
    read = of_bytes(content)
    if read.problems:
        return RulesCheck(read.lines, read.problems)
    past = tuple(one.line for one in read.lines if over(one, now))
    chosen = select(tools, RuleBook(read.lines), now)
    if chosen is None:
        return RulesCheck(read.lines, over=past)
    counts = chosen.counts()
    selects = {one.line: counts.get(one.line, 0) for one in read.lines}
    return RulesCheck(read.lines, tie_problems(chosen.ties), selects, sum(map(bool, chosen.lines.values())), past)


def import_rules(tools: Tools, content: bytes, who: str = "", *, instead_of: str | None = None) -> RulesReport:
    """Put a checked file in the place of the owner's and take it up; the one that stood there is kept.

    `instead_of`: the fingerprint (rules_fingerprint) of the file that `content` was compared with; where another one
    stands there by now, nothing is written and NotOnRecord says so.
    """

    def make(before: bytes | None) -> bytes:
        if instead_of is not None and fingerprint_of(before) != instead_of:
            raise NotOnRecord(
                "the rules were changed meanwhile; check the file again",
                ja="規則は、その間に変更されました。もう一度ファイルを確かめてください",
            )
        return content

    return place_rules(tools, make, Said("import", who))


def rules_fingerprint(tools: Tools) -> str:
    """What tells the owner's file, as it stands now, from any other."""
    return fingerprint_of(content_of(tools.settings.rules))


def fingerprint_of(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()


def no_rules() -> bytes:
    """A file that says so: its headings alone."""
    return f"{BOM}{','.join(COLUMNS)}\r\n".encode()


def export_rules(tools: Tools) -> str:
    """The rules in force as the owner wrote them, as Excel opens it; the headings alone where there are none."""
    with tools.state.read() as connection:
        known = read_owner_file(connection, RULES).content
    return BOM + (known or ",".join(COLUMNS) + "\r\n")


def rules_about(tools: Tools, item: str) -> list[RulesOfListing]:
    """What holds for every listing with this item id or ASIN. Raises NotOnRecord where there is none."""
    now = tools.clock.now()
    with tools.state.read() as connection:
        found = rules_of(connection, item)
        rules = rules_in_force(connection, {line for one in found for line in one.lines})
    if not found:
        raise NotOnRecord(f"no item is known as {item}", ja=f"{item} という商品はありません")
    told = []
    for one in found:
        lines = tuple(rules[line] for line in one.lines if line in rules)
        told.append(RulesOfListing(one.key, one.asin, lines, together(lines, now)))
    return told
