"""`ecauto changes`: what was changed at the shops today, or on another day, by name.

Not for: finding it out (views/changes.py) or one run's edits (runs.py).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import fail, language, print_json, say, told
from ecauto_pipeline.clock import jst
from ecauto_pipeline.settings import load
from ecauto_pipeline.views.changes import as_document, changes_of, counted
from ecauto_pipeline.views.run_edits import change, why_words
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def changes(
    day: Annotated[str, typer.Option("--day", metavar="YYYY-MM-DD", help="日付(日本時間) / default: today")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="何件まで / at most so many")] = 20,
    json_output: Json = False,
) -> None:
    """今日ショップで変えたもの(公開状態・価格)を新しい順に示します。 What was changed at the shops today.

    商品名、前 → 後、理由。30日前まで。 By name, from what to what and why; up to 30 days ago.
    """
    settings = load()
    chosen = _day(day) if day else None
    with open_tools(settings, offline=True) as tools:
        found = changes_of(tools, chosen, limit=limit)
        shops = [tools.name_of(edit.key.account) for edit in found.edits]
    if json_output:
        print_json(as_document(found))
        return
    say(f"{found.day}  {counted(found.counts, language())}", style="bold")
    for edit, shop in zip(found.edits, shops, strict=True):
        say(f"{jst(edit.at):%H:%M}  {shop}  {edit.key.item_id}  {edit.title or edit.asin}")
        say(f"  {change(edit, language())}  {why_words(edit, language())}")
    more = found.counts.total - len(found.edits)
    if more:
        say(told(f"ほか {more:,} 件（--limit）", f"{more:,} more (--limit)"))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        fail(
            f"--day {text!r} is no day; one looks like 2026-11-23",
            ja=f"--day {text!r} は日付ではありません（例 2026-11-23）",
        )
