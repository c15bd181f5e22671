"""How long a row of each table of state.db lives: the one declaration, and what ends the lives that are over.

A row that history keeps may go here when nothing under way needs it; a row that describes a thing lives as long as the
thing. Not for: log files (`[logs] keep_days`), Dagster's own records (`[logs] keep_runs`), or history, which is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ecauto_pipeline.state import (
    amazon_shapes,
    asins,
    catalogue,
    decisions_for_history,
    journal_for_history,
    leases,
    messages,
    notices,
    orders,
    plans,
    rule_changes,
    runs,
    shop_listings,
    windows,
)
from ecauto_pipeline.state.marks import read_mark, set_mark

LOOK_EVERY = timedelta(hours=1)
MARK = "lifetimes_looked_at"


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Of one table. `after` None: the row leaves at the event that the words name. `forget(connection, before)`."""

    table: str
    after: timedelta | None
    ja: str
    en: str
    forget: Callable[[Connection, datetime], None] | None = None


def _days(number: int) -> timedelta:
    return timedelta(days=number)


LIFETIMES = (
    Lifetime(
        "asins",
        _days(90),
        "出品がある間。出品がなくなり、最後の回答から90日",
        "while a listing has it; then 90 days after its last answer",
        asins.forget,
    ),
    Lifetime("catalogue", _days(90), "asinsの行とともに", "as long as its row of asins", catalogue.forget),
    Lifetime(
        "listings",
        _days(90),
        "ショップか登録簿にある間。どちらからも消えて90日",
        "while the shop or the register has it; then 90 days after it was last read",
        shop_listings.forget,
    ),
    Lifetime("shop_accounts", None, "ショップごとに1行", "one row a shop"),
    Lifetime("judged_shops", None, "ショップと工程ごとに1行", "one row a shop and step"),
    Lifetime("counters", None, "名前ごとに1行", "one row a name"),
    Lifetime("oauth", None, "ショップごとに1行", "one row a shop"),
    Lifetime("observations", None, "履歴に書くまで", "until it is in history"),
    Lifetime(
        "diffs",
        decisions_for_history.LIFE,
        "履歴に書き、結論が出て3日(見送りで、その後に判断が変わったものは1日)。確認待ちと人の返事は、結論が出るまで",
        "3 days once it is in history and over, a skip that was judged otherwise since 1; what waits, or what a person"
        " said, until it is settled",
        decisions_for_history.forget,
    ),
    Lifetime(
        "journal",
        _days(30),
        "履歴に書いて30日(取り消せるのはこの間)。結果が不明なものは、読み直すまで",
        "30 days once it is in history (a run can be undone so long); of unknown outcome until it is read back",
        journal_for_history.forget,
    ),
    Lifetime("api_calls", None, "履歴に書くまで", "until it is in history"),
    Lifetime("buckets", None, "アカウントと操作ごとに1行", "one row an account and operation"),
    Lifetime("windows", _days(3), "始まりから3日", "3 days from its start", windows.forget),
    Lifetime(
        "leases", _days(1), "返すまで。期限切れから1日", "until given back, or a day after its end", leases.forget
    ),
    Lifetime("runs", _days(30), "履歴に書いて30日", "30 days once it is in history", runs.forget),
    Lifetime("run_sections", _days(30), "runsの行とともに", "as long as its row of runs"),
    Lifetime("plans", plans.PLAN_LIFE, "作ってから3日", "3 days from its making", plans.forget),
    Lifetime(
        "plan_targets",
        plans.PLAN_LIFE,
        "plansの行とともに。聞き終えた計画のものは、作ってから1日",
        "as long as its row of plans; of a plan that is finished, 1 day from its making",
    ),
    Lifetime("lane_leases", None, "レーンごとに1行", "one row a lane"),
    Lifetime(
        "notices",
        _days(30),
        "通知中の間。解決して30日",
        "while it stands; 30 days once it is over",
        notices.forget,
    ),
    Lifetime("marks", None, "名前ごとに1行", "one row a name"),
    Lifetime("owner_files", None, "ファイルごとに1行", "one row a file"),
    Lifetime("item_rules", None, "使用中の規則1行に1行", "one row a rule in force"),
    Lifetime("rule_changes", _days(800), "規則が変わってから800日", "800 days from the change", rule_changes.forget),
    Lifetime("stops", None, "送信を再開するまで", "until the pushing goes on"),
    Lifetime(
        "operation_health",
        None,
        "失敗している間、アカウントと操作ごとに1行",
        "while an operation of an account fails: one row each",
    ),
    Lifetime(
        "amazon_shapes", _days(90), "最後に見てから90日", "90 days after an answer last had it", amazon_shapes.forget
    ),
    Lifetime(
        "orders",
        _days(40),
        "注文から40日。履歴に書き、伝えるまでは残す",
        "40 days from the sale, once it is in history and told",
        orders.forget,
    ),
    Lifetime("messages", _days(14), "作ってから14日", "14 days from its making", messages.forget),
    Lifetime("salts", None, "名前ごとに1行", "one row a name"),
)
"""In the order of schema.py; every table stands here."""


def end_lives(connection: Connection, now: datetime) -> bool:
    """Remove every row whose life is over, at most once an hour; whether it was done."""
    looked = read_mark(connection, MARK)
    if looked is not None and looked <= now < looked + LOOK_EVERY:
        return False
    for life in LIFETIMES:
        if life.forget is not None and life.after is not None:
            life.forget(connection, now - life.after)
    set_mark(connection, MARK, now)
    return True
