"""`ecauto doctor`: settings, secrets, tokens, clock and files examined, a line for each thing to do.

Not for: what is examined (doctor/).
"""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Annotated

import typer

from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import FINE, WITH_ERRORS, fail, print_json, table
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.doctor.examine import examine, worst
from ecauto_pipeline.settings import load

MARKS = {
    "ok": ("良好", "fine"),
    "warn": ("注意", "attention"),
    "bad": ("問題", "trouble"),
    "unknown": ("不明", "unknown"),
}
TITLE = ("診断", "checkup")
Ask = Annotated[
    bool,
    typer.Option(
        "--ask",
        help="Amazonに実際に聞き(トークン1回、ASIN 1件)、履歴の保存先に書いて消す"
        " / really ask Amazon: a token, one ASIN; write and remove an object in object storage",
    ),
]
COLUMNS = (("", ""), ("項目", "what"), ("今の状態", "as it is"), ("すること", "to do"))
Language = Annotated[str, typer.Option("--language", help="ja | en、省略時は通知の言語 / default: that of the alerts")]


COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def doctor(ask: Ask = False, lines_in: Language = "", json_output: Json = False) -> None:
    """設定・秘密・トークン・時計・ファイルを調べ、することを1行ずつ示します。 Checks everything that can be checked."""
    settings = load()
    registered().check(settings)
    if lines_in not in ("", "ja", "en"):
        fail("--language: ja or en", ja="--language は ja か en です")
    language = lines_in or settings.alerts.language
    findings = examine(settings, os.environ, SystemClock(), language=language, ask=ask)
    if json_output:
        print_json([asdict(one) for one in findings])
    else:
        english = language == "en"
        rows = [(MARKS[one.state][english], one.name, one.what_is, one.what_to_do) for one in findings]
        table(TITLE[english], [words[english] for words in COLUMNS], rows)
    raise typer.Exit(WITH_ERRORS if worst(findings) == "bad" else FINE)
