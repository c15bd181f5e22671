"""`ecauto status`: whether a person has to look and why; how fresh everything is, what the budgets have left.

Not for: one ASIN (explain.py), or what counts as trouble (doctor/health.py).
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ecauto_pipeline.cli.console import FINE, WITH_ERRORS, labelled, language, number, print_json, say, table, told
from ecauto_pipeline.doctor.dagster_files import dagster_home
from ecauto_pipeline.domain.account_names import name_of
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.domain.words import audit_line, opinion_line, unwatched_line
from ecauto_pipeline.settings import load
from ecauto_pipeline.views.run_figures import SEVEN
from ecauto_pipeline.views.status import gather
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
        document = gather(tools, dagster_home())
    if json_output:
        print_json(document)
    else:
        show(document)
    raise typer.Exit(FINE if document["health"]["ok"] else WITH_ERRORS)


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
    if document["lanes"]:
        ja, en = (
            "レーン ショップ ASIN 更新が必要 最も古い在庫情報 最終同期",
            "lane shops ASINs due oldest-stock last-sync",
        )
        table(told("レーン", "lanes"), told(ja, en).split(), [_lane(one) for one in document["lanes"]])
    runs = [
        (run["started_at"][5:16].replace("T", " "), _titled(run), *(number(run[name]) for _, name in SEVEN))
        for run in document["runs"]
    ]
    heads = told(
        "開始 ジョブ ASIN ヒット ミス SP-API BASE更新 エラー 秒", "start job ASINs hits misses SP-API updates errors s"
    ).split()
    table(told("最近の実行", "latest runs"), heads, runs)


def _lane(one: dict[str, Any]) -> tuple[str, ...]:
    last = (one["last_sign"] or "-")[:16].replace("T", " ")
    shops = told("、", ", ").join(one["shops"]) or "-"
    return one["id"], shops, number(one["total_asins"]), number(one["due"]), _hours(one["oldest_stock_s"]), last


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
