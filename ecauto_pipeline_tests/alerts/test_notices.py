"""When people are told: changes of state only, quiet hours over midnight, one digest a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.alerts.notices import Standing, after, digest_due, overtaken, quiet_until
from ecauto_pipeline.alerts.verdicts import Verdict
from ecauto_pipeline.clock import JST

START = datetime(2026, 1, 1, tzinfo=UTC)


def verdict(passed: bool, judged: bool = True) -> Verdict:
    return Verdict("held_rows", passed or not judged, judged, 1.0, 0.0, "WARN", "保留", "held")


@given(st.lists(st.sampled_from(["ok", "bad", "unjudged"]), max_size=40))
def test_state_follows_the_last_judged_verdict(says: list[str]) -> None:
    """`since` is the time of the last change; what is not judged changes nothing; only firing is owed."""
    standing: Standing | None = None
    state, since = "ok", None
    for minute, say in enumerate(says):
        now = START + timedelta(minutes=minute)
        standing = after(standing, verdict(say == "ok", say != "unjudged"), now)
        since = since or now
        wanted = {"ok": "ok", "bad": "firing", "unjudged": state}[say]
        if wanted != state:
            state, since = wanted, now
        assert (state, since) == (standing.state, standing.since)
        assert (state == "firing") == standing.owed("anywhere")


@given(st.lists(st.booleans(), min_size=1, max_size=6).flatmap(lambda ends: st.permutations(list(enumerate(ends)))))
def test_of_what_comes_in_any_order_the_latest_counts(ends: list[tuple[int, bool]]) -> None:
    """(minute, whether it was well) of the ends of runs, as the sensors come upon them."""
    standing, latest = None, -1
    for minute, _ in ends:
        passed = dict(ends)[minute]
        said = replace(verdict(passed), at=START + timedelta(minutes=minute))
        assert overtaken(standing, said, START + timedelta(hours=1)) == (minute < latest)
        standing, latest = after(standing, said, START + timedelta(hours=1)), max(minute, latest)
        assert ("ok" if dict(ends)[latest] else "firing") == standing.state


def test_an_end_that_lies_ahead_silences_nothing() -> None:
    """It was stamped while a clock was a day fast; so was a digest then."""
    ahead = after(None, replace(verdict(True), at=START + timedelta(days=1)), START)
    assert "firing" == after(ahead, replace(verdict(False), at=START), START).state
    assert digest_due("08:00", START, START + timedelta(days=1))


@pytest.mark.parametrize(
    ("hours", "at", "until"),
    [
        ("23:00-07:00", "22:59", None),
        ("23:00-07:00", "23:00", "2026-01-02 07:00"),
        ("23:00-07:00", "06:59", "2026-01-01 07:00"),
        ("23:00-07:00", "07:00", None),
        ("12:00-13:00", "12:30", "2026-01-01 13:00"),
        ("12:00-12:00", "12:00", None),
        ("20:00-24:00", "23:59", "2026-01-02 00:00"),
        ("", "03:00", None),
    ],
)
def test_quiet_hours(hours: str, at: str, until: str | None) -> None:
    """The first minute belongs to the quiet hours, the last does not; they may lie over midnight."""
    now = datetime.strptime(f"2026-01-01 {at}", "%Y-%m-%d %H:%M").replace(tzinfo=JST)
    found = quiet_until(hours, now.astimezone(UTC))
    assert until == (found and found.strftime("%Y-%m-%d %H:%M"))


def test_a_digest_is_owed_once_a_day() -> None:
    """From its time on until it was sent, and again a day later; never where it is switched off."""
    morning = datetime(2026, 1, 1, 8, 0, tzinfo=JST)
    assert not digest_due("", morning, None)
    assert digest_due("08:00", morning, None)
    assert not digest_due("08:00", morning + timedelta(hours=23, minutes=59), morning)
    assert digest_due("08:00", morning + timedelta(hours=24), morning)
    assert digest_due("08:00", morning - timedelta(minutes=1), morning - timedelta(days=2))
