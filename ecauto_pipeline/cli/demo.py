"""`ecauto demo`: the whole line once, against the emulator, without any credentials.

Not for: what is shown of a run (summary.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecauto_pipeline.cli.console import fail, say, table, told
from ecauto_pipeline.cli.project import make_project, need_project
from ecauto_pipeline.cli.running import ready, run_and_show
from ecauto_pipeline.settings import load

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def demo(
    here: Annotated[
        bool, typer.Option("--here", help="このフォルダーをプロジェクトにする / make this folder a project first")
    ] = False,
) -> None:
    """エミュレーター上の3ショップで、同期を1回通して実行します。 The whole line once, against the emulator."""
    if here:
        make_project(Path.cwd())
    else:
        need_project()
    settings = load()
    if settings.mode != "emulated":
        fail('the demo needs mode = "emulated"', ja='デモには mode = "emulated" が必要です')
    nothing_real = told(
        "これはデモです。Amazonにも、BASEにも、実際には接続しません。",
        "This is a demo: neither Amazon nor BASE is contacted.",
    )
    say(nothing_real, style="bold")
    say(
        told(
            "エミュレーター(本物と同じ厳しさのSP-APIとBASE)を起動し、3ショップ分の出品を用意します。",
            "An emulator as strict as the real SP-API and BASE is started, with the listings of 3 shops.",
        )
    )
    settings = ready("", None)
    code = run_and_show(settings, "full_sync", "", {"include_price": "all"}, False)
    say()
    table(
        told("次に見るもの", "What to look at next"),
        (told("コマンド", "command"), told("わかること", "what it shows")),
        (
            ("ecauto status", told("鮮度・予算・保留の今の状態", "freshness, budgets, what waits for a person")),
            (
                "ecauto sync",
                told("もう一度同期(新しいものは問い合わせません)", "once more; what is fresh is not asked about"),
            ),
            ("ecauto holds list", told("人の確認を待っている変更", "changes that wait for a person")),
            ("ecauto explain ASIN", told("なぜこの価格か、なぜ非公開か", "why this price, why hidden")),
            (
                "ecauto dev",
                told(
                    f"店主の画面 {settings.desk.address}、Dagsterの画面 http://127.0.0.1:3000",
                    f"the owner's desk {settings.desk.address}, Dagster's UI http://127.0.0.1:3000",
                ),
            ),
        ),
    )
    raise typer.Exit(0 if code in (0, 1, 3) else code)
