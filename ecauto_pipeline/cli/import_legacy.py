"""`ecauto import-legacy`: takes over the older scripts' settings, tokens and price policy.

Not for: finding and converting them (migrate/).
"""

from __future__ import annotations

from pathlib import Path

import typer

from ecauto_pipeline.cli.cache import DryRun, Folder
from ecauto_pipeline.cli.console import fail, say, table, told
from ecauto_pipeline.migrate.import_settings import import_legacy
from ecauto_pipeline.settings import config_path, load

STEPS = {
    "configuration": ("設定", "configuration"),
    "secrets": ("秘密の情報", "secrets"),
    "token": ("トークン", "token"),
    "blocklist": ("ブロックリスト", "blocklist"),
}
"""What is taken over, by the name of its step."""
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
    say(told("見つかったもの", "found") + f": {', '.join(report.found) or told('なし', 'nothing')}")
    if dry_run:
        title = told("行うこと(確認のみ、何も書いていません)", "what would be done (nothing was written)")
    else:
        title = told("行ったこと", "what was done")
    columns = (told("内容", "what"), told("場所", "where"), told("備考", "remark"))
    table(title, columns, [(told(*STEPS[step.what]), step.path, step.detail) for step in report.steps])
    for note in report.notes:
        say(told(f"注意: {note.ja}", f"note: {note.en}"), style="yellow")
    for command in report.next_commands:
        say(told("次に", "next") + f": {command}")
