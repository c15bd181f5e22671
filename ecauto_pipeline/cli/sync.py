"""`ecauto sync`: one run of an hour: read, ask, decide, push.

Not for: what the run does (defs/, sync/).
"""

from __future__ import annotations

from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import Account, Lane, Partition, Platform, ResultJson
from ecauto_pipeline.cli.console import fail
from ecauto_pipeline.cli.running import ready, run_lanes_and_show, shares_of

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def sync(
    price_only: Annotated[bool, typer.Option("--price-only", help="価格だけ / prices alone")] = False,
    stock_only: Annotated[bool, typer.Option("--stock-only", help="公開状態と在庫だけ / visibility and stock")] = False,
    platform: Platform = "",
    account: Account = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="BASEには何も送らない / send BASE nothing")] = False,
    max_items: Annotated[int, typer.Option("--max-items", min=0, help="件数の上限 / listings at most; 0 = all")] = 0,
    everything: Annotated[
        bool, typer.Option("--all", help="変わらない商品も判定し直す / judge every listing, not only what has changed")
    ] = False,
    lane: Lane = "",
    partition: Partition = "",
    json_output: ResultJson = False,
) -> None:
    """今の1時間ぶんの同期を1回実行します。 One run of the current hour (one a lane): read, ask, decide, push."""
    if price_only and stock_only:
        fail("--price-only and --stock-only exclude each other", ja="--price-only と --stock-only は同時に使えません")
    settings = ready(platform, account, lane=lane)
    job, include_price = "full_sync", "all"
    if price_only:
        job = "price_sync"
    elif stock_only:
        job, include_price = "stock_sync", "never"
    config: dict[str, object] = {"include_price": include_price, "dry_run": dry_run, "max_items": max_items}
    config["judge_all"] = everything
    shares = [config | share for share in shares_of(settings, lane, platform, account)]
    raise typer.Exit(run_lanes_and_show(settings, job, partition, shares, json_output))
