"""Reads and writes the owner's master.db, which other programs use at the same time.

Reading opens it read-only. Writing touches the named columns of rows that exist, in short transactions, and gives way
when another program holds the file (RegisterBusy: retry in the next run). `updated_at` stays the owner's.
Not for: what the values mean (rows.py) or our own state (state/).
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
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
from ecauto_pipeline.register.stamp import OwnWrites, Stamp, stamp_of
from ecauto_pipeline.register.statements import Statements
from ecauto_pipeline.register.tables import CREATE, REQUIRED
from ecauto_pipeline.register.texts import BATCH_ROWS, RegisterTexts

BUSY_TIMEOUT_S = 5.0
_TEXT = partial(str, encoding="utf-8", errors="replace")  # bytes that are no UTF-8 are one row's matter


class Register(RegisterTexts):
    """One master.db. Opens it anew for each piece of work; safe to share between threads."""

    one_rows: tuple[type[Exception], ...] = (sqlite3.IntegrityError, sqlite3.InterfaceError, OverflowError)
    """What is one row's matter: a constraint or trigger of the owner's, a value that no column takes."""

    def __init__(
        self, path: Path, busy_timeout_s: float = BUSY_TIMEOUT_S, *, wall_s: Callable[[], float] = time.time
    ) -> None:
        """`wall_s`: this machine's clock, seconds since 1970, which the file's times are of."""
        self.path = Path(path)
        self._busy_timeout_s, self._wall_s = busy_timeout_s, wall_s

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
        stamp = self.stamp()
        with self._open("ro") as database:
            database.execute("BEGIN")
            odd: list[OddRow] = []
            mine = rows_of(database, accounts, self.blanks)
            products, listings = self._products(database, odd, mine), self._listings(database, odd, mine)
        return RegisterRows(products, listings, odd, stamp.text if stamp is not None and stamp.settled else "")

    def stamp(self) -> Stamp | None:
        """A name for what is in it now; None where that can't be told without reading it. Takes no lock."""
        return stamp_of(self.path, self._wall_s())

    def is_still(self, stamp: str) -> bool:
        """Whether what `read` found with this stamp is what it would find now. Raises RegisterError, RegisterBusy as
        that would, but for damage within the tables."""
        found = self.stamp()
        self.check()
        return found is not None and found.text == stamp

    def listing_rows(self, numbers: Iterable[int]) -> list[ListingRow]:
        """The listings of these ids as they stand, those that are not there left out. Raises RegisterError,
        RegisterBusy."""
        some = iter(sorted(set(numbers)))
        found: list[ListingRow] = []
        while part := list(islice(some, BATCH_ROWS)):
            with self._open("ro") as database:
                which = Mine(f" WHERE id IN ({', '.join('?' * len(part))})", part)
                found += self._listings(database, [], which)
        return found

    def write_back(
        self,
        products: Iterable[ProductUpdate] = (),
        listings: Iterable[ListingUpdate] = (),
        batch: int = BATCH_ROWS,
        refused: list[OddRow] | None = None,
        own: OwnWrites | None = None,
    ) -> int:
        """Write what Amazon said and what the shops show; one transaction a batch. Returns rows found and written.

        A row that takes nothing (a constraint or trigger of the owner's) is added to `refused`, the others are written;
        without such a list it is an error. `own`: learns from which stamp to which this went. Raises RegisterError, and
        RegisterBusy when another program kept the file for longer than the timeout; earlier batches stand.
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
            own,
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
            own,
        )

    def write_catalogue(self, updates: Iterable[CatalogueUpdate], batch: int = BATCH_ROWS) -> int:
        """Write catalogue text where there is some; nothing ever becomes NULL or empty. Returns rows written.

        Columns that this register lacks are left out. Raises RegisterError, RegisterBusy.
        """
        with self._open("ro") as database:
            names = self._catalogue_columns(database)
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
        own: OwnWrites | None = None,
    ) -> int:
        """The last value of each row is what it is found by."""
        written = 0
        while part := list(islice(values, batch)):
            with self._open("rw") as database:
                database.execute("BEGIN IMMEDIATE")
                version = self._own_began(database, own)
                try:
                    written += database.executemany(statement, part).rowcount
                except self.one_rows:
                    if refused is None:
                        raise
                    if database.in_transaction:
                        database.execute("ROLLBACK")
                    if own is not None:
                        own.broken()
                    written += self._one_by_one(database, table, statement, part, refused)
                else:
                    database.execute("COMMIT")
                    self._own_ended(database, own, version)
        return written

    def _own_began(self, database: Statements, own: OwnWrites | None) -> int:
        return own.began(database, self.path) if own is not None else 0

    def _own_ended(self, database: Statements, own: OwnWrites | None, version: int) -> None:
        if own is not None:
            own.ended(database, self.path, version)

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
        except (sqlite3.Error, UnicodeDecodeError) as error:
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
