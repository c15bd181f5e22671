"""state.db: whether it can be used, what is left open in it, and what is left of the budgets.

Nothing is created or changed: a database that is not there yet is no fault, and nothing waits in it.
Not for: its address (set_up.py) or the other files (files.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from ecauto_pipeline.alerts.channels.sending import name_of, problem
from ecauto_pipeline.alerts.heartbeat import last_trouble, missing
from ecauto_pipeline.alerts.rules.register_read import fell
from ecauto_pipeline.clock import jst
from ecauto_pipeline.doctor.disk_errors import fault_of
from ecauto_pipeline.doctor.findings import Chart
from ecauto_pipeline.doctor.installation import Installation
from ecauto_pipeline.doctor.rights import state_fault
from ecauto_pipeline.domain.account_names import name_of as name_of_shop
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.domain.words import BREAKERS, changes_wait
from ecauto_pipeline.state import decisions, journal, register_counts
from ecauto_pipeline.state.described import StateUnreadable, damage, looking_at, missing_tables
from ecauto_pipeline.state.notices import read_book
from ecauto_pipeline.state.shop_accounts import open_breakers
from ecauto_pipeline.state.stops import standing
from ecauto_pipeline.state.windows import window_end, windows_counted
from ecauto_pipeline.wiring.accounts import shop_accounts

NEARLY_SPENT = 0.9


def state(chart: Chart, here: Installation) -> None:
    """state.db is there, sound, whole, and can be written."""
    path = here.state_file
    if path is not None and not path.is_file():
        chart.ok("state.db", "最初の実行で作られます", "made at the first run")
        return
    if found := state_fault(path):
        file, fault = found
        chart.fault("state.db", fault, "" if file == path else file.name)
        return
    try:
        with looking_at(here.settings.state_url()) as connection:
            verdict, missing = damage(connection), []
            if not verdict:
                missing = missing_tables(connection)
    except StateUnreadable as error:
        state_unreadable(chart, error, server=path is None)
        return
    if verdict:
        _damaged(chart, verdict)
    elif missing:
        names = ", ".join(missing)
        ja, en = f"表がありません: {names}", f"lacks tables: {names}"
        chart.warn("state.db", ja, en, "次の実行で作られます", "the next run makes them")
    else:
        chart.ok("state.db", "正常です", "sound")


def holds(chart: Chart, here: Installation) -> None:
    """Changes that wait for a person."""
    with kept(here) as connection:
        held = decisions.count_open_holds(connection) if connection is not None else 0
    if held:
        do = "ecauto holds list"
        chart.warn("holds", f"確認待ち {held}件", f"{changes_wait(held)} for a person", do, do)


def unsettled(chart: Chart, here: Installation) -> None:
    """Edits of which nobody knows how they ended."""
    with kept(here) as connection:
        intents = journal.count_open_intents(connection) if connection is not None else 0
    if intents:
        chart.warn(
            "journal",
            f"結果不明の送信 {intents}件",
            f"{intents} updates without an outcome",
            "次の実行が BASE を読み直して確定します",
            "the next run reads BASE and settles them",
        )


def budgets(chart: Chart, here: Installation) -> None:
    """What is left of each shop's calls of this hour and day."""
    limits = {"hour": here.settings.base.limits.per_hour, "day": here.settings.base.limits.per_day}
    now = here.clock.now()
    with kept(here) as connection:
        rows = windows_counted(connection) if connection is not None else []
    for row in rows:
        limit, end = limits[row.span], window_end(row.starts_at, row.span)
        if not row.starts_at <= now < end:
            continue
        left = max(0, limit - row.calls)
        name = f"budget {row.account_id} {row.span}"
        ja, en = f"残り {left:,}/{limit:,}回", f"{left:,} of {limit:,} calls left"
        if row.exhausted or row.calls >= limit * NEARLY_SPENT:
            at = jst(end).strftime("%m-%d %H:%M JST")
            chart.warn(name, ja, en, f"{at} に回復します", f"renews at {at}; what is left over is sent then")
        else:
            chart.ok(name, ja, en)


def stopped(chart: Chart, here: Installation) -> None:
    """Pushing that a person has stopped, by whom and since when."""
    with kept(here) as connection:
        rows = standing(connection) if connection is not None else ()
    named = shop_accounts(here.settings)
    for row in rows:
        shop, at = name_of_shop(row.account, named) if row.account else "", f"{jst(row.since):%m-%d %H:%M JST}"
        do = f"ecauto resume {shop}".rstrip()
        chart.warn(
            f"stop {shop}".rstrip(),
            f"送信停止中（{at} から、{row.who}）",
            f"pushing is stopped (since {at}, by {row.who})",
            f"原因を直したら {do}",
            f"once its cause is mended: {do}",
        )


