"""`ecauto status`: whether a person has to look and why; how fresh everything is, what the budgets have left.

Not for: one ASIN (explain.py), or what counts as trouble (doctor/health.py).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ecauto_pipeline.cli.console import FINE, WITH_ERRORS, labelled, language, number, print_json, say, table, told
from ecauto_pipeline.cli.dagster_run import project_root
from ecauto_pipeline.cli.summary import SEVEN
from ecauto_pipeline.clock import jst
from ecauto_pipeline.doctor.health import Trouble, first_line, troubles, unknowns
from ecauto_pipeline.doctor.health_facts import look
from ecauto_pipeline.domain.account_names import name_of
from ecauto_pipeline.domain.model import AccountKey, Role
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.domain.selling.call_shares import reserved
from ecauto_pipeline.domain.words import audit_line, opinion_line, unwatched_line
from ecauto_pipeline.settings import BaseAccount, load
from ecauto_pipeline.state import decisions, shop_accounts
from ecauto_pipeline.state.shop_accounts import ShopAccount
from ecauto_pipeline.state.shop_listings import count_listed
from ecauto_pipeline.state.unwatched import count_unwatched
from ecauto_pipeline.state.windows import calls_in
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.operations_now import present_operations
from ecauto_pipeline.sync.run_metrics import metrics_row
from ecauto_pipeline.sync.run_record import RunRecord, opinion_audits, recent_records
from ecauto_pipeline.sync.sp_api_snapshots.opinions import refused_since
from ecauto_pipeline.sync.stale_asins.plan import survey
from ecauto_pipeline.wiring.connections import shop_accounts as shops_named
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)
QUESTIONS = frozenset({"validate_cache"})
"""Jobs that ask and never send the shops anything."""

ENDS = {
    "FAILURE": ("失敗", "failed"),
    "CANCELED": ("中止", "cancelled"),
    "STARTED": ("実行中", "under way"),
    "UNKNOWN": ("結果不明", "end unknown"),
}
"""How Dagster saw a run end, where there is something to say about it."""


@COMMAND.command()
def status(json_output: Annotated[bool, typer.Option("--json", help="machine-readable")] = False) -> None:
    """正常か要対応か、その理由と次のコマンド。 Whether a person has to look and why; how fresh all is."""
    settings = load()
    with open_tools(settings, offline=True) as tools:
        document = gather(tools, Path(os.environ.get("DAGSTER_HOME") or project_root()))
    if json_output:
        print_json(document)
    else:
        show(document)
    raise typer.Exit(FINE if document["health"]["ok"] else WITH_ERRORS)


def gather(tools: Tools, dagster_home: Path | None = None, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Everything that status shows, as plain values; times in JST."""
    fresh = survey(tools)
    now = tools.clock.now()
    facts = look(tools, fresh, dagster_home, environ)
    found, unknown, spoken = troubles(facts), unknowns(facts), tools.settings.alerts.language
    ends = Ends({end.run_id: end.status for end in facts.dagster.ends}, known=not unknown)
    with tools.state.read() as connection:
        recent = recent_records(connection, 5)
        seen = shop_accounts.load_accounts(connection)
        used = calls_in(connection, "hour", now)
        named = shops_named(tools.settings)
        counts = count_listed(connection, named)
        held = decisions.count_open_holds(connection)
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
                "listings": counts[key],
                "last_read": _moment(shop.read_at),
                "calls_this_hour": used.get(key, 0),
                "per_hour": limits.per_hour if isinstance(account, BaseAccount) else None,
                "kept_per_hour": (
                    reserved(limits.per_hour, limits.reserve) if isinstance(account, BaseAccount) else None
                ),
                "breaker": shop.breaker,
                "token_days_left": round((expires - now).total_seconds() / 86400, 1) if expires else None,
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
    return {"code": one.code, "said": one.text(spoken), "next": one.command}


