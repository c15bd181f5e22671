"""`ecauto what-if`: what another setting or file of rules would do, beside what is in force; nothing is written.

Not for: the reckoning (reports/what_if.py) or making a plan that can be applied (plan.py).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import fail, language, number, print_json, say, table, told
from ecauto_pipeline.cli.progress import progress_shown
from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.domain.selling.item_rules import ItemRule, together
from ecauto_pipeline.domain.selling.rule_selection import RuleBook
from ecauto_pipeline.reports.what_if import DayZero, RuleOf, WhatIf
from ecauto_pipeline.reports.what_if import what_if as compared
from ecauto_pipeline.settings import Settings, load
from ecauto_pipeline.shops.platforms import PLATFORMS
from ecauto_pipeline.sync.context import Progress, Tools
from ecauto_pipeline.sync.listings.item_rules import of_bytes, select, tie_problems
from ecauto_pipeline.views.rule_words import DAY_0
from ecauto_pipeline.wiring.accounts import shop_accounts
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)
MOST_REASONS = 12


@COMMAND.command("what-if")
def what_if(
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="設定を変えたら / KEY=VALUE, like pricing.markup_ratio=1.25")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", help="この規則のファイルなら / with this file of rules")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=0, max=365, help="過去何日ぶん / days of the past")] = 30,
    json_output: Json = False,
) -> None:
    """設定や規則を変えたらどうなるかを比べます(何も書きません)。 What a change would do; nothing is written."""
    changes = _changes(set_ or [])
    if not changes and rules is None:
        fail(
            "say what to change: --set KEY=VALUE or --rules FILE",
            ja="何を変えるかを --set KEY=VALUE か --rules FILE で書いてください",
        )
    settings = load()
    changed = load(changes=changes)
    accounts = tuple(key for key, shop in shop_accounts(changed).items() if shop.active)
    with open_tools(settings, offline=True) as tools:
        rule_of = rules_of_file(tools, rules) if rules is not None else None
        with progress_shown(json_output, dry_run=True, language=language()) as shown:
            found = compared(tools, changed, accounts, days, rule_of, _as_progress(shown))
        names = {account: tools.name_of(account) for account in accounts}
    limits = _limits(changed, found, names)
    if json_output:
        print_json(document_of(found, changes, limits))
    else:
        _show(found, limits, changes)


def _changes(words: list[str]) -> dict[str, Any]:
    """The values by key; a value is TOML's, and what is no TOML is a text."""
    changes: dict[str, Any] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not key.strip() or not all(key.strip().split(".")):
            fail(f"--set {word!r}: write KEY=VALUE", ja=f"--set {word!r}: KEY=VALUE の形で書いてください")
        try:
            changes[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except ValueError:
            changes[key.strip()] = value.strip()
    return changes


def rules_of_file(tools: Tools, path: Path) -> RuleOf:
    """What this file says of each listing. A file with a bad line is refused, each line named."""
    try:
        read = of_bytes(path.read_bytes())
    except OSError as error:
        fail(f"{path}: {error.strerror}", ja=f"{path}: 読めません ({error.strerror})")
    now = tools.clock.now()
    chosen = select(tools, RuleBook(read.lines), now) if not read.problems else None
    problems = read.problems or (tie_problems(chosen.ties) if chosen is not None else ())
    if problems:
        english, japanese = ("; ".join(one.said(spoken) for one in problems) for spoken in ("en", "ja"))
        fail(f"{path.name}: {english}", ja=f"{path.name}: {japanese}")
    if chosen is None:
        fail(
            "master.db can't be read, and rules name titles or brands",
            ja="master.db を読めないため、商品名やブランドで選ぶ規則を調べられません",
        )
    by_line = {one.line: one for one in read.lines}

    def rule_of(key: ListingKey) -> ItemRule | None:
        return together([by_line[line] for line in chosen.lines.get(key, ())], now)

    return rule_of


def _as_progress(shown: Callable[[Progress], None]) -> Callable[[int, int], None]:
    return lambda done, total: shown(Progress("what_if", done, total))


def _limits(settings: Settings, found: WhatIf, names: Mapping[AccountKey, str]) -> list[dict[str, Any]]:
    """The busiest day of each shop beside what its platform allows."""
    return [
        {
            "account": name,
            "allowed_a_day": allowed,
            "now": found.past_now.worst_day.get(account, 0),
            "what_if": found.past_then.worst_day.get(account, 0),
        }
        for account, name in names.items()
        if (allowed := PLATFORMS[account.platform].edits_a_day(settings)) is not None
    ]


def document_of(found: WhatIf, changes: Mapping[str, Any], limits: list[dict[str, Any]]) -> dict[str, Any]:
    def day(one: DayZero) -> dict[str, Any]:
        return {**{name: value for name, value in asdict(one).items() if name != "plan"}, "edits": one.edits}

    def past(one: Any) -> dict[str, Any]:
        return {**{name: value for name, value in asdict(one).items() if name != "worst_day"}, "edits": one.edits}

    return {
        "changes": dict(changes),
        "day_0": {"now": day(found.now), "what_if": day(found.then), "plan": found.then.plan},
        "past": {"now": past(found.past_now), "what_if": past(found.past_then)},
        "limits": limits,
    }


def _show(found: WhatIf, limits: list[dict[str, Any]], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        say(f"{key} = {value}")
    show_day_0(found)
    if found.past_now.days:
        _show_past(found, limits, _heads())


def _heads() -> tuple[str, ...]:
    return (told("項目", "item"), told("今", "now"), told("変えたら", "what if"), told("差", "difference"))


def show_day_0(found: WhatIf) -> None:
    """What a run right now would do, as things are and as they would be."""
    heads = _heads()
    say()
    table(
        told("今すぐ同期したら", "a run right now"),
        heads,
        [_row(told(*name), found.now, found.then, key) for key, name in DAY_0.items()],
    )
    reasons = sorted({*found.now.set_aside, *found.then.set_aside})
    changed = [one for one in reasons if found.now.set_aside.get(one, 0) != found.then.set_aside.get(one, 0)]
    if changed:
        rows = [
            _line(said(one, language()), found.now.set_aside.get(one, 0), found.then.set_aside.get(one, 0))
            for one in changed[:MOST_REASONS]
        ]
        table(told("変更しない理由の変化", "why rows are set aside"), heads, rows)


def _show_past(found: WhatIf, limits: list[dict[str, Any]], heads: tuple[str, ...]) -> None:
    before, after = found.past_now, found.past_then
    names = (
        (told("変更の件数", "edits"), "edits"),
        (told("値上げ", "price rises"), "up"),
        (told("値下げ", "price falls"), "down"),
        (told("非公開", "hidden"), "hides"),
        (told("公開", "shown"), "shows"),
        (told("うち人の確認待ち", "of these held for a person"), "held"),
        (told("安全のため中止", "stopped by a limit"), "blocked"),
    )
    rows = [_row(name, before, after, key) for name, key in names]
    for one in limits:
        name = told(
            f"{one['account']} の最も多い日（上限 {number(one['allowed_a_day'])}）",
            f"busiest day of {one['account']} (limit {number(one['allowed_a_day'])})",
        )
        rows.append(_line(name, one["now"], one["what_if"]))
    title = told(f"過去 {before.days} 日の Amazon の回答で", f"with Amazon's answers of the last {before.days} days")
    table(title, heads, rows)
    if not before.orders:
        say(told("この期間の注文の記録がありません", "no orders of that time are on record"))
        return
    sold = [
        _line(told("注文（点数）", "orders (pieces)"), before.orders, after.orders),
        _line(told("価格と仕入値が分かるもの", "with a known price and cost"), before.priced, after.priced),
        _line(told("利益（手数料を引いたあと、円）", "profit after fees (yen)"), before.profit_jpy, after.profit_jpy),
        _line(
            told("1点あたりの利益（円）", "profit a piece (yen)"),
            before.profit_jpy // max(1, before.priced),
            after.profit_jpy // max(1, after.priced),
        ),
        _line(told("赤字の注文", "orders at a loss"), before.at_a_loss, after.at_a_loss),
        _line(told("非公開だったはずの注文", "orders of what would be off sale"), before.off_sale, after.off_sale),
    ]
    table(told("同じ数だけ売れたとして", "had as many been sold"), heads, sold)


def _row(name: str, now: Any, then: Any, key: str) -> tuple[str, str, str, str]:
    return _line(name, getattr(now, key), getattr(then, key))


def _line(name: str, now: int, then: int) -> tuple[str, str, str, str]:
    return name, number(now), number(then), f"{then - now:+,}" if then != now else "0"
