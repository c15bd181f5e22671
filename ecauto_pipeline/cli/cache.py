"""`ecauto cache import|export`: the old scripts' file cache, in and out.

Not for: its format (migrate/cache_files.py).
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import FINE, WITH_ERRORS, fail, labelled, print_json, say
from ecauto_pipeline.migrate.cache_files import export_cache, import_cache
from ecauto_pipeline.settings import load
from ecauto_pipeline.wiring.open import open_tools

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="フォルダー / the folder")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="何をするかを見るだけ / change nothing")]


COMMAND = typer.Typer(help="以前のJSONキャッシュの取り込みと書き出し", no_args_is_help=True, add_completion=False)


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
        labelled(
            f"キャッシュの取り込み {'(確認のみ)' if dry_run else ''}",
            [
                ("ファイル", "files", report.files),
                ("取り込んだ", "taken", report.taken),
                ("手元の情報が新しい", "known", report.known),
                ("価格または在庫なし", "nothing_usable", report.nothing_usable),
                ("時刻なし(古い扱い)", "stale", report.stale),
                ("カタログ情報", "texts", report.texts),
                ("壊れている", "broken", len(report.broken)),
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
        say(f"{report.files:,} ファイルを {report.folder} に書きました。")
