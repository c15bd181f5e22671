"""`ecauto rules check|import|export|show`: the owner's rules per item; `set|unset|history` are in rule_edits.py.

Not for: what a rule may say (domain/selling/rules_file.py, docs/rules.md).
"""

from __future__ import annotations

import getpass
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from ecauto_pipeline.atomic_file import replace_file
from ecauto_pipeline.cli import rule_edits
from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import USAGE, WITH_ERRORS, fail, labelled, language, print_json, say, table, told
from ecauto_pipeline.clock import jst
from ecauto_pipeline.settings import load
from ecauto_pipeline.sync.people.rules import (
    RulesCheck,
    RulesOfListing,
    check_rules,
    export_rules,
    import_rules,
    rules_about,
)
from ecauto_pipeline.views.rule_words import LABELS, holding
from ecauto_pipeline.wiring.open import open_tools

MOST_LINES = 30
COMMAND = typer.Typer(
    help="商品ごとの規則 (固定価格・下限・販売禁止など)。 Rules per item: fixed prices, floors, bans.",
    no_args_is_help=True,
    add_completion=False,
)
COMMAND.command("set")(rule_edits.set_command)
COMMAND.command("unset")(rule_edits.unset_command)
COMMAND.command("history")(rule_edits.history_command)
File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV")]


@COMMAND.command("check")
def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="省略時は data/rules.csv / default: data/rules.csv")
    ] = None,
    json_output: Json = False,
) -> None:
    """ファイルを調べ、各行が何件の出品に当たるかを示します。何も書き込みません。

    Judges a file as a run would and says how many listings each line selects. Writes nothing. A file that would be
    refused: exit code 2, every line named.
    """
    settings = load()
    path = file or settings.rules
    with open_tools(settings, offline=True) as tools:
        found = check_rules(tools, _content(path))
    _say_check(path, found, json_output)
    if found.problems:
        raise typer.Exit(USAGE)


@COMMAND.command("import")
def import_command(file: File, json_output: Json = False) -> None:
    """ファイルを調べて data/rules.csv に置き、すぐに使います。前のファイルは data/rules-history/ に残ります。

    Checks a file, puts it in the place of data/rules.csv and takes it up at once; the one before is kept. A file that
    is refused changes nothing: exit code 2.
    """
    settings = load()
    content = _content(file)
    with open_tools(settings, offline=True) as tools:
        found = check_rules(tools, content)
        taken = import_rules(tools, content, getpass.getuser()) if not found.problems else None
    _say_check(file, found, json_output)
    if taken is None:
        raise typer.Exit(USAGE)
    if taken.trouble is not None:
        fail(taken.trouble.en, WITH_ERRORS, ja=taken.trouble.ja)
    if not json_output:
        say(told(f"規則 {taken.rules}件を採用しました。", f"{taken.rules} rules are in force"))


@COMMAND.command("export")
def export(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="省略時は標準出力 / default: stdout")] = None,
) -> None:
    """使用中の規則をCSVで書き出します。規則がなければ見出しだけです。 The rules in force, as Excel opens them."""
    with open_tools(load(), offline=True) as tools:
        text = export_rules(tools)
    if file is None:
        sys.stdout.write(text.lstrip("\ufeff").replace("\r\n", "\n"))
        return
    try:
        replace_file(file, text)
    except OSError as error:
        fail(f"{file}: {error.strerror}", ja=f"{file} に書けません（{type(error).__name__}）")
    say(told(f"{file} に書きました。", f"written to {file}"))


