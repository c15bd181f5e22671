"""Settings in, collaborators out: the one place that chooses live or emulated, and reads secrets.

`check()` says what is missing before anything is written; `open_tools()` builds the tools of a run and closes them.
Not for: what is done with them (steps/) or the command line's words.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from filelock import FileLock

from ecauto_pipeline.amazon.client import SpApiClient
from ecauto_pipeline.amazon.library import Credentials
from ecauto_pipeline.clock import Clock, SystemClock
from ecauto_pipeline.emulator import credentials as emulated
from ecauto_pipeline.emulator import process
from ecauto_pipeline.errors import RegisterError, SettingsError
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import BaseAccount, Settings, SpAccount
from ecauto_pipeline.shops.base.client import BaseClient
from ecauto_pipeline.shops.base.oauth import BaseApplication, TokenKeeper, authorization_url
from ecauto_pipeline.shops.base.shop import BaseShop
from ecauto_pipeline.shops.base.wire import BaseWire
from ecauto_pipeline.state.buckets import Buckets
from ecauto_pipeline.state.calls import CallLedger
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.oauth import TokenWriteAhead
from ecauto_pipeline.state.windows import ShopWindows
from ecauto_pipeline.sync.context import Progress, Tools
from ecauto_pipeline.sync.log_files import CALLS, SYNC, log_to_files
from ecauto_pipeline.sync.publish import CALLS_LOG

PLATFORM = "base"
_REACH_S = 5.0


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the two APIs are reached in this process."""

    sp_api: str
    lwa: str
    base: str


@dataclass(frozen=True, slots=True)
class Secrets:
    """Secrets by the name of the variable they came from; never shown."""

    values: Mapping[str, str] = field(repr=False)

    def __getitem__(self, name: str) -> str:
        return self.values[name]


def base_accounts(settings: Settings) -> tuple[BaseAccount, ...]:
    """The shops of ecauto.toml; where it names none, those of our own emulated world, the last one switched off."""
    if settings.base.accounts or not settings.own_base:
        return settings.base.accounts
    numbers = range(1, settings.emulator.accounts + 1)
    last = settings.emulator.accounts if settings.emulator.accounts > 1 else 0
    return tuple(BaseAccount(id=emulated.base_account_id(n), active=n != last) for n in numbers)


def sp_accounts(settings: Settings) -> tuple[SpAccount, ...]:
    """The selling accounts; one under the default names where none is named."""
    return settings.sp_api.accounts or (SpAccount(),)


def check(settings: Settings, environ: Mapping[str, str] = os.environ, *, reach: bool = True) -> None:
    """Everything a run needs is there. Raises SettingsError or RegisterError with one line; writes nothing."""
    _secrets(settings, environ)
    if not base_accounts(settings):
        raise SettingsError("no [[base.accounts]]: name at least one shop")
    if settings.mode == "live":
        for account in base_accounts(settings):
            if account.active and not settings.token_file(account).is_file():
                raise SettingsError(_unauthorised(account))
    if settings.mode == "live" or settings.master_db.exists():
        Register(settings.master_db).check()
    if reach:
        for name, url in _outside(settings):
            _reach(name, url)


def known_accounts(settings: Settings, wanted: tuple[str, ...]) -> None:
    """Raises SettingsError for an account that ecauto.toml does not name, or that is switched off."""
    accounts = {account.id: account for account in base_accounts(settings)}
    for name in wanted:
        if name not in accounts:
            raise SettingsError(f"unknown account {name!r}; known: {', '.join(accounts)}")
        if not accounts[name].active:
            raise SettingsError(f"account {name!r} is switched off (active = false)")


@contextmanager
def open_tools(
    settings: Settings,
    *,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
    stop: threading.Event | None = None,
    progress: Callable[[Progress], None] = lambda _progress: None,
    run_id: str = "",
    offline: bool = False,
    log_name: str = SYNC,
) -> Iterator[Tools]:
    """The tools of one run. `offline`: no shop and no SP-API account, nothing is contacted or started."""
    clock, stop = clock or SystemClock(), stop or threading.Event()
    log = logging.getLogger("ecauto_pipeline")
    log.setLevel(logging.INFO)
    log.propagate = False
    if not offline:
        check(settings, environ, reach=False)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.state_url())
    history = HistoryStore(settings.data_dir / "history", settings.data_dir / "history.duckdb", clock)
    CALLS_LOG.propagate = False
    logs, keep = settings.data_dir / "logs", settings.logs.keep_days
    with log_to_files(log, logs, log_name, clock, keep), log_to_files(CALLS_LOG, logs, CALLS, clock, keep):
        try:
            tools = Tools(
                settings=settings,
                clock=clock,
                state=database,
                history=history,
                register=Register(settings.master_db),
                log=log,
                stop=stop,
                progress=progress,
            )
            yield tools if offline else _connected(tools, environ, run_id)
        finally:
            database.close()


