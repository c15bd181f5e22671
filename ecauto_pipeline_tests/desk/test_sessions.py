"""Who may come in, for how long, and how often somebody may guess."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.desk.sessions import FREE_TRIES, LIFE_S, LONGEST_WAIT_S, Sessions, password_of
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import Desk

PASSWORD = "correct horse battery"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 1, 5, 3, tzinfo=UTC))


@pytest.fixture
def sessions(clock: ManualClock) -> Sessions:
    return Sessions(PASSWORD, clock)


def test_a_session_is_over_after_twelve_hours(sessions: Sessions, clock: ManualClock) -> None:
    """Not a second later, however often it was used."""
    cookie = sessions.enter(PASSWORD, "10.0.0.1")
    assert cookie is not None
    clock.advance(LIFE_S - 1)
    assert sessions.is_in(cookie)
    clock.advance(2)
    assert not sessions.is_in(cookie)


def test_a_session_that_was_left_is_over(sessions: Sessions) -> None:
    """Another one of the same person goes on."""
    first, second = (sessions.enter(PASSWORD, "10.0.0.1") or "" for _ in range(2))
    sessions.leave(first)
    assert (False, True) == (sessions.is_in(first), sessions.is_in(second))


def test_a_cookie_of_our_own_making_is_no_session(sessions: Sessions, clock: ManualClock) -> None:
    """Neither an unsigned one, nor one signed by another desk, nor one whose time was moved."""
    cookie = sessions.enter(PASSWORD, "10.0.0.1") or ""
    other = Sessions(PASSWORD, clock).enter(PASSWORD, "10.0.0.1") or ""
    name, _, rest = cookie.partition("|")
    forged = ["", "x", name, f"{name}|9{rest[1:]}", cookie[:-1], other, cookie + "x", "|||", "é"]
    assert [] == [one for one in forged if sessions.is_in(one)]


def test_guessing_becomes_slower_and_does_not_keep_others_out(sessions: Sessions, clock: ManualClock) -> None:
    """Five tries cost nothing, then each waits twice as long as the one before, a minute at most; the right password
    that comes too early is refused like a wrong one, and somebody elsewhere gets in at once."""
    for _ in range(FREE_TRIES):
        assert sessions.wait_s("10.0.0.1") == 0
        assert sessions.enter("wrong", "10.0.0.1") is None
    waits = []
    for _ in range(9):
        waits.append(sessions.wait_s("10.0.0.1"))
        assert sessions.enter(PASSWORD, "10.0.0.1") is None
        clock.advance(waits[-1])
        assert sessions.enter("wrong", "10.0.0.1") is None
    assert [1, 2, 4, 8, 16, 32, LONGEST_WAIT_S, LONGEST_WAIT_S, LONGEST_WAIT_S] == waits
    assert sessions.enter(PASSWORD, "10.0.0.2") is not None
    clock.advance(LONGEST_WAIT_S)
    assert sessions.enter(PASSWORD, "10.0.0.1") is not None
    assert 0 == sessions.wait_s("10.0.0.1")


def test_without_a_password_everybody_on_this_machine_is_in(clock: ManualClock) -> None:
    """That is the default, on loopback; no cookie is given for an empty password."""
    sessions = Sessions("", clock)
    assert (True, None) == (sessions.is_in(""), sessions.enter("", "127.0.0.1"))


@pytest.mark.parametrize(
    ("desk", "environ", "password"),
    [
        ({}, {}, ""),
        ({"password_env": "DESK"}, {"DESK": PASSWORD}, PASSWORD),
        ({"host": "192.168.1.5", "password_env": "DESK"}, {"DESK": PASSWORD}, PASSWORD),
        ({"host": "0.0.0.0", "url": "https://shop.example", "password_env": "DESK"}, {"DESK": PASSWORD}, PASSWORD),
        ({"password_env": "DESK"}, {}, None),
        ({"password_env": "DESK"}, {"DESK": "short"}, None),
        ({"host": "192.168.1.5"}, {}, None),
        ({"host": "0.0.0.0", "password_env": "DESK"}, {"DESK": PASSWORD}, None),
    ],
)
def test_another_address_than_loopback_needs_a_password(
    desk: dict[str, Any], environ: dict[str, str], password: str | None
) -> None:
    """And one that is listened on everywhere needs the address that people open; a name without a value is refused."""
    if password is None:
        with pytest.raises(SettingsError, match=r"\[desk\]") as refused:
            password_of(Desk(**desk), environ)
        assert "short" not in str(refused.value)
    else:
        assert password == password_of(Desk(**desk), environ)