def breakers(chart: Chart, here: Installation) -> None:
    """Shops that are left alone, and why."""
    with kept(here) as connection:
        rows = list(open_breakers(connection).values()) if connection is not None else []
    for row in rows:
        if row.breaker_until is not None and row.breaker_until <= here.clock.now():
            continue
        do_ja, do_en = (
            "BASE の管理画面で制限を確認してください",
            "look at the shop's admin page on BASE for a restriction",
        )
        if row.breaker == "token":
            do_ja = do_en = f"ecauto auth base {row.account_id}"
        elif row.breaker == "not_read":
            do_ja = "次の実行が読み直します。続く場合は data/logs に理由があります"
            do_en = "the next run reads it again; if this stays, data/logs says why"
        elif row.breaker == "shop_unreachable":
            do_ja = "ネットワークと BASE の障害情報を確認してください。次の実行がまた試します"
            do_en = "look at the network and BASE's own status; the next run tries again"
        elif row.breaker in ("hour_api_limit", "day_api_limit"):
            do_ja, do_en = "待てば回復し、残りはそのとき送られます", "wait: what is left over is sent when it renews"
        ja, en = BREAKERS.get(row.breaker, (said(row.breaker, "ja"), said(row.breaker, "en")))
        why_ja, why_en = f"停止中: {ja} ({row.breaker})", f"left alone: {en} ({row.breaker})"
        chart.bad(f"shop {row.account_id}", why_ja, why_en, do_ja, do_en)


def register_falls(chart: Chart, here: Installation) -> None:
    """What master.db lost of an active shop and is not believed."""
    with kept(here) as connection:
        fallen = register_counts.fallen(connection) if connection is not None else {}
    named, most = shop_accounts(here.settings), here.settings.guards.max_register_fall
    for account, watched in fallen.items():
        if account not in named or not named[account].active:
            continue
        shop, words = name_of_shop(account, named), [fell(one) for one in watched.falls(most)]
        chart.bad(
            f"master.db {shop}",
            f"{'、'.join(one.ja for one in words)}。採用していません",
            f"{', '.join(one.en for one in words)}; not believed",
            f"master.db を戻すか、正しければ ecauto register accept {shop}",
            f"restore master.db, or if it is right: ecauto register accept {shop}",
        )


def each_channel(chart: Chart, here: Installation) -> None:
    """Each alert channel is complete, and did not refuse its last message (as far as state.db can be read)."""
    book: dict[str, Any] = {}
    if not chart.failed("state.db"):
        with kept(here) as connection:
            book = read_book(connection) if connection is not None else {}
    broken: dict[str, str] = book.get("broken", {})
    for channel in here.settings.alerts.channels:
        name = name_of(channel)
        missing, refused = problem(channel, here.environ), broken.get(name, "")
        if missing is not None:
            do_ja, do_en = "ecauto.toml と .env を直してください", "fix ecauto.toml or .env"
            chart.bad(f"alert channel {name}", *missing, do_ja, do_en)
        elif refused:
            do = "ecauto alerts test"
            chart.warn(f"alert channel {name}", f"前回失敗: {refused}", f"refused the last message: {refused}", do, do)
        else:
            chart.ok(f"alert channel {name}", "設定済みです", "configured")
    _heartbeat(chart, here, book)


def _heartbeat(chart: Chart, here: Installation, book: Mapping[str, Any]) -> None:
    """Where signs of life go, if they go anywhere."""
    variable = here.settings.alerts.heartbeat_url_env
    if not variable:
        return
    refused = last_trouble(book)
    if not here.environ.get(variable, "").strip():
        ja, en = f"環境変数 {variable} が空です", missing(variable)
        chart.bad("heartbeat", ja, en, ".env に追加してください", "add it to .env")
    elif refused:
        do_ja, do_en = (
            f"{variable} のアドレスと、その先のサービスを確かめてください",
            f"look at the address in {variable}",
        )
        chart.warn("heartbeat", f"前回失敗: {refused}", f"the last sign did not arrive: {refused}", do_ja, do_en)
    else:
        chart.ok("heartbeat", "設定済みです", "configured")


def state_unreadable(chart: Chart, error: Exception, *, server: bool = False) -> None:
    """Why state.db can't be opened. Only a damaged one is to be set aside; a right or room that is missing is not.

    `server`: it is a database on a server, which is reached or not.
    """
    fault = fault_of(error)
    if fault == "damaged":
        _damaged(chart, str(error))
    elif fault is not None:
        chart.fault("state.db", fault)
    elif server:
        chart.bad(
            "state.db",
            f"データベースにつながりません（{type(error).__name__}）",
            f"the database can't be reached: {error}",
            "データベースのサーバーと [state] url を確認してください",
            "look whether the database server is up and [state] url is right",
        )
    else:
        chart.bad(
            "state.db",
            f"読めません（{type(error).__name__}）",
            f"can't be read: {error}",
            "そのまま残し、この行を開発元に知らせてください",
            "leave it where it is and report this line",
        )


@contextmanager
def kept(here: Installation) -> Iterator[Connection | None]:
    """A connection to what is kept; None where there is nothing yet, or not all of it."""
    if here.state_file is not None and not here.state_file.is_file():
        yield None
        return
    with looking_at(here.settings.state_url()) as connection:
        yield None if missing_tables(connection) else connection


def _damaged(chart: Chart, why: str) -> None:
    chart.bad(
        "state.db",
        f"壊れています: {why}",
        f"damaged: {why}",
        "data/state.db をバックアップから戻すか、退避して再実行してください",
        "restore state.db from a backup, or move it away: the next run reads everything again",
    )