def token_keeper(tools: Tools, account_id: str, environ: Mapping[str, str] = os.environ) -> tuple[TokenKeeper, str]:
    """What authorises one shop, and the endpoint it talks to. Raises SettingsError."""
    account = next(account for account in base_accounts(tools.settings) if account.id == account_id)
    endpoints = _endpoints(tools.settings)
    _, keeper = _line(tools, account, endpoints, _secrets(tools.settings, environ), CallLedger(tools.state, "auth"))
    return keeper, endpoints.base


def _connected(tools: Tools, environ: Mapping[str, str], run_id: str) -> Tools:
    settings = tools.settings
    endpoints = _endpoints(settings)
    if settings.mode == "emulated":
        _seed_register(settings, endpoints.base.removesuffix("/1"))
    secrets = _secrets(settings, environ)
    ledger = CallLedger(tools.state, run_id)
    shops = {
        account.id: BaseShop(BaseClient(*_line(tools, account, endpoints, secrets, ledger)))
        for account in base_accounts(settings)
        if account.active
    }
    sp_clients = tuple(
        SpApiClient(
            account.id,
            _sp_credentials(account, secrets),
            endpoint=endpoints.sp_api,
            lwa_endpoint=endpoints.lwa,
            marketplace_id=settings.sp_api.marketplace_id,
            clock=tools.clock,
            pace=Buckets(tools.state, tools.clock),
            ledger=ledger,
            timeout_s=settings.sp_api.timeout_s,
            stop=tools.stop,
        )
        for account in sp_accounts(settings)
    )
    return replace(tools, shops=shops, sp_accounts=sp_clients)


def _line(
    tools: Tools, account: BaseAccount, endpoints: Endpoints, secrets: Secrets, ledger: CallLedger
) -> tuple[BaseWire, TokenKeeper]:
    limits = tools.settings.base.limits
    windows = ShopWindows(
        tools.state,
        tools.clock,
        PLATFORM,
        account.id,
        per_hour=limits.per_hour,
        per_day=limits.per_day,
        min_interval_s=limits.min_interval_s,
    )
    wire = BaseWire(
        account.id,
        endpoints.base,
        tools.clock,
        windows,
        ledger,
        timeout_s=tools.settings.base.timeout_s,
        stop=tools.stop,
    )
    application = BaseApplication(
        secrets[account.client_id_variable()],
        secrets[account.client_secret_variable()],
        _redirect_uri(tools.settings, account),
    )
    write_ahead = TokenWriteAhead(tools.state, PLATFORM)
    keeper = TokenKeeper(wire, application, tools.settings.token_file(account), write_ahead, tools.clock)
    if tools.settings.mode == "emulated" and keeper.current() is None:
        url = authorization_url(endpoints.base, application.client_id, application.redirect_uri, "emulated")
        code = process.say_yes(url)
        if code is None:
            raise SettingsError(_unauthorised(account))
        keeper.exchange(code)
    return wire, keeper


def _redirect_uri(settings: Settings, account: BaseAccount) -> str:
    if settings.mode == "emulated" and not account.redirect_uri:
        return _stand_in(settings, account).redirect_uri
    return account.redirect_uri


def _stand_in(settings: Settings, account: BaseAccount) -> emulated.BaseApp:
    """The emulator's application of a shop: by its id where that is one of the emulator's, else by its place."""
    try:
        return emulated.base_app(account.id)
    except ValueError:
        place = [shop.id for shop in base_accounts(settings)].index(account.id) + 1
        return emulated.base_app(emulated.base_account_id(place))


def _unauthorised(account: BaseAccount) -> str:
    return f"{account.id}: no token file yet; run: ecauto auth base {account.id}"


