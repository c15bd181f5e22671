"""`ecauto cache import|export`: the old scripts' file cache, in and out.

Not for: its format (migrate/cache_files.py).
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import FINE, WITH_ERRORS, fail, labelled, print_json, say, told
from ecauto_pipeline.migrate.cache_files import export_cache, import_cache
from ecauto_pipeline.settings import load
from ecauto_pipeline.wiring.open import open_tools

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="フォルダー / the folder")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="何をするかを見るだけ / change nothing")]


COMMAND = typer.Typer(
    help="以前のJSONキャッシュの取り込みと書き出し。 The older file cache, in and out.",
    no_args_is_help=True,
    add_completion=False,
)


@COMMAND.command("import")
def import_command(folder: Folder, dry_run: DryRun = False, json_output: Json = False) -> None:
    """以前のJSONキャッシュを取り込みます(鮮度はファイルの時刻のまま)。 The old file cache, in."""
    with open_tools(load(), offline=True) as tools:
        try:
            report = import_cache(tools, folder, dry_run)
        except FileNotFoundError:
            fail(f"{folder}: no such folder", ja=f"フォルダー {folder} がありません")
    if json_output:
        print_json(asdict(report))
    else:
        only = told(" (確認のみ)", " (nothing written)") if dry_run else ""
        labelled(
            told("キャッシュの取り込み", "import of the cache") + only,
            [
                (told("ファイル", "files"), "files", report.files),
                (told("取り込んだ", "taken over"), "taken", report.taken),
                (told("手元の情報が新しい", "what is here is newer"), "known", report.known),
                (told("価格または在庫なし", "without price or stock"), "nothing_usable", report.nothing_usable),
                (told("時刻なし(古い扱い)", "without a time (taken for old)"), "stale", report.stale),
                (told("カタログ情報", "catalogue texts"), "texts", report.texts),
                (told("壊れている", "broken"), "broken", len(report.broken)),
            ],
        )
        for name, why in report.broken[:20]:
            say(f"  {name}: {why}")
    raise typer.Exit(WITH_ERRORS if report.broken else FINE)


@COMMAND.command("export")
def export_command(folder: Folder, json_output: Json = False) -> None:
    """以前と同じ形のJSONキャッシュを書き出します。 The old file cache, out."""
    with open_tools(load(), offline=True) as tools:
        report = export_cache(tools, folder)
    if json_output:
        print_json(asdict(report))
    else:
        count, to = f"{report.files:,}", report.folder
        say(told(f"{count} ファイルを {to} に書きました。", f"{count} files written to {to}"))
