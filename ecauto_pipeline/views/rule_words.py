"""The rules per item in words: what holds for a listing, what a line decides, who changed them how.

Not for: what holds (domain/selling/item_rules.py) or what changed (state/rule_changes.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.state.rule_changes import How, RuleChange

LABELS: Mapping[str, tuple[str, str]] = {
    "exclude": ("対象外", "left alone"),
    "fixed_price_jpy": ("固定価格", "fixed price"),
    "min_price_jpy": ("下限価格", "floor"),
    "max_price_jpy": ("上限価格", "ceiling"),
    "markup_ratio": ("倍率", "ratio"),
    "extra_cost_jpy": ("追加費用", "extra cost"),
    "never_sell": ("販売禁止", "never to sell"),
    "by_hand": ("手動価格", "price set by hand"),
}
"""What a column of the file decides."""
ABOUT: Mapping[str, tuple[str, str]] = {
    "item_id": ("商品ID", "item id"),
    "asin": ("ASIN", "ASIN"),
    "title_contains": ("商品名に含む", "title contains"),
    "brand": ("ブランド", "brand"),
    "category": ("カテゴリ", "category"),
    "account_id": ("ショップ", "shop"),
}
"""Whom a column of the file selects."""
CHOICES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "exclude": {
        "price": ("価格を変えない", "its price is left alone"),
        "visibility": ("公開・非公開を変えない", "whether it is on show is left alone"),
        "all": ("何も変えない", "left alone entirely"),
        "none": ("対象外にしない", "left to nobody"),
    },
    "never_sell": {
        "yes": ("販売しない（非公開にする）", "never to be sold (hidden)"),
        "no": ("販売してよい", "may be sold"),
    },
    "by_hand": {
        "overwrite": ("計算した価格に戻す", "is overwritten"),
        "hold": ("確認を待つ", "waits for a person"),
        "keep": ("そのまま残す", "is kept"),
    },
}
"""What the words of a column mean."""
_QUESTION = {
    "exclude": "price",
    "fixed_price_jpy": "price",
    "markup_ratio": "price",
    "never_sell": "on_sale",
}
"""The question (domain/selling/item_rules.py) that a column answers; any other column is one of its own."""
DAY_0: Mapping[str, tuple[str, str]] = {
    "edits": ("変更の件数", "edits"),
    "up": ("値上げ", "price rises"),
    "down": ("値下げ", "price falls"),
    "hides": ("非公開", "hidden"),
    "shows": ("公開", "shown"),
    "restocks": ("在庫を戻す", "restocked"),
}
"""What a run right now would do (reports/what_if.py, DayZero)."""
HOW: Mapping[How, tuple[str, str]] = {
    "import": ("ファイルを取り込み", "a file imported"),
    "set": ("1行を書き込み", "one line set"),
    "unset": ("1行を削除", "one line taken away"),
    "file": ("rules.csvが直接変更された", "rules.csv was changed by hand"),
}


def how_changed(change: RuleChange, language: str) -> str:
    """What was done and by whom, as far as that is known."""
    done = HOW[change.how][language == "en"]
    if not change.who:
        return done
    return f"{done}: {change.who}"


def holding(rule: ItemRule | None, language: str) -> list[tuple[str, str, int]]:
    """(column, value, line) of everything that the rules say of a listing."""
    if rule is None:
        return []
    found = []
    for column in LABELS:
        value = getattr(rule, column)
        if value is not None and value not in ("", "none"):
            question = "on_sale" if value == "visibility" else _QUESTION.get(column, column)
            yes, no = ("yes", "no") if language == "en" else ("はい", "いいえ")
            shown = yes if value is True else no if value is False else str(value)
            found.append((column, shown, rule.line_of(question)))
    return found


def cell_said(column: str, value: str, language: str) -> str:
    """One cell of the file as people read it: a word of ours in words, an amount with separators."""
    if column in CHOICES and value in CHOICES[column]:
        return CHOICES[column][value][language == "en"]
    if column.endswith("_jpy") and value.isdigit():
        return f"{int(value):,} yen" if language == "en" else f"{int(value):,}円"
    return value


def about_said(about: Mapping[str, str], language: str) -> list[str]:
    """Whom a line is about, a piece of text a column that it fills."""
    return [f"{name[language == 'en']}: {about[column]}" for column, name in ABOUT.items() if about.get(column)]
