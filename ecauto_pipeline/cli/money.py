"""`ecauto money`: what was earned by day or month, what edits spared, what still slips by.

Not for: single orders (orders.py) or how it is counted (views/money.py).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import number, print_json, say, table, told
from ecauto_pipeline.settings import load
from ecauto_pipeline.views.money import Earned, earned_by_day, earned_by_month, spared
from ecauto_pipeline.views.money_words import spared_lines
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def money(
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="日ごとに何日ぶん / so many days")] = 31,
    months: Annotated[int, typer.Option("--months", min=1, max=120, help="月ごとに何か月ぶん / so many months")] = 12,
    json_output: Json = False,
) -> None:
    """注文と利益を日と月ごとに、避けた損失とともに表示します。 What is left of orders, and losses avoided."""
    settings = load()
    with open_tools(settings, offline=True) as tools:
        by_day, by_month, kept_off = earned_by_day(tools, days), earned_by_month(tools, months), spared(tools)
    if json_output:
        document = {"days": [_as_row(one) for one in by_day], "months": [_as_row(one) for one in by_month]}
        print_json(document | {"spared": asdict(kept_off)})
        return
    heads = told("期間 注文 個数 売上 利益 赤字 利益不明", "period orders pieces sales left losses unknown").split()
    for title, found in ((told("日ごと", "by day"), by_day), (told("月ごと", "by month"), by_month)):
        if found:
            figures = (("rows", "pieces", "sales_jpy", "profit_jpy", "losses", "unknown"), found)
            table(title, heads, [(one.period, *(number(getattr(one, name)) for name in figures[0])) for one in found])
        else:
            say(told(f"{title}: 注文はまだありません", f"{title}: no order yet"))
    for line in spared_lines(kept_off, settings.alerts.language):
        say(line)


def _as_row(one: Earned) -> dict[str, object]:
    return asdict(one)
