"""Losses avoided and orders still to fear, in sentences that say how they are counted. Not for: counting (money.py)."""

from __future__ import annotations

from ecauto_pipeline.views.money import Spared


def spared_lines(found: Spared, language: str) -> tuple[str, ...]:
    """What edits spared, what is to be expected, what could not be reckoned with; each with how."""
    lines = english(found) if language == "en" else japanese(found)
    return tuple(line for line in lines if line)


def japanese(found: Spared) -> tuple[str, ...]:
    spared, days = found.avoided, found.days
    rises = f"この{days}日に、値上げで赤字を避けた注文はありません。"
    if spared.by_rises:
        rises = (
            f"この{days}日で、値上げのあとに売れた {spared.by_rises:,}件は、"
            f"前の価格なら合計 {spared.by_rises_jpy:,}円の赤字でした"
            "（注文ごとに、売れた時の仕入れ値と前の価格で計算）。"
        )
    hides = f"この{days}日に非公開にした商品はありません。"
    if spared.hides:
        hides = (
            f"売れない間に非公開にした商品は {spared.hides:,}件、のべ {spared.hidden_days:,.1f}日です。"
            f"その間に受けたはずの注文はおよそ {spared.orders_spared:,.1f}件です"
            "（各商品の普段の注文数 × 非公開だった日数）。"
        )
    expected = "仕入れられない注文の見込みは、注文の記録がまだないため計算できません。"
    if found.expected is not None:
        one = found.expected
        expected = (
            f"仕入れられない注文の見込みは1日 {one.wrong_orders_a_day:,.2f}件です"
            f"（1日の注文 {one.orders_a_day:,.1f}件 × 1日に売れなくなる割合 {one.turns_a_day:.2%} × "
            f"情報の古さ 平均 {one.age_h:,.1f}時間）。"
        )
    unknown = f"一度も回答のない {found.never_answered:,}件は含みません。" if found.never_answered else ""
    return rises, hides, expected, unknown


def english(found: Spared) -> tuple[str, ...]:
    spared, days = found.avoided, found.days
    rises = f"in {days} days no order was kept from a loss by a rise"
    if spared.by_rises:
        rises = (
            f"in {days} days {spared.by_rises:,} sales after a rise would have lost {spared.by_rises_jpy:,} yen"
            " at the price before (of each order: that price, and what the goods cost when it came)"
        )
    hides = f"in {days} days no item was hidden"
    if spared.hides:
        hides = (
            f"{spared.hides:,} items were hidden while they could not be sold, {spared.hidden_days:,.1f} days"
            f" together; some {spared.orders_spared:,.1f} orders would have come"
            " (each item's usual orders x days hidden)"
        )
    expected = "orders that can't be filled: no orders on record to reckon with yet"
    if found.expected is not None:
        one = found.expected
        expected = (
            f"orders that can't be filled: {one.wrong_orders_a_day:,.2f} a day to be expected"
            f" ({one.orders_a_day:,.1f} orders a day x {one.turns_a_day:.2%} of goods gone in a day"
            f" x {one.age_h:,.1f} h age of what is known)"
        )
    unknown = f"{found.never_answered:,} ASINs that were never answered are left out" if found.never_answered else ""
    return rises, hides, expected, unknown
