"""How far apart the ticks of a cron line can be: what is missing for much longer did not run.

Not for: firing (Dagster does), or judging the silence (doctor/health.py).
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

A_DAY_MIN = 24 * 60
_NAMES = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}


def longest_gap(cron: str) -> timedelta:
    """The longest time between two ticks of a line "minute hour day month weekday"; one day where it is not understood.

    A line with days of the month is taken for a monthly one, with months for a yearly one.
    """
    try:
        minutes, hours, days, months, weekdays = cron.split()
        ticks = sorted(60 * hour + minute for hour in _values(hours, 0, 23) for minute in _values(minutes, 0, 59))
        if months != "*":
            return timedelta(days=366)
        if days != "*":
            return timedelta(days=31)
        on = sorted({day % 7 for day in _values(weekdays, 0, 7)})
        nights = max(later - day for day, later in zip(on, [*on[1:], on[0] + 7], strict=True))
        within = (later - tick for tick, later in pairwise(ticks))
        return timedelta(minutes=max(nights * A_DAY_MIN - ticks[-1] + ticks[0], *within, 1))
    except (ValueError, IndexError):
        return timedelta(days=1)


def _values(field: str, least: int, most: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        low = least if first == "*" else _number(first)
        high = most if first == "*" or (step and not last) else _number(last or first)
        found.update(range(low, high + 1, int(step or 1)))
    return found


def _number(text: str) -> int:
    return _NAMES[text.lower()[:3]] if text.lower()[:3] in _NAMES else int(text)
