"""Whether a person has to look, why, and with which command: the first line of `ecauto status`. Pure.

Causes come before their symptoms. What goes by itself (a used up hour at BASE, ASINs that never answer, dry runs) is
no trouble. Not for: looking (health_facts.py) or the doctor's lines (examine.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ecauto_pipeline.alerts.rules import rule_label
from ecauto_pipeline.alerts.rules.asking import SP_API_ERROR_RATE
from ecauto_pipeline.alerts.rules.register_read import fell
from ecauto_pipeline.alerts.rules.shops import BLOCKING_BREAKERS
from ecauto_pipeline.alerts.rules.tokens import TOKEN_DAYS
from ecauto_pipeline.clock import jst
from ecauto_pipeline.doctor.dagster_files import DagsterSeen, RunEnd
from ecauto_pipeline.doctor.trouble import Trouble
from ecauto_pipeline.domain.call_failures import CallsMet
from ecauto_pipeline.domain.operations_down import OperationDown
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.domain.selling.register_fall import Fall
from ecauto_pipeline.domain.words import changes_wait

DAEMON_BEATS = timedelta(minutes=5)
"""Dagster's daemon gives a sign of life every 30 s."""

MISSED_PERIODS = 2
OWN_LINE = frozenset(
    {
        *("held_rows", "token_expiry", "account_blocked", "run_failed", "run_stuck", "alert_channel_configured"),
        *("operation_down", "nothing_ran", "daemon_down", "disk_low", "register_kept", "pushing_stopped"),
    }
)
"""Alert rules whose cause is looked at here directly, as it is now."""

SUCCEEDS: Mapping[str, frozenset[str]] = {
    "stock_sync": frozenset({"stock_sync", "full_sync"}),
    "price_sync": frozenset({"price_sync", "full_sync"}),
    "full_sync": frozenset({"stock_sync", "price_sync", "full_sync"}),
    "validate_cache": frozenset({"validate_cache", "stock_sync", "full_sync"}),
    "catalog_refresh": frozenset({"catalog_refresh"}),
}
"""Jobs whose failure concerns the shop, and whose later success makes good for it."""

NO_TOKEN = "no_token"
BREAKERS = {
    NO_TOKEN: ("BASEの認可がまだありません", "not authorised at BASE yet"),
    "token": ("BASEの認可が切れています", "its authorisation at BASE is not valid any more"),
    "not_read": ("BASEの商品を読めませんでした", "its items could not be read from BASE"),
    "shop_unreachable": ("BASEにつながりません", "BASE can't be reached"),
}


@dataclass(frozen=True, slots=True)
class ShopSeen:
    """An active shop: the name people use, why it is kept away from ("" = it is not), days its token lives.

    `fell`: what of its part of master.db fell and is not believed.
    """

    name: str
    breaker: str = ""
    token_days: float | None = None
    fell: tuple[Fall, ...] = ()


