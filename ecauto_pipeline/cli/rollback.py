"""`ecauto rollback`: puts back what runs changed, where BASE still shows it.

Not for: what is put back (sync/people/rollback.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import Json, moment_of
from ecauto_pipeline.cli.console import fail, say, told
from ecauto_pipeline.cli.running import ready, run_and_name
from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.model import Diff
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state import stops
from ecauto_pipeline.state.windows import window_end
from ecauto_pipeline.sync.people.goods import titles_of
from ecauto_pipeline.sync.run_record import read_record
from ecauto_pipeline.views.held_rows import KINDS
from ecauto_pipeline.views.undoing import not_put_back
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def rollback(
    run_ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN_ID]...", help="取り消す実行のrun_idの先頭(複数可) / the beginning of each run to undo"
        ),
    ] = None,
    since: Annotated[
        str, typer.Option("--since", help='この時刻以降のすべての実行 / every run since: "2026-11-23 18:00" (JST)')
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="何が戻るかを見るだけ / send nothing")] = False,
    json_output: Json = False,
) -> None:
    """実行がBASEで変えたものを、まだそのままなら元に戻します(30日前まで)。 Puts back what runs changed, up to 30 days.

    公開中で赤字のものから戻し、戻せない赤字の価格は非公開にします。 Losses on sale first; where such a price can't go
    back, the item is hidden. ecauto stop の間も送れます。 It works while pushing is stopped.
    戻せなかったものは名前を挙げ、終了コード1で終わります。 What is not put back is named, and the exit code is 1.
    """
    moment = moment_of("--since", since) if since else None
    if not run_ids and moment is None:
        fail(
            "name the runs to undo, or --since; ecauto status --json has their ids",
            ja="取り消す実行のrun_idか --since を指定してください（ecauto status --json にあります）",
        )
    settings = ready("", None)
    config: dict[str, object] = {"dry_run": dry_run}
    form: dict[str, object] = {
        "target_run_ids": list(run_ids or ()),
        "since": moment.isoformat() if moment is not None else "",
    }
    finished, code = run_and_name(settings, "rollback_run", config, json_output, form)
    if not json_output:
        _name_what_is_left(settings, finished.run_id)
    raise typer.Exit(code)


def _name_what_is_left(settings: Settings, run_id: str) -> None:
    with open_tools(settings, offline=True) as tools:
        with tools.state.read() as connection:
            record, stopped = read_record(connection, run_id), stops.standing(connection)
            rows = not_put_back(connection, run_id, record)
        titles = titles_of(tools, (diff.asin for diff in rows))
        lines = [_line(diff, tools.name_of(diff.key.account), titles, settings.alerts.language) for diff in rows]
        again = f"{jst(window_end(tools.clock.now(), 'hour')):%H:%M}"
    if lines:
        say()
        say(told(f"元に戻していないもの {len(lines)} 件:", f"not put back ({len(lines)}):"), style="yellow")
        for line in lines:
            say(line, style="yellow")
    left = record.by_hand.left if record is not None and record.by_hand is not None else 0
    if left:
        say(
            told(
                f"あと {left:,} 件は呼び出しの残りを待っています。{again} 以降に同じコマンドを再び実行してください。",
                f"{left:,} more wait for calls: type the same again from {again} on",
            ),
            style="yellow",
        )
    if record is not None and not record.dry_run and not stopped:
        say(
            told(
                "送信は止まっていません。原因が残っていれば次の実行がまた送ります: ecauto stop",
                "pushing is not stopped: while the cause is there, the next run sends it again: ecauto stop",
            )
        )


def _line(diff: Diff, shop: str, titles: Mapping[str, str], language: str) -> str:
    kind = KINDS[diff.kind][language == "en"]
    return f"- {shop} {diff.key.item_id} {diff.asin} {titles.get(diff.asin, '')} {kind}: {said(diff.reason, language)}"
