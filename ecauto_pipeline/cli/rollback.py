"""`ecauto rollback`: puts back what a run changed, where BASE still shows it.

Not for: what is put back (sync/people/rollback.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import say
from ecauto_pipeline.cli.held_rows import KINDS
from ecauto_pipeline.cli.running import ready, run_and_name
from ecauto_pipeline.domain.model import Decision
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state import decisions
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.sync.people.goods import titles_of
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)
NOT_DONE = (Decision.BLOCKED, Decision.SKIPPED)


@COMMAND.command()
def rollback(
    run_id: Annotated[str, typer.Argument(help="取り消す実行のrun_idの先頭 / the beginning of the run to undo")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="何が戻るかを見るだけ / send nothing")] = False,
    json_output: Json = False,
) -> None:
    """ある実行がBASEで変えたものを、まだそのままなら元に戻します。 Puts back what a run changed.

    戻せなかったものは名前を挙げ、終了コード1で終わります。 What is not put back is named, and the exit code is 1.
    """
    settings = ready("", None)
    config: dict[str, object] = {"dry_run": dry_run}
    finished, code = run_and_name(settings, "rollback_run", config, json_output, {"target_run_id": run_id})
    if not json_output:
        _name_what_is_left(settings, finished.run_id)
    raise typer.Exit(code)


def _name_what_is_left(settings: Settings, run_id: str) -> None:
    with open_tools(settings, offline=True) as tools:
        with tools.state.read() as connection:
            rows = [row for row in decisions.of_run(connection, run_id) if row.diff.decision in NOT_DONE]
        titles = titles_of(tools, (row.diff.asin for row in rows))
        lines = [_line(row, tools.name_of(row.diff.key.account), titles, settings.alerts.language) for row in rows]
    if lines:
        english = settings.alerts.language == "en"
        say()
        say(f"not put back ({len(lines)}):" if english else f"元に戻していないもの {len(lines)} 件:", style="yellow")
        for line in lines:
            say(line, style="yellow")


def _line(row: Decided, shop: str, titles: Mapping[str, str], language: str) -> str:
    diff = row.diff
    kind = KINDS[diff.kind][language == "en"]
    return f"- {shop} {diff.key.item_id} {diff.asin} {titles.get(diff.asin, '')} {kind}: {said(diff.reason, language)}"
