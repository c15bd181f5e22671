"""What happened: every answer, decision, update, call and run, kept for questions about the past.

Immutable Parquet files are the proof, `history.duckdb` is the place to ask and can be rebuilt from them at any time.
Not for: anything a decision waits for (that is state.db), or the owner's register (master.db).
"""

from ecauto_pipeline.history.compact import CompactReport
from ecauto_pipeline.history.parquet import DiskFull
from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline.history.store import HistoryStore, LoadReport
from ecauto_pipeline.history.tables import HistoryError, RowRefused
from ecauto_pipeline.history.verify import TableReport, VerifyReport

__all__ = [
    "CompactReport",
    "DiskFull",
    "HistoryError",
    "HistoryReader",
    "HistoryStore",
    "LoadReport",
    "RowRefused",
    "TableReport",
    "VerifyReport",
]