def _sp_credentials(account: SpAccount, secrets: Secrets) -> Credentials:
    return Credentials(
        refresh_token=secrets[account.refresh_token_env],
        lwa_app_id=secrets[account.lwa_app_id_env],
        lwa_client_secret=secrets[account.lwa_client_secret_env],
    )


def _secrets(settings: Settings, environ: Mapping[str, str]) -> Secrets:
    """Every secret by the name of its variable. Raises SettingsError that names the first missing one.

    In emulated mode the emulator's own well-known values stand in: always for our own emulator, and for somebody
    else's where ecauto.toml does not name a variable itself.
    """
    found: dict[str, str] = {}
    for number, sp in enumerate(sp_accounts(settings)):
        stand_in = emulated.SP_ACCOUNTS[min(number, len(emulated.SP_ACCOUNTS) - 1)]
        values = (stand_in.refresh_token, stand_in.client_id, stand_in.client_secret)
        for key, value in zip(("refresh_token_env", "lwa_app_id_env", "lwa_client_secret_env"), values, strict=True):
            named = key in sp.model_fields_set
            found[getattr(sp, key)] = _secret(
                settings, environ, getattr(sp, key), value, settings.own_sp_api, named, sp.id
            )
    for shop in base_accounts(settings):
        if not shop.active:
            continue
        app = _stand_in(settings, shop)
        for variable, value, named in (
            (shop.client_id_variable(), app.client_id, bool(shop.client_id_env)),
            (shop.client_secret_variable(), app.client_secret, bool(shop.client_secret_env)),
        ):
            found[variable] = _secret(settings, environ, variable, value, settings.own_base, named, shop.id)
    return Secrets(found)


def _secret(
    settings: Settings, environ: Mapping[str, str], name: str, stand_in: str, ours: bool, named: bool, account: str
) -> str:
    if ours:
        return stand_in
    if environ.get(name, "").strip():
        return environ[name].strip()
    if settings.mode == "emulated" and not named:
        return stand_in
    raise SettingsError(f"secret missing: environment variable {name} of account {account} is not set")


def _endpoints(settings: Settings) -> Endpoints:
    own = ""
    if settings.own_sp_api or settings.own_base:
        world = settings.emulator
        try:
            own = process.ensure(
                settings.data_dir / "emulator",
                seed=world.seed,
                listings=world.listings,
                accounts=world.accounts,
                speed=world.speed,
            )
        except process.EmulatorFailed as error:
            raise SettingsError(str(error)) from None
    return Endpoints(
        sp_api=own if settings.own_sp_api else settings.sp_api.endpoint.rstrip("/"),
        lwa=own if settings.own_sp_api else _lwa_endpoint(settings),
        base=f"{own}/1" if settings.own_base else settings.base.endpoint.rstrip("/"),
    )


def _lwa_endpoint(settings: Settings) -> str:
    """Where tokens are bought. In emulated mode the real host is never contacted: an unset one follows the other."""
    if settings.mode == "emulated" and "lwa_endpoint" not in settings.sp_api.model_fields_set:
        return settings.sp_api.endpoint.rstrip("/")
    return settings.sp_api.lwa_endpoint.rstrip("/")


def _outside(settings: Settings) -> list[tuple[str, str]]:
    """The endpoints that are not our own emulator: (setting, URL)."""
    urls = []
    if not settings.own_sp_api:
        urls += [("sp_api.endpoint", settings.sp_api.endpoint), ("sp_api.lwa_endpoint", _lwa_endpoint(settings))]
    if not settings.own_base:
        urls.append(("base.endpoint", settings.base.endpoint))
    return urls


def _reach(name: str, url: str) -> None:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=_REACH_S).close()
    except OSError as error:
        raise SettingsError(f"{name}: {url} can't be reached ({error.strerror or error})") from None


def _seed_register(settings: Settings, world_url: str) -> None:
    """An emulated world brings its register along where there is none yet."""
    if settings.master_db.exists():
        return
    settings.master_db.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.data_dir / "seed.lock"):
        if settings.master_db.exists():
            return
        rows = process.register_rows(world_url)
        if rows is None:
            raise RegisterError(f"{settings.master_db.name}: no such file, and this world brings none along")
        Register.create(settings.master_db, rows["products"], rows["listings"])
