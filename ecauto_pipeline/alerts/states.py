"""Alert rules about a state of things: the account of a run, its data, its shops, the alerting itself.

Not for: rates (rates.py). None of them needs a minimum number of attempts: one row is one too many.
"""

from __future__ import annotations

from datetime import datetime

from ecauto_pipeline.alerts.rates import worst_of
from ecauto_pipeline.alerts.verdicts import RunFacts, Severity, Verdict, span_en, span_ja
from ecauto_pipeline.settings import Alerts

TOKEN_DAYS = 7.0
"""A refresh token with fewer days left wants a person (BASE's live 30 days)."""

BLOCKING_BREAKERS = frozenset({"access_denied", "token", "not_read", "shop_unreachable"})
"""What keeps a whole shop from being worked on; an hour's or day's used up calls are base_calls_suffice's matter."""


def oldest_pushed_data(facts: RunFacts, alerts: Alerts) -> Verdict:
    """No push rests on data older than its field may be."""
    rule, age, most = "oldest_pushed_data", facts.oldest_pushed_data_s, facts.oldest_allowed_s
    if age is None or most is None:
        ja, en = "送信した変更はありません", "nothing was pushed"
        if age is not None:
            ja, en = (
                f"送信に使った最古のデータ {span_ja(age)}前（上限不明）",
                f"oldest data {span_en(age)} (no limit known)",
            )
        return Verdict(rule, True, False, age, most, "ERROR", ja, en)
    ja = f"送信に使った最古のデータは{span_ja(age)}前（上限 {span_ja(most)}）"
    en = f"the oldest data behind a push was {span_en(age)} old (at most {span_en(most)})"
    return _state(facts, rule, age <= most, age, most, "ERROR", ja, en, "ecauto status")


def numbers_add_up(facts: RunFacts, alerts: Alerts) -> Verdict:
    """targets = pushed + unchanged + held + blocked + skipped + failed."""
    names = ("pushed", "unchanged", "held", "blocked", "skipped", "failed")
    total = sum(getattr(facts, name) for name in names)
    ja_names = ("送信", "変更なし", "保留", "禁止", "対象外", "失敗")
    account_ja = " + ".join(f"{ja} {getattr(facts, name)}" for ja, name in zip(ja_names, names, strict=True))
    account_en = " + ".join(f"{name} {getattr(facts, name)}" for name in names)
    sign = "=" if total == facts.targets else "≠"
    return _state(
        facts,
        "numbers_add_up",
        total == facts.targets,
        float(facts.targets - total),
        0.0,
        "ERROR",
        f"対象 {facts.targets} {sign} {account_ja}（計 {total}）",
        f"targets {facts.targets} {sign} {account_en} (sum {total})",
        "ecauto history verify",
    )


def calls_made_when_due(facts: RunFacts, alerts: Alerts) -> Verdict:
    """A run that is to fetch makes at least one call while something is due: hits alone are no proof of health."""
    rule, calls = "calls_made_when_due", float(facts.sp_api_calls)
    ja = f"期限切れ {facts.due_total}件に対しSP-API呼び出し {facts.sp_api_calls}回"
    en = f"{facts.due_total} ASINs due, {facts.sp_api_calls} SP-API calls made"
    if not facts.fetch or facts.due_total <= 0:
        return Verdict(rule, True, False, calls, None, "ERROR", ja, en)
    return _state(facts, rule, facts.sp_api_calls > 0, calls, 1.0, "ERROR", ja, en, "ecauto doctor")


def catalogue_intact(facts: RunFacts, alerts: Alerts) -> Verdict:
    """No catalogue field (title, description, brand, category, images) that had a value loses it."""
    rule = "catalogue_intact"
    if facts.catalogue_nulled is None:
        return Verdict(rule, True, False, None, 0.0, "ERROR", "商品情報は調べていません", "catalogue was not looked at")
    lost = facts.catalogue_nulled
    return _state(
        facts,
        rule,
        lost == 0,
        float(lost),
        0.0,
        "ERROR",
        f"空になった商品情報の項目 {lost}件",
        f"{lost} catalogue fields went from a value to nothing",
        "ecauto history verify",
    )


def held_rows(facts: RunFacts, alerts: Alerts) -> Verdict:
    """No decision waits for a person."""
    waiting = facts.held_open
    return _state(
        facts,
        "held_rows",
        waiting == 0,
        float(waiting),
        0.0,
        "WARN",
        f"確認待ちの保留 {waiting}件",
        f"{waiting} held changes wait for a person",
        "ecauto holds list",
    )


