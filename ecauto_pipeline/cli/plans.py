"""`ecauto plan` and `ecauto apply`: the dry run as a file, and exactly that file sent.

Not for: judging whether a row still holds (sync/people/plan_files.py).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ecauto_pipeline.atomic_file import replace_file
from ecauto_pipeline.cli.console import fail, print_json, say
from ecauto_pipeline.cli.sync import Account, Json, ready, run_and_show, run_for_its_plan
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.context import Run
from ecauto_pipeline.sync.people.plan_files import make_plan, plan_text, read_plan
from ecauto_pipeline.wiring.open import open_tools


def register(app: typer.Typer) -> None:
    app.command("plan")(plan)
    app.command("apply")(apply)


def plan(
    output: Annotated[Path, typer.Option("--output", "-o", help="計画の保存先 / where the plan is written")] = Path(
        "plan.json"
    ),
    account: Account = None,
    max_items: Annotated[int, typer.Option("--max-items", min=0, help="件数の上限; 0 = all")] = 0,
    json_output: Json = False,
) -> None:
    """送る予定の変更をファイルに書きます(BASEには何も送りません)。 The dry run as a file."""
    settings = ready("base", account)
    target = output.absolute()
    finished, code = run_for_its_plan(settings, {"accounts": account or [], "max_items": max_items})
    with open_tools(settings, offline=True) as tools:
        with tools.state.read() as connection:
            row = run_book.read(connection, finished.run_id)
        if row is None:
            fail("the dry run left no record", 1)
        run = Run(row.run_id, row.job, (row.partition_key,), row.started_at, dry_run=True)
        document = make_plan(tools.for_run(replace(run, include_price="all")))
    replace_file(target, plan_text(document))
    if json_output:
        print_json(document)
    else:
        say(f"{len(document['rows']):,} 件の変更を {output} に書きました。送るには: ecauto apply {output}")
    raise typer.Exit(code)


def apply(
    file: Annotated[Path, typer.Argument(help="ecauto plan が書いたファイル")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="送らずに確かめる / send nothing")] = False,
    json_output: Json = False,
) -> None:
    """計画のとおりに送ります。変わった行は1行ずつ断ります。 Applies exactly that file, if still valid."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}: can't be read ({error})")
    read_plan(text)
    settings = ready("base", None)
    op_config: dict[str, object] = {"file": str(file.absolute())}
    raise typer.Exit(run_and_show(settings, "apply_plan", "", {"dry_run": dry_run}, json_output, op_config))
