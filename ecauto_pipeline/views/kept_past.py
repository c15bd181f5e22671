"""What history holds of one item, asked for once while somebody looks at it: its chart, its story, any moment of it.

Rows are those of history/questions.py. Not for: what happened since it was asked for (state.db knows that).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from ecauto_pipeline.explain.past import BEGINNING
from ecauto_pipeline.history.store import HistoryStore

Row = dict[str, object]
MOST_MB = 16
"""DuckDB takes no more for a question of the desk; one for which that does not do is asked again with four times as
much (history/questions.py)."""
GOOD_FOR = timedelta(minutes=1)


class Reader(Protocol):
    """What is asked of history (history.HistoryReader)."""

    left_out: frozenset[str]

    def prices_of(self, asin: str, start: datetime, end: datetime) -> list[Row]: ...

    def snapshots_of(self, asin: str, start: datetime, end: datetime) -> list[Row]: ...

    def diffs_of(self, item_id_or_asin: str, start: datetime, end: datetime) -> list[Row]: ...

    def updates_of(self, item_id_or_asin: str, start: datetime, end: datetime) -> list[Row]: ...


class KeptPast:
    """A reader of history that asks for all decisions and updates of an item at once, and for none of them twice within
    a minute. Answers are asked for as they are needed: they are many."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._kept: dict[tuple[str, str], tuple[datetime, list[Row]]] = {}

    @property
    def left_out(self) -> frozenset[str]:
        """Damaged files that were not read: something may be missing from what was answered."""
        return self._reader.left_out

    def prices_of(self, asin: str, start: datetime, end: datetime) -> list[Row]:
        return self._reader.prices_of(asin, start, end)

    def snapshots_of(self, asin: str, start: datetime, end: datetime) -> list[Row]:
        return self._reader.snapshots_of(asin, start, end)

    def diffs_of(self, item_id_or_asin: str, start: datetime, end: datetime) -> list[Row]:
        return self._of(self._reader.diffs_of, "decided_at", item_id_or_asin, start, end)

    def updates_of(self, item_id_or_asin: str, start: datetime, end: datetime) -> list[Row]:
        return self._of(self._reader.updates_of, "attempted_at", item_id_or_asin, start, end)

    def _of(
        self, ask: Callable[[str, datetime, datetime], list[Row]], time: str, key: str, start: datetime, end: datetime
    ) -> list[Row]:
        until, rows = self._kept.get((time, key), (BEGINNING, []))
        if end > until:
            until = end + GOOD_FOR
            rows = ask(key, BEGINNING, until)
            self._kept[time, key] = until, rows
        return [row for row in rows if start <= _moment(row[time]) < end]


def kept_past(store: HistoryStore) -> KeptPast:
    """Of this history, with little memory."""
    from ecauto_pipeline.history.questions import HistoryReader  # DuckDB: not for pages without a past

    return KeptPast(HistoryReader(store, most_mb=MOST_MB))


def _moment(value: Any) -> datetime:
    found: datetime = value
    return found
