"""When an operation of Amazon's counts as down, when it is tried again, and who does its work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.domain.operation_health import (
    FIRST_PROBE,
    PROBE_AT_LEAST_EVERY,
    PROBE_EVERY,
    WELL,
    FailedCall,
    OperationHealth,
    after_call,
    role_left,
)
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.operation_health import note_call, read_health

NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)
TROUBLE = FailedCall("http_503", 503, 20)
GONE = FailedCall("http_404_not_found", 404, 20)
ONE_NOT_FOUND = FailedCall("http_404_not_found", 404, 1)
ROLE = FailedCall("role_missing", 403, 20)
REFUSED = FailedCall("http_400_invalid_input", 400, 20)


def _after(*calls: tuple[float, FailedCall | None]) -> OperationHealth:
    """The health after calls at these minutes."""
    health = WELL
    for minutes, failed in calls:
        health = after_call(health, failed, NOW + timedelta(minutes=minutes))
    return health


@pytest.mark.parametrize(
    ("calls", "down"),
    [
        ([(minute, TROUBLE) for minute in (0, 1, 2, 3)], False),
        ([(minute, TROUBLE) for minute in (0, 0.5, 1, 1.5, 2.9)], False),
        ([(minute, TROUBLE) for minute in (0, 0.5, 1, 1.5, 3)], True),
        ([(0, TROUBLE), (1, TROUBLE), (2, TROUBLE), (3, None), (4, TROUBLE), (5, TROUBLE)], False),
        ([(minute, FailedCall("timeout", None, 20)) for minute in (0, 2, 4, 6, 8)], True),
        ([(minute, FailedCall("wrong_shape", 200, 20)) for minute in (0, 60, 120, 180, 240)], True),
        ([(0, GONE)], True),
        ([(0, ROLE)], True),
        ([(0, FailedCall("role_missing", 403, 1))], True),
        ([(0, ONE_NOT_FOUND), (0.1, ONE_NOT_FOUND)], False),
        ([(0, ONE_NOT_FOUND), (0.1, ONE_NOT_FOUND), (0.2, ONE_NOT_FOUND)], True),
        ([(0, REFUSED)], False),
        ([(0, FailedCall("http_400_invalid_input", 400, 20, certain=True))], True),
        ([(minute, FailedCall("quota_exceeded", 429, 20)) for minute in range(9)], False),
        ([(minute, FailedCall("lwa_invalid_client", 401, 20)) for minute in range(9)], False),
        ([(minute, FailedCall("unauthorized", 403, 20)) for minute in range(9)], False),
        ([(minute, FailedCall("name_not_resolved", None, 20)) for minute in range(9)], False),
    ],
)
def test_when_it_is_down(calls: list[tuple[float, FailedCall | None]], down: bool) -> None:
    """Five whole calls in a row over three minutes, or an answer that leaves no doubt; never a token's, a rate's or the
    network's trouble."""
    health = _after(*calls)
    assert down == (health.down_since is not None)
    if down:
        assert NOW == health.down_since, "since the first of them"


@pytest.mark.parametrize(
    ("failed", "waits"),
    [(TROUBLE, [5, 5, 5, 5, 5, 5]), (GONE, [5, 10, 20, 40, 60, 60]), (ROLE, [5, 10, 20, 40, 60, 60])],
)
def test_how_often_it_is_tried(failed: FailedCall, waits: list[int]) -> None:
    """A minute after it went down, then every five; what was refused is tried less and less, once an hour at last."""
    calls = [(minute, failed) for minute in (0, 1, 2, 3, 4)]
    health = _after(*calls) if failed is TROUBLE else _after((0, failed))
    assert health.probe_at is not None
    found = []
    now = health.probe_at
    assert FIRST_PROBE == now - NOW - timedelta(minutes=4 if failed is TROUBLE else 0)
    for _ in waits:
        assert health.may_be_asked(now)
        assert not health.may_be_asked(now - timedelta(seconds=1))
        health = after_call(health, failed, now)
        assert health.probe_at is not None
        found.append((health.probe_at - now).total_seconds() / 60)
        now = health.probe_at
    assert waits == found
    assert WELL == after_call(health, None, now)


def test_a_clock_that_was_set_back_keeps_nothing_down() -> None:
    """A probe further away than probes ever are is due at once."""
    health = _after((0, GONE))
    assert health.may_be_asked(NOW - timedelta(days=1))
    assert not health.may_be_asked(NOW - PROBE_AT_LEAST_EVERY / 2)


def test_a_probe_that_a_dead_token_spoils_is_a_probe(tmp_path: Path) -> None:
    """It waits for its next turn, and what the operation is down for stays the reason."""
    health = _after((0, GONE), (1, FailedCall("lwa_invalid_client", 401, 20)))
    assert ("http_404_not_found", NOW + timedelta(minutes=1) + PROBE_EVERY) == (health.reason, health.probe_at)


def test_who_does_the_work_of_a_role_that_has_none() -> None:
    """Sweep's is detail's, detail's and a second opinion's the single look's; a second look has nobody behind it."""
    all_but = {left_out: [role for role in Role if role is not left_out] for left_out in Role}
    assert [Role.DETAIL, Role.CONFIRM, None, Role.CONFIRM, None] == [role_left(role, all_but[role]) for role in Role]
    assert list(Role) == [role_left(role, list(Role)) for role in Role]
    assert Role.CONFIRM is role_left(Role.SWEEP, [Role.CONFIRM])
    assert role_left(Role.DETAIL, [Role.OPINION, Role.CATALOGUE]) is None


def test_it_outlives_the_process_for_each_account(tmp_path: Path) -> None:
    """What one process found out the next one knows, for the account it is about; the answer ends it for all."""
    url = f"sqlite:///{tmp_path}/state.db"
    first = Database(url)
    with first.write() as connection:
        found = note_call(connection, "sp_1", "x", GONE, NOW)
        note_call(connection, "sp_2", "x", None, NOW)
        note_call(connection, "sp_1", "y", TROUBLE, NOW)
    first.close()
    second = Database(url)
    with second.read() as connection:
        assert {("sp_1", "x"): found, ("sp_1", "y"): after_call(WELL, TROUBLE, NOW)} == read_health(connection)
    with second.write() as connection:
        assert WELL == note_call(connection, "sp_1", "x", None, NOW)
        assert [("sp_1", "y")] == list(read_health(connection))
    second.close()
