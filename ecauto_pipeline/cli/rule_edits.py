"""`ecauto rules set|unset|history`: one line of the owner's file of rules, and who changed the file when.

Not for: whole files (rules.py) or how a line is written (sync/people/rule_edits.py).
"""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import fail, language, number, print_json, say, table, told
from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.settings import load
from ecauto_pipeline.state.item_rules import rules_of
from ecauto_pipeline.state.rule_changes import changes
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.rule_edits import Target, set_rule, unset_rule
from ecauto_pipeline.views.rule_effect import Effect, effects_of, effects_of_unset
from ecauto_pipeline.views.rule_words import how_changed
from ecauto_pipeline.wiring.accounts import known_accounts
from ecauto_pipeline.wiring.open import open_tools

Item = Annotated[str, typer.Argument(metavar="ITEM|ASIN", help="商品IDかASIN / item id or ASIN")]
Words = Annotated[
    list[str], typer.Argument(metavar="COLUMN=VALUE...", help="例: fixed_price_jpy=2980 until=2026-12-31 (空で消す)")
]
OneShop = Annotated[str, typer.Option("--account", help="この商品IDのショップ / the shop of this item id")]
Check = Annotated[bool, typer.Option("--check", help="効果だけを示す / show the effect, write nothing")]


def set_command(
    item: Item, words: Words, account: OneShop = "", check: Check = False, json_output: Json = False
) -> None:
    """1つの商品(またはASIN)の規則を書き、すぐに使います。data/rules.csv のほかの行は変わりません。

    Writes the line of one item, or of one ASIN, and takes it up; no other line changes. A file that would be refused:
    exit code 2, nothing written.
    """
    columns: dict[str, str | None] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign:
            fail(f"{word!r}: write COLUMN=VALUE", ja=f"{word!r}: 列名=値 の形で書いてください")
        columns[name.strip()] = value.strip() or None
    settings = load()
    shop = next(iter(known_accounts(settings, (account,) if account else ())), None)
    with open_tools(settings, offline=True) as tools:
        target = target_of(tools, item, shop)
        effects = effects_of(tools, target, columns)
        taken = None if check else set_rule(tools, target, columns, getpass.getuser())
        _say(tools, effects, json_output, taken)


def unset_command(item: Item, account: OneShop = "", check: Check = False, json_output: Json = False) -> None:
    """1つの商品(またはASIN)だけを対象にした規則の行を消します。 Takes the line of one item or ASIN away."""
    settings = load()
    shop = next(iter(known_accounts(settings, (account,) if account else ())), None)
    with open_tools(settings, offline=True) as tools:
        target = target_of(tools, item, shop)
        effects = effects_of_unset(tools, target)
        taken = None if check else unset_rule(tools, target, getpass.getuser())
        _say(tools, effects, json_output, taken)


def history_command(
    limit: Annotated[int, typer.Option("--limit", min=1, help="新しいほうから何件 / how many, newest first")] = 20,
    json_output: Json = False,
) -> None:
    """規則の変更の記録: いつ、だれが、どう変えたか。 Each change of the rules: when, by whom, which lines."""
    with open_tools(load(), offline=True) as tools, tools.state.read() as connection:
        found = changes(connection, limit)
    if json_output:
        print_json([asdict(one) | {"at": jst(one.at).isoformat(timespec="seconds")} for one in found])
        return
    if not found:
        say(told("規則の変更はまだありません。", "no change of the rules is on record"))
    for one in found:
        say(
            f"{jst(one.at):%Y-%m-%d %H:%M}  {how_changed(one, language())}  "
            + told(
                f"+{one.added}行 -{one.removed}行 (全{one.rules}件)", f"+{one.added} -{one.removed}, {one.rules} rules"
            ),
            style="bold",
        )
        for sign, lines, all_of_them in (("+", one.added_lines, one.added), ("-", one.removed_lines, one.removed)):
            for line in lines:
                say(f"  {sign} {line}")
            if all_of_them > len(lines):
                say(f"  {sign} " + told(f"ほか{all_of_them - len(lines)}行", f"and {all_of_them - len(lines)} more"))


def target_of(tools: Tools, item: str, account: Any) -> Target:
    """What a person named: an ASIN that listings have, or the one listing with this item id. Raises NotOnRecord."""
    item = item.strip()
    with tools.state.read() as connection:
        found = [one for one in rules_of(connection, item) if account in (None, one.key.account)]
    if account is None and any(one.asin == item for one in found):
        return item
    if len(found) != 1:
        shops = ", ".join(tools.name_of(one.key.account) for one in found)
        raise NotOnRecord(
            f"{item} is in several shops ({shops}): --account says which" if found else f"no item is known as {item}",
            ja=f"{item} は複数のショップにあります（{shops}）。--account で選んでください"
            if found
            else f"{item} という商品はありません",
        )
    return found[0].key


def _say(tools: Tools, effects: Sequence[Effect], json_output: bool, rules: int | None) -> None:
    if json_output:
        print_json({"written": rules is not None, "effects": [_document(one) for one in effects]})
        return
    heads = (
        told("ショップ", "shop"), told("商品", "item"), told("価格", "price"), told("手元に残る額", "what is left"),
        told("公開", "on show"), told("メモ", "note"),
    )  # fmt: skip
    rows = [
        (
            tools.name_of(one.key.account),
            one.key.item_id,
            f"{number(one.now.price_jpy)} → {number(one.then.price_jpy)}",
            f"{number(one.now.profit_jpy)} → {number(one.then.profit_jpy)}",
            f"{number(one.now.on_show)} → {number(one.then.on_show)}",
            "; ".join(said(reason, language()) for reason in one.reasons),
        )
        for one in effects
    ]
    table(told("次の同期でこうなります", "what the next sync makes of it"), heads, rows)
    if rules is not None:
        say(told(f"規則 {rules}件を採用しました。", f"{rules} rules are in force"))


def _document(one: Effect) -> dict[str, Any]:
    return {**one.key._asdict(), **{name: value for name, value in asdict(one).items() if name != "key"}}