def token_expiry(facts: RunFacts, alerts: Alerts) -> Verdict:
    """Every shop's refresh token lives for at least seven more days; ERROR once one is dead."""
    rule, days = "token_expiry", facts.token_days_left
    if days is None:
        ja, en = "トークンの期限は不明です", "no token's expiry is known"
        return Verdict(rule, True, False, None, TOKEN_DAYS, "WARN", ja, en)
    if days <= 0:
        ja, en = "BASEのリフレッシュトークンが失効しています", "a BASE refresh token has expired"
    else:
        ja = f"BASEのリフレッシュトークンの残り {days:.1f}日（{TOKEN_DAYS:g}日以上必要）"
        en = f"the first BASE refresh token to expire has {days:.1f} days left (at least {TOKEN_DAYS:g})"
    severity: Severity = "ERROR" if days <= 0 else "WARN"
    return _state(facts, rule, days >= TOKEN_DAYS, days, TOKEN_DAYS, severity, ja, en, "ecauto auth base ACCOUNT")


def account_blocked(facts: RunFacts, alerts: Alerts) -> Verdict:
    """No shop refuses us as a whole, and none has been silent for an hour."""
    blocked = [(account, reason) for account, reason in facts.breakers if reason in BLOCKING_BREAKERS]
    names = ", ".join(f"{account} ({reason})" for account, reason in blocked)
    remedy = f"ecauto auth base {blocked[0][0]}" if blocked and blocked[0][1] == "token" else "ecauto doctor"
    verdict = _state(
        facts,
        "account_blocked",
        not blocked,
        float(len(blocked)),
        0.0,
        "ERROR",
        f"利用できないショップ {len(blocked)}件: {names}" if blocked else "すべてのショップが利用できます",
        f"{len(blocked)} shops refuse us: {names}" if blocked else "every shop accepts us",
        remedy,
    )
    return verdict


def base_calls_suffice(facts: RunFacts, alerts: Alerts) -> Verdict:
    """No shop has more changes than BASE takes in its hour or day. The rest waits and goes on by itself."""
    waiting = sum(count for _, count in facts.out_of_calls)
    names_ja = ", ".join(f"{account} ({count:,}件が待機)" for account, count in facts.out_of_calls)
    names_en = ", ".join(f"{account} ({count:,} wait)" for account, count in facts.out_of_calls)
    return _state(
        facts,
        "base_calls_suffice",
        not waiting,
        float(waiting),
        0.0,
        "WARN",
        f"BASEの呼び出し上限に達したショップ: {names_ja}。次の時間に自動で続けます"
        if waiting
        else "BASEの呼び出しは足りています",
        f"shops out of BASE calls: {names_en}; they go on by themselves" if waiting else "BASE takes every change",
        "ecauto capacity",
    )


def alert_channel_configured(facts: RunFacts, alerts: Alerts) -> Verdict:
    """At least one alert channel is configured, and none of them refused its last message."""
    count = len(alerts.channels) if facts.channels is None else facts.channels
    broken = ", ".join(facts.broken_channels)
    if count == 0:
        ja, en = "通知先が設定されていません", "no alert channel is configured"
    elif broken:
        ja, en = f"通知に失敗した通知先: {broken}", f"channels that refused the last message: {broken}"
    else:
        ja, en = f"通知先 {count}件", f"{count} alert channels"
    passed = count > 0 and not broken
    remedy = "ecauto alerts test"
    return _state(facts, "alert_channel_configured", passed, float(count), 1.0, "WARN", ja, en, remedy)


def run_failed(run_id: str, job: str, error: str = "", *, failed: bool) -> Verdict:
    """A run of this job ended in failure (`failed`), or ended well again. Fed by whoever watches runs."""
    error = " ".join(error.split())[:300]
    ja = f"{job} の実行が失敗しました: {error or '原因不明'}" if failed else f"{job} は正常に終了しました"
    en = f"a run of {job} failed: {error or 'no cause given'}" if failed else f"{job} ended well"
    return Verdict(
        "run_failed",
        not failed,
        True,
        float(failed),
        0.0,
        "ERROR",
        ja,
        en,
        ({"run_id": run_id, "job": job},) if run_id else (),
        "ecauto doctor" if failed else "",
        job,
    )


def run_stuck(run_id: str, job: str, heartbeat_at: datetime, now: datetime, longest_silence_s: float) -> Verdict:
    """A run under way gives a sign of life at least every `longest_silence_s`."""
    silent = (now - heartbeat_at).total_seconds()
    stuck = silent > longest_silence_s
    return Verdict(
        "run_stuck",
        not stuck,
        True,
        silent,
        longest_silence_s,
        "ERROR",
        f"{job} は{span_ja(silent)}応答がありません（上限 {span_ja(longest_silence_s)}）"
        if stuck
        else f"{job} は動いています",
        f"{job} has been silent for {span_en(silent)} (at most {span_en(longest_silence_s)})"
        if stuck
        else f"{job} is alive",
        ({"run_id": run_id, "job": job, "heartbeat_at": heartbeat_at.isoformat()},),
        "ecauto status" if stuck else "",
        job,
    )


def _state(
    facts: RunFacts,
    rule: str,
    passed: bool,
    value: float,
    threshold: float,
    severity: Severity,
    ja: str,
    en: str,
    remedy: str,
) -> Verdict:
    return Verdict(
        rule, passed, True, value, threshold, severity, ja, en, worst_of(facts, rule), "" if passed else remedy
    )
