"""What a cron line says: how far apart its ticks can be (what is missing for much longer did not run), and the next.

Not for: firing (Dagster does), or judging the silence (doctor/health.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta
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


def next_tick(cron: str, after: datetime) -> datetime | None:
    """The first tick of a line "minute hour day month weekday" later than `after`, in its time zone; None where the
    line is not understood, or has none within a year.
    """
    try:
        minutes, hours, days, months, weekdays = cron.split()
        at_minutes, at_hours = _values(minutes, 0, 59), _values(hours, 0, 23)
        of_month, in_months = _values(days, 1, 31), _values(months, 1, 12)
        of_week = {day % 7 for day in _values(weekdays, 0, 7)}
    except (ValueError, IndexError):
        return None
    either = days != "*" and weekdays != "*"  # cron's own law: with both given, one of them is enough
    start = after.replace(second=0, microsecond=0)
    for day in (start + timedelta(days=number) for number in range(367)):
        right_day, right_week = day.day in of_month, day.isoweekday() % 7 in of_week
        if day.month not in in_months or not (right_day or right_week if either else right_day and right_week):
            continue
        for hour in sorted(at_hours):
            for minute in sorted(at_minutes):
                tick = day.replace(hour=hour, minute=minute)
                if tick > after:
                    return tick
    return None


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
