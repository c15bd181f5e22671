"""`ecauto import-legacy`: takes over the older scripts' settings, tokens and price policy.

Not for: finding and converting them (migrate/).
"""

from __future__ import annotations

from pathlib import Path

import typer

from ecauto_pipeline.cli.cache import DryRun, Folder
from ecauto_pipeline.cli.console import fail, say, table
from ecauto_pipeline.migrate.import_settings import import_legacy
from ecauto_pipeline.settings import config_path, load

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def legacy(folder: Folder, dry_run: DryRun = False) -> None:
    """以前のスクリプトの設定・トークン・価格方針を引き継ぎます。 Takes over the older scripts' settings."""
    config = config_path()
    settings = load()
    target = config.parent if config is not None else Path.cwd()
    try:
        report = import_legacy(folder, target, settings.data_dir, dry_run=dry_run)
    except NotADirectoryError:
        fail(f"{folder}: no such folder", ja=f"フォルダー {folder} がありません")
    say(f"見つかったもの: {', '.join(report.found) or 'なし'}")
    title = "行うこと(確認のみ、何も書いていません)" if dry_run else "行ったこと"
    table(title, ("内容", "場所", "備考"), [(step.what, step.path, step.detail) for step in report.steps])
    for note in report.notes:
        say(f"注意: {note}", style="yellow")
    for command in report.next_commands:
        say(f"次に: {command}")
