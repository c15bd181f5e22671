"""`ecauto rules check|import|export|show`: the owner's rules per item; `set|unset|history` are in rule_edits.py.

Not for: what a rule may say (domain/selling/rules_file.py, docs/rules.md).
"""

from __future__ import annotations

import getpass
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecauto_pipeline.atomic_file import replace_file
from ecauto_pipeline.cli import rule_edits
from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import USAGE, WITH_ERRORS, fail, labelled, language, print_json, say, table, told
from ecauto_pipeline.cli.rules_list import list_command
from ecauto_pipeline.clock import jst
from ecauto_pipeline.settings import load
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.rules import (
    RulesCheck,
    RulesOfListing,
    check_rules,
    export_rules,
    import_rules,
    rules_about,
    rules_fingerprint,
)
from ecauto_pipeline.views.rule_words import DAY_0, LABELS, holding
from ecauto_pipeline.wiring.accounts import shop_accounts
from ecauto_pipeline.wiring.open import open_tools

if TYPE_CHECKING:
    from ecauto_pipeline.reports.what_if import WhatIf

MOST_LINES = 30
COMMAND = typer.Typer(
    help="商品ごとの規則 (固定価格・下限・販売禁止など)。 Rules per item: fixed prices, floors, bans.",
    no_args_is_help=True,
    add_completion=False,
)
COMMAND.command("list")(list_command)
COMMAND.command("set")(rule_edits.set_command)
COMMAND.command("unset")(rule_edits.unset_command)
COMMAND.command("history")(rule_edits.history_command)
File = Annotated[Path, typer.Argument(metavar="FILE", help="CSV")]


@COMMAND.command("check")
def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="省略時は data/rules.csv / default: data/rules.csv")
    ] = None,
    effect: Annotated[
        bool, typer.Option("--effect", help="今すぐ同期したときの変更の件数も / also what a run right now would do")
    ] = False,
    json_output: Json = False,
) -> None:
    """ファイルを調べ、各行が何件の出品に当たるかを示します。何も書き込みません。

    Judges a file as a run would and says how many listings each line selects. Writes nothing. A file that would be
    refused: exit code 2, every line named.
    """
    settings = load()
    path = file or settings.rules
    with open_tools(settings, offline=True) as tools:
        stands = rules_fingerprint(tools)
        found = check_rules(tools, _content(path))
        compared = _effect(tools, path) if effect and not found.problems else None
    _say_check(path, found, json_output, {"instead_of": stands, "effect": compared and _effect_document(compared)})
    if compared is not None and not json_output:
        from ecauto_pipeline.cli.what_if import show_day_0

        show_day_0(compared)
    if found.problems:
        raise typer.Exit(USAGE)


@COMMAND.command("import")
def import_command(
    file: File,
    instead_of: Annotated[
        str | None, typer.Option("--instead-of", help="checkが示した今のファイルの印 / `instead_of` of the check")
    ] = None,
    who: Annotated[str, typer.Option("--who", help="だれの指示か / whose word it is; default: this user")] = "",
    json_output: Json = False,
) -> None:
    """ファイルを調べて data/rules.csv に置き、すぐに使います。前のファイルは data/rules-history/ に残ります。

    Checks a file, puts it in the place of data/rules.csv and takes it up at once; the one before is kept. A file that
    is refused changes nothing: exit code 2. With --instead-of, neither does one that was checked against another file
    than the one that stands there now.
    """
    settings = load()
    content = _content(file)
    with open_tools(settings, offline=True) as tools:
        found = check_rules(tools, content)
        said_by = who.strip() or getpass.getuser()
        taken = import_rules(tools, content, said_by, instead_of=instead_of) if not found.problems else None
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


def _effect(tools: Tools, path: Path) -> WhatIf:
    from ecauto_pipeline.cli.what_if import rules_of_file  # DuckDB: not for the other commands about rules
    from ecauto_pipeline.reports.what_if import what_if

    accounts = tuple(key for key, shop in shop_accounts(tools.settings).items() if shop.active)
    return what_if(tools, tools.settings, accounts, 0, rules_of_file(tools, path))


def _effect_document(found: WhatIf) -> dict[str, Any]:
    """Counts of targets, as things are and with the file."""
    return {
        name: {each: getattr(day, each) for each in DAY_0}
        for name, day in (("now", found.now), ("what_if", found.then))
    }


def _say_check(path: Path, found: RulesCheck, json_output: bool, beside: dict[str, Any] | None = None) -> None:
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
            | (beside or {})
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
