"""The edits of one run, a page at a time: which item, from what to what, how it ended, and why it was made.

From state.db while it keeps them (30 days), else from history. Not for: the run itself (runs.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.model import Kind, ListingKey
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.domain.words import KINDS, OUTCOMES, worded
from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline.state import decisions, run_edits
from ecauto_pipeline.state.journal import Update
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.goods import titles_of
from ecauto_pipeline.views.kept_past import MOST_MB
from ecauto_pipeline.views.run_words import plain_reason

A_PAGE = 100


@dataclass(frozen=True, slots=True)
class RunEdit:
    """One edit. `outcome`: as in domain/words.OUTCOMES; `error`: what the shop said; `why`: the reason of the decision,
    None where nobody can say any more. `title` "" where master.db has none. `before` None = unknown."""

    key: ListingKey
    asin: str
    title: str
    kind: Kind
    before: int | None
    after: int
    outcome: str
    error: str
    why: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class EditsPage:
    """Some edits of a run. `by_outcome`: how all of them ended; `total`: their number."""

    edits: tuple[RunEdit, ...]
    by_outcome: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.by_outcome.values())


def edits_of(tools: Tools, run_id: str, *, limit: int = A_PAGE, offset: int = 0) -> EditsPage:
    """Edits of a run that state.db knows, what went wrong first, then in the order in which they left."""
    with tools.state.read() as connection:
        counts = run_edits.count_of_run(connection, run_id)
        rows = run_edits.page_of_run(connection, run_id, limit, offset)
        why: Mapping[str, str] = decisions.reasons_of(connection, (row.diff_id for row in rows))
    older = {row.diff_id for row in rows} - why.keys()  # decisions live for 3 days in state.db
    why = {**_reasons_in_history(tools, older), **why} if older else why
    titles = titles_of(tools, {row.asin for row in rows})
    return EditsPage(tuple(_edit(row, titles, why.get(row.diff_id)) for row in rows), counts)


def with_reasons(tools: Tools, rows: Sequence[Update]) -> tuple[RunEdit, ...]:
    """Edits of any runs, in the order given, each with its title and the reason of its decision."""
    with tools.state.read() as connection:
        why = decisions.reasons_of(connection, (row.diff_id for row in rows))
    older = {row.diff_id for row in rows} - why.keys()  # than 3 days
    why = {**_reasons_in_history(tools, older), **why} if older else why
    titles = titles_of(tools, {row.asin for row in rows})
    return tuple(_edit(row, titles, why.get(row.diff_id)) for row in rows)


def older_edits_of(tools: Tools, run_id: str, *, limit: int = A_PAGE, offset: int = 0) -> EditsPage:
    """Edits of a run that only history knows. Raises HistoryError where it can't be read."""
    from ecauto_pipeline.history.past_runs import PastRuns  # DuckDB: for who asks for the past

    past = PastRuns(tools.history, most_mb=MOST_MB)
    rows = past.updates_of_run(run_id, limit, offset)
    why = past.reasons_of({str(row["diff_id"]) for row in rows})
    titles = titles_of(tools, {str(row["asin"]) for row in rows})
    edits = tuple(_past_edit(row, titles, why.get(str(row["diff_id"]))) for row in rows)
    return EditsPage(edits, past.outcomes_of_run(run_id))


def change(edit: RunEdit, language: str) -> str:
    """ "価格 1,980 → 2,280円"."""
    english = language == "en"
    arrow = "->" if english else "→"
    kind = worded(KINDS, edit.kind, language)
    if edit.kind is Kind.VISIBILITY:
        words = {0: ("非公開", "hidden"), 1: ("公開", "shown")}
        before = "?" if edit.before not in words else words[edit.before][english]
        return f"{before} {arrow} {words.get(edit.after, words[0])[english]}"
    if edit.kind is Kind.DELIST:
        return kind
    before = "?" if edit.before is None else f"{edit.before:,}"
    unit = ("" if english else "円") if edit.kind is Kind.PRICE else ""
    sign = "¥" if english and edit.kind is Kind.PRICE else ""
    return f"{kind} {sign}{before} {arrow} {sign}{edit.after:,}{unit}"


def outcome_words(edit: RunEdit, language: str) -> str:
    """How it ended, with what the shop said where it said no."""
    ended = worded(OUTCOMES, edit.outcome, language)
    return f"{ended}: {said(edit.error, language)}" if edit.error else ended


def why_words(edit: RunEdit, language: str) -> str:
    """Why it was made."""
    unknown = "no longer on record" if language == "en" else "記録なし"
    return unknown if edit.why is None else plain_reason(edit.why, language)


def as_data(edit: RunEdit) -> dict[str, Any]:
    return {
        "platform": edit.key.platform,
        "account_id": edit.key.account_id,
        "item_id": edit.key.item_id,
        "asin": edit.asin,
        "title": edit.title,
        "kind": edit.kind.value,
        "before": edit.before,
        "after": edit.after,
        "outcome": edit.outcome,
        "error": edit.error,
        "why": edit.why,
        "at": jst(edit.at).isoformat(timespec="seconds"),
    }


def _edit(row: Update, titles: Mapping[str, str], why: str | None) -> RunEdit:
    outcome = row.outcome.value if row.outcome is not None else "intent"
    return RunEdit(
        *(row.key, row.asin, titles.get(row.asin, ""), row.kind, row.before, row.after, outcome, row.error, why),
        at=row.intent_at,
    )


def _past_edit(row: Mapping[str, Any], titles: Mapping[str, str], why: str | None) -> RunEdit:
    asin = str(row["asin"])
    before, after = row["before"], row["after"]
    return RunEdit(
        key=ListingKey(str(row["platform"]), str(row["account_id"]), str(row["item_id"])),
        asin=asin,
        title=titles.get(asin, ""),
        kind=Kind(row["kind"]),
        before=None if before in (None, "") else int(before),
        after=int(after or 0),
        outcome=str(row["outcome"]),
        error=str(row["error"] or ""),
        why=why,
        at=row["attempted_at"],
    )


def _reasons_in_history(tools: Tools, diff_ids: Collection[str]) -> Mapping[str, str]:
    from ecauto_pipeline.history.past_runs import PastRuns  # DuckDB: for who asks for the past

    try:
        return PastRuns(tools.history, most_mb=MOST_MB).reasons_of(diff_ids)
    except (EcautoError, OSError):
        return {}
