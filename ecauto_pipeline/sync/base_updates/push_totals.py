"""Two pushes of one run as one report: what was sent first, and what followed from how that ended.

Not for: pushing (push.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from ecauto_pipeline.domain.selling.row_counts import RowCounts
from ecauto_pipeline.sync.push_section import PushReport

WORST_ROWS = 10
"""Failed rows that a report names; the others are counted."""


def together(first: PushReport, second: PushReport) -> PushReport:
    """Both; calls, shops and what was written back are the run's, as the second saw them last."""
    oldest = max((first, second), key=_share_of_allowed_age)
    return replace(
        second,
        oldest_pushed_data_s=oldest.oldest_pushed_data_s,
        oldest_allowed_s=oldest.oldest_allowed_s,
        oldest_pushed=oldest.oldest_pushed,
        account=first.account + second.account,
        correction=first.correction + second.correction,
        by_account=_added(first.by_account, second.by_account),
        by_kind=_added(first.by_kind, second.by_kind),
        reasons=dict(sorted((Counter(first.reasons) + Counter(second.reasons)).items())),
        edits=first.edits + second.edits,
        unknown=first.unknown + second.unknown,
        settled_done=first.settled_done + second.settled_done,
        settled_not_done=first.settled_not_done + second.settled_not_done,
        waiting=first.waiting + second.waiting,
        out_of_calls=tuple(sorted((Counter(dict(first.out_of_calls)) + Counter(dict(second.out_of_calls))).items())),
        alerts=tuple(dict.fromkeys((*first.alerts, *second.alerts))),
        failures=(*first.failures, *second.failures)[:WORST_ROWS],
        faults=(*first.faults, *second.faults),
        planned_s=first.planned_s + second.planned_s,
    )


def _share_of_allowed_age(report: PushReport) -> float:
    if report.oldest_pushed_data_s is None or not report.oldest_allowed_s:
        return -1.0
    return report.oldest_pushed_data_s / report.oldest_allowed_s


def _added(first: Mapping[str, RowCounts], second: Mapping[str, RowCounts]) -> dict[str, RowCounts]:
    names = sorted({*first, *second})
    return {name: first.get(name, RowCounts()) + second.get(name, RowCounts()) for name in names}
