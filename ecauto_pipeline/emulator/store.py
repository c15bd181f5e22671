"""Where the emulator keeps what must survive its own death: one SQLite file, or memory.

For: rows and small settings, one commit a call. Not for: the meaning of the rows (shop_world, call_log, throttle ...).
WAL with synchronous=NORMAL: a killed process loses nothing that was committed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS items (
    item_id INTEGER PRIMARY KEY, account TEXT NOT NULL, title TEXT NOT NULL, detail TEXT NOT NULL,
    price INTEGER NOT NULL, proper_price INTEGER, stock INTEGER NOT NULL, visible INTEGER NOT NULL,
    list_order INTEGER NOT NULL, identifier TEXT, created INTEGER NOT NULL, modified INTEGER NOT NULL,
    editable INTEGER NOT NULL, images TEXT NOT NULL, variations TEXT NOT NULL, asin TEXT);
CREATE INDEX IF NOT EXISTS items_by_order ON items (account, list_order, item_id);
CREATE INDEX IF NOT EXISTS items_by_modified ON items (account, modified, item_id);
CREATE INDEX IF NOT EXISTS items_by_created ON items (account, created, item_id);
CREATE TABLE IF NOT EXISTS orders (
    unique_key TEXT PRIMARY KEY, account TEXT NOT NULL, ordered INTEGER NOT NULL, modified INTEGER NOT NULL,
    dispatch_status TEXT NOT NULL, item_id INTEGER NOT NULL, variation_id INTEGER, title TEXT NOT NULL,
    price INTEGER NOT NULL, amount INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS orders_by_time ON orders (account, ordered);
CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY, kind TEXT NOT NULL, api TEXT NOT NULL, account TEXT NOT NULL, scope TEXT NOT NULL,
    expires REAL NOT NULL, dead INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS windows (
    account TEXT NOT NULL, window TEXT NOT NULL, start INTEGER NOT NULL, calls INTEGER NOT NULL,
    PRIMARY KEY (account, window)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS buckets (
    account TEXT NOT NULL, operation TEXT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (account, operation)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS overrides (asin TEXT NOT NULL, since REAL NOT NULL, fields TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS calls (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, api TEXT NOT NULL, operation TEXT NOT NULL, account TEXT,
    method TEXT NOT NULL, path TEXT NOT NULL, details TEXT NOT NULL, http_status INTEGER, outcome TEXT NOT NULL,
    request_id TEXT);
"""
_TABLES = ("items", "orders", "tokens", "windows", "buckets", "overrides", "calls", "settings")


class Store:
    """One connection; its owner serialises access. `path` None keeps everything in memory."""

    def __init__(self, path: Path | None) -> None:
        self._db = sqlite3.connect(":memory:" if path is None else path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA busy_timeout=5000")
        self._db.executescript(_SCHEMA)
        self._db.row_factory = sqlite3.Row

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
        return found

    def write(self, sql: str, values: Sequence[Any] = ()) -> int:
        """One statement, durable at `commit`. Returns the number of rows it touched."""
        self._begin()
        return self._db.execute(sql, values).rowcount

    def write_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        self._begin()
        self._db.executemany(sql, values)

    def commit(self) -> None:
        if self._db.in_transaction:
            self._db.execute("COMMIT")

    def setting(self, name: str, default: Any = None) -> Any:
        found = self.row("SELECT value FROM settings WHERE name = ?", (name,))
        return default if found is None else json.loads(found["value"])

    def set_setting(self, name: str, value: Any) -> None:
        self.write(
            "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, json.dumps(value, ensure_ascii=False)),
        )

    def clear(self) -> None:
        """Forget everything. Call numbers start again at 1."""
        for table in _TABLES:
            self.write(f"DELETE FROM {table}")
        self.write("DELETE FROM sqlite_sequence")

    def close(self) -> None:
        self.commit()
        self._db.close()

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN")
