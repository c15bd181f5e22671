"""What a word about held rows would do, before it is given: how many rows, which shops, what becomes of prices.

The same lines stand beside the buttons of the desk and behind `ecauto holds approve|reject --dry-run`. Not for: giving
the word (sync/people/holds.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.state import decisions
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.holds import Hold, Word, consequence_of_rejecting, hold_of

Words = tuple[str, str]
"""Japanese, English."""
SENT_WHEN: Words = (
    "送信は次の同期です。そのときも同じ変更が必要な場合だけ送ります。",
    "The next sync sends it, where the same change is still needed then.",
)
NOT_AGAIN: Words = (
    "同じ値の変更は二度と提案しません。値が変われば、あらためて確認をお願いします。",
    "The same value is not proposed again; another one is.",
)


@dataclass(frozen=True, slots=True)
class Effect:
    """`shops`: rows of each, by name. `price_change_jpy`: the sum over `rises` and `falls` of wanted - shown.

    `late`: rows that were asked about and wait no more. `keeps_selling`: what rejecting means for hides, ja and en.
    """

    rows: int
    late: int
    shops: tuple[tuple[str, int], ...]
    rises: int
    falls: int
    price_change_jpy: int
    hides: int
    shows: int
    delistings: int
    keeps_selling: tuple[str, ...]


def effect_of(tools: Tools, ids: Iterable[str]) -> Effect:
    """What a word about these rows (whole diff_ids) would concern; nothing is written."""
    wanted, now = set(ids), tools.clock.now()
    with tools.state.read() as connection:
        found = [hold_of(row, now) for row in decisions.holds(connection) if row.diff_id in wanted]
    return effect_on(tools, found, late=len(wanted) - len(found))


def effect_on(tools: Tools, holds: Sequence[Hold], late: int = 0) -> Effect:
    """The same, of rows that are known to wait."""
    moves = [move for one in holds if (move := _move(one)) is not None]
    visible = Counter(one.wanted for one in holds if one.kind is Kind.VISIBILITY)
    shops = Counter(tools.name_of(one.key.account) for one in holds)
    return Effect(
        rows=len(holds),
        late=late,
        shops=tuple(sorted(shops.items())),
        rises=sum(move > 0 for move in moves),
        falls=sum(move < 0 for move in moves),
        price_change_jpy=sum(moves),
        hides=visible[0],
        shows=visible[1],
        delistings=sum(one.kind is Kind.DELIST for one in holds),
        keeps_selling=consequence_of_rejecting(holds),
    )


def effect_lines(effect: Effect, word: Word) -> Iterator[Words]:
    """One line a matter, in the order in which a person weighs them."""
    shops_ja = "、".join(f"{name} {count:,}件" for name, count in effect.shops)
    shops_en = ", ".join(f"{name} {count:,}" for name, count in effect.shops)
    yield f"対象: {effect.rows:,}件（{shops_ja}）", f"{effect.rows:,} rows ({shops_en})"
    if effect.late:
        yield f"ほかの {effect.late:,}件は、すでに決まっています。", f"{effect.late:,} others are decided already."
    moved = effect.rises + effect.falls
    if word == "approve":
        if moved:
            total = f"{effect.price_change_jpy:+,}"
            yield (
                f"価格の変更 {moved:,}件（値上げ {effect.rises:,}件、値下げ {effect.falls:,}件、合計 {total}円）",
                f"prices: {moved:,} ({effect.rises:,} up, {effect.falls:,} down, {total} yen in all)",
            )
        yield from _visible(effect)
        yield SENT_WHEN
        return
    if moved:
        yield f"価格は今のままです: {moved:,}件", f"{moved:,} prices stay as they are"
    if effect.keeps_selling:
        yield effect.keeps_selling[0], effect.keeps_selling[1]
    if effect.shows:
        yield f"非公開のままです: {effect.shows:,}件", f"{effect.shows:,} stay hidden"
    yield NOT_AGAIN


def _move(hold: Hold) -> int | None:
    if hold.kind is not Kind.PRICE or hold.shown is None or hold.wanted is None:
        return None
    return hold.wanted - hold.shown


def _visible(effect: Effect) -> Iterator[Words]:
    if effect.hides:
        yield f"非公開にする商品: {effect.hides:,}件", f"to be hidden: {effect.hides:,}"
    if effect.shows:
        yield f"公開する商品: {effect.shows:,}件", f"to be shown: {effect.shows:,}"
    if effect.delistings:
        yield f"取り下げる商品: {effect.delistings:,}件", f"to be delisted: {effect.delistings:,}"
