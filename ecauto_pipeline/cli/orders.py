"""`ecauto orders`: what was sold lately, what it cost when its price was set and when it was sold, what is left.

Not for: finding orders (sync/orders), or the past beyond what state.db keeps (history.duckdb, table `orders`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import print_json, say
from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.words import STATUSES, worded
from ecauto_pipeline.settings import load
from ecauto_pipeline.state import orders as kept_orders
from ecauto_pipeline.state.orders import OrderRow
from ecauto_pipeline.sync.people.goods import titles_of
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False, no_args_is_help=True)
MOST = 200


@COMMAND.callback()
def orders() -> None:
    """最近の注文と、その仕入れと利益。 What was sold lately, what it cost, what is left."""


@COMMAND.command("list")
def list_orders(
    days: Annotated[int, typer.Option("--days", min=1, max=40, help="何日前から / since how many days ago")] = 7,
    json_output: Json = False,
) -> None:
    """売れたもの、仕入れ、手数料を引いた利益。 What was sold, what it cost then and now, what is left after fees."""
    settings = load()
    with open_tools(settings, offline=True) as tools:
        with tools.state.read() as connection:
            rows = kept_orders.recent(connection, tools.clock.now() - timedelta(days=days), MOST)
        titles = titles_of(tools, {row.found.asin for row in rows if row.found.asin})
        named = [(row, tools.name_of(row.found.key.account)) for row in rows]
    if json_output:
        print_json([_as_data(row, titles) for row, _ in named])
        return
    language = settings.alerts.language
    english = language == "en"
    say(f"{len(rows)} orders in {days} days" if english else f"この{days}日の注文 {len(rows)} 件", style="bold")
    for row, shop in named:
        for line in _lines(row, shop, titles, language):
            say(line)


def _lines(row: OrderRow, shop: str, titles: Mapping[str, str], language: str) -> Iterator[str]:
    """Two lines a row: when, where and what; then the money."""
    english, found, asked = language == "en", row.found, row.asked
    yield f"{jst(found.sold_at):%m-%d %H:%M}  {shop}  {found.key.item_id}  {titles.get(found.asin, found.asin) or '-'}"
    words = ("sold", "cost then", "cost now", "left") if english else ("販売", "前の仕入れ", "今の仕入れ", "利益")
    pieces = f" x {found.amount}" if found.amount != 1 else ""
    money = (found.price_jpy, row.cost_then_jpy, asked.cost_at_sale_jpy, asked.profit_jpy)
    shown = [f"{word} {'-' if amount is None else f'{amount:,}'}" for word, amount in zip(words, money, strict=True)]
    if asked.cost_at_sale_jpy is None:
        waits = "Amazon is being asked" if english else "Amazonに確認中"
        shown[2] = f"{words[2]} {worded(STATUSES, asked.status, language) if row.settled_at else waits}".rstrip()
    yield f"  {shown[0]}{pieces}  {'  '.join(shown[1:])}"


def _as_data(row: OrderRow, titles: Mapping[str, str]) -> dict[str, object]:
    found, asked = row.found, row.asked
    return {
        "order": found.order_key,
        "platform": found.key.platform,
        "account_id": found.key.account_id,
        "item_id": found.key.item_id,
        "asin": found.asin,
        "title": titles.get(found.asin, ""),
        "sold_at": jst(found.sold_at).isoformat(timespec="seconds"),
        "amount": found.amount,
        "price_jpy": found.price_jpy,
        "cost_then_jpy": row.cost_then_jpy,
        "cost_at_sale_jpy": asked.cost_at_sale_jpy,
        "profit_jpy": asked.profit_jpy,
        "status": asked.status,
        "reason": asked.reason,
        "told": row.told,
    }
