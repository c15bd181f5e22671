"""`ecauto rules list`: the rules in force a page at a time.

Not for: which they are (views/rules_table.py).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import fail, language, print_json, say, table, told
from ecauto_pipeline.clock import jst
from ecauto_pipeline.settings import load
from ecauto_pipeline.views.rule_words import LABELS, about_said, cell_said
from ecauto_pipeline.views.rules_table import ONLY, rules_table
from ecauto_pipeline.wiring.open import open_tools


def list_command(
    search: Annotated[str, typer.Option("--search", help="商品ID・ASIN・語・メモで探す / ids, words, notes")] = "",
    only: Annotated[
        str, typer.Option("--only", help="idle: 当たる出品のない行, over: 期限切れの行 / these alone")
    ] = "",
    page: Annotated[int, typer.Option("--page", min=1, help="ページ / page")] = 1,
    json_output: Json = False,
) -> None:
    """使用中の規則を一覧します。 The rules in force, and how many listings each selects."""
    chosen = next((one for one in ONLY if one == only), None)
    if chosen is None:
        fail(f"--only {only!r}: idle or over", ja=f"--only {only!r}: idle か over です")
    with open_tools(load(), offline=True) as tools:
        found = rules_table(tools, search, chosen, page)
    if json_output:
        moments = {
            name: None if at is None else jst(at).isoformat(timespec="seconds")
            for name, at in (("read_at", found.read_at), ("broken_since", found.broken_since))
        }
        print_json(asdict(found) | moments)
        return
    heads = (told("行", "line"), told("対象", "about"), told("内容", "decides"), told("期限", "until"),
             told("出品", "listings"), told("メモ", "note"))  # fmt: skip
    rows = [
        (
            one.line,
            ", ".join(about_said(one.about, language())),
            ", ".join(
                f"{told(*LABELS[name])}: {cell_said(name, value, language())}" for name, value in one.decides.items()
            ),
            one.until,
            one.listings,
            one.note,
        )
        for one in found.rows
    ]
    table("", heads, rows)
    say(
        told(
            f"{found.total}行（{found.page}/{found.pages}ページ）。使用中の規則 {found.rules}件、"
            f"当たる出品のない行 {found.idle}、期限切れ {found.over}",
            f"{found.total} lines (page {found.page} of {found.pages}); {found.rules} rules in force, "
            f"{found.idle} select nothing, {found.over} are over",
        )
    )