@COMMAND.command("show")
def show(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="商品IDかASIN / item id or ASIN")],
    json_output: Json = False,
) -> None:
    """1つの商品に当たる規則と、どの行が何を決めるかを示します。 What holds for one item, and which line says so."""
    with open_tools(load(), offline=True) as tools:
        found = rules_about(tools, item)
        names = [tools.name_of(one.key.account) for one in found]
    if json_output:
        print_json([_document(one) for one in found])
        return
    for one, name in zip(found, names, strict=True):
        rows = [
            (told(*LABELS[column]), column, f"{value}  ({_line(line)})")
            for column, value, line in holding(one.rule, language())
        ]
        head = f"{one.key.item_id}  {one.asin or '-'}  {name}"
        if not rows:
            say(f"{head}  " + told("規則はありません", "no rule"))
            continue
        labelled(head, rows)
        if one.rule is not None and one.rule.tied:
            lines = ", ".join(map(str, one.rule.tied))
            say(told(f"食い違う行: {lines}", f"lines that contradict each other: {lines}"))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        fail(f"{path} is not there", ja=f"{path} がありません")
    except OSError as error:
        fail(f"{path} can't be read ({type(error).__name__})", ja=f"{path} を読めません（{type(error).__name__}）")


def _say_check(path: Path, found: RulesCheck, json_output: bool) -> None:
    if json_output:
        print_json(
            {
                "file": str(path),
                "rules": len(found.rules),
                "listings": found.listings,
                "selects": None if found.selects is None else {str(k): n for k, n in found.selects.items()},
                "idle": list(found.idle),
                "over": list(found.over),
                "problems": [
                    {"line": one.line, "column": one.column, "ja": one.ja, "en": one.en} for one in found.problems
                ],
            }
        )
        return
    if found.problems:
        for one in found.problems:
            say(told(one.said("ja"), one.said("en")))
        say(
            told(
                f"{path}: 誤り {len(found.problems)}か所。採用されません。",
                f"{path}: {len(found.problems)} mistakes; it would be refused",
            ),
            style="bold red",
        )
        return
    say(
        told(
            f"{path}: 規則 {len(found.rules)}件が出品 {found.listings}件に当たります。",
            f"{path}: {len(found.rules)} rules select {found.listings} listings",
        ),
        style="bold",
    )
    if found.selects is None:
        ja = "master.dbを読めないため、当たる出品は数えていません。"
        say(told(ja, "master.db can't be read, so nobody was counted"))
        return
    by_line = {one.line: one for one in found.rules}
    shown = sorted(found.selects.items())[:MOST_LINES]
    columns = [told("行", "line"), told("出品", "listings"), told("対象", "selects")]
    table("", columns, [(line, count, _selectors(by_line[line].selectors)) for line, count in shown])
    if len(found.selects) > MOST_LINES:
        more = len(found.selects) - MOST_LINES
        say(told(f"ほか {more}行 (--json ですべて)", f"and {more} more (all with --json)"))
    for lines, ja, en in (
        (found.idle, "どの出品にも当たらない行", "lines that select no listing"),
        (found.over, "期限が過ぎた行", "lines whose last day is past"),
    ):
        if lines:
            named = ", ".join(map(str, lines[:MOST_LINES])) + (" ..." if len(lines) > MOST_LINES else "")
            say(f"{told(ja, en)} ({len(lines)}): {named}")


def _selectors(selectors: Any) -> str:
    return ", ".join(f"{name}={value}" for name, value in selectors._asdict().items() if value)


def _line(line: int) -> str:
    return told(f"{line}行目", f"line {line}")


def _document(one: RulesOfListing) -> dict[str, Any]:
    """A listing as JSON values; `until` is the last day."""
    return {
        "platform": one.key.platform,
        "account_id": one.key.account_id,
        "item_id": one.key.item_id,
        "asin": one.asin,
        "holds": {column: getattr(one.rule, column) for column, _, _ in holding(one.rule, language())},
        "says": {column: line for column, _, line in holding(one.rule, language())},
        "tied": list(one.rule.tied) if one.rule is not None else [],
        "lines": [
            {"line": line.line, **{name: value for name, value in line.selectors._asdict().items() if value}}
            | {"until": f"{jst(line.rule.until - timedelta(days=1)):%Y-%m-%d}" if line.rule.until else ""}
            | {"note": line.rule.note}
            for line in one.lines
        ],
    }
