"""What is connected to: never a real service in emulated mode, and the doctor says what a run finds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.doctor.examine import examine
from ecauto_pipeline.domain.model import AccountKey, Role
from ecauto_pipeline.emulator import process
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import RegisterError, RegisterMissing, SettingsError
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema_calls import api_calls
from ecauto_pipeline.wiring.connections import REAL_HOSTS, resolve
from ecauto_pipeline.wiring.open import check, open_tools

LOOPBACK = {"127.0.0.1", "localhost"}
KEYS = (("sp_api", "endpoint"), ("sp_api", "lwa_endpoint"), ("base", "endpoint"))
VARIABLES = ("SP_API_REFRESH_TOKEN", "LWA_APP_ID", "LWA_CLIENT_SECRET", "SHOP_1_CLIENT_ID", "SHOP_1_CLIENT_SECRET")
ADDRESSES = st.none() | st.sampled_from(["http://127.0.0.1:9", "http://localhost:9/1/", "https://127.0.0.1:9"])


def settings_with(
    folder: Path, mode: str, addresses: tuple[str | None, ...], shops: tuple[dict[str, Any], ...] = ()
) -> Settings:
    """ecauto.toml with a subset of the three endpoints set."""
    document: dict[str, Any] = {"mode": mode, "emulator": {"listings": 6, "accounts": 1, "speed": 1000.0}}
    for (section, key), address in zip(KEYS, addresses, strict=True):
        if address is not None:
            document.setdefault(section, {})[key] = address
    if shops:
        document.setdefault("base", {})["accounts"] = shops
    return parse(document, folder)


@given(addresses=st.tuples(ADDRESSES, ADDRESSES, ADDRESSES))
def test_emulated_mode_names_no_real_host_whatever_is_set(addresses: tuple[str | None, ...]) -> None:
    """Each endpoint on its own: a set one is honoured, an unset one is our emulator, LWA's follows the SP-API's."""
    connections = resolve(settings_with(Path("."), "emulated", addresses, ({"id": "shop_1"},)), {})
    located = connections.endpoints.with_emulator("http://127.0.0.1:7")
    used = {*connections.outside().values(), located.sp_api, located.lwa, located.base}
    assert {urlsplit(url).hostname for url in used} <= LOOPBACK
    for name, address in zip(("sp_api", "lwa", "base"), addresses, strict=True):
        if address is not None:
            assert address.rstrip("/") == getattr(located, name)
    if addresses[1] is None:
        assert located.sp_api == located.lwa
    assert () == connections.problems


@given(
    mode=st.sampled_from(["emulated", "live"]),
    addresses=st.tuples(ADDRESSES, ADDRESSES, st.none() | st.just("https://api.thebase.in/1")),
    present=st.sets(st.sampled_from(VARIABLES)),
    shops=st.sampled_from(
        [
            (),
            ({"id": "shop_1"},),
            ({"id": "shop_1", "active": False},),
            ({"id": "shop_1", "client_id_env": "SHOP_1_CLIENT_ID"},),
        ]
    ),
)
def test_the_doctor_complains_of_secrets_and_endpoints_exactly_where_a_run_refuses(
    tmp_path_factory: pytest.TempPathFactory,
    mode: str,
    addresses: tuple[str | None, ...],
    present: set[str],
    shops: tuple[dict[str, Any], ...],
) -> None:
    """One list of problems: what opening refuses the doctor calls bad, in the same words, and nothing else."""
    folder = tmp_path_factory.getbasetemp()
    settings = settings_with(folder, mode, addresses, shops)
    environ = dict.fromkeys(present, "value")
    findings = examine(settings, environ, SystemClock(), language="en", endpoints={})
    about = ("secrets", "endpoint", "shops")
    bad = [one for one in findings if one.name.split()[0] in about and one.state == "bad"]
    tokens_missing = any(one.name.startswith("token ") and one.state == "bad" for one in findings)
    refusal = ""
    try:
        check(settings, environ, reach=False)
    except SettingsError as error:
        refusal = str(error)
    except RegisterError:
        pass  # the register is looked at after everything that is set
    if bad:
        assert refusal.startswith(f"{bad[0].name}: ")
        assert bad[0].what_is in refusal
    else:
        assert bool(refusal) == tokens_missing


@pytest.mark.parametrize("host", [f"https://{sub}{real}" for real in REAL_HOSTS for sub in ("", "api.", "x.y.")])
def test_a_real_host_that_was_set_is_refused_in_emulated_mode(tmp_path: Path, host: str) -> None:
    """Whether the mode or the address was meant only a person knows; neither the doctor nor a run asks that host."""
    settings = settings_with(tmp_path, "emulated", (host, None, None))
    with asked_hosts() as hosts:
        findings = examine(settings, {}, SystemClock(), language="en")
        with pytest.raises(SettingsError, match=r"remove sp_api\.endpoint"):
            check(settings, {})
    assert {"endpoint sp_api", "endpoint lwa"} == {one.name for one in findings if one.state == "bad"}
    assert set() == hosts


class _Recorder:
    """Which hosts this process looks up or connects to; an audit hook can't be taken off, so it is switched."""

    def __init__(self) -> None:
        self.hosts: set[str] | None = None

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.hosts is None or event not in ("socket.getaddrinfo", "socket.connect"):
            return
        host = arguments[0] if event == "socket.getaddrinfo" else arguments[1]
        host = host[0] if isinstance(host, tuple) else host
        if isinstance(host, bytes):
            host = host.decode()
        if isinstance(host, str) and not host.startswith("/"):
            self.hosts.add(host)


_recorder: list[_Recorder] = []


