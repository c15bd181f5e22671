"""`ecauto plan`: the dry run as a file.

Not for: the form of the file (sync/people/plan_files.py).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ecauto_pipeline.atomic_file import replace_file
from ecauto_pipeline.cli.arguments import Account, ResultJson
from ecauto_pipeline.cli.console import fail, print_json, say, told
from ecauto_pipeline.cli.running import ready, run_for_its_plan
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.context import Run
from ecauto_pipeline.sync.people.plan_files import make_plan, plan_text
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def plan(
    output: Annotated[Path, typer.Option("--output", "-o", help="計画の保存先 / where the plan is written")] = Path(
        "plan.json"
    ),
    account: Account = None,
    max_items: Annotated[int, typer.Option("--max-items", min=0, help="件数の上限; 0 = all")] = 0,
    json_output: ResultJson = False,
) -> None:
    """送る予定の変更をファイルに書きます(BASEには何も送りません)。 The dry run as a file."""
    settings = ready("", account)
    target = output.absolute()
    finished, code = run_for_its_plan(settings, {"accounts": account or [], "max_items": max_items})
    with open_tools(settings, offline=True) as tools:
        with tools.state.read() as connection:
            row = run_book.read(connection, finished.run_id)
        if row is None:
            fail("the dry run left no record", 1, ja="ドライランの記録が残っていません")
        run = Run(row.run_id, row.job, (row.partition_key,), row.started_at, dry_run=True)
        document = make_plan(tools.for_run(replace(run, include_price="all")))
    replace_file(target, plan_text(document))
    if json_output:
        print_json(document)
    else:
        count = f"{len(document['rows']):,}"
        say(
            told(
                f"{count} 件の変更を {output} に書きました。送るには: ecauto apply {output}",
                f"{count} changes written to {output}; to send them: ecauto apply {output}",
            )
        )
    raise typer.Exit(code)
