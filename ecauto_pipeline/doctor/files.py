"""What the program keeps: state.db, history, the owner's register; and what is left of the budgets.

Nothing is created or changed: a book that is not there yet is no fault. Not for: repairing (`ecauto history rebuild`).
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import duckdb
from sqlalchemy import Connection

from ecauto_pipeline.clock import jst
from ecauto_pipeline.doctor.disk_errors import NEXT, WORDS, fault_of
from ecauto_pipeline.doctor.findings import Chart
from ecauto_pipeline.history.database import DatabaseHeld, DatabaseTorn, database
from ecauto_pipeline.history.tables import HistoryError
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state import decisions, journal
from ecauto_pipeline.state.described import StateUnreadable, damage, looking_at, missing_tables
from ecauto_pipeline.state.notices import read_book
from ecauto_pipeline.state.shop_accounts import open_breakers
from ecauto_pipeline.state.windows import window_end, windows_counted

NEARLY_SPENT = 0.9


def register(chart: Chart, settings: Settings) -> None:
    """master.db can be opened and has its two tables."""
    path = settings.master_db
    do_ja, do_en = "paths.master_db を確認してください", "check paths.master_db in ecauto.toml"
    if not path.is_file():
        if settings.own_base:
            chart.ok("master.db", "最初の実行で作られます", "made at the first run")
        elif settings.mode == "emulated":
            ja, en = "最初の実行で接続先から受け取ります", "the first run asks the other side for one"
            chart.warn("master.db", ja, en, do_ja, do_en)
        else:
            chart.bad("master.db", "ありません", "is not there", do_ja, do_en)
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            missing = ", ".join(sorted({"products", "listings"} - names))
            count = 0 if missing else connection.execute("SELECT count(*) FROM listings").fetchone()[0]
    except sqlite3.Error as error:
        chart.bad("master.db", f"読めません: {error}", f"can't be read: {error}", do_ja, do_en)
        return
    if missing:
        chart.bad("master.db", f"表がありません: {missing}", f"lacks the tables {missing}", do_ja, do_en)
    else:
        chart.ok("master.db", f"出品 {count:,}件", f"{count:,} listings")


def state(chart: Chart, settings: Settings, now: datetime) -> dict[str, str]:
    """state.db is sound; what is left open in it. Returns the alert channels that refused their last message."""
    url = settings.state_url()
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        chart.ok("state.db", "最初の実行で作られます", "made at the first run")
        return {}
    try:
        with looking_at(url) as connection:
            if not _sound(chart, connection):
                return {}
            _left_open(chart, connection)
            _budgets(chart, connection, settings, now)
            _breakers(chart, connection, now)
            return dict(read_book(connection).get("broken", {}))
    except StateUnreadable as error:
        state_unreadable(chart, error)
        return {}


def history(chart: Chart, settings: Settings) -> None:
    """history.duckdb can be opened, or is held by somebody, or is made at the first run."""
    path = settings.data_dir / "history.duckdb"
    if not path.is_file():
        chart.ok("history", "最初の実行で作られます", "made at the first run")
        return
    do = "ecauto history rebuild"
    try:
        with database(path, read_only=True) as connection:
            found = connection.execute("SELECT count(*) FROM snapshots").fetchone()
    except DatabaseHeld:
        chart.warn(
            "history",
            "他のプログラムが開いています。読み込みは後で行われます",
            "another program has history.duckdb open; loading waits, runs do not",
            "開いているプログラムを閉じてください",
            "close the program that has it open",
        )
    except (DatabaseTorn, HistoryError, OSError, duckdb.Error) as error:
        chart.bad("history", f"読めません: {type(error).__name__}", f"unreadable: {type(error).__name__}", do, do)
    else:
        count = found[0] if found else 0
        chart.ok("history", f"スナップショット {count:,}件", f"{count:,} snapshots")


def state_unreadable(chart: Chart, error: Exception) -> None:
    """Why state.db can't be opened. Only a damaged one is to be set aside; a right or room that is missing is not."""
    fault = fault_of(error)
    if fault is None or fault == "damaged":
        _state_damaged(chart, str(error))
        return
    (ja, en), (do_ja, do_en) = WORDS[fault], NEXT[fault]
    chart.bad("state.db", ja, en, do_ja, do_en)


def _state_damaged(chart: Chart, why: str) -> None:
    chart.bad(
        "state.db",
        f"壊れています: {why}",
        f"damaged: {why}",
        "data/state.db をバックアップから戻すか、退避して再実行してください",
        "restore state.db from a backup, or move it away: the next run reads everything again",
    )


def _sound(chart: Chart, connection: Connection) -> bool:
    if verdict := damage(connection):
        _state_damaged(chart, verdict)
        return False
    if missing := missing_tables(connection):
        chart.warn(
            "state.db",
            f"表がありません: {', '.join(missing)}",
            f"lacks tables: {', '.join(missing)}",
            "次の実行で作られます",
            "the next run makes them",
        )
        return False
    chart.ok("state.db", "正常です", "sound")
    return True


def _left_open(chart: Chart, connection: Connection) -> None:
    held = decisions.count_open_holds(connection)
    if held:
        do = "ecauto holds list"
        chart.warn("holds", f"確認待ち {held}件", f"{held} changes wait for a person", do, do)
    open_intents = journal.count_open_intents(connection)
    if open_intents:
        chart.warn(
            "journal",
            f"結果不明の送信 {open_intents}件",
            f"{open_intents} updates without an outcome",
            "次の実行が BASE を読み直して確定します",
            "the next run reads BASE and settles them",
        )


def _budgets(chart: Chart, connection: Connection, settings: Settings, now: datetime) -> None:
    limits = {"hour": settings.base.limits.per_hour, "day": settings.base.limits.per_day}
    for row in windows_counted(connection):
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


def _breakers(chart: Chart, connection: Connection, now: datetime) -> None:
    for row in open_breakers(connection).values():
        if row.breaker_until is not None and row.breaker_until <= now:
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
        chart.bad(
            f"shop {row.account_id}",
            f"停止中: {row.breaker}",
            f"left alone because of {row.breaker}",
            do_ja,
            do_en,
        )
