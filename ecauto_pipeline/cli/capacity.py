"""`ecauto capacity`: what these limits can keep fresh, and when a second account is needed.

Not for: the arithmetic (domain/freshness/capacity.py).
"""

from __future__ import annotations

from typing import Annotated

import typer

from ecauto_pipeline.cli.console import fail, language, print_json, table, told
from ecauto_pipeline.reports.capacity import capacity as capacity_now
from ecauto_pipeline.reports.capacity import figures_of, headings, rows
from ecauto_pipeline.settings import load
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def capacity(
    listings: Annotated[int | None, typer.Option("--listings", min=1, help="ASIN数を仮定 / suppose so many")] = None,
    accounts: Annotated[int | None, typer.Option("--accounts", min=1, help="SP-APIアカウント数 / accounts")] = None,
    tiers: Annotated[str, typer.Option("--tiers", help='区分ごとのASIN数 / "high,medium,low"')] = "",
    json_output: Annotated[bool, typer.Option("--json", help="machine-readable")] = False,
) -> None:
    """今の制限で何件を新しく保てるかを計算します。 What these limits can keep fresh."""
    counts = None
    if tiers:
        try:
            high, medium, low = (int(part) for part in tiers.split(","))
        except ValueError:
            fail(
                f'--tiers {tiers!r}: three numbers, like "1000,5000,94000"',
                ja=f'--tiers {tiers!r}: 3つの数を "1000,5000,94000" のように書いてください',
            )
        counts = (high, medium, low)
    with open_tools(load(), offline=True) as tools:
        try:
            found = capacity_now(tools, listings, accounts, counts)
        except ValueError:
            fail(
                "at least one SP-API account, and no negative counts",
                ja="SP-APIのアカウントは1つ以上、ASINの数は0以上にしてください",
            )
    if json_output:
        print_json(figures_of(found))
        return
    spoken = language()
    table(told("能力の計算", "what the limits can keep fresh"), headings(spoken), rows(found, spoken))
