"""How things stand, on the first page: the last and the next run, each shop, how fresh what we know is.

Not for: finding it out (views/status.py, views/runs.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from nicegui import ui

from ecauto_pipeline.desk.parts.cards import card, chip, figure
from ecauto_pipeline.desk.parts.tables import Cell, Column, table
from ecauto_pipeline.desk.parts.text import UNKNOWN, ago, count, moment, note, short
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.domain.account_names import name_of
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.words import BREAKERS, TIERS, worded
from ecauto_pipeline.views.fleet import FleetNow
from ecauto_pipeline.views.next_runs import NextRun, words
from ecauto_pipeline.views.run_lines import sentence
from ecauto_pipeline.views.runs import RunLine


def draw_runs(visit: Visit, last: RunLine | None, status: dict[str, Any] | Unknown) -> None:
    """The last run in a line of words; when the next ones begin."""
    if last is None:
        ui.label(visit.told("前回: まだ一度も実行していません", "last: nothing has run yet"))
    else:
        with ui.element("div").classes("desk-buttons"):
            ui.label(visit.told("前回: ", "last: ") + short(sentence(last, visit.language)))
            ui.link(visit.told("内容を見る", "See it"), visit.link(f"/runs/{last.run_id}"))
    if isinstance(status, Unknown):
        return
    planned = [_next(one) for one in status["next_runs"]]
    if not planned:
        note(
            visit.told(
                "次回: 自動では始まりません（エミュレーション中）。「今すぐ同期」で始めてください。",
                "next: nothing starts by itself in emulated mode; start it with Sync now",
            )
        )
        return
    said = visit.told("、", ", ").join(words(one, visit.language) for one in planned)
    ui.label(visit.told(f"次回: {said}", f"next: {said}"))
    note(
        visit.told(
            "古くなったものが残っているときは、その間にも続きを実行します。",
            "While something is due and the budget allows it, runs go on in between.",
        )
    )


def draw_shops(visit: Visit, status: dict[str, Any]) -> None:
    """A row a shop."""
    columns = (
        Column(visit.told("ショップ", "shop")),
        Column(visit.told("状態", "state")),
        Column(visit.told("出品", "listings"), number=True),
        Column(visit.told("最後に読んだ時刻", "last read")),
        Column(visit.told("今時間の残り呼び出し", "calls left this hour"), number=True),
        Column(visit.told("うち緊急用", "of them kept"), number=True),
        Column(visit.told("認可の残り", "authorised for"), number=True),
    )
    known = [AccountKey(shop["platform"], shop["account_id"]) for shop in status["accounts"]]
    rows = [_shop(visit, name_of(key, known), shop) for key, shop in zip(known, status["accounts"], strict=True)]
    with card(visit.told("ショップ", "Shops")):
        table(columns, rows, label=visit.told("ショップの一覧", "Shops"))


def _shop(visit: Visit, name: str, shop: dict[str, Any]) -> list[Cell]:
    def state() -> None:
        if not shop["active"]:
            chip(visit.told("使わない設定", "switched off"))
        elif shop["stopped"] is not None:
            chip(visit.told("送信停止中", "pushing stopped"), "bad")
        elif shop["breaker"]:
            chip(worded(BREAKERS, shop["breaker"], visit.language), "doubtful")
        else:
            chip(visit.told("正常", "fine"), "good")

    left = kept = UNKNOWN
    if shop["per_hour"] and shop["active"]:
        left = f"{max(0, shop['per_hour'] - shop['calls_this_hour']):,} / {shop['per_hour']:,}"
        kept = count(shop["kept_per_hour"])
    days = shop["token_days_left"]
    token = UNKNOWN if days is None else visit.told(f"{days:,.0f}日", f"{days:,.0f} days")
    return [name, state, count(shop["listings"]), moment(shop["last_read"]), left, kept, token]


def draw_lanes(visit: Visit, fleet: FleetNow) -> None:
    """A row a lane, where there are several: who works on it, and how long ago its last run ended."""
    if len(fleet.lanes) < 2:
        return
    columns = (
        Column(visit.told("レーン", "lane")),
        Column(visit.told("ショップ", "shops"), number=True),
        Column(visit.told("処理中", "worked on by")),
        Column(visit.told("最後の実行", "last run")),
        Column(visit.told("エラー", "errors"), number=True),
    )
    rows: list[list[Cell]] = [
        [
            one.lane,
            count(one.shops),
            f"{one.host} ({one.run_id[:8]})" if one.run_id else visit.told("なし", "nobody"),
            UNKNOWN if one.ended_at is None else moment(one.ended_at),
            UNKNOWN if one.errors is None else count(one.errors),
        ]
        for one in fleet.lanes
    ]
    with card(visit.told("レーン", "Lanes")):
        table(columns, rows, label=visit.told("レーンの一覧", "Lanes"))


def draw_freshness(visit: Visit, status: dict[str, Any]) -> None:
    """Figures of all ASINs, and a row a tier."""
    fresh, unwatched = status["freshness"], status["unwatched"]
    with card(visit.told("鮮度", "Freshness")):
        with ui.element("div").classes("desk-figures"):
            figure(visit.told("全ASIN数", "all ASINs"), count(fresh["total_asins"]))
            figure(visit.told("新しい", "fresh"), count(fresh["fresh"]))
            figure(visit.told("更新が必要", "to be asked"), count(fresh["due"]))
            figure(visit.told("確認待ち", "wait for a person"), count(status["held_open"]), visit.link("/holds"))
            figure(
                visit.told("同期されていない商品", "not watched"),
                count(None if unwatched is None else sum(unwatched.values())),
                visit.link("/items", filter="unwatched"),
            )
        columns = (
            Column(visit.told("区分", "tier")),
            Column(visit.told("ASIN数", "ASINs"), number=True),
            Column(visit.told("最も古い在庫情報", "oldest stock"), number=True),
        )
        rows: list[list[Cell]] = [
            [
                worded(TIERS, tier, visit.language),
                count(fresh["by_tier"].get(tier, 0)),
                ago(fresh["oldest_stock_s"].get(tier), visit.language),
            ]
            for tier in ("high", "medium", "low")
        ]
        table(columns, rows, label=visit.told("区分ごとの鮮度", "Freshness by tier"))


def _next(row: dict[str, Any]) -> NextRun:
    at = row["at"]
    return NextRun(row["job"], None if at is None else datetime.fromisoformat(at), row["switched_off"])