@contextmanager
def asked_hosts() -> Iterator[set[str]]:
    if not _recorder:
        _recorder.append(_Recorder())
        sys.addaudithook(_recorder[0])
    found: set[str] = set()
    _recorder[0].hosts = found
    try:
        yield found
    finally:
        _recorder[0].hosts = None


@pytest.fixture(scope="module")
def foreign() -> Iterator[EmulatorServer]:
    """Somebody else's server that speaks the APIs."""
    with EmulatorServer(seed=5, listings=6, accounts=1, speed=1000.0) as running:
        yield running


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with an emulator of its own, ended at the end."""
    folder = tmp_path_factory.mktemp("own")
    yield folder
    process.stop(folder / "data" / "emulator")


@pytest.mark.parametrize("chosen", list(product([False, True], repeat=3)), ids=str)
def test_doctor_check_and_opening_reach_this_machine_alone(
    home: Path, foreign: EmulatorServer, chosen: tuple[bool, ...]
) -> None:
    """Any subset of the endpoints set: doctor, check, opening, a token of Amazon's and a word with the shop."""
    urls = (foreign.url, foreign.url, f"{foreign.url}/1")
    settings = settings_with(
        home,
        "emulated",
        tuple(url if one else None for url, one in zip(urls, chosen, strict=True)),
        ({"id": "base_account_1"},),
    )
    for path in (settings.data_dir / "tokens").glob("*"):
        path.unlink()
    for path in settings.data_dir.glob("state.db*"):
        path.unlink()
    with asked_hosts() as hosts:
        findings = examine(settings, {}, SystemClock(), language="en")
        check(settings, {})
        with open_tools(settings, environ={}) as tools:
            tools.sp_accounts[0].check()
            tools.shops[AccountKey("base", "base_account_1")].check()
    assert hosts
    assert hosts <= LOOPBACK | {"::1"}
    assert [] == [one for one in findings if one.state == "bad"]
    assert sum(chosen) + (chosen[0] and not chosen[1]) == len([o for o in findings if o.name.startswith("endpoint ")])


def test_connections_show_no_secret() -> None:
    """Their repr may end up in a log."""
    settings = parse({"mode": "live", "base": {"accounts": ({"id": "shop_1"},)}}, Path("."))
    connections = resolve(settings, dict.fromkeys(VARIABLES, "hush"))
    assert "hush" == connections.secrets["LWA_APP_ID"]
    assert "hush" not in repr(connections)


def test_every_pool_of_connections_is_closed_at_the_end(tmp_path: Path, foreign: EmulatorServer) -> None:
    """A process that opens tools again and again, as the daemon's sensors may, keeps no socket of an earlier time."""
    urls = (foreign.url, foreign.url, f"{foreign.url}/1")
    settings = settings_with(tmp_path, "emulated", urls, ({"id": "base_account_1"},))
    settings.data_dir.mkdir()
    Register.create(settings.master_db, **foreign.control.register_rows())
    before = _to(foreign.url)
    with open_tools(settings, environ={}) as tools:
        tools.sp_accounts[0].check()
        tools.shops[AccountKey("base", "base_account_1")].check()
        assert len(_to(foreign.url)) > len(before)
    assert before == _to(foreign.url)


def test_calls_to_amazon_wait_for_their_answers_and_no_longer_than_the_tools(
    tmp_path: Path, foreign: EmulatorServer
) -> None:
    """A call that was answered gets no transaction of its own; whatever nobody kept answers of is written at the end.
    Calls to a shop are written at once: what comes of them is kept elsewhere."""
    urls = (foreign.url, foreign.url, f"{foreign.url}/1")
    settings = settings_with(tmp_path, "emulated", urls, ({"id": "base_account_1"},))
    settings.data_dir.mkdir()
    Register.create(settings.master_db, **foreign.control.register_rows())
    with open_tools(settings, environ={}) as tools:
        tools.sp_accounts[0].call(tools.operations.of(Role.DETAIL)[0], foreign.control.asins()[:1], "run")
        tools.shops[AccountKey("base", "base_account_1")].check()
        assert {"base"} == _apis_in_the_ledger(settings)
    assert {"base", "sp_api"} == _apis_in_the_ledger(settings)


def _apis_in_the_ledger(settings: Settings) -> set[str]:
    database = Database(settings.state_url())
    with database.read() as connection:
        found = set(connection.execute(select(api_calls.c.api)).scalars())
    database.close()
    return found


def _to(url: str) -> list[Any]:
    """This process's connections to that server."""
    port = urlsplit(url).port
    return [one for one in psutil.Process().net_connections("tcp") if one.raddr and one.raddr.port == port]


def test_a_run_opens_whatever_is_wrong_inside_its_register(tmp_path: Path) -> None:
    """A damaged master.db is told by the step that reads it; one that is not there at all ends the run in one line."""
    settings = settings_with(tmp_path, "live", (None, None, None), ({"id": "shop_1"},))
    token = settings.token_file(settings.base.accounts[0])
    token.parent.mkdir(parents=True, exist_ok=True)
    token.write_text('{"access_token": "a", "refresh_token": "r"}', encoding="utf-8")
    environ = dict.fromkeys(VARIABLES, "x")
    with pytest.raises(RegisterMissing), open_tools(settings, environ=environ):
        pass
    settings.master_db.write_bytes(b"this is no database" * 300)
    with open_tools(settings, environ=environ) as tools:
        assert {AccountKey("base", "shop_1")} == set(tools.shops)
    with pytest.raises(RegisterError):  # who types the command is told before anything is done
        check(settings, environ, reach=False)
