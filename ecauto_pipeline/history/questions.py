"""Questions about the past: what was known of an ASIN, decided, sent and called, at any time and by any run.

Answers come from the database and from the files it has not loaded yet; from the files alone while somebody holds the
database or it can't be read. Rows are dicts in the contract's columns, times aware UTC, each key once.
Not for: decisions of a run (state.db), or writing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import TypeVar, cast

import duckdb

from ecauto_pipeline.clock import jst
from ecauto_pipeline.history.asked_rows import (
    Row,
    as_number,
    is_readable,
    loaded_rows,
    rows_in_files,
    rows_of_query,
    rows_once,
    with_moments,
)
from ecauto_pipeline.history.database import (
    QUIET,
    DatabaseHeld,
    DatabaseTorn,
    database,
    loaded_names,
    quoted,
)
from ecauto_pipeline.history.errors import HistoryError
from ecauto_pipeline.history.listing import period_of, present_files
from ecauto_pipeline.history.look import note_torn
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.history.tables import (
    API_CALLS,
    AUTHORITATIVE,
    DIFFS,
    ORDERS,
    RUN_METRICS,
    SNAPSHOTS,
    UPDATES,
    Table,
)

WINDOWS = (timedelta(days=2), timedelta(days=32))
"""How far back a question for the newest looks at first, and next; then at everything older."""

_WRITTEN_BEFORE_OBSERVED = timedelta(days=3)
"""A file's hour may be the start of the run or partition, so earlier than its rows; never by more than this."""

_ATTEMPTS = 5
_T = TypeVar("_T")
_Ask = Callable[[str, list[object], datetime | None], list[Row]]
"""Runs a query with these values in the place of its question marks, over what may be as new as that moment (None =
everything)."""
_STATUSES = ", ".join(f"'{status}'" for status in AUTHORITATIVE)


