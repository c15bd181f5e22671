"""A fleet's tokens on PostgreSQL: the laws of SQLite's tests, two real processes, a server that restarts, a dump."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from ecauto_pipeline.clock import ManualClock, SystemClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import AccountBlocked, SettingsError
from ecauto_pipeline.fleet.seal import Seal, new_key
from ecauto_pipeline.fleet.sealed_tokens import SealedTokenHome
from ecauto_pipeline.settings import parse
from ecauto_pipeline.shops.base.tokens import Tokens
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.oauth import TokenWriteAhead
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.fleet.salt_laws import LAWS as SALT_LAWS
from ecauto_pipeline_tests.fleet.token_laws import LAWS, Fleet, all_secrets
from ecauto_pipeline_tests.shops.base.shops_at_hand import ACCOUNT, NOON, set_up
from proofs.fleet.servers import PostgreSQL
from proofs.fleet.tables import migrated

ROUNDS = 8


@pytest.fixture
def fleet(state_url: str, tmp_path: Path) -> Iterator[Fleet]:
    clock = ManualClock(NOON)
    with EmulatorServer(clock=clock, seed=1, listings=20, accounts=1) as emulator:
        fleet = Fleet(emulator, clock, tmp_path, state_url)
        yield fleet
        fleet.close()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_law_of_tokens_holds_on_postgresql(law: Callable[[Fleet], None], fleet: Fleet) -> None:
    """The same functions as on SQLite."""
    law(fleet)


@pytest.mark.parametrize("law", SALT_LAWS, ids=lambda law: law.__name__)
def test_a_law_of_own_secrets_holds_on_postgresql(law: Callable[[Database], None], state_url: str) -> None:
    """The same functions as on SQLite."""
    database = Database(state_url)
    law(database)
    database.close()


def _work(url: str, emulator: str, folder: Path, key: str, minutes: Any, answers: Queue[str]) -> None:
    """One machine: renews whenever it is told that time has passed."""
    clock, database = ManualClock(NOON), Database(url)
    home = SealedTokenHome(
        database,
        "base",
        ACCOUNT,
        Seal([key]),
        clock,
        call_s=5.0,
        rescue=folder / f"{os.getpid()}.sealed",
        wait=lambda _s: time.sleep(0.01),
    )
    hands = set_up(folder / str(os.getpid()), emulator, clock, home=home, database=database)
    answers.put("ready")
    while passed := minutes.get():
        clock.advance(passed * 60)
        try:
            answers.put(str(hands.shop.check()["shop_id"]))
        except AccountBlocked as error:
            answers.put(f"blocked: {error}")


def test_two_processes_renew_in_turn(fleet: Fleet) -> None:
    """Eight rounds in which both find the token at its end: eight renewals, nobody blocked."""
    fleet.authorise()
    context = multiprocessing.get_context("spawn")
    answers: Queue[str] = context.Queue()
    orders = [context.Queue() for _ in range(2)]
    workers = [
        context.Process(
            target=_work, args=(fleet.url, fleet.emulator.url, fleet.folder, fleet.key, order, answers), daemon=True
        )
        for order in orders
    ]
    for worker in workers:
        worker.start()
    assert ["ready"] * 2 == [answers.get(timeout=60) for _ in workers]
    told = []
    for _ in range(ROUNDS):
        fleet.clock.advance(58 * 60)
        for order in orders:
            order.put(58)
        told += [answers.get(timeout=60) for _ in workers]
    for order in orders:
        order.put(0)
    for worker in workers:
        worker.join(30)
    assert ["base-account-1"] * 2 * ROUNDS == told
    assert ROUNDS == fleet.renewals()


def test_a_restart_of_postgresql_in_mid_renewal_loses_no_token(tmp_path: Path) -> None:
    """The pair is offered until the server is back."""
    server = PostgreSQL()
    with ExitStack() as ends:
        ends.callback(server.close)
        server.start()
        database = Database(migrated(server.url(server.new_database())))
        ends.callback(database.close)
        clock = SystemClock()
        home = SealedTokenHome(
            database,
            "base",
            ACCOUNT,
            Seal([new_key()]),
            clock,
            call_s=5.0,
            rescue=tmp_path / "t.sealed",
            wait=lambda _s: None,
        )
        now = clock.now()
        with home.turn():
            home.load()
            server.kill()
            tokens = Tokens("a", "r", now, now + timedelta(hours=1))
            keeping = threading.Thread(target=home.keep, args=(tokens,))
            keeping.start()
            keeping.join(2.0)
            assert keeping.is_alive()
            server.start()
            keeping.join(30.0)
        found = home.current()
        assert found is not None
        assert "r" == found.refresh_token
        assert not (tmp_path / "t.sealed").exists()


def test_a_dump_of_postgresql_shows_no_token_and_no_key(fleet: Fleet, postgresql_server: PostgreSQL) -> None:
    """pg_dump of everything; the tokens stand in it under their seal."""
    secrets = all_secrets(fleet)
    url = make_url(fleet.url)
    told = ["pg_dump", "-h", str(url.host), "-p", str(url.port), "-U", str(url.username), str(url.database)]
    dump = subprocess.run(told, check=True, capture_output=True, text=True).stdout
    assert "sealed:" in dump
    assert [] == [secret for secret in secrets if secret in dump]


def test_a_fleets_run_opens_without_a_token_file(state_url: str, tmp_path: Path) -> None:
    """Its tokens are in state, sealed, from the first call on; without the key, or with another, nothing is opened."""
    with EmulatorServer(seed=1, listings=20, accounts=1) as emulator:
        settings = parse(
            {
                "fleet": {"on": True, "key_env": "KEY"},
                "state": {"url": state_url},
                "history": {"url": "s3://bucket/history"},
                "sp_api": {"endpoint": emulator.url},
                "base": {"endpoint": f"{emulator.url}/1", "accounts": [{"id": ACCOUNT}]},
            },
            tmp_path,
        )
        environ = {"KEY": new_key()}
        with open_tools(settings, environ=environ) as tools:
            for shop in tools.shops.values():
                assert shop.check()["shop_id"]
            before = TokenWriteAhead(tools.state, "base").load(ACCOUNT)
        assert [] == list((settings.data_dir / "tokens").glob("*"))
        for wrong in ({}, {"KEY": new_key()}):
            with pytest.raises(SettingsError, match="KEY"), open_tools(settings, environ=wrong):
                pass
        database = Database(state_url)
        assert before == TokenWriteAhead(database, "base").load(ACCOUNT)
        database.close()
