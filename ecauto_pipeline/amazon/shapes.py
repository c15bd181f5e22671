"""What an answer's shape should be, and where it is another: a field renamed, a type changed, a word or unit unknown.

Parsers stay total and take what they can; this finds what they did not expect, so that a change at Amazon's side is
seen before it hurts. A shape is a short text without values but words of a closed list ("status = Retired",
"missing Offers.ListingPrice"). Not for: what an answer means (the file of each operation), lists of items
(shapes_of_lists.py), counting (odd_shapes.py), or telling people (alerts/).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, Literal

from ecauto_pipeline.amazon.fields import lower_word

Kind = Literal["text", "number", "bool", "list", "object"]
_TYPES: Final[dict[Kind, tuple[type, ...]]] = {
    "text": (str,),
    "number": (int, float),
    "bool": (bool,),
    "list": (list,),
    "object": (dict,),
}
"""As JSON has them: a bool is no number."""
_LONGEST_WORD = 40
_MOST_SPELLINGS = 64


@dataclass(frozen=True, slots=True)
class Expected:
    """One field. `path`: names joined by dots, lists are gone through ("Offers.ListingPrice.Amount").

    `required`: its absence is odd, where what holds it is there. `words`: the closed list of what it may say, in lower
    case; () = anything. `closed`: every name that is documented of what it holds, so that another one is odd; () = any.
    `form`: what its text always looks like; it is only gone by to find it under another name.
    """

    path: str
    kind: Kind
    required: bool = True
    words: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    form: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """All the fields that are expected of one document, in the order in which they are looked at."""

    fields: tuple[Expected, ...]


def at(path: str, expected: Iterable[Expected]) -> tuple[Expected, ...]:
    """The same fields of whatever stands at `path`."""
    return tuple(replace(one, path=f"{path}.{one.path}") for one in expected)


def money(path: str, amount: str = "Amount", currency: str = "CurrencyCode") -> tuple[Expected, ...]:
    """An amount of yen and its fields."""
    return (
        Expected(path, "object", closed=(amount, currency)),
        Expected(f"{path}.{amount}", "number"),
        Expected(f"{path}.{currency}", "text", words=("jpy",)),
    )


def oddities(document: object, expected: Document) -> frozenset[str]:
    """The shapes in which this document is not as expected; empty for a good one. Total.

    An optional field that is absent is as documented, unless a field that nobody documented stands there in its place:
    spelt otherwise, saying one of its words, or holding what it has to hold.
    """
    if not isinstance(document, dict):
        return frozenset({f"answer is {json_type(document)}"})
    found: set[str] = set()
    _look(document, _tree(expected), expected, found)
    return frozenset(found)


@dataclass(slots=True)
class _Fields:
    """What is expected under one name: the fields with that path, and what is expected within them."""

    here: list[Expected] = field(default_factory=list)
    within: _Level | None = None
    well: set[object] = field(default_factory=set)
    """Texts that were seen here and are as expected."""


@dataclass(slots=True)
class _Level:
    """What is expected of one object, by name. `named`: what is expected of it itself, not only within it."""

    fields: dict[str, _Fields] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)


@lru_cache(maxsize=256)
def _tree(expected: Document) -> _Level:
    """The fields by their names, so that a document is gone through once."""
    top = _Level()
    for one in expected.fields:
        level, (above, name) = top, _split(one.path)
        for step in above:
            holder = level.fields.setdefault(step, _Fields())
            holder.within = level = holder.within or _Level()
        level.fields.setdefault(name, _Fields()).here.append(one)
        level.named.add(name)
    return top


def _look(holder: Mapping[str, object], level: _Level, expected: Document, found: set[str]) -> None:
    """Adds where this object is not as expected. What is not there, or is no object, is its own name's oddity alone."""
    strangers: list[tuple[str, object]] | None = None
    for name, fields in level.fields.items():
        if name not in holder:
            for one in fields.here:
                if one.required:
                    found.add(f"missing {one.path}")
                    continue
                if strangers is None:
                    strangers = [pair for pair in holder.items() if pair[0] not in level.named]
                renamed = _in_its_place(strangers, one, expected) if strangers else None
                if renamed is not None:
                    found.add(f"{one.path} is called {_plain(renamed)}")
            continue
        value = holder[name]
        if type(value) is not str or value not in fields.well:
            _judge(value, fields, found)
        if fields.within is not None:
            for entry in value if isinstance(value, list) else (value,):
                if isinstance(entry, dict):
                    _look(entry, fields.within, expected, found)


def _judge(value: object, fields: _Fields, found: set[str]) -> None:
    for one in fields.here:
        if value is None:
            if one.required:
                found.add(f"{one.path} is null")
        elif type(value) not in _TYPES[one.kind]:
            found.add(f"{one.path} is {json_type(value)}")
        elif one.words:
            if lower_word(value) not in one.words:
                found.add(f"{one.path} = {_plain(str(value))}")
            elif len(fields.here) == 1 and len(fields.well) < _MOST_SPELLINGS:
                fields.well.add(value)
        elif one.closed:
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, dict) and not entry.keys() <= set(one.closed):
                    unheard_of = set(entry).difference(one.closed)
                    found.update(f"new field {one.path}.{_plain(new)}" for new in unheard_of)


def _in_its_place(strangers: Sequence[tuple[str, object]], one: Expected, expected: Document) -> str | None:
    """The name under which an absent field seems to stand among these, None where nothing looks like it."""
    needed = _needed(expected, one.path)
    spelt = _letters(_split(one.path)[1])
    for name, value in strangers:
        if _letters(name) == spelt or (one.words and lower_word(value) in one.words):
            return name
        if one.form is not None and isinstance(value, str) and one.form.fullmatch(value):
            return name
        if needed:
            entries = value if isinstance(value, list) else [value]
            if entries and all(isinstance(entry, dict) and needed <= entry.keys() for entry in entries):
                return name
    return None


@lru_cache(maxsize=256)
def _needed(expected: Document, path: str) -> frozenset[str]:
    """The names required within the field at `path`."""
    splits = [(*one.path.rpartition("."), one.required) for one in expected.fields]
    return frozenset(name for holder, _, name, required in splits if holder == path and required)


@lru_cache(maxsize=512)
def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


@lru_cache(maxsize=512)
def _split(path: str) -> tuple[tuple[str, ...], str]:
    *above, name = path.split(".")
    return tuple(above), name


def json_type(value: object) -> str:
    """What JSON calls it: "object", "list", "text", "bool", "number" or "null"."""
    names = {dict: "object", list: "list", str: "text", bool: "bool", int: "number", float: "number"}
    return names.get(type(value), "null")


def _plain(word: str) -> str:
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in word[:_LONGEST_WORD])
