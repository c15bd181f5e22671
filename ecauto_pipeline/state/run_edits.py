"""The edits of one run as somebody reads them: a page at a time, counted, and which were changed again since.

Not for: writing the journal, or what a run still has to send (journal.py).
"""

from __future__ import annotations

from sqlalchemy import Connection, and_, case, func, select

from ecauto_pipeline.domain.model import Kind, ListingKey, Outcome
from ecauto_pipeline.state.journal import _IN_ORDER, Update, update_row
from ecauto_pipeline.state.schema_decisions import journal


def page_of_run(connection: Connection, run_id: str, limit: int, offset: int = 0) -> list[Update]:
    """Some edits of one run, in the order in which they left; what went wrong first."""
    wrong = case((journal.c.outcome.in_((Outcome.DONE, Outcome.DRY_RUN)), 1), else_=0)
    query = select(journal).where(journal.c.run_id == run_id).order_by(wrong, *_IN_ORDER).limit(limit).offset(offset)
    return [update_row(row) for row in connection.execute(query)]


def count_of_run(connection: Connection, run_id: str) -> dict[str, int]:
    """How many edits of one run ended how; "intent" = under way, or nobody knows yet."""
    query = select(journal.c.outcome, func.count()).where(journal.c.run_id == run_id).group_by(journal.c.outcome)
    return {outcome or "intent": number for outcome, number in connection.execute(query)}


def changed_after(connection: Connection, run_id: str) -> dict[tuple[ListingKey, Kind], Update]:
    """The last done edit of each target that one run changed and a later edit changed again."""
    later = journal.alias()
    same = [journal.c[name] == later.c[name] for name in ("platform", "account_id", "item_id", "kind")]
    query = select(later).join(journal, and_(*same, journal.c.intent_at < later.c.intent_at))
    mine = (journal.c.run_id == run_id, journal.c.outcome == Outcome.DONE, later.c.run_id != run_id)
    rows = connection.execute(query.where(*mine, later.c.outcome == Outcome.DONE).order_by(later.c.intent_at))
    return {(one.key, one.kind): one for one in map(update_row, rows)}
