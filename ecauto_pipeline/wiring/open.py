"""Settings in, collaborators out: builds the tools of a run from its connections, and closes them.

`check()` says what is missing before anything is written; `open_tools()` opens, and at its end closes, the databases
and every pool of connections. Not for: what is connected to (connections.py), who calls it (clients.py) or what is
done with the tools (sync/).
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

from ecauto_pipeline.amazon.registry import Operations, registered
from ecauto_pipeline.clock import Clock, SystemClock
from ecauto_pipeline.domain.lanes import WHOLE, Lane
from ecauto_pipeline.errors import RegisterBusy
from ecauto_pipeline.register.master import BUSY_TIMEOUT_S as REGISTER_BUSY_TIMEOUT_S
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state.calls import MOST_HELD, CallLedger
from ecauto_pipeline.state.database import BUSY_TIMEOUT_S, Database
from ecauto_pipeline.state.sqlite_caches import CACHE_KB
from ecauto_pipeline.sync.context import Progress, Tools
from ecauto_pipeline.sync.listings.shared_files import bring_files
from ecauto_pipeline.sync.log_files import CALLS, SYNC, log_to_files
from ecauto_pipeline.sync.publish import CALLS_LOG
from ecauto_pipeline.wiring import emulated
from ecauto_pipeline.wiring.accounts import shop_accounts
from ecauto_pipeline.wiring.clients import SHOPS, Opening, located, sp_client
from ecauto_pipeline.wiring.connections import SETTING_OF, Connections, resolve
from ecauto_pipeline.wiring.history_place import history_of
from ecauto_pipeline.wiring.reach import reach_out
from ecauto_pipeline.wiring.register_place import register_of
from ecauto_pipeline.wiring.shop_tokens import at_rest, check_tokens, seal, unauthorised


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


def _connected(
    tools: Tools, connections: Connections, run_id: str, pools: ExitStack, shops_alone_s: float | None
) -> Tools:
    settings, secrets = tools.settings, connections.secrets
    if settings.fleet.on:
        check_tokens(settings, connections.active_shops, tools.state, seal(settings, secrets.values))
    endpoints = located(settings, connections.endpoints)
    if settings.mode == "emulated":
        emulated.seed_register(settings, endpoints.base.removesuffix("/1"))
    ledger = CallLedger(tools.state, run_id)
    opening = Opening(tools, connections, endpoints, ledger, pools, run_id, shops_alone_s)
    shops = {
        key: SHOPS[key.platform](opening, account)
        for key, account in shop_accounts(settings).items()
        if account.active and tools.lane.has(key)
    }
    asking = CallLedger(tools.state, run_id, hold=MOST_HELD)
    pools.callback(asking.close, tools.log)
    sp_clients = tuple(
        sp_client(settings, tools.clock, tools.state, account, endpoints, secrets, asking, pools, tools.stop)
        for account in (connections.sp_accounts if shops_alone_s is None else ())
    )
    return replace(tools, shops=shops, sp_accounts=sp_clients, at_rest=at_rest(settings, secrets.values))
