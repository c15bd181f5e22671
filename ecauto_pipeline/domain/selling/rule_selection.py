"""Which rules select a listing: a dictionary a combination of selectors, and one of words for titles.

One look-up a combination, however many rules there are; a title is looked through once for the words of all rules. What
is not known of a listing ("" for a title, brand or category nobody has told) selects nothing.
Not for: what the rules found say together (item_rules.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.domain.selling.item_rules import ItemRule, RuleLine, Selectors, ties, together
from ecauto_pipeline.domain.spreadsheets import folded


class Goods(NamedTuple):
    """What is known of a listing's goods, as people write it; "" = unknown."""

    title: str = ""
    brand: str = ""
    category: str = ""


UNKNOWN = Goods()


class Named(NamedTuple):
    """Whom rules name by themselves: items and ASINs. Nobody else is selected by any of them."""

    items: frozenset[str]
    asins: frozenset[str]


_Values = tuple[str, ...]


@dataclass(slots=True)
class _Combination:
    """The rules with the same selectors filled: their places among Selectors, and by their values the lines (for those
    with a word, the word and the line)."""

    places: tuple[int, ...]
    with_word: bool
    lines: dict[_Values, list[int]] = field(default_factory=lambda: defaultdict(list))
    words: dict[_Values, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))


_TITLE, _ACCOUNT = Selectors._fields.index("title"), Selectors._fields.index("account")


class RuleBook:
    """The rules of one file, ready to be asked."""

    def __init__(self, lines: Iterable[RuleLine]) -> None:
        self._by_line: dict[int, RuleLine] = {one.line: one for one in lines}
        self._combinations: dict[tuple[bool, ...], _Combination] = {}
        self._words: set[str] = set()
        self._starts: dict[str, set[int]] = {}  # the first two letters of words, and how long such words are
        for one in self._by_line.values():
            filled = tuple(map(bool, one.selectors))
            combination = self._combinations.get(filled)
            if combination is None:
                places = tuple(place for place, has in enumerate(filled) if has and place != _TITLE)
                combination = self._combinations[filled] = _Combination(places, filled[_TITLE])
            values = tuple(one.selectors[place] for place in combination.places)
            if combination.with_word:
                combination.words[values][one.selectors.title] = one.line
                self._words.add(one.selectors.title)
                self._starts.setdefault(one.selectors.title[:2], set()).add(len(one.selectors.title))
            else:
                combination.lines[values].append(one.line)
        filled_somewhere = [any(column) for column in zip(*self._combinations, strict=True)]
        named = dict(zip(Selectors._fields, filled_somewhere or [False] * len(Selectors._fields), strict=True))
        self.asks_goods = named["title"] or named["brand"] or named["category"]

    @property
    def named(self) -> Named | None:
        """Whom the rules name; None where one of them selects by something else than an item or an ASIN."""
        said = [one.selectors for one in self._by_line.values()]
        if not all(one.item_id or one.asin for one in said):
            return None
        items = frozenset(one.item_id for one in said if one.item_id)
        return Named(items, frozenset(one.asin for one in said if not one.item_id))

    def __len__(self) -> int:
        return len(self._by_line)

    def lines(self) -> Iterable[int]:
        """Where the rules stand in their file, in order."""
        return self._by_line.keys()

    def at(self, line: int) -> RuleLine:
        return self._by_line[line]

    def selecting(self, key: ListingKey, asin: str, goods: Goods = UNKNOWN) -> tuple[int, ...]:
        """The lines that select this listing, ascending."""
        brand, category = (folded(goods.brand), folded(goods.category)) if self.asks_goods else ("", "")
        accounts = (key.account_id, str(key.account))
        found: list[int] = []
        words: set[str] | None = None
        for combination in self._combinations.values():
            for account in accounts if _ACCOUNT in combination.places else accounts[:1]:
                known = (key.item_id, asin, "", brand, category, account)
                values = tuple([known[place] for place in combination.places])
                if not combination.with_word:
                    found += combination.lines.get(values, ())
                    continue
                lines = combination.words.get(values)
                if lines:
                    words = self._words_in(folded(goods.title)) if words is None else words
                    found += [lines[word] for word in words if word in lines]
        return tuple(sorted(found))

    def _words_in(self, title: str) -> set[str]:
        """Every word of the rules that this title contains. Most titles hold not even the first two letters of one."""
        found: set[str] = set()
        for start in self._starts.keys() & map("".join, pairwise(title)):
            place = title.find(start)
            while place >= 0:
                slices = (title[place : place + length] for length in self._starts[start])
                found.update(word for word in slices if word in self._words)
                place = title.find(start, place + 1)
        return found

    def say(self, lines: Sequence[int], now: datetime) -> ItemRule | None:
        """What these lines say together of a listing that all of them select."""
        return together([self._by_line[line] for line in lines if line in self._by_line], now)

    def tied(self, lines: Sequence[int], now: datetime) -> tuple[int, ...]:
        """Those of these lines that contradict each other about a listing that all of them select."""
        return ties([self._by_line[line] for line in lines], now) if len(lines) > 1 else ()


@dataclass(frozen=True, slots=True)
class Tie:
    """Lines that contradict each other about a listing that none of them is narrower for, and one such listing."""

    lines: tuple[int, ...]
    key: ListingKey


def first_ties(book: RuleBook, selected: Mapping[ListingKey, tuple[int, ...]], now: datetime) -> list[Tie]:
    """Every tie once, with the first listing that shows it."""
    judged: dict[tuple[int, ...], tuple[int, ...]] = {}
    found: dict[tuple[int, ...], Tie] = {}
    for key, lines in sorted(selected.items()):
        if len(lines) > 1:
            tied = judged.setdefault(lines, book.tied(lines, now)) if lines not in judged else judged[lines]
            if tied and tied not in found:
                found[tied] = Tie(tied, key)
    return sorted(found.values(), key=lambda one: one.lines)
