"""Laws of authorising a shop."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from ecauto_pipeline.clock import ManualClock, SystemClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import AccountBlocked, SettingsError
from ecauto_pipeline.shops.base.limits import SCOPES
from ecauto_pipeline.state import shop_accounts
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.wiring import authorize as auth
from ecauto_pipeline.wiring.ports import free_port
from ecauto_pipeline_tests.shops.base.shops_at_hand import ACCOUNT, NOON, set_up


def test_from_the_address_to_working_tokens(tmp_path: Path) -> None:
    """The owner opens the address, BASE sends the browser back with a code, the code becomes a shop that answers."""
    clock = ManualClock(NOON)
    with EmulatorServer(clock=clock, seed=1, listings=5, accounts=1) as emulator:
        hands = set_up(tmp_path, emulator.url, clock)
        hands.token_path.parent.mkdir(parents=True)
        hands.token_path.write_text("{", encoding="utf-8")
        database = Database(f"sqlite:///{tmp_path / 'state.db'}")
        with database.write() as connection:
            shop_accounts.open_breaker(connection, "base", ACCOUNT, "token", clock.now())
        invitation = auth.authorization_url(f"{emulator.url}/1", hands.keeper)
        back = requests.get(invitation.url, allow_redirects=False, timeout=60).headers["location"]
        auth.exchange_code(hands.keeper, auth.code_from(back, invitation.state), ACCOUNT, database)
        assert hands.shop.check()["shop_id"]
    document = json.loads(hands.token_path.read_text(encoding="utf-8"))
    assert " ".join(SCOPES) == document["scope"]
    with database.read() as connection:
        assert "" == shop_accounts.load_account(connection, "base", ACCOUNT).breaker


def test_the_invitation_asks_for_what_we_need_and_shows_no_state(tmp_path: Path) -> None:
    """All four scopes, our application, a fresh state each time that no repr gives away."""
    keeper = set_up(tmp_path, "http://127.0.0.1:9", ManualClock(NOON)).keeper
    first, second = (auth.authorization_url("http://127.0.0.1:9/1", keeper) for _ in range(2))
    query = {name: values[0] for name, values in parse_qs(urlsplit(first.url).query).items()}
    assert ("code", " ".join(SCOPES), first.state) == (query["response_type"], query["scope"], query["state"])
    assert first.state != second.state
    assert f"state='{first.state}'" not in repr(first)


@pytest.mark.parametrize(("answer", "error"), [("code=c0de", None), ("error=access_denied", AccountBlocked)])
def test_the_browser_brings_the_code(answer: str, error: type[Exception] | None) -> None:
    """Strangers without our state are turned away; the owner's yes gives the code, the owner's no is said."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/callback"
    found: list[object] = []

    def listen() -> None:
        try:
            found.append(auth.listen_for_code(address, "st4te", SystemClock(), 600))
        except Exception as failure:
            found.append(failure)

    listener = threading.Thread(target=listen)
    listener.start()
    session = requests.Session()
    session.trust_env = False
    session.mount(
        "http://", requests.adapters.HTTPAdapter(max_retries=requests.adapters.Retry(10, backoff_factor=0.02))
    )
    assert 404 == session.get(f"{address}?code=evil&state=wrong", timeout=60).status_code
    assert 404 == session.get(f"http://127.0.0.1:{port}/other?code=evil&state=st4te", timeout=60).status_code
    assert 200 == session.get(f"{address}?{answer}&state=st4te", timeout=60).status_code
    listener.join()
    assert (found == ["c0de"]) if error is None else isinstance(found[0], error)


def test_nobody_listens_elsewhere() -> None:
    """Only a loopback address with a port is listened on; waiting ends."""
    for address in ("https://shop.example/cb", "http://shop.example:80/cb", "http://127.0.0.1/cb"):
        with pytest.raises(SettingsError):
            auth.listen_for_code(address, "s", ManualClock(NOON))
    with pytest.raises(SettingsError, match="nobody came"):
        auth.listen_for_code(f"http://127.0.0.1:{free_port()}/cb", "s", ManualClock(NOON), timeout_s=0)


@pytest.mark.parametrize("text", ["c0de", " c0de\n", "https://x.example/cb?code=c0de&state=s", "code=c0de&state=s"])
def test_people_paste_what_they_have(text: str) -> None:
    """The code alone or the whole address."""
    assert "c0de" == auth.code_from(text, "s")


@pytest.mark.parametrize("text", ["", "https://x.example/cb?error=access_denied", "code=c0de&state=other"])
def test_what_holds_no_code_of_ours_is_refused(text: str) -> None:
    """Nothing, a refusal, or somebody else's authorisation."""
    with pytest.raises(SettingsError):
        auth.code_from(text, "s")
