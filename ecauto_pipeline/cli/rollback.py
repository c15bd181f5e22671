"""`ecauto rollback`: puts back what a run changed, where BASE still shows it.

Not for: what is put back (sync/people/rollback.py).
"""

from __future__ import annotations

from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.running import ready, run_and_show

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def rollback(
    run_id: Annotated[str, typer.Argument(help="取り消す実行のrun_id / the run to undo")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="何が戻るかを見るだけ / send nothing")] = False,
    json_output: Json = False,
) -> None:
    """ある実行がBASEで変えたものを、まだそのままなら元に戻します。 Puts back what a run changed."""
    settings = ready("", None)
    config: dict[str, object] = {"dry_run": dry_run}
    raise typer.Exit(run_and_show(settings, "rollback_run", "", config, json_output, {"target_run_id": run_id}))
