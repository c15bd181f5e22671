"""What a week of runs found out about the sweep's sight, and what the second opinion said of unchanged answers.

A small shop makes nearly nine thousand runs a week: of each one's section only the figures that are summed up are read.
Not for: the sections themselves (sections.py), or what follows from the sums (domain/freshness/planning.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection

from ecauto_pipeline.domain.freshness.planning import Evidence
from ecauto_pipeline.domain.lanes import WHOLE_LANE
from ecauto_pipeline.domain.offers.second_opinion import Audited
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.sections import FetchReport

EVIDENCE_KEPT = timedelta(days=7)
"""A verdict on the sweep rests on this much past; a sweep once found blind is tried again when it has gone by."""


@dataclass(frozen=True, slots=True)
class _Figures:
    """Of one run's questions, by FetchReport's own names."""

    sweep_answers: int = 0
    sweep_unknown: int = 0
    probe_audited: int = 0
    probe_missed: int = 0
    audits: Mapping[str, int] = field(default_factory=dict)


def sweep_evidence(connection: Connection, now: datetime, lane: str = WHOLE_LANE) -> Evidence:
    """What the runs of the last days found out about the sweep's sight; `lane`: those that work on its shops."""
    found = list(_figures(connection, now, lane))
    return Evidence(
        answers=sum(one.sweep_answers for one in found),
        unknown=sum(one.sweep_unknown for one in found),
        audited=sum(one.probe_audited for one in found),
        missed=sum(one.probe_missed for one in found),
    )


def opinion_audits(connection: Connection, now: datetime) -> Audited:
    """What the second opinion said of unchanged answers in the runs of the last days."""
    audits = Counter[str]()
    for one in _figures(connection, now):
        audits.update(one.audits)
    return FetchReport(audits=audits).audited


def _figures(connection: Connection, now: datetime, lane: str = WHOLE_LANE) -> Iterator[_Figures]:
    for _, text in run_book.sections(connection, "sp_api_snapshots", since=now - EVIDENCE_KEPT, lane=lane):
        with suppress(ValidationError):  # another version's shape: not measured
            yield _adapter().validate_json(text)


@cache
def _adapter() -> TypeAdapter[_Figures]:
    return TypeAdapter(_Figures)
