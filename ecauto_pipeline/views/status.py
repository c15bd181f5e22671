"""The state of things as plain values: freshness, shops, what waits for people, latest runs.

What `ecauto status` prints and the desk's first page shows. Not for: what counts as trouble (doctor/health.py) or how
it looks.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ecauto_pipeline.clock import jst
from ecauto_pipeline.doctor.health import first_line, troubles, unknowns
from ecauto_pipeline.doctor.health_facts import look
from ecauto_pipeline.doctor.trouble import Trouble
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.domain.selling.call_shares import reserved
from ecauto_pipeline.settings import BaseAccount
from ecauto_pipeline.state import decisions, shop_accounts, stops
from ecauto_pipeline.state.shop_accounts import ShopAccount
from ecauto_pipeline.state.shop_listings import count_shops
from ecauto_pipeline.state.stops import Stop
from ecauto_pipeline.state.unwatched import count_unwatched
from ecauto_pipeline.state.windows import calls_in
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.operations_now import present_operations
from ecauto_pipeline.sync.run_metrics import metrics_row
from ecauto_pipeline.sync.run_record import RunRecord, recent_records
from ecauto_pipeline.sync.sp_api_snapshots.opinions import refused_since
from ecauto_pipeline.sync.stale_asins.plan import survey
from ecauto_pipeline.sync.sweep_evidence import opinion_audits
from ecauto_pipeline.views.lanes import as_data as as_row
from ecauto_pipeline.views.lanes import lanes_now
from ecauto_pipeline.views.next_runs import next_runs
from ecauto_pipeline.views.run_figures import SEVEN
from ecauto_pipeline.views.under_way import as_data, runs_under_way
from ecauto_pipeline.wiring.accounts import shop_accounts as shops_named


def gather(
    tools: Tools,
    dagster_home: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    language: str = "",
) -> dict[str, Any]:
    """Everything that status shows, as plain values; times in JST. `language` "" = that of [alerts]."""
    fresh = survey(tools)
    now = tools.clock.now()
    facts = look(tools, fresh, dagster_home, environ)
    found, unknown, spoken = troubles(facts), unknowns(facts), language or tools.settings.alerts.language
    ends = Ends({end.run_id: end.status for end in facts.dagster.ends}, known=not unknown)
    with tools.state.read() as connection:
        recent = recent_records(connection, 5)
        seen = shop_accounts.load_accounts(connection)
        used = calls_in(connection, "hour", now)
        named = shops_named(tools.settings)
        counts = count_shops(connection, named)
        held = decisions.count_open_holds(connection)
        stopped = {key: stops.stop_of(connection, key) for key in named}
        refused = refused_since(connection)
        present = present_operations(tools, connection)
        audits = opinion_audits(connection, now)
        unwatched = count_unwatched(connection, [key for key, shop in named.items() if shop.active], now)
    limits = tools.settings.base.limits
    opinion = next(iter(tools.operations.under(tools.settings).of(Role.OPINION)), None)
    accounts = []
    for key, account in named.items():
        shop = seen.get(key, ShopAccount(account.id))
        expires = shop.refresh_expires_at
        accounts.append(
            {
                "platform": key.platform,
                "account_id": account.id,
                "active": account.active,
                "listings": counts[key].listed,
                "last_read": _moment(shop.read_at),
                "calls_this_hour": used.get(key, 0),
                "per_hour": limits.per_hour if isinstance(account, BaseAccount) else None,
                "kept_per_hour": (
                    reserved(limits.per_hour, limits.reserve) if isinstance(account, BaseAccount) else None
                ),
                "breaker": shop.breaker,
                "token_days_left": round((expires - now).total_seconds() / 86400, 1) if expires else None,
                "stopped": _stopped(stopped[key]),
            }
        )
    return {
        "health": {
            "ok": not found and not unknown,
            "line": first_line(facts, found, spoken),
            "troubles": [_as_row(one, spoken) for one in found],
            "unknown": [_as_row(one, spoken) for one in unknown],
        },
        "mode": tools.settings.mode,
        "at": jst(now).isoformat(timespec="seconds"),
        "freshness": {
            "total_asins": fresh.total_asins,
            "fresh": fresh.cache_hits,
            "due": fresh.cache_misses,
            "missing": fresh.missing,
            "price_expired": fresh.price_expired,
            "stock_expired": fresh.stock_expired,
            "by_tier": dict(fresh.by_tier),
            "oldest_stock_s": dict(fresh.oldest_stock_s),
        },
        "accounts": accounts,
        "lanes": [as_row(one) for one in lanes_now(tools)],
        "held_open": held,
        "unwatched": unwatched,
        "operations_down": [
            {
                "operation": one.operation,
                "accounts": list(one.accounts or present.accounts),
                "since": _moment(one.since),
                "reason": one.reason,
                "instead": list(one.instead),
                "said": one.sentence(spoken),
            }
            for one in (*present.down, *present.switched_off)
        ],
        "second_opinion": {
            "operation": opinion.name if opinion else "",
            "refused": refused[0] if refused else 0,
            "refused_at": _moment(refused[1]) if refused else None,
            "audited": audits.compared,
            "contradicted": audits.contradicted,
            "contradicted_share": audits.share,
        },
        "last_run": next((_run(run, ends) for run in recent if run.ended_at is not None), None),
        "runs": [_run(run, ends) for run in recent],
        "under_way": [as_data(run) for run in runs_under_way(tools)],
        "next_runs": [
            {"job": one.job, "at": _moment(one.at), "switched_off": one.off}
            for one in next_runs(tools.settings, now, facts.dagster.switched_off)
        ],
    }


@dataclass(frozen=True, slots=True)
class Ends:
    """How Dagster saw runs end, by run id; `known`: what it does not name was looked for."""

    seen: Mapping[str, str]
    known: bool = True

    def of(self, run: RunRecord) -> str:
        if run.ended_at is None:
            return self.seen.get(run.run_id, "STARTED")
        return self.seen.get(run.run_id, "" if self.known else "UNKNOWN")


def _as_row(one: Trouble, spoken: str) -> dict[str, str]:
    return {"code": one.code, "said": one.text(spoken), "next": one.command, "desk": one.desk}


def _run(run: RunRecord, ends: Ends) -> dict[str, Any]:
    row = metrics_row(run)
    end = ends.of(run)
    return {name: row[name] for name in ("run_id", "job", "partition_key", "dry_run")} | {
        "end": end,
        "started_at": jst(run.started_at).isoformat(timespec="seconds"),
        **{name: row[name] for _, name in SEVEN},
    }


def _stopped(stop: Stop | None) -> dict[str, str | None] | None:
    """By whom and since when nothing is sent to a shop; None where it may be."""
    return None if stop is None else {"who": stop.who, "since": _moment(stop.since)}


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else jst(moment).isoformat(timespec="seconds")
