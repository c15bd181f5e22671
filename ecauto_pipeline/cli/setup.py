"""`ecauto setup`: how far this installation is on its way to a live shop, and the next step.

Not for: what is wrong with it (doctor.py).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import language, print_json, say, table, told
from ecauto_pipeline.doctor.dagster_files import dagster_home
from ecauto_pipeline.settings import load
from ecauto_pipeline.views.going_live import secrets_named, steps
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)
STATES = {"done": ("済", "done"), "open": ("次はこれ", "next"), "later": ("まだ", "later")}


@COMMAND.command()
def setup(
    json_output: Json = False,
    secrets: Annotated[bool, typer.Option("--secrets", help="環境変数の名前も / variables too, by name")] = False,
) -> None:
    """本番までの手順と、どこまで済んだか。 The way to a live shop, and how far it is gone."""
    settings = load()
    with open_tools(settings, offline=True) as tools:
        found = steps(tools, dagster_home())
    named = secrets_named(settings)
    if json_output:
        print_json({"steps": [asdict(one) for one in found], "secrets": [asdict(one) for one in named]})
        return
    english = language() == "en"
    rows = [
        (str(one.number), STATES[one.state][english], one.title[english], one.is_now[english], one.command)
        for one in found
    ]
    heads = told("番号 状態 手順 いま コマンド", "no state step now command").split()
    table(told("本番までの手順 (docs/ja/going-live.md)", "the way to a live shop (docs/going-live.md)"), heads, rows)
    following = next((one for one in found if one.state == "open"), None)
    if following is not None:
        say(f"{told('次', 'next')}: {following.to_do[english]}")
    if secrets:
        marks = {True: told("あり", "set"), False: told("なし", "missing")}
        played = told("エミュレーター", "emulator's")
        rows_of_names = [
            (one.variable, one.about[english], played if one.stands_in else marks[one.is_set]) for one in named
        ]
        heads = told("環境変数 何の 状態", "variable of state").split()
        table(told("秘密の情報（値は表示しません）", "secrets (never shown)"), heads, rows_of_names)
