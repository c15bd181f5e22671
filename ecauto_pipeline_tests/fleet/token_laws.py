"""Laws of a fleet's tokens, whatever database state lies in: each a function of an emulator and a state's address.

Run on SQLite by test_sealed_tokens.py, on PostgreSQL by proofs/fleet/test_tokens.py.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import AccountBlocked, Transport
from ecauto_pipeline.fleet import keys
from ecauto_pipeline.fleet.seal import Seal, is_sealed, new_key
from ecauto_pipeline.fleet.sealed_tokens import SealedTokenHome, seal_name
from ecauto_pipeline.shops.base.tokens import TokenFile, Tokens, fingerprint, to_document
from ecauto_pipeline.state import leases
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.oauth import TokenWriteAhead
from ecauto_pipeline_tests.shops.base.shops_at_hand import ACCOUNT, NOON, Hands, set_up

ROUNDS = 8


@dataclass
class Fleet:
    """Machines over one state: each with a folder, a connection and a keeper of its own."""

    emulator: EmulatorServer
    clock: ManualClock
    folder: Path
    url: str
    key: str = field(default_factory=new_key)
    databases: list[Database] = field(default_factory=list)

    def database(self) -> Database:
        self.databases.append(Database(self.url))
        return self.databases[-1]

    @property
    def rows(self) -> TokenWriteAhead:
        return TokenWriteAhead(self.databases[0] if self.databases else self.database(), "base")

    def home(self, name: str, *keys: str, account: str = ACCOUNT) -> SealedTokenHome:
        rescue = self.folder / name / "token.sealed"
        seal = Seal(keys or (self.key,))
        return SealedTokenHome(
            self.database(), "base", account, seal, self.clock, call_s=5.0, rescue=rescue, wait=_let_others_go
        )

    def machine(self, name: str, *keys: str) -> Hands:
        home = self.home(name, *keys)
        return set_up(self.folder / name, self.emulator.url, self.clock, home=home, database=self.databases[-1])

    def authorise(self) -> Tokens:
        """As if the shop's owner had said yes, on some machine."""
        issued = self.emulator.control.issue_base_tokens(ACCOUNT)
        now = self.clock.now()
        tokens = Tokens(issued["access_token"], issued["refresh_token"], now, now + timedelta(hours=1))
        home = self.home("first")
        with home.turn():
            home.load()
            home.keep(tokens)
        return tokens

    def renewals(self) -> int:
        return len(self.emulator.control.calls(operation="oauth/token"))

    def close(self) -> None:
        for database in self.databases:
            database.close()


def _let_others_go(_seconds: float) -> None:
    """A turn's waiting, without its seconds: the clock is moved by hand."""
    time.sleep(0.001)


