"""The pictures on the assets' pages: freshness, budget, answers, updates and held rows of the last day.

A picture that can't be drawn is a line in the log; it never fails a run. Not for: drawing (pictures.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline.history.summaries import HistorySummaries
from ecauto_pipeline.sync.context import Tools

DAY = timedelta(days=1)


def pictures_of_the_day(tools: Tools) -> Mapping[str, str]:
    """Markdown with an embedded PNG, by title; those that could be drawn, in the order in which people look."""
    from ecauto_pipeline.reports import (
        picture_rows,  # matplotlib is slow to import
        pictures,
    )

    past, now = HistorySummaries(tools.history), tools.clock.now()
    start, language = now - DAY, tools.settings.alerts.language
    makers: Mapping[str, Callable[[], bytes]] = {
        "updates by kind": lambda: pictures.updates_by_kind(past.updates_by_kind(start, now), language),
        "answers by hour": lambda: pictures.outcomes_by_hour(past.answers_by_hour(start, now), language),
        "budget by hour": lambda: pictures.budget_by_hour(picture_rows.budget_rows(tools, past, now), language),
        "freshness by tier": lambda: pictures.freshness_by_tier(
            picture_rows.freshness_rows(tools, past, now), language
        ),
        "held rows": lambda: pictures.held_rows(picture_rows.held_now(tools, now), language),
    }
    drawn: dict[str, str] = {}
    for title, make in makers.items():
        try:
            drawn[title] = pictures.as_markdown(title, make())
        except (EcautoError, ValueError, RuntimeError, OSError) as error:
            tools.log.warning("picture %r not drawn: %s", title, error)
    return drawn
