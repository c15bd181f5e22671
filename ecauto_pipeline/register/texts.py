"""What the register says in words: titles, brands, categories, pictures; and how many products have each.

Not for: the rows that a run joins and writes (master.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, Literal

from ecauto_pipeline.register import rows
from ecauto_pipeline.register.statements import Statements

BATCH_ROWS = 500
CATALOGUE = ("title_ja", "description_ja", "brand", "category", "images")


class RegisterTexts:
    """The part of a Register that people read. Each question opens the register anew and raises RegisterError,
    RegisterBusy."""

    an_asin_like = "asin GLOB 'B0????????'"
    by_letters = "COLLATE BINARY"
    blanks = "char(9, 10, 13, 32, 160, 12288)"

    def _open(self, mode: Literal["ro", "rw"]) -> AbstractContextManager[Statements]:
        raise NotImplementedError

    def _columns(self, database: Any, table: str) -> set[str]:
        raise NotImplementedError

    def an_asin(self) -> str:
        """Some ASIN of the register, "" where it has none. Raises RegisterError, RegisterBusy."""
        with self._open("ro") as database:
            found = database.execute(f"SELECT asin FROM products WHERE {self.an_asin_like} LIMIT 1").fetchone()
        return str(found[0]) if found else ""

    def catalogue_filled(self) -> dict[str, int]:
        """How many products there are (`products`), and how many have text in each catalogue column: what must never
        shrink. Columns that this register lacks are left out."""
        with self._open("ro") as database:
            names = self._catalogue_columns(database)
            counts = "".join(f", count(nullif({self._without_blanks(name)}, ''))" for name in names)
            total, *filled = database.execute(f"SELECT count(*){counts} FROM products").fetchone()
        return {"products": int(total)} | {name: int(n) for name, n in zip(names, filled, strict=True)}

    def without_text(self) -> dict[str, tuple[str, ...]]:
        """The catalogue columns that hold nothing, or blanks alone, of every product that has such; columns that this
        register lacks are left out. Raises RegisterError, RegisterBusy."""
        with self._open("ro") as database:
            names = self._catalogue_columns(database)
            if not names:
                return {}
            empty = [f"coalesce({self._without_blanks(name)}, '') = ''" for name in names]
            found = database.execute(f"SELECT asin, {', '.join(empty)} FROM products WHERE {' OR '.join(empty)}")
            return {
                asin: tuple(name for name, lacks in zip(names, flags, strict=True) if lacks)
                for asin, *flags in found
                if isinstance(asin, str)
            }

    def _catalogue_columns(self, database: Any) -> list[str]:
        known = self._columns(database, "products")
        return [name for name in CATALOGUE if name in known]

    def _without_blanks(self, name: str) -> str:
        """A list of pictures without a picture is as empty."""
        brackets = " || '[]'" if name == "images" else ""
        return f"trim({name}, {self.blanks}{brackets})"

    def titles(self, asins: Iterable[str]) -> dict[str, str]:
        """The titles of these ASINs, those without one left out. Raises RegisterError, RegisterBusy."""
        names = iter(sorted(set(asins)))
        found: dict[str, str] = {}
        with self._open("ro") as database:
            while part := list(islice(names, BATCH_ROWS)):
                marks = ", ".join("?" * len(part))
                query = f"SELECT asin, title_ja FROM products WHERE asin IN ({marks})"
                found |= {asin: str(title) for asin, title in database.execute(query, part) if title}
        return found

    def each_title(self, *, in_order: bool = False) -> Iterator[tuple[str, str]]:
        """ASIN and title of every product that has one, as it is read; `in_order` of the titles' letters.

        Raises RegisterError, RegisterBusy.
        """
        order = f" ORDER BY title_ja {self.by_letters}" if in_order else ""
        with self._open("ro") as database:
            rows = database.execute(f"SELECT asin, title_ja FROM products WHERE title_ja <> ''{order}")
            yield from ((asin, title) for asin, title in rows if isinstance(asin, str) and isinstance(title, str))

    def images(self, asin: str) -> list[str] | None:
        """The addresses of its pictures, as they stand there; None for an ASIN that the register does not have.

        Raises RegisterError, RegisterBusy.
        """
        with self._open("ro") as database:
            column = "images" if "images" in self._columns(database, "products") else "NULL"
            row = database.execute(f"SELECT {column} FROM products WHERE asin = ?", (asin,)).fetchone()
        return None if row is None else rows.addresses(row[0])

    def goods(self) -> dict[str, tuple[str, str, str]]:
        """Title, brand and category of every product that has one of them, by ASIN; "" where the register says nothing.

        Raises RegisterError, RegisterBusy.
        """
        with self._open("ro") as database:
            known = self._columns(database, "products")
            told = [f"coalesce({name}, '')" if name in known else "''" for name in ("title_ja", "brand", "category")]
            rows = database.execute(f"SELECT asin, {', '.join(told)} FROM products")
            return {
                asin: (title, brand, category) for asin, title, brand, category in rows if title or brand or category
            }
