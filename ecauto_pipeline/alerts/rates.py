"""Alert rules that compare two figures of a run: error rates, cache hits, duration, probe misses.

A rate over fewer attempts than `alerts.min_attempts` is reported, not judged; no attempts give no rate at all.
Not for: rules about a state of things (states.py).
"""

from __future__ import annotations

from ecauto_pipeline.alerts.verdicts import WORST_ROWS, RunFacts, Severity, Verdict, percent, span_en, span_ja
from ecauto_pipeline.settings import Alerts

PROBE_MISS_RATE = 0.05
"""Share of "unchanged" sweep answers that a detail answer may contradict before the sweep is mistrusted."""


def sp_api_error_rate(facts: RunFacts, alerts: Alerts) -> Verdict:
    """At most `alerts.sp_api_error_rate` of the requested ASINs end as api_error.

    out_of_stock, filtered_out and not_found are answers, not errors. Where answers were not counted, calls are.
    """
    counted = facts.answers > 0
    errors, attempts = (facts.status_api_error, facts.answers) if counted else (facts.sp_api_errors, facts.sp_api_calls)
    return _rate(
        facts,
        alerts,
        "sp_api_error_rate",
        errors,
        attempts,
        alerts.sp_api_error_rate,
        ja="SP-APIのエラー率",
        en="SP-API error rate",
        unit_ja="件",
        unit_en="answers" if counted else "calls",
        severity="ERROR",
        remedy="ecauto status",
    )


def base_error_rate(facts: RunFacts, alerts: Alerts) -> Verdict:
    """At most `alerts.base_error_rate` of the calls to BASE fail."""
    return _rate(
        facts,
        alerts,
        "base_error_rate",
        facts.base_api_errors,
        facts.base_api_calls,
        alerts.base_error_rate,
        ja="BASE APIのエラー率",
        en="BASE error rate",
        unit_ja="回",
        unit_en="calls",
        severity="ERROR",
        remedy="ecauto doctor",
    )


def probe_miss_rate(facts: RunFacts, alerts: Alerts) -> Verdict:
    """At most 5% of the audited "unchanged" sweep answers turn out to have changed."""
    return _rate(
        facts,
        alerts,
        "probe_miss_rate",
        facts.probe_missed,
        facts.probe_audited,
        PROBE_MISS_RATE,
        ja="見落とし率（「変化なし」の抜き取り確認）",
        en='miss rate of the sweep ("unchanged", but it had changed)',
        unit_ja="件",
        unit_en="audited",
        severity="WARN",
        remedy="ecauto capacity",
    )


def cache_hit_rate(facts: RunFacts, alerts: Alerts) -> Verdict:
    """At least `alerts.cache_hit_rate` of the ASINs known before are not due when a run looks at them.

    ASINs nobody ever asked about are left out: the first fill of a shop is all misses by nature.
    """
    rule, least = "cache_hit_rate", alerts.cache_hit_rate
    looked = facts.cache_hits + facts.cache_misses
    known = looked - min(facts.never_fetched, facts.cache_misses)
    fresh_ja = f"（うち初回取得 {facts.never_fetched}件は対象外）" if facts.never_fetched else ""
    fresh_en = f" ({facts.never_fetched} never fetched before are left out)" if facts.never_fetched else ""
    if looked == 0 or known == 0:
        why_ja, why_en = (
            ("対象のASINがありません", "no ASIN was looked at")
            if looked == 0
            else (f"初回取得（{looked}件）のため判定しません", f"first fill of {looked} ASINs, not judged")
        )
        return _unjudged(facts, rule, None, least, "WARN", f"キャッシュヒット率: {why_ja}", f"cache hit rate: {why_en}")
    value = facts.cache_hits / known
    ja = f"キャッシュヒット率 {percent(value)}（{facts.cache_hits}/{known}件、下限 {percent(least)}）{fresh_ja}"
    en = f"cache hit rate {percent(value)} ({facts.cache_hits} of {known} ASINs, at least {percent(least)}){fresh_en}"
    if known < alerts.min_attempts:
        return _unjudged(
            facts, rule, value, least, "WARN", f"{ja} 件数が少ないため判定しません", f"{en}; too few to judge"
        )
    return _judged(facts, rule, value >= least, value, least, "WARN", ja, en, "ecauto capacity")


def run_duration(facts: RunFacts, alerts: Alerts) -> Verdict:
    """A run takes at most `alerts.duration_factor` times what its plan said. A run without a plan is not judged."""
    rule, took, plan = "run_duration", facts.execution_time_seconds, facts.planned_seconds
    if took is None or plan is None or plan <= 0:
        known = "" if took is None else span_en(took)
        known_ja = "" if took is None else span_ja(took)
        return _unjudged(
            facts,
            rule,
            took,
            None,
            "WARN",
            f"実行時間 {known_ja or '不明'}（計画なし）",
            f"run took {known or 'an unknown time'} (no plan)",
        )
    longest = plan * alerts.duration_factor
    ja = (
        f"実行時間 {span_ja(took)}（計画 {span_ja(plan)}、上限は計画の{alerts.duration_factor:g}倍 {span_ja(longest)}）"
    )
    en = f"run took {span_en(took)} (planned {span_en(plan)}, at most {alerts.duration_factor:g}x = {span_en(longest)})"
    return _judged(facts, rule, took <= longest, took, longest, "WARN", ja, en, "ecauto status")


def _rate(
    facts: RunFacts,
    alerts: Alerts,
    rule: str,
    errors: int,
    attempts: int,
    most: float,
    *,
    ja: str,
    en: str,
    unit_ja: str,
    unit_en: str,
    severity: Severity,
    remedy: str,
) -> Verdict:
    if attempts <= 0:
        return _unjudged(facts, rule, None, most, severity, f"{ja}: 対象がありません", f"{en}: nothing was attempted")
    value = errors / attempts
    text_ja = f"{ja} {percent(value)}（{errors}/{attempts}{unit_ja}、上限 {percent(most)}）"
    text_en = f"{en} {percent(value)} ({errors} of {attempts} {unit_en}, at most {percent(most)})"
    if attempts < alerts.min_attempts:
        return _unjudged(
            facts,
            rule,
            value,
            most,
            severity,
            f"{text_ja} {alerts.min_attempts}{unit_ja}未満のため判定しません",
            f"{text_en}; under {alerts.min_attempts} it is reported, not judged",
        )
    return _judged(facts, rule, value <= most, value, most, severity, text_ja, text_en, remedy)


def _unjudged(
    facts: RunFacts, rule: str, value: float | None, threshold: float | None, severity: Severity, ja: str, en: str
) -> Verdict:
    return Verdict(rule, True, False, value, threshold, severity, ja, en, worst_of(facts, rule))


def _judged(
    facts: RunFacts,
    rule: str,
    passed: bool,
    value: float | None,
    threshold: float | None,
    severity: Severity,
    ja: str,
    en: str,
    remedy: str,
) -> Verdict:
    return Verdict(
        rule, passed, True, value, threshold, severity, ja, en, worst_of(facts, rule), "" if passed else remedy
    )


def worst_of(facts: RunFacts, rule: str) -> tuple:
    """At most three rows that explain the rule's figure, worst first."""
    return tuple(facts.worst.get(rule, ()))[:WORST_ROWS]
