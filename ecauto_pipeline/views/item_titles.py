"""What goods are called: in the owner's register, else as Amazon's catalogue told; found by words of a person.

Words are compared as the rules per item compare them: full-width and half-width, upper and lower case alike.
Not for: which listings have these goods (items.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice

import numpy as np
from sqlalchemy import Connection

from ecauto_pipeline.domain.spreadsheets import folded
from ecauto_pipeline.errors import RegisterError
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.state.catalogue import each_title, titles_told
from ecauto_pipeline.views.columns import UNKNOWN, Numbers, Texts

_AT_ONCE = 2_000


def titles_of(register: Register, connection: Connection, asins: Collection[str]) -> dict[str, str | None]:
    """The title of each of these ASINs, on one line; those without one left out, None where nobody can tell: the
    register can't be asked, and Amazon's catalogue did not tell."""
    try:
        found, unknown = register.titles(asins), False
    except RegisterError:
        found, unknown = {}, True
    missing = [asin for asin in asins if asin not in found]
    found |= titles_told(connection, missing)
    told: dict[str, str | None] = {asin: " ".join(title.split()) for asin, title in found.items()}
    return told | {asin: None for asin in missing if unknown and asin not in found}


def without_title(title: str | None, language: str) -> str:
    """What stands in a title's place: there is none, or (None) nobody can tell whether there is."""
    if title is None:
        return "(title unknown: the register can't be read)" if language == "en" else "(商品名は不明: 台帳を読めません)"
    return "(no title)" if language == "en" else "(商品名なし)"


def words_of(text: str) -> tuple[str, ...]:
    """What is looked for: words that all have to be there."""
    return tuple(folded(text).split())


def words_in_titles(register: Register, connection: Connection, words: Sequence[str]) -> dict[str, int]:
    """By ASIN, which of these words its titles have: bit n for words[n]; ASINs with none are left out."""
    found: dict[str, int] = {}
    for asin, title in _every_title(register, connection):
        name = folded(title)
        bits = sum(1 << place for place, word in enumerate(words) if word in name)
        if bits:
            found[asin] = found.get(asin, 0) | bits
    return found


def places_by_title(register: Register, connection: Connection, asins: Texts) -> Numbers:
    """Where each of these ASINs stands when all titles are in the order of their letters, UNKNOWN for one without;
    databases sort, in files. A title of the register goes before the catalogue's."""
    longest = max(map(len, asins.each_encoded()), default=1)
    names, which = np.unique(
        np.fromiter(asins.each_encoded(), dtype=f"S{max(1, longest)}", count=len(asins)), return_inverse=True
    )
    places = np.full(len(names), UNKNOWN, dtype=np.int64)
    streams = (
        ((title, asin, True) for asin, title in _readable(register.each_title(in_order=True))),
        ((title, asin, False) for asin, title in each_title(connection, in_order=True)),
    )
    in_letters, start = merge(*streams, key=lambda one: one[0]), 0
    while len(names) and (part := list(islice(in_letters, _AT_ONCE))):
        told = np.array([asin.encode() for _, asin, _ in part])
        registered = np.array([in_register for *_, in_register in part])
        found = np.minimum(np.searchsorted(names, told), len(names) - 1)
        wanted = names[found] == told
        here = np.arange(start, start + len(part))
        first = wanted & ~registered & (places[found] == UNKNOWN)
        places[found[first]] = here[first]
        places[found[wanted & registered]] = here[wanted & registered]
        start += len(part)
    return places[which]


def _every_title(register: Register, connection: Connection) -> Iterator[tuple[str, str]]:
    """The register's and the catalogue's; of an ASIN both may come. What can't be read has none."""
    yield from _readable(register.each_title())
    yield from each_title(connection)


def _readable(titles: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    try:
        yield from titles
    except RegisterError:
        return