def two_machines_renew_once(fleet: Fleet) -> None:
    """Eight times a token ends while two machines work: each time one renewal, and neither is refused."""
    fleet.authorise()
    machines = [fleet.machine("a"), fleet.machine("b")]
    refused: list[AccountBlocked] = []
    for _ in range(ROUNDS):
        fleet.clock.advance(58 * 60)
        together = threading.Barrier(len(machines))

        def work(hands: Hands, together: threading.Barrier = together) -> None:
            together.wait()
            try:
                hands.shop.check()
            except AccountBlocked as error:
                refused.append(error)

        threads = [threading.Thread(target=work, args=(hands,)) for hands in machines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [] == refused
    assert ROUNDS == fleet.renewals()


def a_wrong_key_sends_and_changes_nothing(fleet: Fleet) -> None:
    """Neither a call nor a new authorisation goes out, and the row stands as it was: the shop is not blocked for
    machines that have the key."""
    fleet.authorise()
    before = fleet.rows.load(ACCOUNT)
    stranger = fleet.machine("stranger", new_key())
    for work in (stranger.shop.check, lambda: stranger.keeper.exchange("a code")):
        with pytest.raises(Transport) as told:
            work()
        assert "token_key" == told.value.reason
    assert [] == fleet.emulator.control.calls(api="base")
    assert before == fleet.rows.load(ACCOUNT)
    assert fleet.machine("a").shop.check()["shop_id"]


def anothers_tokens_are_none(fleet: Fleet) -> None:
    """A seal names its shop: one shop's row in another's place opens nothing."""
    fleet.authorise()
    sealed = fleet.rows.load(ACCOUNT)
    assert sealed is not None
    fleet.rows.save("another", sealed, NOON)
    with pytest.raises(Transport, match=f"sealed for base:{ACCOUNT}"):
        fleet.home("a", account="another").current()


def a_key_changed_in_mid_renewal_costs_no_token(fleet: Fleet) -> None:
    """What a renewal bought replaces the pair before it, though that was sealed meanwhile by a key that the renewing
    machine does not have."""
    tokens = fleet.authorise()
    newer, home = new_key(), fleet.home("renewing")
    bought = Tokens("a2", "r2", NOON + timedelta(hours=1), NOON + timedelta(hours=2))
    with home.turn():
        assert tokens.refresh_token == _refresh_token(home.load())
        old = fleet.rows.load(ACCOUNT)
        assert old is not None
        assert fleet.rows.swap(ACCOUNT, old, Seal([newer]).close(seal_name("base", ACCOUNT), to_document(tokens)))
        home.keep(bought)
    assert "r2" == _refresh_token(fleet.home("b", newer, fleet.key).current())


def rotating_ends_the_same_whenever_it_died(fleet: Fleet) -> None:
    """Every shop is brought under the newest key and counted; what was done before a death stays done; what no key
    opens is named and left."""
    newer = new_key()
    for account in ("shop_1", "shop_2", "shop_3"):
        name = seal_name("base", account)
        fleet.rows.save(account, Seal([fleet.key]).close(name, '{"refresh_token": "r"}'), NOON)
    lost = Seal([new_key()]).close("base:shop_3", '{"refresh_token": "r"}')
    fleet.rows.save("shop_3", lost, NOON)
    seal = Seal([newer, fleet.key])
    homes = {account: fleet.home("a", newer, fleet.key, account=account) for account in fleet.rows.each()}
    dying = {**homes, "shop_2": _DyingHome()}
    with pytest.raises(KeyboardInterrupt):
        keys.rotate(fleet.rows, "base", seal, dying)
    assert {"shop_1": "newest", "shop_2": "older", "shop_3": "unopened"} == keys.lie(fleet.rows, "base", seal)
    assert keys.Rotated(1, 1, ("shop_3",)) == keys.rotate(fleet.rows, "base", seal, homes)
    assert keys.Rotated(0, 2, ("shop_3",)) == keys.rotate(fleet.rows, "base", seal, homes)
    assert lost == fleet.rows.load("shop_3")


class _DyingHome(SealedTokenHome):
    """Ends the process, as seen from here, before its shop's turn."""

    def __init__(self) -> None:
        """Nothing is opened."""

    @contextmanager
    def turn(self) -> Iterator[Callable[[], bool]]:
        raise KeyboardInterrupt
        yield


def a_holder_that_died_holds_nobody_up(fleet: Fleet) -> None:
    """Of this machine: at once. Of another: after the turn's life by the watch of who waits, whatever the time on any
    wall; not before."""
    fleet.authorise()
    fleet.clock.advance(58 * 60)
    hands = fleet.machine("a")
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        fleet.clock.advance(seconds)

    rescue = fleet.folder / "a" / "token.sealed"
    home = SealedTokenHome(
        fleet.database(), "base", ACCOUNT, Seal([fleet.key]), fleet.clock, call_s=5.0, rescue=rescue, wait=wait
    )
    for skew in (timedelta(hours=-3), timedelta(hours=3)):
        waited.clear()
        with fleet.databases[0].write() as connection:
            leases.claim(connection, [f"tokens base:{ACCOUNT}"], "elsewhere|1|0|x", fleet.clock.now() + skew)
        with home.turn() as in_time:
            assert in_time()
        assert 90.0 == pytest.approx(sum(waited), abs=1.0)
    assert hands.shop.check()["shop_id"]


def a_renewal_that_slept_sends_nothing(fleet: Fleet) -> None:
    """A machine that wakes after its turn may be over asks BASE for nothing: the refresh token may be used by now."""
    fleet.authorise()
    fleet.clock.advance(58 * 60)

    class Sleepy(SealedTokenHome):
        def load(self) -> Tokens | None:
            found = super().load()
            fleet.clock.advance(3600)  # suspended
            return found

    rescue = fleet.folder / "s" / "token.sealed"
    home = Sleepy(
        fleet.database(),
        "base",
        ACCOUNT,
        Seal([fleet.key]),
        fleet.clock,
        call_s=5.0,
        rescue=rescue,
        wait=_let_others_go,
    )
    hands = set_up(fleet.folder / "s", fleet.emulator.url, fleet.clock, home=home, database=fleet.databases[-1])
    with pytest.raises(Transport) as told:
        hands.shop.check()
    assert ("token_lock", 0) == (told.value.reason, fleet.renewals())
    assert fleet.machine("a").shop.check()["shop_id"]


def a_restored_older_pair_is_dead_until_its_owner_says_yes_again(fleet: Fleet) -> None:
    """A backup from before the last renewal holds a refresh token that was used: the shop is blocked in words, and
    works again once it is authorised anew."""
    fleet.authorise()
    before = fleet.rows.load(ACCOUNT)
    assert before is not None
    fleet.clock.advance(58 * 60)
    assert fleet.machine("a").shop.check()["shop_id"]
    assert before != fleet.rows.load(ACCOUNT)
    fleet.rows.save(ACCOUNT, before, NOON)
    with pytest.raises(AccountBlocked):
        fleet.machine("b").shop.check()
    fleet.authorise()
    assert fleet.machine("b").shop.check()["shop_id"]


def tokens_move_in_and_out(fleet: Fleet) -> None:
    """The newest of file and state is sealed, the file is gone; back again it is a private file, and state has none."""
    path = fleet.folder / "one" / "tokens" / "t.json"
    old = Tokens("a1", "r1", NOON, NOON + timedelta(hours=1))
    TokenFile(path).write(old)
    ahead = Tokens("a2", "r2", NOON, NOON + timedelta(hours=1), replaces=_fingerprint(old))
    fleet.rows.save(ACCOUNT, to_document(ahead), NOON)
    home = fleet.home("a")
    with pytest.raises(Transport, match="keys seal"):
        home.current()
    assert keys.move_in(fleet.rows, home, path, ACCOUNT, None)
    assert keys.move_in(fleet.rows, home, path, ACCOUNT, None)  # again: nothing is lost
    assert ("r2", []) == (_refresh_token(home.current()), list(path.parent.iterdir()))
    assert is_sealed(fleet.rows.load(ACCOUNT) or "")
    assert keys.move_out(fleet.rows, home, path, ACCOUNT)
    assert 0o600 == path.stat().st_mode & 0o777
    assert ("r2", None) == (_refresh_token(TokenFile(path).read()), fleet.rows.load(ACCOUNT))
    assert not keys.move_out(fleet.rows, home, path, ACCOUNT)


LAWS: tuple[Callable[[Fleet], None], ...] = (
    two_machines_renew_once,
    a_wrong_key_sends_and_changes_nothing,
    anothers_tokens_are_none,
    a_key_changed_in_mid_renewal_costs_no_token,
    rotating_ends_the_same_whenever_it_died,
    a_holder_that_died_holds_nobody_up,
    a_renewal_that_slept_sends_nothing,
    a_restored_older_pair_is_dead_until_its_owner_says_yes_again,
    tokens_move_in_and_out,
)


def _refresh_token(tokens: Tokens | None) -> str:
    return tokens.refresh_token if tokens is not None else ""


def _fingerprint(tokens: Tokens) -> str:

    return fingerprint(tokens.refresh_token)


def all_secrets(fleet: Fleet) -> list[str]:
    """Every token and key of a fleet that has renewed once, and the application's secret."""
    first = fleet.authorise()
    fleet.clock.advance(58 * 60)
    hands = fleet.machine("a")
    hands.shop.check()
    second = hands.keeper.current()
    assert second is not None
    kept = [first.access_token, first.refresh_token, second.access_token, second.refresh_token]
    return [*kept, fleet.key, hands.keeper.application.client_secret]


__all__ = ["LAWS", "Fleet", "all_secrets"]
