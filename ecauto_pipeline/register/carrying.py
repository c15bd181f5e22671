"""Carries the register between the owner's SQLite and PostgreSQL, either way: row by row, all in one transaction.

What could not come along is told with its place: other tables, columns that the other side lacks, values that it can't
hold. Rows that stand on the other side alone stay, unless they are to go. Done again, nothing is left to do.
Not for: asking a person first (cli/register.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from ecauto_pipeline.errors import RegisterError
from ecauto_pipeline.register.odd_rows import shown
from ecauto_pipeline.register.statements import Statements, Streaming

KEYS = {"products": "asin", "listings": "id"}
"""What a row is known by on both sides."""
_NEEDED = {"products": ("asin",), "listings": ("id", "asin", "platform")}
_CHUNK = 1_000
_MOST_WHOLE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Lost:
    """What does not come along as it is. `kind`: table | column | value | row; `place`: table, or table.column;
    `count`: how many (of a table: its rows); `example`: one of them, shortened."""

    kind: str
    place: str
    count: int
    example: str = ""


@dataclass(frozen=True, slots=True)
class TableCarried:
    """`rows` of the source that can come; of them `new` on the other side, `differing` from it, `same`; and how many
    stand only there."""

    table: str
    rows: int
    new: int
    differing: int
    same: int
    only_there: int


@dataclass(frozen=True, slots=True)
class Carried:
    """`applied`: whether it was done, or only looked at."""

    applied: bool
    tables: tuple[TableCarried, ...]
    lost: tuple[Lost, ...]

    @property
    def to_do(self) -> int:
        return sum(one.new + one.differing for one in self.tables)


class Side(Protocol):
    """A register that is carried from or to: owner_file.py, postgresql.py."""

    @property
    def name(self) -> str:
        """For people."""

    def reading(self) -> AbstractContextManager[Streaming]:
        """As of one moment."""

    def writing(self) -> AbstractContextManager[Statements]:
        """One transaction; a ROLLBACK in it leaves everything as it was."""

    def make_tables(self, database: Statements, /) -> None:
        """Both tables are there afterwards. Raises RegisterError where they can't be."""

    def other_tables(self, database: Statements, /) -> list[tuple[str, int]]:
        """What does not belong to the register, with its rows."""

    def column_kinds(self, database: Statements, table: str, /) -> list[tuple[str, str]]:
        """Each column, and what it holds: text | whole | number | any."""

    def add_columns(self, database: Statements, table: str, kinds: Mapping[str, str], /) -> None:
        """Those that are lacking, where the side's schema is ours to change."""

    def go_on_counting(self, database: Statements, /) -> None:
        """New rows get numbers above those that came."""


def carry(source: Side, target: Side, *, apply: bool, remove_rest: bool = False) -> Carried:
    """`target` as `source` is; with `apply` False nothing of it is kept. `remove_rest`: what only stands there goes.

    Raises RegisterError (a constraint of the target's is broken, too), RegisterBusy; nothing is changed then.
    """
    with source.reading() as there, target.writing() as here:
        target.make_tables(here)
        losses = _Losses()
        for name, count in source.other_tables(there):
            losses.add("table", name, f"{count:,} rows", count)
        tables = tuple(_table(source, there, target, here, name, losses, remove_rest) for name in KEYS)
        target.go_on_counting(here)
        if not apply:
            here.execute("ROLLBACK")
    return Carried(apply, tables, losses.told())


