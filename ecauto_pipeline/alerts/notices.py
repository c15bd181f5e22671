"""When people are told: one message a rule and change of state, quiet hours, the daily digest. Pure.

A `Standing` is what is known of one rule: its state, since when, and what each channel was last told. A channel that
was told nothing counts as told "ok". Not for: the texts (alerts/messages.py) or sending (alerts/channels).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Literal

from ecauto_pipeline.alerts.verdicts import Verdict
from ecauto_pipeline.clock import jst

State = Literal["ok", "firing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """One rule as it stands. `told`: by channel, the state it last heard of."""

    key: str
    state: State
    since: datetime
    told: Mapping[str, State] = field(default_factory=dict)

    def owed(self, channel: str) -> bool:
        """Whether this channel still has to hear of the present state."""
        return self.told.get(channel, "ok") != self.state


def after(standing: Standing | None, verdict: Verdict, now: datetime) -> Standing:
    """The standing after one more verdict. What is not judged changes nothing; `since` moves only with the state."""
    before = standing or Standing(verdict.key, "ok", now)
    state: State = before.state if not verdict.judged else "ok" if verdict.passed else "firing"
    return before if state == before.state else replace(before, state=state, since=now)


def quiet_until(quiet_hours: str, now: datetime) -> datetime | None:
    """The end of the quiet hours `now` lies in ("23:00-07:00" JST, over midnight or not), None outside of them."""
    if not quiet_hours:
        return None
    begin, end = (_clock_time(part) for part in quiet_hours.split("-"))
    here = jst(now)
    inside = begin <= here.time() < end if begin <= end else here.time() >= begin or here.time() < end
    if not inside:
        return None
    over = here.replace(hour=end.hour, minute=end.minute, second=0, microsecond=0)
    return over if over > here else over + timedelta(days=1)


def digest_due(daily_digest: str, now: datetime, last: datetime | None) -> bool:
    """Whether the day's summary ("08:00" JST) is owed: its time has come and none was sent since."""
    if not daily_digest:
        return False
    at = _clock_time(daily_digest)
    here = jst(now)
    due = here.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    if due > here:
        due -= timedelta(days=1)
    return last is None or last < due


def _clock_time(text: str) -> time:
    """ "07:30" as a time; "24:00" is midnight, the end of the day. Raises ValueError on an hour that is none."""
    hour, minute = (int(part) for part in text.split(":"))
    return time(0 if hour == 24 and minute == 0 else hour, minute)