class HistoryReader:
    """Asks; writes nothing, holds nothing open between two questions, waits for nobody."""

    def __init__(self, store: HistoryStore, *, most_mb: int = 0) -> None:
        """`most_mb`: DuckDB takes no more memory than that, where the files have to be read four times as much, and one
        thread; 0 = what it likes."""
        self._store = store
        self._directory = store.directory
        self._database = store.database
        self._most_mb = most_mb
        self.left_out: frozenset[str] = frozenset()
        """Files of Parquet that are damaged: answers since lack their rows, where history.duckdb lacks them too."""

    def snapshots_of(self, asin: str, start: datetime, end: datetime) -> list[Row]:
        """Every answer about `asin` with start <= observed_at < end, oldest first."""
        where = "asin = ? AND observed_at >= ? AND observed_at < ?"
        return self._rows(SNAPSHOTS, where, [asin, start, end], since=start)

    def prices_of(self, asin: str, start: datetime, end: datetime) -> list[Row]:
        """The same, of each answer when it came, by which operation, its status and price alone: a hundredth of it."""
        query = (
            f"SELECT {as_number('observed_at')}, operation, status, price_jpy FROM <source> "
            "WHERE asin = ? AND observed_at >= ? AND observed_at < ? "
            "QUALIFY row_number() OVER (PARTITION BY snapshot_id ORDER BY load_order DESC, load_position DESC) = 1 "
            "ORDER BY observed_at, snapshot_id"
        )
        return self._ask(SNAPSHOTS, query, [asin, start, end], start)

    def latest_before(self, asin: str, at: datetime, *, authoritative: bool = True) -> Row | None:
        """The newest answer about `asin` with observed_at <= at, None if there is none.

        `authoritative`: only answers that Amazon did give; else an `api_error` counts too.
        """
        where = "asin = ? AND observed_at <= ?" + (f" AND status IN ({_STATUSES})" if authoritative else "")

        def found(ask: _Ask) -> Row | None:
            for span in WINDOWS:
                since = at - span
                query = _in_order(SNAPSHOTS, f"{where} AND observed_at >= ?", newest=1)
                if rows := ask(query, [asin, at, since], since):
                    return rows[0]
            rows = ask(_in_order(SNAPSHOTS, where, newest=1), [asin, at], None)
            return rows[0] if rows else None

        return self._answer(SNAPSHOTS, found)

    def diffs_of(self, item_id_or_asin: str, start: datetime, end: datetime) -> list[Row]:
        """Every decision but `unchanged` about an item or an ASIN, start <= decided_at < end, oldest first."""
        where = "(item_id = ? OR asin = ?) AND decided_at >= ? AND decided_at < ?"
        return self._rows(DIFFS, where, [item_id_or_asin, item_id_or_asin, start, end], since=start)

    def updates_of(self, item_id_or_asin: str, start: datetime, end: datetime) -> list[Row]:
        """Every update sent (or shown in a dry run), start <= attempted_at < end, oldest first."""
        where = "(item_id = ? OR asin = ?) AND attempted_at >= ? AND attempted_at < ?"
        return self._rows(UPDATES, where, [item_id_or_asin, item_id_or_asin, start, end], since=start)

    def calls_of_run(self, run_id: str) -> list[Row]:
        """Every API call of a run, in order of time."""
        return self._rows(API_CALLS, "run_id = ?", [run_id])

    def orders(self, start: datetime, end: datetime) -> list[Row]:
        """Every item row of an order with start <= sold_at < end, oldest first."""
        return self._rows(ORDERS, "sold_at >= ? AND sold_at < ?", [start, end], since=start)

    def run(self, run_id: str) -> Row | None:
        """The figures of one run, None if it left none."""
        found = self._rows(RUN_METRICS, "run_id = ?", [run_id])
        return found[0] if found else None

    def latest_prices_as_of(
        self, at: datetime, asins: Collection[str] | None = None, *, within: timedelta | None = None
    ) -> list[Row]:
        """What was known of each ASIN at `at`: asin, snapshot_id, observed_at, status, price_jpy, in_stock; by ASIN.

        Only authoritative answers. `asins` narrows it, `within` leaves out what was older than that (and is quick).
        """
        wanted = None if asins is None else sorted(set(asins))

        def answer(ask: _Ask) -> list[Row]:
            found: dict[str, Row] = {}
            until, inclusive = at, True
            for span in (*WINDOWS, None):
                since = None if span is None else at - span
                if within is not None:
                    since = at - within if since is None else max(since, at - within)
                missing = None if wanted is None else [asin for asin in wanted if asin not in found]
                if missing is not None and not missing:
                    break
                for row in _latest_in(ask, since, until, inclusive, missing):
                    found.setdefault(str(row["asin"]), row)
                if since is None or (within is not None and since <= at - within):
                    break
                until, inclusive = since, False
            return [found[asin] for asin in sorted(found)]

        return self._answer(SNAPSHOTS, answer)

    def _rows(
        self,
        table: Table,
        where: str,
        values: list[object],
        *,
        since: datetime | None = None,
        newest: int | None = None,
    ) -> list[Row]:
        return self._ask(table, _in_order(table, where, newest), values, since)

    def _ask(self, table: Table, query: str, values: list[object], since: datetime | None) -> list[Row]:
        """What `query` finds in everything known of `table`."""
        return self._answer(table, lambda ask: ask(query, values, since))

    def _answer(self, table: Table, question: Callable[[_Ask], _T]) -> _T:
        """What `question` comes to, which may ask several times, each with regard to what came before: the database is
        opened once for all of it. Raises HistoryError when the files keep changing; it may be put anew until then.

        Queries give moments as microseconds, under the names of the table's columns or as `at`; they come back as aware
        UTC.
        """
        self._store.catch_up()
        checked = False
        last: Exception | None = None
        for _ in range(_ATTEMPTS):
            try:
                return self._answer_once(table, question, checked)
            except duckdb.OutOfMemoryException as short:  # asked again with more
                last = short
                self._most_mb *= 4
            except (FileNotFoundError, duckdb.Error) as gone:
                # a compaction took a file away between listing and reading, or one is damaged: look again, at each
                last, checked = gone, True
        raise HistoryError(
            f"the files of {table.name} can't be read: {last}",
            ja=f"履歴 {table.name} のファイルを読めません。ecauto history verify で確かめてください",
        ) from last

    def _answer_once(self, table: Table, question: Callable[[_Ask], _T], checked: bool) -> _T:
        present = present_files(self._directory, table)
        known: set[str] | None = None

        def ask(query: str, values: list[object], since: datetime | None) -> list[Row]:
            files = [name for name in self._files(table, present, since, checked) if name not in (known or ())]
            source = rows_in_files(table, [self._directory / name for name in files])
            if known is not None:
                source = f"{loaded_rows(table)} UNION ALL BY NAME {source}"
            return [with_moments(table, row) for row in rows_of_query(connection, query, f"({source})", values)]

        if self._database.exists():
            try:
                with database(self._database, read_only=True) as connection:
                    self._be_modest(connection)
                    known = loaded_names(connection, table)
                    return question(ask)
            except DatabaseTorn:  # the files alone say the same, more slowly, until the next load
                note_torn(self._database)
            except (DatabaseHeld, duckdb.CatalogException, duckdb.BinderException):
                pass  # held, or older than a column: as above
        known = None
        with duckdb.connect() as connection:
            connection.execute(QUIET)
            connection.execute("SET TimeZone = 'UTC'")
            self._be_modest(connection, 4)
            return question(ask)

    def _be_modest(self, connection: duckdb.DuckDBPyConnection, times: int = 1) -> None:
        if self._most_mb:
            connection.execute(f"SET memory_limit = '{int(self._most_mb) * times}MB'")
            connection.execute("SET threads = 1")

    def _files(self, table: Table, present: list[str], since: datetime | None, checked: bool) -> list[str]:
        files = present
        if since is not None:
            oldest = f"{jst(since - _WRITTEN_BEFORE_OBSERVED):%Y-%m-%dT%H}"
            files = [name for name in files if period_of(name) >= oldest[: len(period_of(name))]]
        if not checked:
            return files
        sound = [name for name in files if is_readable(table, self._directory / name)]
        self.left_out |= {name.rpartition("/")[2] for name in set(files) - set(sound)}
        return sound