def _table(
    source: Side,
    there: Streaming,
    target: Side,
    here: Statements,
    table: str,
    losses: _Losses,
    remove_rest: bool,
) -> TableCarried:
    kinds = dict(source.column_kinds(there, table))
    if not kinds:
        raise RegisterError(f"{source.name}: no table {table!r}", ja=f"{source.name} に表 {table!r} がありません")
    target.add_columns(here, table, kinds)
    known = dict(target.column_kinds(here, table))
    for name in kinds:
        if name not in known:
            losses.add("column", f"{table}.{name}", "", 1)
    names, key = [name for name in kinds if name in known], KEYS[table]
    columns, stage = ", ".join(map(quoted, names)), f"carried_{table}"
    here.execute(f"CREATE TEMPORARY TABLE {stage} AS SELECT {columns} FROM {table} WHERE 1 = 0")
    marks = ", ".join("?" * len(names))
    rows = _rows(there.stream(f"SELECT {columns} FROM {table}"), table, names, known, losses)
    while part := list(islice(rows, _CHUNK)):
        here.executemany(f"INSERT INTO {stage} ({columns}) VALUES ({marks})", part)
    here.execute(f"CREATE INDEX ix_{stage} ON {stage} ({key})")
    others = [quoted(name) for name in names if name != key]
    differs = " OR ".join(f"mine.{name} IS DISTINCT FROM came.{name}" for name in others) or "1 = 0"

    def count(query: str) -> int:
        return int(here.execute(query).fetchone()[0])

    total = count(f"SELECT count(*) FROM {stage}")
    met = f"FROM {stage} AS came JOIN {table} AS mine ON mine.{key} = came.{key}"
    both, differing = count(f"SELECT count(*) {met}"), count(f"SELECT count(*) {met} WHERE {differs}")
    rest = f"NOT EXISTS (SELECT 1 FROM {stage} AS came WHERE came.{key} = {table}.{key})"
    alone = count(f"SELECT count(*) FROM {table} WHERE {rest}")
    if remove_rest:
        here.execute(f"DELETE FROM {table} WHERE {rest}")
    sets = ", ".join(f"{name} = excluded.{name}" for name in others)
    changed = " OR ".join(f"{table}.{name} IS DISTINCT FROM excluded.{name}" for name in others)
    here.execute(
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {stage} WHERE 1 = 1"
        f" ON CONFLICT ({key}) DO UPDATE SET {sets} WHERE {changed}"
    )
    here.execute(f"DROP TABLE {stage}")
    return TableCarried(table, total, total - both, differing, both - differing, alone)


def _rows(
    found: Iterator[Sequence[Any]], table: str, names: Sequence[str], known: dict[str, str], losses: _Losses
) -> Iterator[list[Any]]:
    """Each row as the other side can hold it."""
    fits = [FITS.get(known[name], _anything) for name in names]
    key = names.index(KEYS[table])
    for row in found:
        values = []
        for name, fit, value in zip(names, fits, row, strict=True):
            kept, whole = (None, True) if value is None else fit(value)
            if not whole:
                losses.add("value", f"{table}.{name}", f"{shown(row[key])}: {shown(value)}", 1)
            values.append(kept)
        if any(values[names.index(name)] is None for name in _NEEDED[table]):
            losses.add("row", table, shown(row[key]), 1)
            continue
        yield values


def _text(value: Any) -> tuple[Any, bool]:
    if isinstance(value, bytes):
        return None, False
    said = value if isinstance(value, str) else str(value)
    clean = said.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
    return clean, clean == value


def _whole(value: Any) -> tuple[Any, bool]:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    fits = isinstance(value, int) and abs(value) <= _MOST_WHOLE
    return (int(value), True) if fits else (None, False)


def _number(value: Any) -> tuple[Any, bool]:
    return (float(value), True) if isinstance(value, int | float) else (None, False)


def _anything(value: Any) -> tuple[Any, bool]:
    if isinstance(value, bool):
        return int(value), True
    return (value, True) if isinstance(value, int | float | str | bytes) else (str(value), False)


FITS: dict[str, Callable[[Any], tuple[Any, bool]]] = {"text": _text, "whole": _whole, "number": _number}
"""By what a column holds: the value there, and whether it is still the same one."""


class _Losses:
    """Counted by kind and place, with the first of each."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[Any]] = {}

    def add(self, kind: str, place: str, example: str, count: int) -> None:
        self._found.setdefault((kind, place), [0, example])[0] += count

    def told(self) -> tuple[Lost, ...]:
        return tuple(Lost(*key, count, example) for key, (count, example) in sorted(self._found.items()))


def quoted(name: str) -> str:
    """A column's name, whatever the owner called it."""
    return '"' + name.replace('"', '""') + '"'
