"""Held rows as lines that stay whole in a narrow terminal: what has to be copied stands at the front, uncut.

Not for: which rows wait (sync/people/holds.py) or the options of `ecauto holds` (holds.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.cells import cell_len, set_cell_size

from ecauto_pipeline.domain.model import AccountKey, Kind, ListingKey
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.domain.words import changes_wait
from ecauto_pipeline.sync.people.holds import Hold
from ecauto_pipeline.views.item_titles import without_title

SHORT_ID = 8
KINDS: Mapping[Kind, tuple[str, str]] = {
    Kind.PRICE: ("価格", "price"),
    Kind.VISIBILITY: ("公開状態", "visibility"),
    Kind.STOCK: ("在庫", "stock"),
    Kind.DELIST: ("取り下げ", "delisting"),
}
MEANWHILE: Mapping[bool | None, tuple[str, str]] = {
    True: ("この間も今のまま販売を続けています", "still on sale as it is meanwhile"),
    False: ("この間は販売を止めています", "off sale meanwhile"),
    None: ("販売中かどうかはまだ読めていません", "not read yet whether it is on sale"),
}
"""What holding the row costs: by whether the listing is on sale."""
LEFT: Mapping[bool, tuple[str, str]] = {
    True: ("この価格で売れると手元に {:,}円", "a sale at this price leaves {:,} yen"),
    False: ("今の価格で売れると手元に {:,}円", "a sale at the price shown leaves {:,} yen"),
}
"""What is left of a sale: by whether the row is about the price."""


def short_ids(ids: Sequence[str]) -> dict[str, str]:
    """The beginning of each id, 8 characters or as many more as tell it from the others."""
    length = SHORT_ID
    while len({name[:length] for name in ids}) < len(set(ids)):
        length += 1
    return {name: name[:length] for name in ids}


def held_lines(
    rows: Sequence[Hold],
    name_of: Callable[[AccountKey], str],
    titles: Mapping[str, str | None],
    selling: Mapping[ListingKey, bool | None],
    language: str,
    width: int,
) -> Iterator[str]:
    """Four or five lines a row, and at the end what to type; titles are cut to `width` cells, nothing else is."""
    english = language == "en"
    if not rows:
        yield "no change waits for a person" if english else "確認を待っている変更はありません。"
        return
    yield f"{changes_wait(len(rows))} for a person" if english else f"人の確認待ち {len(rows)} 件"
    short = short_ids([row.diff_id for row in rows])
    for row in rows:
        hours = row.age.total_seconds() / 3600
        title = titles.get(row.asin, "") or without_title(titles.get(row.asin, ""), language)
        yield ""
        yield f"{short[row.diff_id]}  {row.asin}  {KINDS[row.kind][english]} {_change(row, english)}"
        yield f"  {_cut(title, width - 2)}"
        item, age = ("item", f"{hours:.1f} h ago") if english else ("商品", f"{hours:.1f}時間前")
        yield f"  {name_of(row.key.account)}  {item} {row.key.item_id}  {age}"
        yield f"  {said(row.reason, language)}"
        if row.profit_jpy is not None:
            yield f"  {LEFT[row.kind is Kind.PRICE][english].format(row.profit_jpy)}"
        yield f"  {MEANWHILE[selling.get(row.key)][english]}"
    yield ""
    first = rows[0]
    words = ("approve", "reject", "why", "one ASIN everywhere") if english else ("承認", "却下", "根拠", "一括")
    ends = (f"approve {short[first.diff_id]}", f"reject {short[first.diff_id]}", f"show {short[first.diff_id]}")
    for word, end in zip(words, (*ends, f"approve --asin {first.asin}"), strict=True):
        yield f"{word}: ecauto holds {end}"


def _change(row: Hold, english: bool) -> str:
    if row.kind is Kind.VISIBILITY:
        return {0: ("→ 非公開", "-> hidden"), 1: ("→ 公開", "-> shown")}[row.wanted or 0][english]
    arrow = "->" if english else "→"
    before, after = ("?" if value is None else f"{value:,}" for value in (row.shown, row.wanted))
    return f"{before} {arrow} {after}" + ((" yen" if english else "円") if row.kind is Kind.PRICE else "")


def _cut(text: str, cells: int) -> str:
    return text if cell_len(text) <= cells else set_cell_size(text, max(0, cells - 3)).rstrip() + "..."
