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
from ecauto_pipeline.clock import AHEAD, jst

State = Literal["ok", "firing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """One rule and subject as it stands. `told`: by channel, the state it last heard of.

    `members`: what a set consists of that people have to see to, by name; `at`: when what it goes by came to be so,
    where the verdict said.
    """

    key: str
    state: State
    since: datetime
    told: Mapping[str, State] = field(default_factory=dict)
    members: frozenset[str] = frozenset()
    at: datetime | None = None

    def owed(self, channel: str) -> bool:
        """Whether this channel still has to hear of the present state."""
        return self.told.get(channel, "ok") != self.state


def after(standing: Standing | None, verdict: Verdict, now: datetime) -> Standing:
    """The standing after one more verdict. What is not judged, or was overtaken, changes nothing; `since` moves only
    with the state.

    A set that has grown is owed to every channel once more.
    """
    before = standing or Standing(verdict.key, "ok", now)
    if not verdict.judged or overtaken(standing, verdict, now):
        return before
    state: State = "ok" if verdict.passed else "firing"
    members = frozenset(verdict.members)
    if state != before.state:
        return replace(before, state=state, since=now, members=members, at=verdict.at)
    told = {} if grown_by(before, verdict) else before.told
    return replace(before, members=members, told=told, at=verdict.at)


def overtaken(standing: Standing | None, verdict: Verdict, now: datetime) -> bool:
    """Whether the standing goes by something later than what the verdict tells of. What it goes by can't lie ahead:
    then the clock was wrong when that was stamped."""
    if standing is None or standing.at is None or verdict.at is None:
        return False
    return verdict.at < standing.at <= now + AHEAD


def grown_by(standing: Standing | None, verdict: Verdict) -> tuple[str, ...]:
    """What has come to a set that fires already, in the verdict's order; () where nobody has heard of it yet."""
    if standing is None or standing.state != "firing" or not standing.told:
        return ()
    return tuple(name for name in verdict.members if name not in standing.members)


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
    """Whether the day's summary ("08:00" JST) is owed: its time has come and none was sent since. A `last` that lies
    ahead was stamped by a clock that was wrong."""
    if not daily_digest:
        return False
    at = _clock_time(daily_digest)
    here = jst(now)
    due = here.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    if due > here:
        due -= timedelta(days=1)
    return last is None or last < due or last > now + AHEAD


def _clock_time(text: str) -> time:
    """ "07:30" as a time; "24:00" is midnight, the end of the day. Raises ValueError on an hour that is none."""
    hour, minute = (int(part) for part in text.split(":"))
    return time(0 if hour == 24 and minute == 0 else hour, minute)
