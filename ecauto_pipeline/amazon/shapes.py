"""What an answer's shape should be, and where it is another: a field renamed, a type changed, a word or unit unknown.

Parsers stay total and take what they can; this counts what they did not expect, so that a change at Amazon's side is
seen before it hurts. A shape is a short text without values but words of a closed list ("status = Retired",
"missing Offers.ListingPrice"). Not for: what an answer means (each operation's file), or telling people (alerts/).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
_MOST_SHAPES = 200  # kept of one run; a body of noise must not fill the record
_LONGEST_WORD = 40


@dataclass(frozen=True, slots=True)
class Expected:
    """One field. `path`: names joined by dots, lists are gone through ("Offers.ListingPrice.Amount").

    `required`: its absence is odd, where what holds it is there. `words`: the closed list of what it may say, in lower
    case; () = anything.
    """

    path: str
    kind: Kind
    required: bool = True
    words: tuple[str, ...] = ()


def oddities(document: object, expected: Iterable[Expected]) -> frozenset[str]:
    """The shapes in which this document is not as expected; empty for a good one. Total."""
    if not isinstance(document, dict):
        return frozenset({f"answer is {_type(document)}"})
    return frozenset(odd for one in expected for odd in _odd(document, one))


def _odd(document: Mapping[str, object], one: Expected) -> Iterator[str]:
    *above, name = one.path.split(".")
    for holder in _holders([document], above):
        if name not in holder or holder[name] is None:
            if one.required:
                yield f"missing {one.path}"
            continue
        value = holder[name]
        if not isinstance(value, _TYPES[one.kind]) or (one.kind == "number" and isinstance(value, bool)):
            yield f"{one.path} is {_type(value)}"
        elif one.words and lower_word(value) not in one.words:
            yield f"{one.path} = {_plain(str(value))}"


def _holders(found: Sequence[object], names: Sequence[str]) -> Iterator[Mapping[str, object]]:
    """The objects that hold the last name of a path; those that are not there, or no objects, are another's oddity."""
    for one in found:
        for entry in one if isinstance(one, list) else [one]:
            if not isinstance(entry, dict):
                continue
            if not names:
                yield entry
            elif names[0] in entry:
                yield from _holders([entry[names[0]]], names[1:])


def _type(value: object) -> str:
    names = {dict: "object", list: "list", str: "text", bool: "bool", int: "number", float: "number"}
    return names.get(type(value), "null")


def _plain(word: str) -> str:
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in word[:_LONGEST_WORD])


class OddShapes:
    """What one account's answers of a run held that nobody expected, counted by ASIN. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str], set[str]] = {}

    def add(self, operation: str, shapes: Mapping[str, Iterable[str]]) -> None:
        """`shapes`: ASIN -> the shapes of its answer."""
        with self._lock:
            for asin, odd in shapes.items():
                for shape in odd:
                    if (operation, shape) in self._found or len(self._found) < _MOST_SHAPES:
                        self._found.setdefault((operation, shape), set()).add(asin)

    def taken(self) -> dict[tuple[str, str], frozenset[str]]:
        """(operation, shape) -> the ASINs; what is taken is not counted again."""
        with self._lock:
            found, self._found = self._found, {}
        return {key: frozenset(asins) for key, asins in found.items()}
