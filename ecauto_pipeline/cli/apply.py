"""`ecauto apply`: exactly what a plan names, row by row, where nothing has changed since.

Not for: judging whether a row still holds (sync/people/plan_files.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import ResultJson
from ecauto_pipeline.cli.console import fail
from ecauto_pipeline.cli.running import ready, run_and_show
from ecauto_pipeline.sync.people.plan_files import read_plan

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def apply(
    file: Annotated[Path, typer.Argument(help="ecauto plan が書いたファイル")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="送らずに確かめる / send nothing")] = False,
    json_output: ResultJson = False,
) -> None:
    """計画のとおりに送ります。変わった行は1行ずつ断ります。 Applies exactly that file, if still valid."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}: can't be read ({error})", ja=f"{file} を読めません（{type(error).__name__}）")
    read_plan(text)
    settings = ready("", None)
    op_config: dict[str, object] = {"file": str(file.absolute())}
    raise typer.Exit(run_and_show(settings, "apply_plan", "", {"dry_run": dry_run}, json_output, op_config))
