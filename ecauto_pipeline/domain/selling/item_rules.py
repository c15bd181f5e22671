"""What the owner says of single items: a line of the file of rules as a value, and what several say together.

A cell decides, not a line: of the rules that select a listing, the most specific one that fills a cell decides it; an
empty cell says nothing, so that it never lifts what a more general rule forbids. Cells that answer one question go
together (`QUESTIONS`). Not for: reading the file (rules_file.py) or finding who is selected (rule_selection.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple


class ItemRule(NamedTuple):
    """What holds for an item. None (and "") = nothing is said about that; money is whole yen. (A tuple: a run makes a
    hundred thousand of them, and looks up by each.)

    `exclude`: `price` | `visibility` | `all`: what is left alone; `none`: said to be left to nobody. `by_hand`:
    `overwrite` | `hold` | `keep`: a price that a person set. `until`: the moment from which it holds no more. `line`:
    where it stands in its file, from 1; of several lines, that of the most specific one. `lines`: (question, line)
    where several lines say it together. `tied`: lines that contradict each other; the narrowest of what they say holds.
    """

    exclude: str = ""
    fixed_price_jpy: int | None = None
    min_price_jpy: int | None = None
    max_price_jpy: int | None = None
    markup_ratio: float | None = None
    extra_cost_jpy: int | None = None
    never_sell: bool | None = None
    by_hand: str = ""
    until: datetime | None = None
    note: str = ""
    line: int = 0
    lines: tuple[tuple[str, int], ...] = ()
    tied: tuple[int, ...] = ()

    @property
    def leaves_price(self) -> bool:
        """Its price is the owner's own affair."""
        return self.exclude in ("price", "all")

    @property
    def leaves_visibility(self) -> bool:
        """Whether it is on show is the owner's own affair."""
        return self.exclude in ("visibility", "all")

    def line_of(self, question: str) -> int:
        """The line that answers one of QUESTIONS."""
        return dict(self.lines).get(question, self.line)

    @property
    def unknown(self) -> bool:
        """There are rules, and nobody knows what they say."""
        return self is NOBODY_KNOWS

    def answers(self) -> dict[str, int]:
        """The questions that are answered, and the line of each."""
        return {name: self.line_of(name) for name in QUESTIONS if answer_of(self, name) is not None}


NOBODY_KNOWS = ItemRule(exclude="price")
"""While the owner's file never could be read: no price is changed and nothing is shown again, but what must be hidden
is."""


class Selectors(NamedTuple):
    """Whom a rule is about; "" = whoever. The order is that of weight: the first in which two rules differ decides.

    `title`, `brand`, `category` are folded (domain/spreadsheets.py), `asin` in capitals; `account` is an account id or
    `platform:id`.
    """

    item_id: str = ""
    asin: str = ""
    title: str = ""
    brand: str = ""
    category: str = ""
    account: str = ""

    @property
    def weight(self) -> int:
        """How narrowly it selects: item_id > asin > title_contains > brand > category > account_id; of two rules with
        the same selectors at the front, the one with more of them."""
        return sum(1 << place for place, value in enumerate(reversed(self)) if value)


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One line of the file: whom it is about, and what it says."""

    selectors: Selectors
    rule: ItemRule

    @property
    def line(self) -> int:
        return self.rule.line

    def narrower(self, other: RuleLine) -> bool:
        """Whether it is about fewer items than `other`, both selecting one: more weight, or a word that contains it."""
        mine, others = self.selectors.weight, other.selectors.weight
        if mine != others:
            return mine > others
        return self.selectors.title != other.selectors.title and other.selectors.title in self.selectors.title


QUESTIONS = ("price", "on_sale", "min_price_jpy", "max_price_jpy", "extra_cost_jpy", "by_hand")
"""What rules answer. `price`: left alone, fixed, or cost x ratio; `on_sale`: left alone, or never; the others are cells
of that name."""

Answer = tuple[Any, ...]


def answer_of(rule: ItemRule, question: str) -> Answer | None:
    """What a line says to a question, None where its cells are empty."""
    if question == "price":
        said: Answer = (rule.leaves_price or rule.exclude == "none", rule.fixed_price_jpy, rule.markup_ratio)
        return (rule.leaves_price, *said[1:]) if any(said) else None
    if question == "on_sale":
        if not rule.leaves_visibility and rule.exclude != "none" and rule.never_sell is None:
            return None
        return rule.leaves_visibility, bool(rule.never_sell)
    value = getattr(rule, question)
    return None if value is None or value == "" else (value,)


def together(lines: Sequence[RuleLine], now: datetime) -> ItemRule | None:
    """What these lines, which all select one listing, say of it now; None where none of them holds any more."""
    alive = [one for one in lines if one.rule.until is None or now < one.rule.until]
    if len(alive) < 2:
        return alive[0].rule if alive else None
    answers: dict[str, Answer] = {}
    named: list[tuple[str, int]] = []
    tied: set[int] = set()
    for question in QUESTIONS:
        said = _narrowest([(one, found) for one in alive if (found := answer_of(one.rule, question)) is not None])
        if not said:
            continue
        different = {answer for _, answer in said}
        answers[question] = _least(question, different)
        named.append((question, min(one.line for one, _ in said)))
        if len(different) > 1:
            tied.update(one.line for one, _ in said)
    first = max(alive, key=lambda one: (one.selectors.weight, len(one.selectors.title), -one.line)).rule
    whole = _rule_of(answers)
    return whole._replace(note=first.note, line=first.line, lines=tuple(named), tied=tuple(sorted(tied)))


def ties(lines: Sequence[RuleLine], now: datetime) -> tuple[int, ...]:
    """The lines that contradict each other about a listing that all of `lines` select; () = none."""
    rule = together(lines, now)
    return rule.tied if rule is not None else ()


def _narrowest(said: list[tuple[RuleLine, Answer]]) -> list[tuple[RuleLine, Answer]]:
    return [one for one in said if not any(other[0].narrower(one[0]) for other in said)]


def _least(question: str, answers: set[Answer]) -> Answer:
    """What permits least of several answers; the answer itself where there is one."""
    if len(answers) == 1:
        return next(iter(answers))
    if question == "price":
        return (True, None, None)
    if question == "on_sale":
        return (False, True) if any(never for _, never in answers) else (True, False)
    if question == "by_hand":
        return ("hold",)
    return min(answers) if question == "max_price_jpy" else max(answers)


def _rule_of(answers: dict[str, Answer]) -> ItemRule:
    leaves_price, fixed, ratio = answers.get("price", (False, None, None))
    leaves_visibility, never = answers.get("on_sale", (False, None))
    both = {(True, True): "all", (True, False): "price", (False, True): "visibility", (False, False): ""}
    cells: dict[str, Any] = {name: answers[name][0] for name in QUESTIONS[2:] if name in answers}
    cells |= {"fixed_price_jpy": fixed, "markup_ratio": ratio, "never_sell": never}
    return ItemRule(exclude=both[bool(leaves_price), bool(leaves_visibility)], **cells)