@dataclass(frozen=True, slots=True)
class StopSeen:
    """Pushing that a person stopped. `shop`: the name people use, "" = every shop."""

    shop: str
    who: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was looked at. Times aware UTC. `problems`: (ja, en) of settings, secrets and master.db, the first first.

    `dead`: (job, last sign) of runs that died without a word; `overdue`: ASINs older than twice what they may be, and
    how many there are in all; `alerts`: keys of the rules that fire; `refused_channels`: their last message failed.
    `calls`: what those of the last run that asked Amazon met; a share over `most_failing` of failed ones is an alert's.
    `down`: operations of Amazon's that are down now.
    """

    now: datetime
    live: bool
    stock_period: timedelta
    dagster: DagsterSeen = field(default_factory=DagsterSeen)
    problems: tuple[tuple[str, str], ...] = ()
    shops: tuple[ShopSeen, ...] = ()
    stops: tuple[StopSeen, ...] = ()
    last_run_at: datetime | None = None
    dead: tuple[tuple[str, datetime], ...] = ()
    calls: CallsMet | None = None
    down: tuple[OperationDown, ...] = ()
    most_failing: float = 1.0
    overdue: int = 0
    total_asins: int = 0
    held: int = 0
    alerts: tuple[str, ...] = ()
    refused_channels: tuple[str, ...] = ()


def troubles(facts: Facts) -> tuple[Trouble, ...]:
    """Everything that wants a person, causes before symptoms."""
    return (
        *map(_stopped, facts.stops),
        *(Trouble("setup", ja, en, "ecauto doctor") for ja, en in facts.problems[:1]),
        *_amazon(facts),
        *_automation(facts),
        *_failed(facts),
        *(_dead(job, at) for job, at in facts.dead),
        *_missing(facts),
        *(one for shop in facts.shops for one in _of_shop(shop)),
        *_the_rest(facts),
    )


def unknowns(facts: Facts) -> tuple[Trouble, ...]:
    """What could not be looked at: neither well nor in trouble."""
    if facts.dagster.unread is None:
        return ()
    ja, en = facts.dagster.unread
    what_ja, what_en = ("デーモン・スケジュール・実行の失敗", "daemon, schedules and failed runs")
    return (Trouble("dagster", f"{what_ja}を確かめられません。{ja}", f"{what_en} not looked at: {en}", "ecauto dev"),)


def first_line(facts: Facts, found: tuple[Trouble, ...], language: str) -> str:
    """正常, 要対応 or 不明 (OK, needs attention, unknown), why, and the next command: one line."""
    english = language == "en"
    if found:
        more = len(found) - 1
        others = (f" (and {more} more)" if english else f"(ほか{more}件)") if more else ""
        why = f"{found[0].text(language)}{others}"
        return (
            f"needs attention: {why} (next: {found[0].command})"
            if english
            else f"要対応: {why} (次: {found[0].command})"
        )
    for one in unknowns(facts):
        head, following = ("unknown", "next") if english else ("不明", "次")
        return f"{head}: {one.text(language)} ({following}: {one.command})"
    if facts.last_run_at is None:
        return (
            "OK: nothing has run yet (next: ecauto sync)"
            if english
            else "正常: まだ一度も実行していません (次: ecauto sync)"
        )
    at = f"{jst(facts.last_run_at):%m-%d %H:%M}"
    return f"OK: nothing to do; last run {at}" if english else f"正常: 対応は不要です。最後の実行 {at}"


def _stopped(one: StopSeen) -> Trouble:
    """First of all: whatever else is wrong, nothing reaches the shops."""
    since, shop = f"{jst(one.since):%m-%d %H:%M}", one.shop
    ja = f"送信停止中: {shop or 'すべてのショップ'}（{since} から、{one.who}）"
    en = f"pushing is stopped: {shop or 'every shop'}, since {since} by {one.who}"
    return Trouble("stopped", ja, en, f"ecauto resume {shop}".rstrip())


def _why_no_answers(facts: Facts) -> CallsMet | None:
    """What Amazon's calls failed for, where all did, or so many that the alert about it stands."""
    met = facts.calls
    if met is None or met.all_failed:
        return met
    alerted = any(_rule_of(key) == SP_API_ERROR_RATE.name for key in facts.alerts)
    return met if alerted and met.share > facts.most_failing else None


def _amazon(facts: Facts) -> Iterator[Trouble]:
    if (met := _why_no_answers(facts)) is not None:
        yield Trouble("amazon", met.failure.sentence("ja"), met.failure.sentence("en"), "ecauto doctor --ask")
    for one in facts.down:
        yield Trouble("operation", one.sentence("ja"), one.sentence("en"), "ecauto capacity")


def _rule_of(key: str) -> str:
    return key.partition(":")[0]


def _automation(facts: Facts) -> Iterator[Trouble]:
    """Live mode alone runs by itself."""
    if not facts.live:
        return
    beat = facts.dagster.daemon_at
    if beat is None and facts.dagster.unread:
        return  # nobody knows: unknowns() says so
    if beat is None or facts.now - beat > DAEMON_BEATS:
        ja = "まだ一度も動いていません" if beat is None else f"最後の応答 {jst(beat):%m-%d %H:%M}"
        en = "never ran" if beat is None else f"last sign of life {jst(beat):%m-%d %H:%M}"
        yield Trouble(
            "daemon",
            f"自動実行が止まっています: Dagsterのデーモン({ja})",
            f"nothing runs by itself: Dagster's daemon {en}",
            "ecauto dev",
        )
    for name in facts.dagster.switched_off:
        if name.endswith("_schedule"):
            yield Trouble(
                "schedule",
                f"スケジュール {name} が停止中です。画面の Automation で再開できます",
                f"schedule {name} is switched off; switch it on in the UI under Automation",
                "ecauto dev",
            )