def _in_order(table: Table, where: str, newest: int | None = None) -> str:
    """A query for the rows for which this holds, oldest first, or for so many of the newest, newest first."""
    time, key = quoted(table.time), quoted(table.key)
    if newest is None:
        return f"{rows_once(table, where)} ORDER BY {time}, {key}"
    return f"{rows_once(table, where)} ORDER BY {time} DESC, {key} DESC LIMIT {int(newest)}"


def _latest_in(
    ask: _Ask, since: datetime | None, until: datetime, inclusive: bool, asins: list[str] | None
) -> list[Row]:
    """The newest authoritative answer per ASIN with since <= observed_at < until (<= if `inclusive`)."""
    conditions = [f"status IN ({_STATUSES})", f"observed_at {'<=' if inclusive else '<'} ?"]
    values: list[object] = [until]
    if since is not None:
        conditions.append("observed_at >= ?")
        values.append(since)
    if asins is not None:
        conditions.append("asin IN (SELECT unnest(CAST(? AS VARCHAR[])))")
        values.append(asins)
    struct = ", ".join(f"'{name}': {name}" for name in ("snapshot_id", "status", "price_jpy", "in_stock"))
    struct += ", 'observed_at': epoch_us(observed_at)"
    query = (
        f"SELECT asin, arg_max({{{struct}}}, {{'o': observed_at, 's': snapshot_id}}) AS newest "
        f"FROM <source> WHERE {' AND '.join(conditions)} GROUP BY asin"
    )
    found = ask(query, values, since)
    return [with_moments(SNAPSHOTS, {"asin": row["asin"], **cast(Row, row["newest"])}) for row in found]
