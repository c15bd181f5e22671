"""Whether a shop's part of the register shrank so suddenly that it is not believed. Pure.

Counts are compared with the highest of the last day (of two at most), so that many small portions are one fall; a fall
that nobody accepted moves nothing. Not for: counting (sync/listings/register_watch.py) or a person's word
(sync/people/register_counts.py).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

LEAST_ROWS = 20
"""Fewer rows than this are no fall, however large a share, unless nothing is left."""
WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class RegisterCounts:
    """Of one shop: published rows that master.db lists, and how many of these have a title in either language."""

    listed: int = 0
    title_ja: int = 0
    title_en: int = 0

    def highest(self, other: RegisterCounts) -> RegisterCounts:
        """Figure by figure."""
        return RegisterCounts(*(max(getattr(self, one.name), getattr(other, one.name)) for one in fields(self)))


@dataclass(frozen=True, slots=True)
class Fall:
    """One figure (a field of RegisterCounts) that fell."""

    figure: str
    before: int
    now: int


@dataclass(frozen=True, slots=True)
class Believed:
    """What is believed of a shop's register: the highest counts of the window before and of this one, begun `since`."""

    before: RegisterCounts
    lately: RegisterCounts
    since: datetime

    @property
    def counts(self) -> RegisterCounts:
        """What a new count is held against."""
        return self.before.highest(self.lately)

    def after(self, counts: RegisterCounts, now: datetime) -> Believed:
        """After a count that was believed: growth counts at once, a small loss when its day is over."""
        if self.since <= now < self.since + WINDOW:
            return Believed(self.before, self.lately.highest(counts), self.since)
        return Believed(self.lately, counts, now)


def believed_from(counts: RegisterCounts, now: datetime) -> Believed:
    """A beginning: the first count of a shop, or one that a person accepted."""
    return Believed(counts, counts, now)


def falls(believed: RegisterCounts, now: RegisterCounts, most_share: float) -> tuple[Fall, ...]:
    """What fell by more than `most_share` and by LEAST_ROWS at least, or to nothing.

    Titles that left together with their listings are no loss of titles.
    """
    found = []
    if _fell(believed.listed, now.listed, most_share):
        found.append(Fall("listed", believed.listed, now.listed))
    gone = max(0, believed.listed - now.listed)
    for figure in ("title_ja", "title_en"):
        before, left = getattr(believed, figure), getattr(now, figure)
        emptied = left == 0 and before > gone
        if emptied or _fell(before, left + gone, most_share):
            found.append(Fall(figure, before, left))
    return tuple(found)


def _fell(before: int, now: int, most_share: float) -> bool:
    lost = before - now
    return lost > 0 and (now <= 0 or (lost >= LEAST_ROWS and lost > before * most_share))
