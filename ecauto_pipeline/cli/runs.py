"""`ecauto runs list|show|stop`: what runs did, and the end of one under way.

Not for: the values (views/runs.py, views/run_edits.py, views/undoing.py), how a run is ended (sync/people/stop_run.py)
or undone (rollback.py).
"""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import Annotated, Any

import typer

from ecauto_pipeline.cli.arguments import Json, ResultJson, moment_of
from ecauto_pipeline.cli.console import FINE, WITH_ERRORS, fail, language, print_json, say, told
from ecauto_pipeline.cli.summary import show_summary
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.settings import load
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.stop_run import stop_run
from ecauto_pipeline.sync.run_record import as_record
from ecauto_pipeline.views import run_edits, run_lines, undoing
from ecauto_pipeline.views.run_edits import EditsPage
from ecauto_pipeline.views.run_words import JOBS
from ecauto_pipeline.views.runs import ONLY, RunLine, kept_runs, line_of, older_runs, past_run, run_row
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(
    help="実行の一覧、内容、中止。 What runs did, and the end of one under way.",
    no_args_is_help=True,
    add_completion=False,
)
RunId = Annotated[str, typer.Argument(metavar="RUN_ID", help="run_idの先頭 / the beginning of its id")]
LONGEST_END_S = 30.0
"""What is in flight when a run is told to end takes seconds; longer than this nobody waits for it here."""
_LOOK_EVERY_S = 0.25


@COMMAND.command("list")
def list_runs(
    job: Annotated[str, typer.Option("--job", help="このジョブだけ / only this job")] = "",
    only: Annotated[
        str, typer.Option("--only", help="changed: 何かを変更したもの; failed: 失敗のあるもの / changed | failed")
    ] = "",
    before: Annotated[
        str, typer.Option("--before", help='この時刻より前 / begun before "2026-11-23 18:00" (JST)')
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="何件まで / at most so many")] = 20,
    json_output: Json = False,
) -> None:
    """実行を新しい順に1行ずつ表示します。 Runs, newest first, a line of words each.

    いつ、何の実行か、Amazonに何件確認し、何件変更し、何が失敗したか。測定していないものは「測定なし」。
    What nobody measured is said to be so. 30日より前は履歴から読みます。 Past 30 days they come from history.
    """
    if only not in ONLY:
        fail(f"--only {only!r}: changed or failed", ja=f"--only {only!r}: changed か failed を指定してください")
    if job and job not in JOBS:
        fail(
            f"--job {job!r}: known are {', '.join(JOBS)}",
            ja=f"--job {job!r}: 使えるのは {', '.join(JOBS)}",
        )
    moment = moment_of("--before", before) if before else None
    with open_tools(load(), offline=True) as tools:
        page = kept_runs(tools, job=job, only=only, before=(moment, "~") if moment else None, limit=limit)
        lines = list(page.lines)
        if len(lines) < limit and (oldest := _oldest_kept(tools)) is not None:
            until = min(oldest, moment) if moment is not None else oldest
            lines += older_runs(tools, until, job=job, only=only, limit=limit - len(lines)).lines
    if json_output:
        print_json([run_lines.as_data(line) for line in lines])
        return
    if not lines:
        say(told("実行の記録はありません。", "no such run is on record"))
    for line in lines:
        say(f"{line.run_id[:8]}  {run_lines.sentence(line, language())}", style=_style(line))


@COMMAND.command("show")
def show(
    run_id: RunId,
    undo: Annotated[
        bool, typer.Option("--undo", help="取り消すと何が戻るか / what undoing it would do; nothing is asked or sent")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="変更を何件まで / edits at most")] = 100,
    json_output: Json = False,
) -> None:
    """1つの実行の結果と、送った変更を表示します。 What one run did, and its edits, what went wrong first.

    --undo: 取り消すと戻るものと戻らないもの、その理由。何も送りません。 What undoing it would put back, and what not.
    """
    with open_tools(load(), offline=True) as tools:
        if undo:
            _show_undoing(tools, run_id, json_output)
            return
        row = run_row(tools, run_id)
        if row is not None:
            line, record = line_of(tools, row), as_record(row)
            edits = run_edits.edits_of(tools, row.run_id, limit=limit)
        else:
            line, record = past_run(tools, run_id), None
            edits = run_edits.older_edits_of(tools, line.run_id, limit=limit)
    if json_output:
        print_json(_as_data(line, edits, None if record is None else dict(record.reasons)))
        return
    say(f"{line.run_id}  {run_lines.sentence(line, language())}", style=_style(line))
    if record is not None:
        show_summary(record, ())
    if edits.total:
        say(told(f"\n送った変更 {edits.total:,} 件", f"\nedits: {edits.total:,}"))
    for edit in edits.edits:
        words = (
            run_edits.change(edit, language()),
            run_edits.outcome_words(edit, language()),
            run_edits.why_words(edit, language()),
        )
        say(f"- {edit.key.item_id}  {edit.title or edit.asin}")
        say(f"  {'  '.join(words)}")
    if edits.total > len(edits.edits):
        say(told(f"ほか {edits.total - len(edits.edits):,} 件（--limit）", f"{edits.total - len(edits.edits):,} more"))


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


def _show_undoing(tools: Tools, prefix: str, json_output: bool) -> None:
    row = run_row(tools, prefix)
    if row is None:
        raise NotOnRecord(f"no run {prefix!r} is on record", ja=f"実行 {prefix!r} の記録はありません")
    found = undoing.undoing_of(tools, row.run_id)
    if json_output:
        print_json(undoing.as_data(found))
        return
    for line in undoing.effects(found, language()):
        say(line)
    for one in found.preview.rows[: undoing.NAMED]:
        title = found.titles.get(one.asin) or one.asin
        words = undoing.change(one, language()), undoing.why_row(found, one, language())
        say(f"- {one.key.item_id}  {title}  {'  '.join(words)}", style=None if one.becomes == "back" else "yellow")
    say(told(f"実行: ecauto rollback {row.run_id}", f"do it: ecauto rollback {row.run_id}"))


def _oldest_kept(tools: Tools) -> datetime | None:
    with tools.state.read() as connection:
        return run_book.oldest(connection)


def _as_data(line: RunLine, edits: EditsPage, reasons: dict[str, int] | None) -> dict[str, Any]:
    return run_lines.as_data(line) | {
        "reasons": reasons,
        "edits_total": edits.total,
        "by_outcome": dict(edits.by_outcome),
        "edits": [run_edits.as_data(edit) for edit in edits.edits],
    }


def _style(line: RunLine) -> str | None:
    return "yellow" if line.matches("failed") else None


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
