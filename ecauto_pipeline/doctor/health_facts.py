"""Looks at what the first line of `ecauto status` rests on: state.db, Dagster's files, settings, master.db.

Nothing is contacted, created or changed, and neither Dagster nor DuckDB is imported: it is asked all day long.
Not for: what follows (health.py) or what a person can repair line by line (examine.py).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from ecauto_pipeline.alerts.rules.silence import disk_low
from ecauto_pipeline.doctor.dagster_files import DagsterSeen, look_at_dagster
from ecauto_pipeline.doctor.disk_errors import WORDS
from ecauto_pipeline.doctor.health import NO_TOKEN, Facts, ShopSeen, StopSeen
from ecauto_pipeline.doctor.rights import folder_fault, state_fault, state_file
from ecauto_pipeline.domain.account_names import name_of
from ecauto_pipeline.domain.cron import longest_gap
from ecauto_pipeline.errors import RegisterError
from ecauto_pipeline.settings import BaseAccount, Settings
from ecauto_pipeline.state import decisions, register_counts, stops
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.notices import read_book, read_notices
from ecauto_pipeline.state.shop_accounts import ShopAccount, load_accounts
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.operations_now import present_operations
from ecauto_pipeline.sync.run_record import last_asking
from ecauto_pipeline.sync.sections import Survey
from ecauto_pipeline.wiring.accounts import shop_accounts
from ecauto_pipeline.wiring.connections import resolve
from ecauto_pipeline.wiring.shop_tokens import authorised

SYNCS = frozenset({"stock_sync", "price_sync", "full_sync"})
LOOKED_AT = 100
"""Newest runs among which the last sync is looked for."""


def look(tools: Tools, fresh: Survey, dagster_home: Path | None, environ: Mapping[str, str] = os.environ) -> Facts:
    """Everything that counts, at this moment. `fresh`: the survey of the same moment; no home = nothing of Dagster."""
    settings, now = tools.settings, tools.clock.now()
    with tools.state.read() as connection:
        runs = run_book.recent(connection, LOOKED_AT)
        asked = last_asking(connection)
        gone = [run for run in run_book.unended(connection) if run_book.life(run, now) in ("dead", "silent")]
        return Facts(
            now=now,
            live=settings.mode == "live",
            stock_period=longest_gap(settings.schedules.stock),
            dagster=look_at_dagster(dagster_home, environ) if dagster_home is not None else DagsterSeen(),
            problems=_problems(tools, environ),
            shops=_shops(connection, settings, now),
            stops=stops_seen(connection, settings),
            last_run_at=next((run.started_at for run in runs if run.job in SYNCS and not run.dry_run), None),
            dead=tuple((run.job, run.heartbeat_at or run.started_at) for run in gone),
            calls=asked.calls_met() if asked is not None else None,
            down=present_operations(tools, connection).down,
            most_failing=settings.alerts.sp_api_error_rate,
            overdue=fresh.overdue if fresh.overdue > fresh.total_asins * (1 - settings.alerts.cache_hit_rate) else 0,
            total_asins=fresh.total_asins,
            held=decisions.count_open_holds(connection),
            alerts=tuple(notice.rule for notice in read_notices(connection) if notice.state == "firing"),
            refused_channels=tuple(read_book(connection).get("broken", {})) if settings.alerts.channels else (),
        )


def _problems(tools: Tools, environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    settings = tools.settings
    found = [(f"{one.name}: {one.ja}", f"{one.name}: {one.en}") for one in resolve(settings, environ).problems]
    found += _of_the_disk(settings)
    if settings.mode == "live" or tools.register.is_there():
        try:
            tools.register.check()
        except RegisterError as error:
            place = tools.register.name
            gone = not tools.register.is_there()
            ja = f"{place} がありません ([paths] master_db)" if gone else error.ja or f"{place} を使えません: {error}"
            found.append((ja, error.said("en")))
    return tuple(found)


def _of_the_disk(settings: Settings) -> list[tuple[str, str]]:
    """What would keep a run from writing down what it learns: no room, or no right."""
    room = disk_low(shutil.disk_usage(settings.data_dir).free, settings.alerts.min_free_gb)
    found = [] if room.passed else [(room.message("ja"), room.message("en"))]
    try:
        closed = folder_fault(settings.data_dir) or state_fault(state_file(settings))
    except PermissionError:
        closed = settings.data_dir, "forbidden"
    if closed is not None:
        place, (ja, en) = closed[0], WORDS[closed[1]]
        found.append((f"{place.name}: {ja}", f"{place.name}: {en}"))
    return found


def stops_seen(connection: Connection, settings: Settings) -> tuple[StopSeen, ...]:
    """Pushing that stands stopped, the stop of every shop first."""
    named = shop_accounts(settings)
    return tuple(
        StopSeen(name_of(one.account, named) if one.account else "", one.who, one.since)
        for one in stops.standing(connection)
    )


def _shops(connection: Connection, settings: Settings, now: datetime) -> tuple[ShopSeen, ...]:
    named, seen, fallen = shop_accounts(settings), load_accounts(connection), register_counts.fallen(connection)
    found = []
    for key, account in named.items():
        if not account.active:
            continue
        known = seen.get(key, ShopAccount(account.id))
        over = known.breaker_until is not None and known.breaker_until <= now
        breaker, dies = "" if over else known.breaker, known.refresh_expires_at
        if settings.mode == "live" and isinstance(account, BaseAccount):
            breaker = breaker if authorised(settings, account, connection) else NO_TOKEN
        days = None if dies is None else (dies - now).total_seconds() / 86_400
        fell = fallen[key].falls(settings.guards.max_register_fall) if key in fallen else ()
        found.append(ShopSeen(name_of(key, named), breaker, days, fell))
    return tuple(found)
