"""What a run reports of carrying what was done into history: the one section that no step writes (publish.py does).

Not for: the steps' sections (sections.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HistoryReport:
    """What was carried into history when the run ended. `written`: rows by table; `loaded_rows` into DuckDB.

    `deferred`: somebody held the database, the next load catches up; `damaged`: Parquet files set aside, of whose rows
    `rows_again` were written once more and at most `rows_lost` are gone (None = nobody knows how many); `problem`: why
    something was not published at all, "" = all was; the rows stay in state and are tried again. `set_aside`: damaged
    files, of whatever day, in whose place no sound one stands.
    """

    written: Mapping[str, int] = field(default_factory=dict)
    loaded_rows: int = 0
    deferred: bool = False
    damaged: tuple[str, ...] = ()
    problem: str = ""
    rows_again: int = 0
    rows_lost: int | None = 0
    set_aside: tuple[str, ...] = ()

    def __add__(self, later: HistoryReport) -> HistoryReport:
        """Both as one; what could not be published at first may have been by the later."""
        written = Counter(self.written) + Counter(later.written)
        known = self.rows_lost is not None and later.rows_lost is not None
        return HistoryReport(
            dict(written),
            self.loaded_rows + later.loaded_rows,
            later.deferred,
            self.damaged + later.damaged,
            later.problem,
            self.rows_again + later.rows_again,
            (self.rows_lost or 0) + (later.rows_lost or 0) if known else None,
            later.set_aside,
        )
