"""The register in PostgreSQL, for several machines: the tables of master.db, asked in the same words.

Columns are those of the owner's SQLite with the same meaning and the same spellings in them: times stay text, for their
two spellings say which zone they are of, and a flag stays 0 or 1. Columns of the owner's own come along as they are.
Not for: carrying rows from one to the other (carrying.py), or state (state/).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.pool import NullPool

from ecauto_pipeline.errors import RegisterBusy, RegisterError, RegisterMissing, SettingsError
from ecauto_pipeline.register.master import BUSY_TIMEOUT_S, Register
from ecauto_pipeline.register.seeding import insert
from ecauto_pipeline.register.stamp import OwnWrites, Stamp
from ecauto_pipeline.register.statements import Statements
from ecauto_pipeline.register.tables import CREATE_POSTGRESQL, REQUIRED

_COLUMNS = (
    "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = ?"
    " ORDER BY ordinal_position"
)

_KINDS = {
    **dict.fromkeys(("text", "character varying", "character"), "text"),
    **dict.fromkeys(("bigint", "integer", "smallint"), "whole"),
    **dict.fromkeys(("double precision", "real"), "number"),
}
_TYPES = {"text": "TEXT", "whole": "BIGINT", "number": "DOUBLE PRECISION", "any": "TEXT"}


def open_postgresql(url: str, busy_timeout_s: float = BUSY_TIMEOUT_S) -> PostgresRegister:
    """Connects to nothing yet. Raises SettingsError, without a password in it, for an address of no PostgreSQL."""
    try:
        if make_url(url).get_backend_name() != "postgresql":
            raise ArgumentError
        return PostgresRegister(url, busy_timeout_s)
    except ArgumentError:
        raise SettingsError(
            "[paths] master_db is neither a file nor an address of PostgreSQL (postgresql+psycopg://...)",
            ja="[paths] master_db はファイルでも PostgreSQL のアドレス (postgresql+psycopg://...) でもありません",
        ) from None
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"[paths] master_db needs the Python package {error.name}: install ecauto-pipeline[fleet]",
            ja=f"[paths] master_db には Python のパッケージ {error.name} が必要です（ecauto-pipeline[fleet]）",
        ) from None


class PostgresRegister(Register):
    """One register behind an SQLAlchemy URL. Connects anew for each piece of work; safe to share between threads."""

    one_rows = (IntegrityError, DataError)
    an_asin_like = "asin ~ '^B0.{8}$'"
    by_letters = 'COLLATE "C"'
    blanks = "chr(9) || chr(10) || chr(13) || ' ' || chr(160) || chr(12288)"

    def __init__(self, url: str, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        parsed = make_url(url)
        super().__init__(Path(f"{parsed.host or 'localhost'}/{parsed.database}"), busy_timeout_s)
        wait = max(1, round(busy_timeout_s))
        self._engine: Engine = create_engine(
            parsed, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": wait}
        )

    @property
    def name(self) -> str:
        """Host and database; never who asks, or with which password."""
        return str(self.path)

    def stamp(self) -> Stamp | None:
        """None: a server has no name for what is in some of its tables."""
        return None

    def is_there(self) -> bool:
        try:
            with self._open("ro") as database:
                return all(database.execute(_COLUMNS, (table,)).fetchone() for table in REQUIRED)
        except RegisterError:
            return False

    def look_over(self) -> tuple[int, str]:
        """`check()`, then the number of listings; of its own damage PostgreSQL tells by itself."""
        self.check()
        with self._open("ro") as database:
            return int(database.execute("SELECT count(*) FROM listings").fetchone()[0]), ""

    @contextmanager
    def reading(self) -> Iterator[AskedPostgres]:
        """As of one moment."""
        with self._open("ro") as database:
            database.execute("BEGIN")
            yield database

    def make_tables(self, database: Statements) -> None:
        """The tables, where there are none, within a transaction that no other of its kind runs beside."""
        database.execute("SELECT pg_advisory_xact_lock(hashtextextended('register', 0))")
        for statement in CREATE_POSTGRESQL:
            database.execute(statement)

    def seed(self, products: Iterable[Mapping[str, Any]], listings: Iterable[Mapping[str, Any]]) -> bool:
        """These rows (their keys are column names) where there are no others, whole or not at all; whether it was done.

        Raises RegisterError, RegisterBusy.
        """
        with self.writing() as database:
            self.make_tables(database)
            if database.execute("SELECT 1 FROM products LIMIT 1").fetchone():
                return False
            for table, entries in (("products", products), ("listings", listings)):
                insert(database, table, self._column_names(database, table), entries)
            self.go_on_counting(database)
            return True

    def go_on_counting(self, database: Statements) -> None:
        """The next listing that a program adds gets a number above all that are there."""
        database.execute(
            "SELECT setval(pg_get_serial_sequence('listings', 'id'), greatest((SELECT max(id) FROM listings), 1))"
        )

    @contextmanager
    def writing(self) -> Iterator[AskedPostgres]:
        """One transaction, committed at its end, nothing of it kept where anything is raised."""
        with self._open("rw") as database:
            database.execute("BEGIN")
            yield database
            if database.in_transaction:
                database.execute("COMMIT")

    def other_tables(self, database: Statements) -> list[tuple[str, int]]:
        """None of our business: the database may be shared."""
        return []

    def column_kinds(self, database: Statements, table: str) -> list[tuple[str, str]]:
        """Name, and text | whole | number | any."""
        found = database.execute(_COLUMNS.replace("column_name FROM", "column_name, data_type FROM"), (table,))
        return [(str(name), _KINDS.get(str(kind), "any")) for name, kind in found]

    def add_columns(self, database: Statements, table: str, kinds: Mapping[str, str]) -> None:
        """Columns of the owner's own come along."""
        present = self._column_names(database, table)
        for name, kind in kinds.items():
            if name not in present:
                named = '"' + name.replace('"', '""') + '"'
                database.execute(f"ALTER TABLE {table} ADD COLUMN {named} {_TYPES[kind]}")

    def _own_began(self, database: Statements, own: OwnWrites | None) -> int:
        if own is not None:
            own.broken()
        return 0

    def _own_ended(self, database: Statements, own: OwnWrites | None, version: int) -> None:
        """What it is has no name."""

    def _column_names(self, database: Any, table: str) -> list[str]:
        return [row[0] for row in database.execute(_COLUMNS, (table,))]

    def _columns(self, database: Any, table: str) -> set[str]:
        if not self._column_names(database, table):
            raise RegisterMissing(
                f"{self.name}: no table {table!r} yet; run: ecauto register import",
                ja=f"{self.name} に表 {table!r} がまだありません。ecauto register import を実行してください",
            )
        return super()._columns(database, table)

    @contextmanager
    def _open(self, mode: Literal["ro", "rw"]) -> Iterator[AskedPostgres]:
        try:
            with self._engine.connect() as connection:
                if mode == "ro":
                    read_only = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
                    connection.exec_driver_sql(read_only)
                connection.exec_driver_sql(f"SET lock_timeout = {int(self._busy_timeout_s * 1000)}")
                yield AskedPostgres(connection)
        except OperationalError as error:  # away, shutting down, a lock that does not come
            said = " ".join(str(error.orig).split())
            raise RegisterBusy(
                f"{self.name}: can't be reached or is held ({said})",
                ja=f"{self.name} に接続できないか、ほかの処理が使っています。次の実行でもう一度試します",
            ) from error
        except DBAPIError as error:
            said = " ".join(str(error.orig).split())
            raise RegisterError(f"{self.name}: {said}", ja=f"{self.name} を読み書きできません（{said}）") from error


class AskedPostgres:
    """A connection that is asked as sqlite3's is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.in_transaction = False

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        word = statement.partition(" ")[0]
        if word in ("BEGIN", "COMMIT", "ROLLBACK"):
            self._connection.exec_driver_sql(word)
            self.in_transaction = word == "BEGIN"
            return None
        return self._connection.exec_driver_sql(_marked(statement), tuple(values))

    def executemany(self, statement: str, values: Iterable[Sequence[Any]]) -> Any:
        return self._connection.exec_driver_sql(_marked(statement), [tuple(row) for row in values])

    def stream(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """Rows by and by, from a cursor of the server; within a transaction."""
        found = self._connection.execution_options(stream_results=True, max_row_buffer=1_000)
        yield from (tuple(row) for row in found.exec_driver_sql(_marked(statement)))


def _marked(statement: str) -> str:
    """psycopg's marks for values; a percent sign of ours stays one."""
    return statement.replace("%", "%%").replace("?", "%s")
