"""A held change in the owner's words: what it would change, why it waits, what is known of it, what a click would do.

Not for: drawing (hold_card.py) or the figures (views/holds.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from ecauto_pipeline.clock import jst
from ecauto_pipeline.desk.parts.text import UNKNOWN, ago, short, yen
from ecauto_pipeline.desk.visit import Visit
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.domain.reasons import WORDS
from ecauto_pipeline.domain.words import DECISION_STATES, STATUSES
from ecauto_pipeline.state.held import WordBefore
from ecauto_pipeline.views.held_rows import KINDS, MEANWHILE
from ecauto_pipeline.views.holds import HeldRow, Source

SORT_LABELS = {
    "age": ("古い順", "oldest first"),
    "change": ("値動きの大きい順", "largest change first"),
    "profit": ("利益の小さい順", "least profit first"),
    "asin": ("ASIN順", "by ASIN"),
    "shop": ("ショップ順", "by shop"),
}
FALLING = ("change",)
"""What is sorted with the largest first."""
_ROLES = {
    "believed": ("今信じている内容", "believed so far"),
    "doubted": ("疑わしい回答", "the answer in doubt"),
    "second": ("別の回答", "the other answer"),
}
_WORDS = {"approved": ("承認", "approved"), "rejected": ("却下", "rejected")}


def kind_words(visit: Visit, kind: Kind) -> str:
    return visit.told(*KINDS[kind])


def reason_words(visit: Visit, code: str) -> str:
    """Without the code; the code alone where it has no words."""
    return visit.told(*WORDS[code]) if code in WORDS else code


def change_words(visit: Visit, row: HeldRow) -> str:
    """ "1,980円 → 39,800円", "非公開にする"."""
    hold = row.hold
    if hold.kind is Kind.VISIBILITY:
        return visit.told("非公開にする", "to be hidden") if hold.wanted == 0 else visit.told("公開する", "to be shown")
    if hold.kind is Kind.DELIST:
        return visit.told("取り下げる", "to be delisted")
    if hold.kind is Kind.STOCK:
        return visit.told(f"在庫 {hold.shown} → {hold.wanted}", f"stock {hold.shown} to {hold.wanted}")
    return f"{yen(hold.shown, visit.language)} → {yen(hold.wanted, visit.language)}"


def share_words(row: HeldRow) -> str:
    """ "+1,910%", "-67%"; "" where there is no such figure."""
    hold = row.hold
    if hold.kind is not Kind.PRICE or not hold.shown or hold.wanted is None:
        return ""
    return f"{(hold.wanted - hold.shown) / hold.shown:+,.0%}"


def facts(visit: Visit, row: HeldRow) -> Iterator[tuple[str, str, bool]]:
    """(what, value, whether it is a loss) of everything that is known, in the order in which it is weighed."""
    language, loss = visit.language, False
    status = "" if row.status in ("success", "") else visit.told(*STATUSES.get(row.status, (row.status, row.status)))
    age = ago(row.cost_age.total_seconds() if row.cost_age is not None else None, language)
    now = " ".join(filter(None, (status, yen(row.cost_now_jpy, language) if row.cost_now_jpy else "")))
    yield visit.told("今のAmazon", "Amazon now"), f"{now or UNKNOWN} ({age})", loss
    then = yen(row.cost_then_jpy, language)
    yield visit.told("今の売価を決めたときのAmazon", "Amazon when the price was made"), then, loss
    if row.hold.kind is not Kind.PRICE:
        yield visit.told("今の売価", "Price shown"), yen(row.price_jpy, language), loss
    yield _left(visit, ("今の売価で売れると手元に", "A sale at the price shown leaves"), row.profit_shown_jpy)
    if row.hold.kind is Kind.PRICE:
        yield _left(visit, ("新しい売価で売れると手元に", "A sale at the new price leaves"), row.profit_wanted_jpy)


def _left(visit: Visit, words: tuple[str, str], profit: int | None) -> tuple[str, str, bool]:
    loss = profit is not None and profit < 0
    said = yen(profit, visit.language) + (visit.told("（赤字）", " (a loss)") if loss else "")
    return visit.told(*words), said, loss


def meanwhile(visit: Visit, row: HeldRow) -> str:
    return visit.told(*MEANWHILE[row.on_sale])


def source_line(visit: Visit, source: Source) -> str:
    """ "疑わしい回答 (getItemOffers、11-23 18:05): 在庫切れ"."""
    status = visit.told(*STATUSES.get(source.status, (source.status, source.status)))
    price = yen(source.cost_jpy, visit.language) if source.cost_jpy is not None else ""
    offers = ", ".join(_offer(visit, *pair) for pair in source.offers)
    when = f"{jst(source.at):%m-%d %H:%M}" if source.at is not None else ""
    place = ", ".join(filter(None, (source.operation, when)))
    said = " ".join(filter(None, (status, price, offers)))
    return f"{visit.told(*_ROLES[source.role])}{f' ({place})' if place else ''}: {short(said)}"


def word_line(visit: Visit, said: WordBefore) -> str:
    """ "tanaka さんが 11-23 18:05 に承認"."""
    when = f"{jst(said.at):%m-%d %H:%M}" if said.at is not None else ""
    ja, en = _WORDS[said.word]
    who = short(said.who, 60)
    return visit.told(f"{who} さんが {when} に{ja}", f"{en} by {who}, {when}")


def became(visit: Visit, row: HeldRow) -> str:
    """What became of a hold that waits no more."""
    hold, ended = row.hold, ""
    if row.said is not None:
        ended = visit.told(f"{word_line(visit, row.said)}しました。", f"{word_line(visit, row.said)}.")
    if row.said is not None and row.said.word == "approved" and row.arrived:
        return ended + visit.told("ショップに反映されています。", " The shop shows it.")
    if hold.state == "approved" and row.sent:
        return ended + visit.told("ショップに送りました。", " It was sent to the shop.")
    if hold.state == "approved":
        return ended + visit.told("次の同期で送ります。", " The next sync sends it.")
    if hold.state == "rejected":
        return ended + visit.told("同じ変更は提案しません。", " The same change is not proposed again.")
    state = visit.told(*DECISION_STATES.get(hold.state, (hold.state, hold.state)))
    if row.said is not None and row.said.word == "approved":
        return ended + visit.told("その後の同期で処理が終わっています。", " A later sync has seen to it.")
    return ended + visit.told(f"この確認は終わっています（{state}）。", f" It is over: {state}.")


def if_approved(visit: Visit, row: HeldRow) -> str:
    """What approving this one row does."""
    hold, when = row.hold, visit.told("次の同期で、そのときも必要なら", "With the next sync, where it is still needed,")
    if hold.kind is Kind.PRICE:
        wanted = yen(hold.wanted, visit.language)
        return visit.told(f"{when}売価を {wanted} に変えます。", f"{when} the price becomes {wanted}.")
    if hold.kind is Kind.VISIBILITY and hold.wanted == 0:
        return visit.told(f"{when}非公開にします。", f"{when} the item is hidden.")
    if hold.kind is Kind.VISIBILITY:
        return visit.told(f"{when}公開します。", f"{when} the item is shown.")
    return visit.told(f"{when}変更します。", f"{when} it is changed.")


def if_rejected(visit: Visit, row: HeldRow) -> str:
    """What rejecting this one row does."""
    hold = row.hold
    if hold.kind is Kind.VISIBILITY and hold.wanted == 0:
        return visit.told(
            "公開したまま販売を続けます。Amazonで在庫切れなら、注文が入っても仕入れられません。",
            "The item stays on show and keeps selling; where Amazon is out of stock, its orders can't be filled.",
        )
    if hold.kind is Kind.PRICE:
        shown = yen(hold.shown, visit.language)
        return visit.told(
            f"売価は {shown} のままです。同じ変更は二度と提案しません。別の値段になれば、また確認します。",
            f"The price stays {shown}; the same change is not proposed again, another price is.",
        )
    return visit.told(
        "今のままです。同じ変更は提案しません。", "It stays as it is; the same change is not proposed again."
    )


def if_taken_back(visit: Visit, row: HeldRow) -> str:
    """What taking back the yes to this one row does."""
    said = visit.told("承認を取り消します。", "The yes is taken back and the change rejected. ")
    return said + if_rejected(visit, row)


def if_kept(visit: Visit, row: HeldRow) -> str:
    """What keeping the price of this one row does."""
    shown = yen(row.hold.shown, visit.language)
    said = visit.told(
        f"固定価格 {shown} の規則を作り、この確認を却下します。Amazonの値段が動いても売価は変わりません。"
        "規則は商品のページで消せます。",
        f"A rule fixes the price at {shown} and this row is rejected: the price stays whatever Amazon asks, "
        "until the rule is taken away on the item's page.",
    )
    if row.below_floor:
        said += visit.told(
            " 今の仕入値では売ってよい下限を下回るので、商品は非公開になります。",
            " At what it costs now that is below the floor: the item is hidden.",
        )
    return said


def _offer(visit: Visit, price: int | None, shipping: int | None) -> str:
    if shipping is None:
        return visit.told(f"{yen(price, 'ja')}（送料不明）", f"{yen(price, 'en')} (shipping unknown)")
    if shipping == 0:
        return visit.told(f"{yen(price, 'ja')}（送料なし）", f"{yen(price, 'en')} (free shipping)")
    return visit.told(f"{yen(price, 'ja')} + 送料 {yen(shipping, 'ja')}", f"{yen(price, 'en')} + {yen(shipping, 'en')}")
