"""`ecauto history verify|rebuild|compact`: the proof (Parquet) and its image (DuckDB).

Not for: asking questions of history (explain.py, or DuckDB itself).
"""

from __future__ import annotations

from typing import Annotated

import typer

from ecauto_pipeline.cli.console import WITH_ERRORS, print_json, say, table, told
from ecauto_pipeline.clock import jst
from ecauto_pipeline.history.damage import Damage
from ecauto_pipeline.settings import load
from ecauto_pipeline.sync.publish import compact as compact_history
from ecauto_pipeline.sync.publish import publish
from ecauto_pipeline.sync.publish import rebuild as rebuild_history
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(
    help="履歴の検証・再構築・圧縮。 Verify, rebuild or compact the history.",
    no_args_is_help=True,
    add_completion=False,
)


@COMMAND.command("verify")
def verify(json_output: Annotated[bool, typer.Option("--json", help="machine-readable")] = False) -> None:
    """ParquetとDuckDBを突き合わせます。 Compares every table with its files; changes neither."""
    from ecauto_pipeline.history.advice import advice

    settings = load()
    with open_tools(settings, offline=True) as tools:
        report = tools.history.verify()
    todo = advice(report, settings.alerts.language)
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
                "unreadable": [name for one in report.tables for name in one.unreadable_files],
                "missing_files": [name for one in report.tables for name in one.missing_files],
                "advice": todo,
                "tables": [dict(zip(columns, row, strict=True)) for row in rows],
            }
        )
    elif not report.checked:
        why = report.reason or report.damage
        say(told("確認できませんでした", "could not be verified") + f": {why}", style="yellow")
    else:
        if rows:
            table(told("履歴の検証", "verification of the history"), columns, rows)
        for line in todo:
            say(line, style="yellow")
        if report.ok:
            say(told("問題ありません。", "all is well"))
    raise typer.Exit(0 if report.ok else WITH_ERRORS)


@COMMAND.command("rebuild")
def rebuild() -> None:
    """DuckDBをParquetから作り直します。 Builds history.duckdb anew from the Parquet files."""
    with open_tools(load(), offline=True) as tools:
        report, damage = rebuild_history(tools)
    if report.deferred:
        say(told("今は作り直せません", "can't be rebuilt now") + f": {report.reason}", style="yellow")
        raise typer.Exit(WITH_ERRORS)
    ja, en = (
        f"作り直しました: {report.files:,} ファイル、{report.rows:,} 行",
        f"{report.files:,} files, {report.rows:,} rows",
    )
    say(told(ja, f"rebuilt: {en}"))
    _say_damage(damage)


@COMMAND.command("compact")
def compact() -> None:
    """終わった日と月の小さなファイルをまとめます。 Merges the small files of days and months that have ended."""
    with open_tools(load(), offline=True) as tools:
        published = publish(tools)
        report = compact_history(tools, jst(tools.clock.now()).date())
        damage = published.damage + report.damage
    _say_damage(damage)
    if report.deferred:
        say(told("今はまとめられません", "can't be compacted now") + f": {report.reason}", style="yellow")
        raise typer.Exit(WITH_ERRORS)
    say(
        told(
            f"まとめました: {report.files:,} ファイルを {report.made:,} ファイルに、{report.rows:,} 行",
            f"compacted: {report.files:,} files into {report.made:,}, {report.rows:,} rows",
        )
    )


def _say_damage(damage: Damage) -> None:
    if not damage.files:
        return
    for name in damage.files:
        say(told("壊れていたため別にしました", "damaged, set aside beside its place") + f": {name}", style="yellow")
    unknown = damage.lost is None
    lost_ja, lost_en = ("不明", "unknown") if unknown else (f"最大 {damage.lost:,}", f"at most {damage.lost:,}")
    again = f"{damage.again:,}"
    counted = told(f"書き直した行: {again}、失われた行: {lost_ja}", f"rows written again: {again}, lost: {lost_en}")
    say(counted, style="yellow")
