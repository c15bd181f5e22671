"""Settings in, collaborators out: builds the tools of a run from its connections, and closes them.

`check()` says what is missing before anything is written; `open_tools()` opens, and at its end closes, the databases
and every pool of connections. Not for: what is connected to (connections.py) or what is done with the tools (sync/).
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ecauto_pipeline.amazon.registry import Operations, registered
from ecauto_pipeline.clock import Clock, SystemClock
from ecauto_pipeline.domain.lanes import WHOLE, Lane
from ecauto_pipeline.errors import CallError, RegisterBusy
from ecauto_pipeline.register.master import BUSY_TIMEOUT_S as REGISTER_BUSY_TIMEOUT_S
from ecauto_pipeline.settings import BaseAccount, Settings, SpAccount
from ecauto_pipeline.shops import base
from ecauto_pipeline.shops.csv.shop import CsvShop
from ecauto_pipeline.state.buckets import Buckets
from ecauto_pipeline.state.calls import MOST_HELD, CallLedger
from ecauto_pipeline.state.database import BUSY_TIMEOUT_S, CACHE_KB, Database
from ecauto_pipeline.state.windows import ShopWindows
from ecauto_pipeline.sync.context import Progress, Tools
from ecauto_pipeline.sync.listings.shared_files import bring_files
from ecauto_pipeline.sync.log_files import CALLS, SYNC, log_to_files
from ecauto_pipeline.sync.publish import CALLS_LOG
from ecauto_pipeline.wiring import emulated
from ecauto_pipeline.wiring.connections import (
    SETTING_OF,
    Connections,
    Endpoints,
    Secrets,
    redirect_uri,
    resolve,
    shop_accounts,
)
from ecauto_pipeline.wiring.history_place import history_of
from ecauto_pipeline.wiring.reach import reach_out
from ecauto_pipeline.wiring.register_place import register_of
from ecauto_pipeline.wiring.shop_tokens import at_rest, check_tokens, seal, token_home, unauthorised

if TYPE_CHECKING:  # requests and Amazon's library take a second to load: who contacts somebody imports them, in place
    from ecauto_pipeline.amazon.client import SpApiClient
    from ecauto_pipeline.shops.base.oauth import TokenKeeper
    from ecauto_pipeline.shops.base.wire import BaseWire
    from ecauto_pipeline.shops.protocol import Shop


def check(
    settings: Settings, environ: Mapping[str, str] = os.environ, *, reach: bool = True, lane: Lane = WHOLE
) -> None:
    """Everything a run (of this lane) needs is there. Raises SettingsError or RegisterError with one line; writes
    nothing."""
    registered().check(settings)
    connections = resolve(settings, environ, lane)
    _check(settings, connections)
    register = register_of(settings)
    if settings.mode == "live" or register.is_there():
        with suppress(RegisterBusy):  # the run goes on with what is known, and tells
            register.check()
    if settings.fleet.on:
        database = Database(settings.state_url())
        try:
            check_tokens(settings, connections.active_shops, database, seal(settings, connections.secrets.values))
        finally:
            database.close()
    if reach:
        for name, url in connections.outside().items():
            reach_out(SETTING_OF[name], url)


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
    shops_alone_s: float | None = None,
    log_name: str = SYNC,
    operations: Operations | None = None,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
    cache_kb: int = CACHE_KB,
    lane: Lane = WHOLE,
) -> Iterator[Tools]:
    """The tools of one run. `offline`: no shop and no SP-API account, nothing is contacted or started. `lane`: only its
    shops and accounts are opened.

    `shops_alone_s`: no SP-API account, and a call to a shop is given up after so many seconds. `operations`: what
    Amazon can be asked with; None = those of the program. `busy_timeout_s`: so long a state.db that
    somebody holds is waited for, and a master.db no longer; `cache_kb`: so much of it is kept in memory.
    """
    clock, stop, operations = clock or SystemClock(), stop or threading.Event(), operations or registered()
    operations.check(settings)
    if settings.fleet.on:
        from ecauto_pipeline.fleet.same_everywhere import refuse_local

        refuse_local(settings)
    log = logging.getLogger("ecauto_pipeline")
    log.setLevel(logging.INFO)
    log.propagate = False
    connections = None if offline else resolve(settings, environ, lane)
    if connections is not None:
        _check(settings, connections)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.state_url(), busy_timeout_s, cache_kb)
    history = history_of(settings, environ, clock)
    CALLS_LOG.propagate = False
    logs, keep = settings.data_dir / "logs", settings.logs.keep_days
    with log_to_files(log, logs, log_name, clock, keep), log_to_files(CALLS_LOG, logs, CALLS, clock, keep):
        try:
            if settings.fleet.on and connections is not None:
                from ecauto_pipeline.fleet.same_everywhere import agree_on_settings

                agree_on_settings(database, settings, clock.now())
            tools = Tools(
                settings=settings,
                clock=clock,
                state=database,
                history=history,
                register=register_of(settings, min(busy_timeout_s, REGISTER_BUSY_TIMEOUT_S)),
                operations=operations,
                log=log,
                stop=stop,
                progress=progress,
                lane=lane,
                active_shops=frozenset(key for key, shop in shop_accounts(settings).items() if shop.active),
            )
            if settings.fleet.on:
                bring_files(settings, database, needed=connections is not None and settings.mode == "live")
            with ExitStack() as pools:
                yield tools if connections is None else _connected(tools, connections, run_id, pools, shops_alone_s)
        finally:
            database.close()


@contextmanager
def token_keeper(
    tools: Tools, account_id: str, environ: Mapping[str, str] = os.environ
) -> Iterator[tuple[TokenKeeper, str]]:
    """What authorises one shop, and the endpoint it talks to. Raises SettingsError."""
    connections = resolve(tools.settings, environ)
    connections.require()
    account = next(shop for shop in connections.shops if shop.id == account_id)
    endpoints = _located(tools.settings, connections.endpoints)
    with ExitStack() as pools:
        ledger = CallLedger(tools.state, "auth")
        _, keeper = _line(tools, account, endpoints, connections.secrets, ledger, pools)
        yield keeper, endpoints.base


@contextmanager
def sp_api_clients(
    settings: Settings, environ: Mapping[str, str], state: Database, clock: Clock, run_id: str
) -> Iterator[tuple[SpApiClient, ...]]:
    """The selling accounts alone, as a run would open them; their calls stand in `state`. Raises SettingsError."""
    connections = resolve(settings, environ)
    connections.require("secrets sp_api", "endpoint sp_api", "endpoint lwa")
    endpoints, ledger = _located(settings, connections.endpoints), CallLedger(state, run_id)
    with ExitStack() as pools:
        yield tuple(
            _sp_client(settings, clock, state, account, endpoints, connections.secrets, ledger, pools)
            for account in connections.sp_accounts
        )


def _check(settings: Settings, connections: Connections) -> None:
    connections.require()
    if settings.fleet.on:
        seal(settings, connections.secrets.values)  # that there is a key; what it opens is looked at in state
    elif settings.mode == "live":
        for shop in connections.active_shops:
            if not settings.token_file(shop).is_file():
                raise unauthorised(shop)
    is_file = not settings.register_url
    if settings.mode == "live" and is_file and not settings.master_db.is_file():  # `listings` tells any other trouble
        register_of(settings).check()


def _located(settings: Settings, endpoints: Endpoints) -> Endpoints:
    """Every address; starts our own emulator where one of them is its."""
    return endpoints.with_emulator(emulated.start(settings)) if endpoints.needs_emulator else endpoints


def _connected(
    tools: Tools, connections: Connections, run_id: str, pools: ExitStack, shops_alone_s: float | None
) -> Tools:
    settings, secrets = tools.settings, connections.secrets
    if settings.fleet.on:
        check_tokens(settings, connections.active_shops, tools.state, seal(settings, secrets.values))
    endpoints = _located(settings, connections.endpoints)
    if settings.mode == "emulated":
        emulated.seed_register(settings, endpoints.base.removesuffix("/1"))
    ledger = CallLedger(tools.state, run_id)
    opening = _Opening(tools, connections, endpoints, ledger, pools, run_id, shops_alone_s)
    shops = {
        key: SHOPS[key.platform](opening, account)
        for key, account in shop_accounts(settings).items()
        if account.active and tools.lane.has(key)
    }
    asking = CallLedger(tools.state, run_id, hold=MOST_HELD)
    pools.callback(asking.close, tools.log)
    sp_clients = tuple(
        _sp_client(settings, tools.clock, tools.state, account, endpoints, secrets, asking, pools, tools.stop)
        for account in (connections.sp_accounts if shops_alone_s is None else ())
    )
    return replace(tools, shops=shops, sp_accounts=sp_clients, at_rest=at_rest(settings, secrets.values))


@dataclass(frozen=True, slots=True)
class _Opening:
    """What it takes to open a shop, whatever its platform."""

    tools: Tools
    connections: Connections
    endpoints: Endpoints
    ledger: CallLedger
    pools: ExitStack
    run_id: str
    shops_alone_s: float | None


def _base_shop(opening: _Opening, account: Any) -> Shop:
    from ecauto_pipeline.shops.base.client import BaseClient
    from ecauto_pipeline.shops.base.shop import BaseShop

    secrets = opening.connections.secrets
    line = _line(
        opening.tools, account, opening.endpoints, secrets, opening.ledger, opening.pools, opening.shops_alone_s
    )
    return BaseShop(BaseClient(*line), opening.tools.settings.base.limits.min_interval_s)


SHOPS: Mapping[str, Callable[[_Opening, Any], Shop]] = {
    base.PLATFORM: _base_shop,
    CsvShop.platform: lambda one, account: CsvShop(account, one.tools.settings, one.tools.clock, one.run_id),
}
"""How a shop of each platform is opened, from its table in ecauto.toml."""


def _sp_client(
    settings: Settings,
    clock: Clock,
    state: Database,
    account: SpAccount,
    endpoints: Endpoints,
    secrets: Secrets,
    ledger: CallLedger,
    pools: ExitStack,
    stop: threading.Event | None = None,
) -> SpApiClient:
    from ecauto_pipeline.amazon.client import SpApiClient
    from ecauto_pipeline.amazon.library import Credentials

    client = SpApiClient(
        account.id,
        Credentials(
            refresh_token=secrets[account.refresh_token_env],
            lwa_app_id=secrets[account.lwa_app_id_env],
            lwa_client_secret=secrets[account.lwa_client_secret_env],
        ),
        endpoint=endpoints.sp_api,
        lwa_endpoint=endpoints.lwa,
        marketplace_id=settings.sp_api.marketplace_id,
        clock=clock,
        pace=Buckets(state, clock),
        ledger=ledger,
        timeout_s=settings.sp_api.timeout_s,
        stop=stop,
        may_send=state.may_send,
    )
    pools.callback(client.close)
    return client


def _line(
    tools: Tools,
    account: BaseAccount,
    endpoints: Endpoints,
    secrets: Secrets,
    ledger: CallLedger,
    pools: ExitStack,
    longest_s: float | None = None,
) -> tuple[BaseWire, TokenKeeper]:
    from ecauto_pipeline.shops.base.oauth import BaseApplication, TokenKeeper
    from ecauto_pipeline.shops.base.wire import BaseWire

    limits = tools.settings.base.limits
    windows = ShopWindows(
        tools.state,
        tools.clock,
        base.PLATFORM,
        account.id,
        per_hour=limits.per_hour,
        per_day=limits.per_day,
        min_interval_s=limits.min_interval_s,
        kept=limits.reserve,
    )
    wire = BaseWire(
        account.id,
        endpoints.base,
        tools.clock,
        windows,
        ledger,
        timeout_s=tools.settings.base.timeout_s if longest_s is None else min(longest_s, tools.settings.base.timeout_s),
        stop=tools.stop,
        may_send=tools.state.may_send,
    )
    pools.callback(wire.close)
    application = BaseApplication(
        secrets[account.client_id_variable()],
        secrets[account.client_secret_variable()],
        redirect_uri(tools.settings, account),
    )
    home = token_home(tools.settings, account, tools.state, tools.clock, secrets.values, wire.wait)
    keeper = TokenKeeper(wire, application, home, tools.clock)
    if tools.settings.mode == "emulated":
        with suppress(CallError):  # said by the shop itself, once it is asked something: it is that shop's trouble
            _authorise_emulated(keeper, endpoints.base, account)
    return wire, keeper


def _authorise_emulated(keeper: TokenKeeper, endpoint: str, account: BaseAccount) -> None:
    """Ask the other side for the first tokens, where nobody has. Raises CallError, SettingsError: a person has to."""
    from ecauto_pipeline.shops.base.oauth import authorization_url

    if keeper.current() is not None:
        return
    application = keeper.application
    url = authorization_url(endpoint, application.client_id, application.redirect_uri, "emulated")
    code = emulated.authorize_as_owner(url)
    if code is None:
        raise unauthorised(account)
    keeper.exchange(code)
