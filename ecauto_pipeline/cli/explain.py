"""`ecauto explain`: why this price, why hidden; now or at any moment of the past.

Not for: working it out (explain/story.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecauto_pipeline.atomic_file import replace_file
from ecauto_pipeline.cli.arguments import moment_of
from ecauto_pipeline.cli.console import WITH_ERRORS, fail, print_json, say, table
from ecauto_pipeline.explain.story import explain as story_of
from ecauto_pipeline.explain.words import as_document, sections
from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline.settings import load
from ecauto_pipeline.state import decisions
from ecauto_pipeline.state.listing_lookup import listings_about
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.views.held_rows import SHORT_ID
from ecauto_pipeline.views.item_series import as_document as series_document
from ecauto_pipeline.views.item_series import series_of
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def explain(
    key: Annotated[str, typer.Argument(metavar="ASIN|ITEM_ID|DIFF_ID", help="ASIN、BASEの商品ID、またはdiff_idの先頭")],
    as_of: Annotated[str, typer.Option("--as-of", help='過去の時刻 / a past moment: "2026-11-23 18:00" (JST)')] = "",
    png: Annotated[Path | None, typer.Option("--png", help="価格と在庫の推移をPNGに / write the picture here")] = None,
    days: Annotated[
        int, typer.Option("--days", help="--jsonに価格の推移を何日ぶん入れるか / days of the series", min=0, max=365)
    ] = 0,
    json_output: Annotated[bool, typer.Option("--json", help="machine-readable")] = False,
) -> None:
    """なぜこの価格か、なぜ非公開かを説明します。 Why this price, why hidden, at any moment."""
    settings = load()
    moment = moment_of("--as-of", as_of) if as_of else None
    with open_tools(settings, offline=True) as tools:
        reader, meant = HistoryReader(tools.history), _meant(tools, key.strip())
        story = story_of(
            reader,
            settings,
            meant,
            tools.clock.now(),
            as_of=moment,
            state=tools.state,
        )
        if not story.found:
            fail(
                f"{key}: known neither as an ASIN nor as an item id",
                WITH_ERRORS,
                ja=f"{key}: ASINとしても商品IDとしても記録がありません",
            )
        if png is not None:
            from ecauto_pipeline.explain.picture import history_png

            replace_file(png, history_png(story, settings.alerts.language))
        series = series_of(tools, reader, meant, days) if days and json_output else None
    if json_output:
        more = {} if series is None else {"series": series_document(series)}
        print_json(as_document(story) | more)
        return
    for section in sections(story, settings.alerts.language):
        if section.rows:
            table(section.title, section.columns, section.rows)
        else:
            say(section.title, style="bold")
        if section.note:
            say(section.note)
        say()


def _meant(tools: Tools, key: str) -> str:
    """The item that a decision is about, where `key` is the beginning of one's id; else the key as it is."""
    if len(key) < SHORT_ID or not set(key) <= set("0123456789abcdef"):
        return key
    with tools.state.read() as connection:
        items = {row.diff.key.item_id for row in decisions.starting_with(connection, key)}
        known = listings_about(connection, key)
    return items.pop() if len(items) == 1 and not known else key