def _run(run: RunRecord, ends: Ends) -> dict[str, Any]:
    row = metrics_row(run)
    end = ends.of(run)
    return {name: row[name] for name in ("run_id", "job", "partition_key", "dry_run")} | {
        "end": end,
        "started_at": jst(run.started_at).isoformat(timespec="seconds"),
        **{name: row[name] for _, name in SEVEN},
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else jst(moment).isoformat(timespec="seconds")


def show(document: dict[str, Any]) -> None:
    health = document["health"]
    say(health["line"], style="bold green" if health["ok"] else "bold red" if health["troubles"] else "bold yellow")
    for one in health["troubles"][1:]:
        say(f"- {one['said']}  → {one['next']}", style="red")
    for one in health["unknown"] if health["troubles"] else ():
        say(f"- {told('不明', 'unknown')}: {one['said']}  → {one['next']}", style="yellow")
    say()
    fresh = document["freshness"]
    labelled(
        f"{told('鮮度', 'freshness')} ({document['at']}, {document['mode']})",
        [
            (told("全ASIN数", "all ASINs"), "total_asins", fresh["total_asins"]),
            (told("新しい", "fresh"), "fresh", fresh["fresh"]),
            (told("更新が必要", "to be asked"), "due", fresh["due"]),
            (told("キャッシュなし", "never answered"), "missing", fresh["missing"]),
            (told("価格期限切れ", "price too old"), "price_expired", fresh["price_expired"]),
            (told("在庫期限切れ", "stock too old"), "stock_expired", fresh["stock_expired"]),
            (told("人の確認待ち", "wait for a person"), "held_open", document["held_open"]),
        ],
    )
    say(unwatched_line(document["unwatched"], language()))
    for down in document["operations_down"]:
        if down["since"] is None:  # what is down by itself is a trouble of its own, above
            say(down["said"])
    opinion = document["second_opinion"]
    say(opinion_line(opinion["operation"], opinion["refused"], language()))
    audits = audit_line(opinion["audited"], opinion["contradicted"], opinion["contradicted_share"], language())
    if audits:
        say(audits)
    say()
    rows = [
        (tier, fresh["by_tier"].get(tier, 0), _hours(fresh["oldest_stock_s"].get(tier)))
        for tier in ("high", "medium", "low")
    ]
    columns = (told("区分", "tier"), told("ASIN数", "ASINs"), told("最も古い在庫情報", "oldest stock"))
    table(told("区分ごとの鮮度", "freshness by tier"), columns, rows)
    known = [AccountKey(shop["platform"], shop["account_id"]) for shop in document["accounts"]]
    shops = [
        (
            name_of(AccountKey(shop["platform"], shop["account_id"]), known),
            told("稼働", "active") if shop["active"] else told("停止中", "switched off"),
            number(shop["listings"]),
            (shop["last_read"] or "-")[:16].replace("T", " "),
            f"{shop['calls_this_hour']}/{shop['per_hour']}" if shop["per_hour"] else "-",
            number(shop["kept_per_hour"]),
            said(shop["breaker"], language()) or told("正常", "fine"),
            number(shop["token_days_left"]),
        )
        for shop in document["accounts"]
    ]
    heads = told(
        "アカウント 状態 出品 最終読込 今時間の呼出 うち緊急用 遮断 トークン残日",
        "account state listings read calls/h kept breaker token-days",
    ).split()
    table(told("ショップ", "shops"), heads, shops)
    runs = [
        (run["started_at"][5:16].replace("T", " "), _titled(run), *(number(run[name]) for _, name in SEVEN))
        for run in document["runs"]
    ]
    heads = told(
        "開始 ジョブ ASIN ヒット ミス SP-API BASE更新 エラー 秒", "start job ASINs hits misses SP-API updates errors s"
    ).split()
    table(told("最近の実行", "latest runs"), heads, runs)


def _titled(run: dict[str, Any]) -> str:
    """The job, and what a figure beside it must not be taken for: a dry run, a question, a bad end."""
    marks = [
        *([told("ドライラン", "dry run")] if run["dry_run"] else []),
        *([told("確認のみ", "asks only")] if run["job"] in QUESTIONS else []),
        *([told(*ENDS[run["end"]])] if run["end"] in ENDS else []),
    ]
    return f"{run['job']} ({told('・', ', ').join(marks)})" if marks else str(run["job"])


def _hours(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, hours = f"{seconds / 60:.0f}", f"{seconds / 3600:.1f}"
    if seconds < 5400:
        return told(f"{minutes}分前", f"{minutes} min ago")
    return told(f"{hours}時間前", f"{hours} h ago")