def _failed(facts: Facts) -> Iterator[Trouble]:
    newest: dict[str, RunEnd] = {}
    for end in facts.dagster.ends:
        if end.status != "CANCELED":
            newest.setdefault(end.job, end)
    for job, good in SUCCEEDS.items():
        failed = newest.get(job)
        if failed is None or failed.status != "FAILURE":
            continue
        if any(
            other.status == "SUCCESS" and other.ended_at > failed.ended_at for j, other in newest.items() if j in good
        ):
            continue
        at = f"{jst(failed.ended_at):%m-%d %H:%M}"
        ja = f"{job} の実行が失敗しました({at}、run {failed.run_id[:8]})"
        yield Trouble("run_failed", ja, f"a run of {job} failed ({at}, run {failed.run_id[:8]})", "ecauto doctor")


def _dead(job: str, at: datetime) -> Trouble:
    moment = f"{jst(at):%m-%d %H:%M}"
    ja = f"{job} の実行が途中で消えました(最後の応答 {moment})。次の実行が続きから始めます"
    return Trouble(
        "run_dead", ja, f"a run of {job} died without a word (last sign {moment}); the next goes on", "ecauto sync"
    )


def _missing(facts: Facts) -> Iterator[Trouble]:
    if not facts.live:
        return
    if facts.last_run_at is None:
        yield Trouble("missing_runs", "まだ一度も同期していません", "nothing was ever synced", "ecauto sync --dry-run")
    elif facts.now - facts.last_run_at > MISSED_PERIODS * facts.stock_period:
        at = f"{jst(facts.last_run_at):%m-%d %H:%M}"
        ja, en = f"{at} から同期していません", f"no sync since {at}"
        yield Trouble("missing_runs", ja, en, "ecauto sync")


def _of_shop(shop: ShopSeen) -> Iterator[Trouble]:
    renew = f"ecauto auth base {shop.name}"
    if shop.breaker in BLOCKING_BREAKERS | {NO_TOKEN}:
        why = BREAKERS.get(shop.breaker, (said(shop.breaker, "ja"), said(shop.breaker, "en")))
        command = renew if shop.breaker in ("token", NO_TOKEN) else "ecauto doctor"
        yield Trouble("shop", f"ショップ {shop.name}: {why[0]}", f"shop {shop.name}: {why[1]}", command)
    elif shop.token_days is not None and shop.token_days < TOKEN_DAYS:
        left_ja = "切れました" if shop.token_days <= 0 else f"あと {shop.token_days:.0f}日で切れます"
        left = "has run out" if shop.token_days <= 0 else f"runs out in {shop.token_days:.0f} days"
        ja = f"ショップ {shop.name} の認可が{left_ja}"
        yield Trouble("token", ja, f"the authorisation of shop {shop.name} {left}", renew)
    if shop.fell:
        words = [fell(one) for one in shop.fell]
        said_ja, said_en = "、".join(one.ja for one in words), ", ".join(one.en for one in words)
        yield Trouble(
            "register",
            f"ショップ {shop.name}: master.dbの{said_ja}。採用していません。正しければ認めてください",
            f"shop {shop.name}: in master.db {said_en}; it is not believed, accept it if it is right",
            f"ecauto register accept {shop.name}",
        )


def _the_rest(facts: Facts) -> Iterator[Trouble]:
    if facts.refused_channels:
        names = ", ".join(facts.refused_channels)
        yield Trouble(
            "channel", f"通知が届いていません: {names}", f"alerts don't arrive: {names}", "ecauto alerts test"
        )
    if facts.overdue:
        ja = f"{facts.total_asins:,}件中 {facts.overdue:,}件の情報が古すぎます(許される古さの2倍以上)"
        en = f"{facts.overdue:,} of {facts.total_asins:,} ASINs are older than twice what they may be"
        yield Trouble("stale", ja, en, "ecauto capacity")
    said_already = OWN_LINE if _why_no_answers(facts) is None else OWN_LINE | {SP_API_ERROR_RATE.name}
    for key in facts.alerts:
        rule, _, subject = key.partition(":")
        if rule not in said_already:
            about = f" ({subject})" if subject else ""
            ja, en = f"警報が続いています: {rule_label(rule, 'ja')}{about}", f"alert: {rule_label(rule, 'en')}{about}"
            yield Trouble("alert", ja, en, "ecauto doctor", rule)
    if facts.held:
        ja, en = f"{facts.held:,}件の変更が確認を待っています", f"{changes_wait(facts.held)} for a person"
        yield Trouble("held", ja, en, "ecauto holds list")
