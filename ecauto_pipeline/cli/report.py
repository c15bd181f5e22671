"""`ecauto report`: the last week on one self-contained page.

Not for: what is on it (reports/weekly.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecauto_pipeline.atomic_file import replace_file
from ecauto_pipeline.cli.console import say, told
from ecauto_pipeline.settings import load
from ecauto_pipeline.wiring.accounts import shop_accounts
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def report(
    output: Annotated[Path, typer.Option("--output", "-o", help="HTMLの保存先")] = Path("weekly.html"),
) -> None:
    """この1週間を1ページのHTMLにまとめます。 The last week on one self-contained page."""
    from ecauto_pipeline.history.summaries import HistorySummaries
    from ecauto_pipeline.reports.weekly import weekly_report

    settings = load()
    with open_tools(settings, offline=True) as tools:
        active = [key for key, shop in shop_accounts(settings).items() if shop.active]
        history, language = HistorySummaries(tools.history), settings.alerts.language
        page = weekly_report(tools, history, tools.clock.now(), language, active)
    replace_file(output, page)
    say(told(f"{output} に書きました。ブラウザーで開いてください。", f"written to {output}; open it in a browser"))
