"""Laws of a shop's tokens."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing.queues import Queue
from pathlib import Path

import pytest

from ecauto_pipeline.clock import ManualClock, jst
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import AccountBlocked, Transport
from ecauto_pipeline.shops.base.token_file_home import TokenFileHome
from ecauto_pipeline.shops.base.tokens import TokenFile, Tokens, fingerprint, from_document, newest, to_document
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.oauth import TokenWriteAhead
from ecauto_pipeline_tests.processes import fresh
from ecauto_pipeline_tests.shops.base.shops_at_hand import ACCOUNT, NOON, Hands, authorise, set_up

A_TOKEN = Tokens("secret-access", "secret-refresh", NOON, NOON + timedelta(hours=1), "read_items")


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[EmulatorServer, ManualClock]]:
    clock = ManualClock(NOON)
    with EmulatorServer(clock=clock, seed=1, listings=20, accounts=1) as emulator:
        yield emulator, clock


@pytest.fixture
def world(
    server: tuple[EmulatorServer, ManualClock], tmp_path: Path
) -> Iterator[tuple[EmulatorServer, Hands, ManualClock]]:
    emulator, clock = server
    clock.set(NOON)
    emulator.control.reset(seed=1)
    hands = set_up(tmp_path, emulator.url, clock)
    authorise(hands, emulator, clock)
    yield emulator, hands, clock
    emulator.control.clear_faults()


def refreshes(emulator: EmulatorServer) -> int:
    return len(emulator.control.calls(operation="oauth/token"))


def test_a_token_is_refreshed_five_minutes_before_it_ends(world: tuple[EmulatorServer, Hands, ManualClock]) -> None:
    """Not at minute 54, and at minute 56 once."""
    emulator, hands, clock = world
    hands.shop.check()
    clock.advance(54 * 60)
    hands.shop.check()
    assert 0 == refreshes(emulator)
    clock.advance(2 * 60)
    hands.shop.check()
    hands.shop.check()
    assert 1 == refreshes(emulator)


def test_a_refused_token_is_refreshed_once_and_the_call_repeated(
    world: tuple[EmulatorServer, Hands, ManualClock],
) -> None:
    """A revoked access token costs one refresh and nobody notices."""
    emulator, hands, _ = world
    emulator.control.expire_tokens("base", ACCOUNT)
    assert hands.shop.check()["shop_id"]
    assert 1 == refreshes(emulator)


def test_a_token_refused_twice_blocks_the_shop(world: tuple[EmulatorServer, Hands, ManualClock]) -> None:
    """One forced refresh, one more try, then a person is asked; never a loop."""
    emulator, hands, _ = world
    emulator.control.add_faults({"kind": "token_expired", "api": "base", "operation": "users/me"})
    with pytest.raises(AccountBlocked) as blocked:
        hands.shop.check()
    assert ("token", 1, 2) == (
        blocked.value.reason,
        refreshes(emulator),
        len(emulator.control.calls(operation="users/me")),
    )


def test_a_dead_refresh_token_asks_a_person_and_shows_no_secret(
    world: tuple[EmulatorServer, Hands, ManualClock],
) -> None:
    """The message holds BASE's words and nothing that could be used."""
    emulator, hands, _ = world
    emulator.control.revoke_tokens("base", ACCOUNT)
    with pytest.raises(AccountBlocked, match="リフレッシュトークン") as blocked:
        hands.shop.check()
    tokens = hands.keeper.current()
    assert tokens is not None
    shown = repr(tokens) + repr(hands.keeper.application) + repr(blocked.value) + str(hands.calls.rows)
    secrets = (tokens.access_token, tokens.refresh_token, hands.keeper.application.client_secret)
    assert [] == [secret for secret in secrets if secret in shown]


def test_a_shop_never_authorised_asks_a_person(world: tuple[EmulatorServer, Hands, ManualClock]) -> None:
    """No token file: no call at all."""
    emulator, hands, _ = world
    hands.token_path.unlink()
    with pytest.raises(AccountBlocked, match="ecauto auth"):
        hands.shop.check()
    assert [] == emulator.control.calls(api="base")


def test_a_code_is_traded_for_tokens(world: tuple[EmulatorServer, Hands, ManualClock]) -> None:
    """A wrong code blocks, a torn file is mended by a new authorisation."""
    _, hands, _ = world
    hands.token_path.write_text("{", encoding="utf-8")
    with pytest.raises(AccountBlocked):
        hands.shop.check()
    with pytest.raises(AccountBlocked, match="認可コード"):
        hands.keeper.exchange("wrong")


def test_the_file_is_private_and_readable_by_the_older_programs(
    world: tuple[EmulatorServer, Hands, ManualClock],
) -> None:
    """Mode 0600, their keys, naive Japanese time."""
    _, hands, clock = world
    hands.keeper.renew(refused=hands.keeper.access_token())
    document = json.loads(hands.token_path.read_text(encoding="utf-8"))
    assert 0o600 == stat.S_IMODE(hands.token_path.stat().st_mode)
    theirs = {"access_token", "refresh_token", "token_type", "expires_in", "obtained_at", "expires_at", "scope"}
    assert theirs <= set(document)
    assert jst(clock.now() + timedelta(hours=1)).replace(tzinfo=None) == datetime.fromisoformat(document["expires_at"])
    assert "write_items" in document["scope"]


