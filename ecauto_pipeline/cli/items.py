"""`ecauto items`: the listings, searched, filtered and sorted; as a CSV, too.

Not for: finding them (views/items.py), or the story of one item (explain.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ecauto_pipeline.atomic_file import replacing
from ecauto_pipeline.cli.arguments import Account, Json
from ecauto_pipeline.cli.console import fail, print_json, say, told
from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.words import HIDDEN_BY
from ecauto_pipeline.settings import load
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.views.item_filters import FILTERS, STATES
from ecauto_pipeline.views.item_titles import without_title
from ecauto_pipeline.views.items import DEFAULT_SORT, SORTS, Found, Item, Wanted, every_item, find_items
from ecauto_pipeline.views.items_csv import csv_lines, document
from ecauto_pipeline.wiring.accounts import known_accounts
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def items(
    query: Annotated[
        str,
        typer.Argument(help="商品名・ASIN・商品ID・コード・ショップの語 / words of title, ASIN, item id, code, shop"),
    ] = "",
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", help="on_sale, hidden, hidden:ours, loss, held, blocked, unwatched, ... (repeatable)"),
    ] = None,
    sort: Annotated[
        str, typer.Option("--sort", help=f"{', '.join(SORTS)}; 前に - で逆順 / - before it = the other way")
    ] = DEFAULT_SORT,
    account: Account = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="何件まで / rows at most")] = 50,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="該当する全件をCSVファイルへ / all that fit, into this file")
    ] = None,
    json_output: Json = False,
) -> None:
    """商品を検索します(販売中・赤字・確認待ちなどで絞り込み、CSVにも)。 Listings: search, filter, sort, CSV."""
    settings = load()
    wanted = Wanted(query, tuple(filters or ()), sort, known_accounts(settings, tuple(account or ())))
    _refuse_unknown(wanted)
    with open_tools(settings, offline=True) as tools:
        if csv is not None:
            _write_csv(tools, wanted, csv)
            return
        found = find_items(tools, wanted, 0, limit)
    if json_output:
        counts = {name: many for name, many in found.counts.items() if many}
        rows = [document(item) for item in found.items]
        print_json({"total": found.total, "of": found.of, "counts": counts, "items": rows})
        return
    _show(found, settings.alerts.language)


def _refuse_unknown(wanted: Wanted) -> None:
    for name in wanted.filters:
        if name not in FILTERS:
            known = ", ".join(FILTERS)
            fail(
                f"unknown filter {name!r}; known: {known}", ja=f"{name!r} という絞り込みはありません。あるのは: {known}"
            )
    if wanted.sort.removeprefix("-") not in SORTS:
        known = ", ".join(SORTS)
        fail(
            f"unknown order {wanted.sort!r}; known: {known}",
            ja=f"{wanted.sort!r} という並べ方はありません。あるのは: {known}",
        )


def _write_csv(tools: Tools, wanted: Wanted, path: Path) -> None:
    total, each = every_item(tools, wanted)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.writelines(csv_lines(each, tools.settings.alerts.language))
    say(told(f"{total:,} 件を {path} に書きました", f"{total:,} rows written to {path}"))


def _show(found: Found, language: str) -> None:
    """Two lines a listing: what it is called, then everything else."""
    english = language == "en"
    say(f"{found.total:,} of {found.of:,} listings" if english else f"商品 {found.total:,} 件 (全 {found.of:,} 件)")
    for item in found.items:
        say(item.title or without_title(item.title, "en" if english else "ja"), style="bold")
        say("  " + "  ".join(_facts(item, english)))
    if found.total > len(found.items):
        say("more with --limit or --csv" if english else "続きは --limit か --csv で見られます")


def _facts(item: Item, english: bool) -> Iterator[str]:
    standing = item.standing
    yield from (item.key.item_id, item.asin or "-", item.shop)
    yield _yen(item.price_jpy, english)
    yield f"Amazon {_yen(item.cost_jpy, english)}"
    yield f"{'profit' if english else '利益'} {_yen(item.profit_jpy, english)}"
    who = HIDDEN_BY.get(standing.hidden_by) if standing.state == "hidden" else None
    yield STATES[standing.state][english] + (f" ({who[english]})" if who else "")
    yield from (
        FILTERS[name][english] for name in ("held", "blocked", "unconfirmed", "rule") if getattr(standing, name)
    )
    if standing.unwatched:
        yield FILTERS[f"unwatched:{standing.unwatched}"][english]
    if item.confirmed_at is not None:
        yield f"{jst(item.confirmed_at):%m-%d %H:%M}"


def _yen(amount: int | None, english: bool) -> str:
    return "-" if amount is None else f"{amount:,} yen" if english else f"{amount:,}円"
