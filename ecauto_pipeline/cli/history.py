"""`ecauto history verify|rebuild|compact`: the proof (Parquet) and its image (DuckDB).

Not for: asking questions of history (explain.py, or DuckDB itself).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from ecauto_pipeline.cli.console import WITH_ERRORS, print_json, say, table
from ecauto_pipeline.clock import jst
from ecauto_pipeline.settings import load
from ecauto_pipeline.sync.publish import publish
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(help="履歴の検証・再構築・圧縮", no_args_is_help=True, add_completion=False)


@COMMAND.command("verify")
def verify(json_output: Annotated[bool, typer.Option("--json", help="machine-readable")] = False) -> None:
    """ParquetとDuckDBを突き合わせます。 Compares every table with its files; changes neither."""
    with open_tools(load(), offline=True) as tools:
        report = tools.history.verify()
    rows = [
        (one.table, one.parquet_rows, one.duckdb_rows, one.missing_rows, one.extra_rows, one.duplicated_keys)
        for one in report.tables
    ]
    columns = ("table", "parquet_rows", "duckdb_rows", "missing_rows", "extra_rows", "duplicated_keys")
    if json_output:
        print_json(
            {
                "ok": report.ok,
                "checked": report.checked,
                "reason": report.reason or report.damage,
                "set_aside": [name for one in report.tables for name in one.set_aside],
                "tables": [dict(zip(columns, row, strict=True)) for row in rows],
            }
        )
    elif not report.checked:
        say(f"確認できませんでした: {report.reason or report.damage}", style="yellow")
    else:
        table("履歴の検証", columns, rows)
        for one in report.tables:
            for name in one.set_aside:
                say(f"壊れていたため読み込まないファイル / damaged, set aside: {name}", style="yellow")
        say("問題ありません。" if report.ok else "違いがあります: ecauto history rebuild で作り直せます。")
    raise typer.Exit(0 if report.ok else WITH_ERRORS)


@COMMAND.command("rebuild")
def rebuild() -> None:
    """DuckDBをParquetから作り直します。 Builds history.duckdb anew from the Parquet files."""
    with open_tools(load(), offline=True) as tools:
        report = tools.history.rebuild()
    if report.deferred:
        say(f"今は作り直せません: {report.reason}", style="yellow")
        raise typer.Exit(WITH_ERRORS)
    say(f"作り直しました: {report.files:,} ファイル、{report.rows:,} 行")
    _say_damaged(report.damaged)


@COMMAND.command("compact")
def compact() -> None:
    """終わった月の小さなファイルをまとめます。 Merges the files of closed months."""
    with open_tools(load(), offline=True) as tools:
        publish(tools)
        report = tools.history.compact(jst(tools.clock.now()).date())
    if report.deferred:
        say("DuckDBが使用中です。閉じてからもう一度実行してください。", style="yellow")
        raise typer.Exit(WITH_ERRORS)
    say(f"まとめました: {report.months} か月分、{report.files:,} ファイル、{report.rows:,} 行")
    _say_damaged(report.damaged)


def _say_damaged(names: Sequence[str]) -> None:
    for name in names:
        say(f"壊れていたため別にしました / damaged, set aside beside its place: {name}", style="yellow")