def test_old_files_are_understood() -> None:
    """Without scope, without expiry, with naive Japanese times; what is unknown stays in the document."""
    text = json.dumps(
        {
            "access_token": "a",
            "refresh_token": "r",
            "expires_in": 3600,
            "obtained_at": "2026-11-10T12:10:00.000001",
            "owner_note": "見本",
        }
    )
    tokens = from_document(text)
    assert datetime(2026, 11, 10, 4, 10, 0, 1, tzinfo=UTC) == tokens.expires_at
    assert "見本" == json.loads(to_document(tokens))["owner_note"]
    bare = from_document('{"refresh_token": "r"}', NOON)
    assert (False, NOON) == (bare.usable(NOON), bare.obtained_at)


def test_days_left_count_from_when_the_token_was_obtained(
    world: tuple[EmulatorServer, Hands, ManualClock],
) -> None:
    """30 days after the last refresh it is dead."""
    _, hands, clock = world
    assert 30.0 == pytest.approx(hands.shop.token_days_left(clock.now()) or 0, abs=1e-4)
    assert -1.0 == pytest.approx(hands.shop.token_days_left(clock.now() + timedelta(days=31)) or 0, abs=1e-4)


def test_whichever_replaced_the_other_counts_whatever_the_clocks_say() -> None:
    """A successor wins even when its time is earlier (the clock was set back); strangers go by time."""
    after = Tokens("a2", "r2", NOON - timedelta(days=2), NOON, replaces=fingerprint(A_TOKEN.refresh_token))
    assert after is newest(A_TOKEN, after)
    assert after is newest(after, A_TOKEN)
    stranger = Tokens("a3", "r3", NOON + timedelta(days=1), NOON)
    assert stranger is newest(stranger, A_TOKEN)
    assert stranger is newest(A_TOKEN, stranger)


def test_a_broken_write_leaves_the_old_file(tmp_path: Path) -> None:
    """What can't be written does not harm what is there, and leaves no litter."""
    file = TokenFile(tmp_path / "t.json")
    file.write(A_TOKEN)
    broken = Tokens("a", "r", NOON, NOON, rest={"x": object()})
    with pytest.raises(TypeError):
        file.write(broken)
    assert "secret-refresh" == (file.read() or broken).refresh_token
    assert ["t.json"] == os.listdir(tmp_path)
    (tmp_path / ".t.json.0123").write_text("of a process that was killed", encoding="utf-8")
    file.write(A_TOKEN)
    assert ["t.json"] == os.listdir(tmp_path)


def _die_before_the_file(folder: Path, url: str) -> None:
    class DeadlyHome(TokenFileHome):
        def _write_file(self, tokens: Tokens) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

    ahead = TokenWriteAhead(Database(f"sqlite:///{folder / 'state.db'}"), "base")
    home = DeadlyHome(folder / "tokens" / f"{ACCOUNT}_token.json", ahead, ACCOUNT)
    set_up(folder, url, ManualClock(NOON + timedelta(minutes=58)), home=home).keeper.access_token()


def test_a_kill_between_the_answer_and_the_file_loses_no_token(
    world: tuple[EmulatorServer, Hands, ManualClock], tmp_path: Path
) -> None:
    """The new refresh token stands in state.db; the next process heals the file and goes on."""
    emulator, hands, clock = world
    clock.advance(58 * 60)
    old = hands.token_path.read_text(encoding="utf-8")
    victim = fresh().Process(target=_die_before_the_file, args=(tmp_path, emulator.url))
    victim.start()
    victim.join()
    assert -signal.SIGKILL == victim.exitcode
    assert old == hands.token_path.read_text(encoding="utf-8")
    again = set_up(tmp_path, emulator.url, clock)
    assert again.shop.check()["shop_id"]
    assert 1 == refreshes(emulator)
    assert again.keeper.access_token() == json.loads(hands.token_path.read_text(encoding="utf-8"))["access_token"]


def _check(folder: Path, url: str, answers: Queue[str]) -> None:
    hands = set_up(folder, url, ManualClock(NOON + timedelta(minutes=58)))
    answers.put(str(hands.shop.check()["shop_id"]))


def test_two_processes_with_an_expired_token_refresh_once(
    world: tuple[EmulatorServer, Hands, ManualClock], tmp_path: Path
) -> None:
    """Both go on, BASE saw one refresh."""
    emulator, _, clock = world
    clock.advance(58 * 60)
    context = fresh()
    answers: Queue[str] = context.Queue()
    workers = [context.Process(target=_check, args=(tmp_path, emulator.url, answers)) for _ in range(2)]
    for worker in workers:
        worker.start()
    assert ["base-account-1"] * 2 == [answers.get() for _ in workers]
    for worker in workers:
        worker.join()
    assert 1 == refreshes(emulator)


def test_a_refresh_without_an_answer_is_no_verdict(world: tuple[EmulatorServer, Hands, ManualClock]) -> None:
    """A gateway's error during a refresh backs off; it does not block the shop, and the file stays."""
    emulator, hands, clock = world
    old = hands.token_path.read_text(encoding="utf-8")
    clock.advance(3600)
    emulator.control.add_faults({"kind": "http_error", "api": "base", "operation": "oauth/token"})
    with pytest.raises(Transport):
        hands.shop.check()
    assert old == hands.token_path.read_text(encoding="utf-8")
