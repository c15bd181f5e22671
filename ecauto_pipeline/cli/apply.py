"""`ecauto apply`: exactly what a plan names, row by row, where nothing has changed since.

Not for: judging whether a row still holds (sync/people/plan_files.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import ResultJson
from ecauto_pipeline.cli.console import fail, say
from ecauto_pipeline.cli.running import ready, run_and_name
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.sync.people.plan_files import read_plan
from ecauto_pipeline.sync.run_record import read_record
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def apply(
    file: Annotated[Path, typer.Argument(help="ecauto plan が書いたファイル")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="送らずに確かめる / send nothing")] = False,
    json_output: ResultJson = False,
) -> None:
    """計画のとおりに送ります。変わった行は1行ずつ断ります。 Applies exactly that file, if still valid.

    断った行は理由ごとに数を示し、終了コード1で終わります。 Refused rows are counted by reason; exit code 1.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}: can't be read ({error})", ja=f"{file} を読めません（{type(error).__name__}）")
    read_plan(text)
    settings = ready("", None)
    op_config: dict[str, object] = {"file": str(file.absolute())}
    finished, code = run_and_name(settings, "apply_plan", {"dry_run": dry_run}, json_output, op_config)
    if not json_output:
        _say_what_was_refused(settings, finished.run_id)
    raise typer.Exit(code)


def _say_what_was_refused(settings: Settings, run_id: str) -> None:
    """Why rows of the plan were not sent, and how many for each reason."""
    with open_tools(settings, offline=True) as tools, tools.state.read() as connection:
        record = read_record(connection, run_id)
    refused = record.by_hand.refused if record is not None and record.by_hand is not None else {}
    if not refused:
        return
    language, count = settings.alerts.language, sum(refused.values())
    say()
    say(f"not sent ({count}):" if language == "en" else f"送らなかった行 {count} 件:", style="yellow")
    for why, number in sorted(refused.items(), key=lambda one: (-one[1], one[0])):
        say(f"- {number:,}: {said(why, language)}", style="yellow")
