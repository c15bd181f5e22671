"""`ecauto runs stop`: what a person says about runs.

Not for: how a run is ended (sync/people/stop_run.py).
"""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import ResultJson
from ecauto_pipeline.cli.console import FINE, WITH_ERRORS, print_json, say, told
from ecauto_pipeline.settings import load
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.stop_run import stop_run
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False, no_args_is_help=True)
RunId = Annotated[str, typer.Argument(metavar="RUN_ID", help="run_idの先頭 / the beginning of its id")]
LONGEST_END_S = 30.0
"""What is in flight when a run is told to end takes seconds; longer than this nobody waits for it here."""
_LOOK_EVERY_S = 0.25


@COMMAND.callback()
def runs() -> None:
    """実行の中止。 Ends runs."""


@COMMAND.command("stop")
def stop(run_id: RunId, json_output: ResultJson = False) -> None:
    """実行中の処理を、Ctrl-Cと同じように終わらせます。 Ends a run under way as Ctrl-C would.

    保存済みの回答は残り、次の実行が続きから始めます。Dagsterには「中止」と記録されます(失敗ではありません)。
    What was kept stays in use, and Dagster shows the run as canceled, whoever started it.
    別の端末で動いている実行は止めず、場所を表示します。 Of one on another host it says where.
    """
    with open_tools(load(), offline=True) as tools:
        asked = stop_run(tools, run_id, getpass.getuser())
        ended = _has_ended(tools, asked.run_id)
    if json_output:
        print_json({"run_id": asked.run_id, "job": asked.job, "who": asked.who, "ended": ended})
    elif ended:
        say(told(f"{asked.job} を中止しました: {asked.run_id}", f"{asked.job} has ended: {asked.run_id}"))
    else:
        say(
            told(
                f"{asked.job} に中止を伝えましたが、{LONGEST_END_S:.0f}秒たっても終わっていません: {asked.run_id}",
                f"{asked.job} was told to end and is still under way after {LONGEST_END_S:.0f} s: {asked.run_id}",
            ),
            style="yellow",
        )
    raise typer.Exit(FINE if ended else WITH_ERRORS)


def _has_ended(tools: Tools, run_id: str) -> bool:
    """Whether it ended while we waited."""
    deadline = tools.clock.monotonic() + LONGEST_END_S
    while True:
        with tools.state.read() as connection:
            run = run_book.read(connection, run_id)
        if run is None or run.ended_at is not None:
            return True
        if tools.clock.monotonic() > deadline:
            return False
        tools.clock.sleep(_LOOK_EVERY_S)
