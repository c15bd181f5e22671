"""The texts about orders: one message a shop, what needs a person first; and that orders can't be read.

Japanese or English, as `[alerts] language` says. Not for: which orders, or when (orders.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ecauto_pipeline.alerts.goods import plain
from ecauto_pipeline.alerts.rule import Words
from ecauto_pipeline.amazon.goods_page import goods_page
from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.state.orders import OrderRow
from ecauto_pipeline.sync.orders.watch import GONE

MOST_ROWS = 20
"""Item rows that a message spells out; the rest is counted."""


def verdict(row: OrderRow) -> str:
    """What the owner has to see to: gone | loss | filtered | unknown, or "" where the goods can be bought with gain."""
    asked = row.asked
    if asked.status in GONE:
        return "gone"
    if asked.status == Status.FILTERED_OUT:
        return "filtered"
    if asked.cost_at_sale_jpy is None:
        return "unknown"
    return "loss" if asked.profit_jpy is not None and asked.profit_jpy < 0 else ""


_ORDER_OF_VERDICTS = ("gone", "loss", "filtered", "unknown", "")


def orders_document(shop: str, rows: Sequence[OrderRow], titles: Mapping[str, str], language: str) -> dict[str, object]:
    """Title and body of a shop's new orders, and the same as data; the rows in the order of what needs a person."""
    ordered = sorted(rows, key=lambda row: (_ORDER_OF_VERDICTS.index(verdict(row)), row.found.sold_at))
    problems = sum(verdict(row) in ("gone", "loss") for row in ordered)
    number = len({row.found.order_key for row in ordered})
    title = Words(
        f"【ecauto 注文】{shop}: {number}件" + (f"（取り消しの検討 {problems}件）" if problems else ""),
        f"[ecauto ORDERS] {shop}: {number}" + (f" ({problems} to cancel?)" if problems else ""),
    )
    lines = [line for row in ordered[:MOST_ROWS] for line in _lines(row, titles, language)]
    if len(ordered) > MOST_ROWS:
        more = Words(f"ほか {len(ordered) - MOST_ROWS}件", f"{len(ordered) - MOST_ROWS} more")
        lines.append(_in(more, language))
    return {
        "title": _in(title, language),
        "body": "\n".join(lines),
        "kind": "orders",
        "account": shop,
        "orders": [_as_data(row, titles) for row in ordered],
    }


def _lines(row: OrderRow, titles: Mapping[str, str], language: str) -> Iterator[str]:
    """Three or four lines a row: goods, what was sold and costs, what to do, where to buy."""
    english, found, asked = language == "en", row.found, row.asked
    goods = plain(titles.get(found.asin, "")) or (
        f"item {found.key.item_id}" if english else f"商品 {found.key.item_id}"
    )
    yield f"■ {goods}"
    pieces = f" × {found.amount}" if found.amount != 1 else ""
    sold = Words(f"販売 {_yen(found.price_jpy, False)}{pieces}", f"sold at {_yen(found.price_jpy, True)}{pieces}")
    parts = [_in(sold, language)]
    if asked.cost_at_sale_jpy is not None:
        now = Words(f"今の仕入れ {_yen(asked.cost_at_sale_jpy, False)}", f"now {_yen(asked.cost_at_sale_jpy, True)}")
        parts.append(f"{_in(now, language)} ({_seller(row, english)})")
    if asked.profit_jpy is not None:
        left = Words(
            f"手数料を引いた利益 {_yen(asked.profit_jpy, False)}", f"left after fees {_yen(asked.profit_jpy, True)}"
        )
        parts.append(_in(left, language))
    yield "  " + " / ".join(parts)
    what = _what_to_do(row)
    if what is not None:
        yield "  " + _in(what, language)
    if found.asin:
        yield "  " + goods_page(found.asin)


def _what_to_do(row: OrderRow) -> Words | None:
    asked, then = row.asked, row.cost_then_jpy
    known = Words(f"（前に分かっていた仕入れ {_yen(then, False)}）", f" (the cost known before: {_yen(then, True)})")
    why = Words(*(said(asked.reason or asked.status, one) for one in ("ja", "en")))
    before = known if then is not None else Words("", "")
    match verdict(row):
        case "gone":
            return Words(
                f"今はAmazonで買えません: {why.ja}。ページを確かめ、買えなければ注文を取り消してください{before.ja}",
                f"gone: Amazon has none ({why.en}); look at the page, and cancel the order if it can't be bought"
                f"{before.en}",
            )
        case "loss":
            return Words(
                "この値段で買うと赤字です。買わずに注文を取り消すか、仕入れ先を選び直してください",
                "at a loss: buying at this price costs more than the sale brings; cancel the order, or buy elsewhere",
            )
        case "filtered":
            return Words(
                f"条件に合う出品が今はありません: {why.ja}。ページで買えるかを確かめてください{before.ja}",
                f"no offer fits your rule now ({why.en}): look at the page{before.en}",
            )
        case "unknown":
            ja, en = (f": {one}" if one else "" for one in (why.ja, why.en))
            if not row.found.asin:
                return Words(
                    "どの商品か分からず、Amazonに確認できません", "nobody knows which goods of Amazon's these are"
                )
            return Words(
                f"今の値段をAmazonに確認できませんでした{ja}。ページで確かめてください{before.ja}",
                f"Amazon could not be asked what it costs now{en}: look at the page{before.en}",
            )
    return None


def _seller(row: OrderRow, english: bool) -> str:
    asked = row.asked
    words = [plain(asked.seller_id) or ("seller unknown" if english else "出品者不明")]
    words += ["FBA"] if asked.is_fba else []
    words += ["Prime"] if asked.is_prime else []
    return ", ".join(words)


def _yen(amount: int | None, english: bool) -> str:
    if amount is None:
        return "?"
    return f"{amount:,} yen" if english else f"{amount:,}円"


def _as_data(row: OrderRow, titles: Mapping[str, str]) -> dict[str, object]:
    found, asked = row.found, row.asked
    return {
        "order": found.order_key,
        "item_id": found.key.item_id,
        "asin": found.asin,
        "title": plain(titles.get(found.asin, "")),
        "amount": found.amount,
        "price_jpy": found.price_jpy,
        "cost_then_jpy": row.cost_then_jpy,
        "cost_at_sale_jpy": asked.cost_at_sale_jpy,
        "profit_jpy": asked.profit_jpy,
        "status": asked.status,
        "reason": asked.reason,
        "seller_id": asked.seller_id,
        "is_fba": asked.is_fba,
        "is_prime": asked.is_prime,
        "verdict": verdict(row),
        "sold_at": found.sold_at.isoformat(),
        "link": goods_page(found.asin),
    }


def not_read_document(shop: str, until: datetime, language: str) -> dict[str, object]:
    """That a shop's calls are used up until then."""
    end = jst(until).strftime("%H:%M")
    title = Words(f"【ecauto 注文】{shop}: 注文を確認できません", f"[ecauto ORDERS] {shop}: can't be read")
    body = Words(
        f"BASEの呼び出し上限に達したため、{end} まで新しい注文を確認できません。\n"
        "急ぐときはBASEの管理画面で確認してください。上限が戻りしだい、自動で確認してお知らせします",
        f"BASE's calls are used up: new orders can't be read before {end} (Japan).\n"
        "Look into BASE's own pages if it can't wait; once there are calls again they are read and told by themselves",
    )
    texts: dict[str, object] = {"title": _in(title, language), "body": _in(body, language)}
    return texts | {"kind": "orders_not_read", "account": shop, "until": until.isoformat()}


def _in(words: Words, language: str) -> str:
    return words.en if language == "en" else words.ja
