"""Those who call Amazon and the shops, with their pace, ledger, secrets and tokens; closed with the pools they lie in.

Not for: the databases and files of a run (open.py) or what is connected to (connections.py).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecauto_pipeline.clock import Clock
from ecauto_pipeline.errors import CallError
from ecauto_pipeline.settings import BaseAccount, Settings, SpAccount
from ecauto_pipeline.shops import base
from ecauto_pipeline.shops.csv.shop import CsvShop
from ecauto_pipeline.state.buckets import Buckets
from ecauto_pipeline.state.calls import CallLedger
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.windows import ShopWindows
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.wiring import emulated
from ecauto_pipeline.wiring.connections import Connections, Endpoints, Secrets, redirect_uri, resolve
from ecauto_pipeline.wiring.shop_tokens import token_home, unauthorised

if TYPE_CHECKING:  # requests and Amazon's library take a second to load: who contacts somebody imports them, in place
    from ecauto_pipeline.amazon.client import SpApiClient
    from ecauto_pipeline.shops.base.oauth import TokenKeeper
    from ecauto_pipeline.shops.base.wire import BaseWire
    from ecauto_pipeline.shops.protocol import Shop


@contextmanager
def token_keeper(
    tools: Tools, account_id: str, environ: Mapping[str, str] = os.environ
) -> Iterator[tuple[TokenKeeper, str]]:
    """What authorises one shop, and the endpoint it talks to. Raises SettingsError."""
    connections = resolve(tools.settings, environ)
    connections.require()
    account = next(shop for shop in connections.shops if shop.id == account_id)
    endpoints = located(tools.settings, connections.endpoints)
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
    endpoints, ledger = located(settings, connections.endpoints), CallLedger(state, run_id)
    with ExitStack() as pools:
        yield tuple(
            sp_client(settings, clock, state, account, endpoints, connections.secrets, ledger, pools)
            for account in connections.sp_accounts
        )


def located(settings: Settings, endpoints: Endpoints) -> Endpoints:
    """Every address; starts our own emulator where one of them is its."""
    return endpoints.with_emulator(emulated.start(settings)) if endpoints.needs_emulator else endpoints


@dataclass(frozen=True, slots=True)
class Opening:
    """What it takes to open a shop, whatever its platform."""

    tools: Tools
    connections: Connections
    endpoints: Endpoints
    ledger: CallLedger
    pools: ExitStack
    run_id: str
    shops_alone_s: float | None


def _base_shop(opening: Opening, account: Any) -> Shop:
    from ecauto_pipeline.shops.base.client import BaseClient
    from ecauto_pipeline.shops.base.shop import BaseShop

    secrets = opening.connections.secrets
    line = _line(
        opening.tools, account, opening.endpoints, secrets, opening.ledger, opening.pools, opening.shops_alone_s
    )
    return BaseShop(BaseClient(*line), opening.tools.settings.base.limits.min_interval_s)


SHOPS: Mapping[str, Callable[[Opening, Any], Shop]] = {
    base.PLATFORM: _base_shop,
    CsvShop.platform: lambda one, account: CsvShop(account, one.tools.settings, one.tools.clock, one.run_id),
}
"""How a shop of each platform is opened, from its table in ecauto.toml."""


def sp_client(
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
    from ecauto_pipeline.amazon.credentials import Credentials

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
