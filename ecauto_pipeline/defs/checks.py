"""The alert rules as asset checks: which asset shows which rule. The rules themselves are in alerts/rules.py.

Unpartitioned on purpose: partitioned checks are in preview and show red and "Not evaluated".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import dagster as dg

from ecauto_pipeline.alerts.announce import broken_channels
from ecauto_pipeline.alerts.facts import run_facts
from ecauto_pipeline.alerts.rules import RULES, Verdict
from ecauto_pipeline.defs.resources import Pipeline
from ecauto_pipeline.sync.run_record import record_of

SHOWN_ON: dict[str, tuple[str, ...]] = {
    "listings": ("account_blocked", "token_expiry"),
    "stale_asins": ("cache_hit_rate",),
    "sp_api_snapshots": ("sp_api_error_rate", "calls_made_when_due", "probe_miss_rate"),
    "base_updates": (
        "base_error_rate",
        "base_calls_suffice",
        "run_duration",
        "numbers_add_up",
        "oldest_pushed_data",
        "held_rows",
        "catalogue_intact",
        "alert_channel_configured",
    ),
}

LAWS: dict[str, str] = {
    "sp_api_error_rate": "SP-APIのエラー率は10%以下 / at most 10% of the requested ASINs go without an answer",
    "base_error_rate": "BASEのエラー率は5%以下 / at most 5% of the BASE calls fail",
    "cache_hit_rate": "キャッシュヒット率は80%以上 / at least 80% of the ASINs are fresh when a run looks",
    "run_duration": "実行時間は計画の2倍以内 / a run takes at most twice what it planned",
    "oldest_pushed_data": "古いデータで更新しない / nothing is pushed from data older than its maximum age",
    "numbers_add_up": "数が合う / targets = pushed + unchanged + held + blocked + skipped + failed",
    "calls_made_when_due": "期限切れがあれば必ず取得 / calls are made when something is due",
    "catalogue_intact": "カタログ情報は消えない / no title, description, brand, category or image vanishes",
    "held_rows": "保留が溜まらない / no rows wait for a person",
    "token_expiry": "BASEのトークンは7日以上有効 / every refresh token lives 7 days or more",
    "probe_miss_rate": "巡回の見落としは少ない / sweeps miss few changes",
    "account_blocked": "全ショップが利用可能 / every active shop can be worked on",
    "base_calls_suffice": "BASEの呼び出しは足りている / BASE takes every change within its hour",
    "alert_channel_configured": "通知先がある / somebody hears of an alert",
}


def specs(asset: str) -> list[dg.AssetCheckSpec]:
    """The check specs of an asset, in the order in which people read them."""
    return [dg.AssetCheckSpec(name=rule, asset=asset, description=LAWS[rule]) for rule in SHOWN_ON.get(asset, ())]


def results(pipeline: Pipeline, asset: str) -> list[dg.AssetCheckResult]:
    """The verdicts of an asset's rules over this run as noted so far."""
    alerts = pipeline.context.settings.alerts
    record = record_of(pipeline.context, pipeline.context.run.run_id)
    facts = run_facts(record, alerts, broken_channels(pipeline.context))
    verdicts = (RULES[rule](facts, alerts) for rule in SHOWN_ON.get(asset, ()))
    return [_result(verdict, asset, alerts.language) for verdict in verdicts]


def _result(verdict: Verdict, asset: str, language: str) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {"message": verdict.message(language), "judged": verdict.judged}
    numbers = {"value": verdict.value, "threshold": verdict.threshold}
    metadata |= {name: float(number) for name, number in numbers.items() if number is not None}
    if verdict.worst:
        metadata["worst rows"] = dg.MetadataValue.md(_table(verdict.worst))
    if verdict.remedy:
        metadata["next"] = dg.MetadataValue.md(f"`{verdict.remedy}`")
    return dg.AssetCheckResult(
        check_name=verdict.rule,
        asset_key=asset,
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity.ERROR if verdict.severity == "ERROR" else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
        description=verdict.message(language),
    )


def _table(rows: Iterable[object]) -> str:
    listed = [dict(row) for row in rows]  # type: ignore[call-overload]
    columns = list(listed[0])
    head = f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n"
    return head + "\n".join(f"| {' | '.join(str(row.get(name, '')) for name in columns)} |" for row in listed)
