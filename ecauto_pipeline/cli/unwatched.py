"""`ecauto unwatched`: every item that nothing keeps in step, and why.

Not for: which those are (state/unwatched.py) or the story of one item (explain.py).
"""

from __future__ import annotations

from datetime import datetime

import typer

from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import print_json, say
from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.settings import load
from ecauto_pipeline.state.unwatched import unwatched as unwatched_listings
from ecauto_pipeline.sync.people.goods import titles_of
from ecauto_pipeline.wiring.accounts import shop_accounts
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def unwatched(json_output: Json = False) -> None:
    """同期されていない商品と、その理由の一覧です。 What is not watched, and why."""
    settings = load()
    active = [key for key, shop in shop_accounts(settings).items() if shop.active]
    with open_tools(settings, offline=True) as tools:
        with tools.state.read() as connection:
            rows = unwatched_listings(connection, active, tools.clock.now())
        titles = titles_of(tools, (row.asin for row in rows))
        named = [(row, tools.name_of(row.key.account), titles.get(row.asin, "")) for row in rows]
    if json_output:
        print_json(
            [
                {"account_id": row.key.account_id, "platform": row.key.platform, "item_id": row.key.item_id}
                | {"asin": row.asin, "title": title, "reason": row.reason, "gone_at": _time(row.gone_at)}
                | {"on_sale": row.on_sale, "because": row.because, "since": _time(row.since)}
                | {"merged_into": row.merged_into}
                for row, _, title in named
            ]
        )
        return
    english = settings.alerts.language == "en"
    say(f"{len(rows)} items are not watched" if english else f"同期されていない商品 {len(rows)} 件", style="bold")
    reason = ""
    for row, shop, title in named:
        if row.reason != reason:
            reason = row.reason
            say()
            say(said(reason, settings.alerts.language))
        at = _time(row.gone_at or row.since)
        since = "" if not at else f"  (since {at})" if english else f"  ({at} から)"
        because = f"  {said(row.because, settings.alerts.language)}" if row.because else ""
        because += f" -> {row.merged_into}" if row.merged_into else ""
        if row.because and row.on_sale:
            because += "  on sale" if english else "  公開中"
        say(f"  {row.key.item_id}  {row.asin or '-'}  {shop}  {title}".rstrip() + because + since)


def _time(moment: datetime | None) -> str:
    return "" if moment is None else f"{jst(moment):%Y-%m-%d %H:%M}"
