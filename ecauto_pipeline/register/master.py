"""Reads and writes the owner's master.db, which other programs use at the same time.

Reading opens it read-only. Writing touches the named columns of rows that exist, in short transactions, and gives way
when another program holds the file (RegisterBusy: retry in the next run). `updated_at` stays the owner's.
Not for: what the values mean (rows.py) or our own state (state/).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from ecauto_pipeline.atomic_file import replacing
from ecauto_pipeline.errors import RegisterError, RegisterMissing
from ecauto_pipeline.register import rows
from ecauto_pipeline.register.failures import failure
from ecauto_pipeline.register.odd_rows import listing, product, read_rows
from ecauto_pipeline.register.rows import (
    CatalogueUpdate,
    ListingRow,
    ListingUpdate,
    OddRow,
    ProductRow,
    ProductUpdate,
    RegisterRows,
)
from ecauto_pipeline.register.seeding import insert
from ecauto_pipeline.register.shops_read import Mine, rows_of
from ecauto_pipeline.register.statements import Statements
from ecauto_pipeline.register.tables import CREATE, REQUIRED

BUSY_TIMEOUT_S = 5.0
BATCH_ROWS = 500
_TEXT = partial(str, encoding="utf-8", errors="replace")  # bytes that are no UTF-8 are one row's matter
_CATALOGUE = ("title_ja", "description_ja", "brand", "category", "images")


class Register:
    """One master.db. Opens it anew for each piece of work; safe to share between threads."""

    one_rows: tuple[type[Exception], ...] = (sqlite3.IntegrityError, sqlite3.InterfaceError, OverflowError)
    """What is one row's matter: a constraint or trigger of the owner's, a value that no column takes."""
    an_asin_like = "asin GLOB 'B0????????'"
    by_letters = "COLLATE BINARY"
    blanks = "char(9, 10, 13, 32, 160, 12288)"

    def __init__(self, path: Path, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.path = Path(path)
        self._busy_timeout_s = busy_timeout_s

    @property
    def name(self) -> str:
        """What it is called in words to people."""
        return self.path.name

    def is_there(self) -> bool:
        """Whether there is one, sound or not."""
        return self.path.is_file()

    def check(self) -> None:
        """Raises RegisterError when the file is absent, no database, or lacks a table or column that we need."""
        with self._open("ro") as database:
            for table in REQUIRED:
                self._columns(database, table)

    def look_over(self) -> tuple[int, str]:
        """`check()`, then the number of listings and what SQLite finds wrong with the file ("" where it is sound).

        Raises RegisterError, RegisterBusy.
        """
        self.check()
        with self._open("ro") as database:
            verdict = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
            return int(database.execute("SELECT count(*) FROM listings").fetchone()[0]), _damage(verdict)

    def read(self, accounts: Collection[str] | None = None) -> RegisterRows:
        """All products and listings as of one moment; a row that makes no sense is named, and stops no other.

        `accounts`: only what is listed in accounts of these ids, in whatever letters the register spells them, and what
        names no account; None = everything.
        Raises RegisterError (RegisterMissing: there is no such file), RegisterBusy.
        """
        with self._open("ro") as database:
            database.execute("BEGIN")
            odd: list[OddRow] = []
            mine = rows_of(database, accounts, self.blanks)
            return RegisterRows(self._products(database, odd, mine), self._listings(database, odd, mine), odd)

    def an_asin(self) -> str:
        """Some ASIN of the register, "" where it has none. Raises RegisterError, RegisterBusy."""
        with self._open("ro") as database:
            found = database.execute(f"SELECT asin FROM products WHERE {self.an_asin_like} LIMIT 1").fetchone()
        return str(found[0]) if found else ""

    def catalogue_filled(self) -> dict[str, int]:
        """How many products there are (`products`), and how many have each catalogue column: what must never shrink."""
        counts = ", ".join(f"count({name})" for name in _CATALOGUE)
        with self._open("ro") as database:
            total, *filled = database.execute(f"SELECT count(*), {counts} FROM products").fetchone()
        return {"products": int(total)} | {name: int(n) for name, n in zip(_CATALOGUE, filled, strict=True)}

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

    def write_back(
        self,
        products: Iterable[ProductUpdate] = (),
        listings: Iterable[ListingUpdate] = (),
        batch: int = BATCH_ROWS,
        refused: list[OddRow] | None = None,
    ) -> int:
        """Write what Amazon said and what the shops show; one transaction a batch. Returns rows found and written.

        A row that takes nothing (a constraint or trigger of the owner's) is added to `refused`, the others are written;
        without such a list it is an error. Raises RegisterError, and RegisterBusy when another program kept the file
        for longer than the timeout; earlier batches stand.
        """
        written = self._write(
            "products",
            "UPDATE products SET amazon_price_jpy = coalesce(?, amazon_price_jpy),"
            " amazon_in_stock = coalesce(?, amazon_in_stock), last_fetched_at = coalesce(?, last_fetched_at)"
            " WHERE asin = ?",
            (
                (
                    update.amazon_price_jpy,
                    None if update.amazon_in_stock is None else int(update.amazon_in_stock),
                    None if update.last_fetched_at is None else rows.moment_text(update.last_fetched_at),
                    update.asin,
                )
                for update in products
            ),
            batch,
            refused,
        )
        return written + self._write(
            "listings",
            "UPDATE listings SET selling_price = coalesce(?, selling_price), visibility = coalesce(?, visibility),"
            " in_stock_quantity = coalesce(?, in_stock_quantity) WHERE id = ?",
            (
                (
                    update.selling_price_jpy,
                    None if update.visible is None else ("public" if update.visible else "hidden"),
                    update.in_stock_quantity,
                    update.register_id,
                )
                for update in listings
            ),
            batch,
            refused,
        )

    def write_catalogue(self, updates: Iterable[CatalogueUpdate], batch: int = BATCH_ROWS) -> int:
        """Write catalogue text where there is some; nothing ever becomes NULL or empty. Returns rows written.

        Columns that this register lacks are left out. Raises RegisterError, RegisterBusy.
        """
        with self._open("ro") as database:
            known = self._columns(database, "products")
        names = [name for name in _CATALOGUE if name in known]
        if not names:
            return 0
        sets = ", ".join(f"{name} = coalesce(?, {name})" for name in names)
        values = ((*(_catalogue_value(update, name) for name in names), update.asin) for update in updates)
        said = (row for row in values if any(value is not None for value in row[:-1]))
        return self._write("products", f"UPDATE products SET {sets} WHERE asin = ?", said, batch)

    @classmethod
    def create(
        cls, path: Path, products: Iterable[Mapping[str, Any]], listings: Iterable[Mapping[str, Any]]
    ) -> Register:
        """A new register with these rows (their keys are column names), whole or not at all.

        Raises RegisterError when there is a file already.
        """
        path = Path(path)
        if path.exists():
            raise RegisterError(f"{path.name}: there is a register already", ja=f"{path.name} はすでにあります")
        with replacing(path) as temporary, closing(sqlite3.connect(temporary)) as database:
            database.executescript(CREATE)
            register = cls(path)
            for table, entries in (("products", products), ("listings", listings)):
                insert(database, table, register._column_names(database, table), entries)
            database.commit()
        return register

    def _products(self, database: Statements, odd: list[OddRow], mine: Mine) -> list[ProductRow]:
        known = self._columns(database, "products")
        sold, viewed = (name if name in known else "NULL" for name in ("last_sold_at", "last_viewed_at"))
        titles = [f"length(trim({name})) > 0" if name in known else "0" for name in ("title_ja", "title_en")]
        columns = ", ".join([*REQUIRED["products"], sold, viewed, *titles])
        listed = f" WHERE asin IN (SELECT asin FROM listings{mine.where})" if mine.where else ""
        return read_rows(database.execute(f"SELECT {columns} FROM products{listed}", mine.values), product, odd)

    def _listings(self, database: Statements, odd: list[OddRow], mine: Mine) -> list[ListingRow]:
        sku = "sku" if "sku" in self._columns(database, "listings") else "NULL"
        columns = ", ".join([*REQUIRED["listings"], sku])
        found = database.execute(f"SELECT {columns} FROM listings{mine.where} ORDER BY id", mine.values)
        return read_rows(found, listing, odd)

    def _columns(self, database: Statements, table: str) -> set[str]:
        known = set(self._column_names(database, table))
        if not known:
            raise RegisterError(
                f"{self.name}: no table {table!r}; is this the register?",
                ja=f"{self.name} に表 {table!r} がありません。台帳のファイルですか",
            )
        missing = [name for name in REQUIRED[table] if name not in known]
        if missing:
            raise RegisterError(
                f"{self.name}: {table} lacks {', '.join(missing)}",
                ja=f"{self.name} の表 {table} に列がありません: {', '.join(missing)}",
            )
        return known

    def _write(
        self,
        table: str,
        statement: str,
        values: Iterator[Sequence[Any]],
        batch: int,
        refused: list[OddRow] | None = None,
    ) -> int:
        """The last value of each row is what it is found by."""
        written = 0
        while part := list(islice(values, batch)):
            with self._open("rw") as database:
                database.execute("BEGIN IMMEDIATE")
                try:
                    written += database.executemany(statement, part).rowcount
                except self.one_rows:
                    if refused is None:
                        raise
                    if database.in_transaction:
                        database.execute("ROLLBACK")
                    written += self._one_by_one(database, table, statement, part, refused)
                else:
                    database.execute("COMMIT")
        return written

    def _one_by_one(
        self, database: Statements, table: str, statement: str, part: Iterable[Sequence[Any]], refused: list[OddRow]
    ) -> int:
        """Each row in a transaction of its own; those that take nothing are named."""
        written = 0
        for values in part:
            try:
                written += database.execute(statement, values).rowcount
            except self.one_rows as error:
                name = getattr(error, "sqlite_errorname", type(error).__name__)
                refused.append(OddRow(table, str(values[-1]), "", name))
        return written

    def _column_names(self, database: Statements, table: str) -> list[str]:
        return [row[1] for row in database.execute(f"PRAGMA table_info({table})")]

    @contextmanager
    def _open(self, mode: Literal["ro", "rw"]) -> Iterator[Statements]:
        if not self.path.is_file():
            raise RegisterMissing(
                f"{self.path}: no such register ([paths] master_db names it)",
                ja=f"{self.path} がありません（[paths] master_db で指定されています）",
            )
        address = f"file:{quote(self.path.absolute().as_posix())}?mode={mode}"
        try:
            database = sqlite3.connect(address, uri=True, timeout=self._busy_timeout_s, isolation_level=None)
            database.text_factory = _TEXT
        except sqlite3.Error as error:
            raise failure(self.path.name, error) from error
        try:
            yield database
        except sqlite3.Error as error:
            raise failure(self.path.name, error) from error
        finally:
            database.close()  # an open transaction is rolled back


def _damage(verdict: str) -> str:
    return "" if verdict == "ok" else verdict


def _catalogue_value(update: CatalogueUpdate, name: str) -> str | None:
    value = getattr(update, name)
    if name == "images":
        return json.dumps(list(value), ensure_ascii=False) if value else None
    return value if isinstance(value, str) and value.strip() else None
