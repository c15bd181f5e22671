"""What one run did so far, counted from what is committed: for a run whose steps were broken off and report nothing.

Calls, answers and edits are each committed as they happen. What another run has meanwhile carried into history is not
counted. Not for: runs that ended (their sections say more, sync/run_record.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, func, select

from ecauto_pipeline.state.schema import observations
from ecauto_pipeline.state.schema_calls import api_calls
from ecauto_pipeline.state.schema_decisions import journal


@dataclass(frozen=True, slots=True)
class WorkDone:
    """Calls made, answers kept (one an ASIN and question), edits that took place, edits whose outcome is open."""

    run_id: str
    sp_api_calls: int
    answers: int
    shop_calls: int
    edits: int
    unsettled: int


def work_done(connection: Connection, run_id: str) -> WorkDone:
    """The work of this run up to now; zeros for a run that did nothing."""

    def count(table: Table, *where: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(table).where(table.c.run_id == run_id, *where)
        return int(connection.execute(query).scalar_one())

    of_amazon = api_calls.c.api == "sp_api"
    open_outcome = journal.c.outcome.is_(None) | (journal.c.outcome == "unknown")
    return WorkDone(
        run_id=run_id,
        sp_api_calls=count(api_calls, of_amazon),
        answers=count(observations),
        shop_calls=count(api_calls, ~of_amazon),
        edits=count(journal, journal.c.outcome == "done"),
        unsettled=count(journal, open_outcome),
    )
