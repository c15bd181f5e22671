"""The pictures on the assets' pages: freshness, budget, answers, updates and held rows of the last day.

They show a day, so they are drawn once an hour, and by a run after which somebody has to look. A picture that can't be
drawn is a line in the log; it never fails a run. Not for: drawing (pictures.py), or where the last ones are (defs/).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline.process_memory import give_back
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.run_record import RunRecord

T = TypeVar("T")
Rows = Sequence[Mapping[str, object]]
DAY = timedelta(days=1)
GOOD_FOR = timedelta(hours=1)
MOST_MB = 64
"""That DuckDB takes of the memory of a run."""
TITLES = ("updates by kind", "answers by hour", "budget by hour", "freshness by tier", "held rows")
"""In the order in which people look."""


def to_be_drawn(drawn_at: datetime | None, record: RunRecord, now: datetime) -> bool:
    """Whether a run draws them anew. `drawn_at`: when all of them last were, None where nobody knows of any.

    Within the hour only where the run left what a person has to see: rows newly held, edits that failed or of which
    nobody knows the outcome.
    """
    if drawn_at is None or not drawn_at <= now < drawn_at + GOOD_FOR:
        return True
    return not record.dry_run and _to_be_seen(record)


def _to_be_seen(record: RunRecord) -> bool:
    judged = [one for one in (record.price_diffs, record.visibility_diffs) if one is not None]
    sent = record.base_updates
    return any(one.holds_new for one in judged) or (sent is not None and bool(sent.account.failed or sent.unknown))


def pictures_of_the_day(tools: Tools) -> Mapping[str, str]:
    """Markdown with an embedded PNG, by title, in the order of TITLES; those that could be drawn.

    All is asked before anything is drawn: asking about 100,000 ASINs and matplotlib take 40 MB each, and a run's memory
    is at its most here.
    """
    from ecauto_pipeline.history.summaries import HistorySummaries  # DuckDB and matplotlib: not for every run
    from ecauto_pipeline.reports import picture_rows

    past, now = HistorySummaries(tools.history, most_mb=MOST_MB), tools.clock.now()
    start, language = now - DAY, tools.settings.alerts.language
    questions: Mapping[str, Callable[[], Rows]] = {
        "updates by kind": lambda: past.updates_by_kind(start, now),
        "answers by hour": lambda: past.answers_by_hour(start, now),
        "budget by hour": lambda: picture_rows.budget_rows(tools, past, now),
        "freshness by tier": lambda: picture_rows.freshness_rows(tools, past, now),
        "held rows": lambda: picture_rows.held_now(tools, now),
    }
    answered = {title: rows for title, ask in questions.items() if (rows := _tried(tools, title, ask)) is not None}
    give_back()

    from ecauto_pipeline.reports import pictures

    makers: Mapping[str, Callable[[Rows, str], bytes]] = {
        "updates by kind": pictures.updates_by_kind,
        "answers by hour": pictures.outcomes_by_hour,
        "budget by hour": pictures.budget_by_hour,
        "freshness by tier": pictures.freshness_by_tier,
        "held rows": pictures.held_rows,
    }
    drawn: dict[str, str] = {}
    for title, rows in answered.items():
        picture = _tried(tools, title, partial(makers[title], rows, language))
        if picture is not None:
            drawn[title] = pictures.as_markdown(title, picture)
    return drawn


def _tried(tools: Tools, title: str, work: Callable[[], T]) -> T | None:
    try:
        return work()
    except (EcautoError, ValueError, RuntimeError, OSError) as error:
        tools.log.warning("picture %r not drawn: %s", title, error)
        return None
