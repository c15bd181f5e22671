"""What goods are called: in the owner's register, else as Amazon's catalogue told; found by words of a person.

Words are compared as the rules per item compare them: full-width and half-width, upper and lower case alike.
Not for: which listings have these goods (items.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from heapq import merge

from sqlalchemy import Connection

from ecauto_pipeline.domain.spreadsheets import folded
from ecauto_pipeline.errors import RegisterError
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.state.catalogue import each_title, titles_told


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


def places_by_title(register: Register, connection: Connection, asins: Collection[str]) -> dict[str, int]:
    """Where each of these ASINs stands when all titles are in the order of their letters; databases sort, in files."""
    in_register = _readable(register.each_title(in_order=True))
    places: dict[str, int] = {}
    streams = (
        ((title, asin, True) for asin, title in in_register),
        ((title, asin, False) for asin, title in each_title(connection, in_order=True)),
    )
    for place, (_, asin, registered) in enumerate(merge(*streams, key=lambda one: one[0])):
        if asin in asins and (registered or asin not in places):
            places[asin] = place
    return places


def _every_title(register: Register, connection: Connection) -> Iterator[tuple[str, str]]:
    """The register's and the catalogue's; of an ASIN both may come. What can't be read has none."""
    yield from _readable(register.each_title())
    yield from each_title(connection)


def _readable(titles: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    try:
        yield from titles
    except RegisterError:
        return
