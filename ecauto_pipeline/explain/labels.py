"""The labels of an explanation and its short notes in words, Japanese and English.

Not for: the form (words.py), or codes that others say too (domain/words.py, domain/reasons.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.domain.words import BREAKERS, HIDDEN_BY, Words, worded

LABELS: Words = {
    "summary": ("要約", "Summary"),
    "nothing": ("記録がありません", "nothing is known about it"),
    "unknown": ("不明", "unknown"),
    "as_of": ("時点 (JST)", "as of (JST)"),
    "amazon": ("Amazonの回答", "Amazon said"),
    "never_answered": ("まだ回答がありません", "no answer yet"),
    "confirmed": ("最後の確認", "last confirmed"),
    "note": ("メモ", "note"),
    "history_alone": ("履歴だけから再現しています。", "From history alone."),
    "listing": ("出品", "Listing"),
    "price": ("価格", "price"),
    "yen": ("円", " yen"),
    "visibility": ("公開状態", "visibility"),
    "stock": ("在庫数", "stock"),
    "state": ("状態", "state"),
    "hidden_by": ("非公開にした者", "hidden by"),
    "rule": ("商品ごとの規則", "rule per item"),
    "line": ("{}: {}行目", "{}: line {}"),
    "wanted": ("計算した売価", "price worked out"),
    "blocked": ("送信禁止", "blocked"),
    "time": ("時刻 (JST)", "time (JST)"),
    "operation": ("API操作", "operation"),
    "status": ("結果", "status"),
    "language": ("ja", "en"),
    "reason": ("理由", "reason"),
    "offers": ("オファー数", "offers"),
    "answers": ("Amazonの回答の記録", "What Amazon said"),
    "choice": ("オファーの選択", "How the offer was chosen"),
    "no_offers_kept": ("この回答のオファーは保存されていません。", "No offers were kept with this answer."),
    "verdict": ("判定", "verdict"),
    "score": ("点数", "score"),
    "shipping": ("送料", "shipping"),
    "hours": ("発送までの時間", "hours to ship"),
    "availability": ("入荷状況", "availability"),
    "seller": ("出品者", "seller"),
    "kind": ("種類", "kind"),
    "change": ("変更", "change"),
    "decision": ("判断", "decision"),
    "left": ("手元に残る額", "what is left"),
    "evidence": ("根拠", "evidence"),
    "decisions": ("判断の記録", "Decisions"),
    "updates": ("送信の記録", "Updates sent"),
    "outcome": ("結果", "outcome"),
    "error": ("エラー", "error"),
    "attempts": ("試行", "attempts"),
    "open": ("結果待ち", "under way"),
    "read": ("読み取り", "read"),
    "update": ("送信済み", "sent"),
    "decided": ("判断", "decided"),
    "sent": ("送信", "sent"),
    "public": ("公開", "public"),
    "hidden": ("非公開", "hidden"),
    "gone": ("BASEから消えている", "gone from BASE"),
    "gone_since": ("確認した時刻", "since"),
    "shown_last": ("最後の表示", "shown last"),
    "more": ("ほか", "and more:"),
    "item": ("項目", "item"),
    "value": ("値", "value"),
}

RULE_QUESTIONS: Words = {
    "price": ("価格の決め方", "how its price is made"),
    "on_sale": ("販売するか", "whether it is on sale"),
    "min_price_jpy": ("下限価格", "floor"),
    "max_price_jpy": ("上限価格", "ceiling"),
    "extra_cost_jpy": ("追加費用", "extra cost"),
    "by_hand": ("手で付けた価格", "price set by hand"),
}
"""What the owner's rules answer about a listing."""

STEPS: Words = {
    "cost_jpy": ("仕入値(円)", "cost (yen)"),
    "strategy": ("価格の決め方", "strategy"),
    "markup_ratio": ("掛け率", "markup ratio"),
    "truncated_jpy": ("円未満を切り捨て", "truncated to yen"),
    "own_limit_jpy": ("この商品の下限・上限に合わせた", "moved to this item's own floor or ceiling"),
    "rule_lines": ("商品ごとの規則(行)", "rules per item (line)"),
    "limits_jpy": ("価格の範囲(円)", "price limits (yen)"),
    "limits_ratio": ("仕入値に対する範囲", "limits against cost"),
    "ending_jpy": ("末尾をそろえる(円)", "moved to an ending (yen)"),
    "payment_fee_jpy": ("決済手数料(円)", "payment fee (yen)"),
    "service_fee_jpy": ("サービス利用料(円)", "service fee (yen)"),
    "extra_cost_jpy": ("その他の経費(円)", "extra cost (yen)"),
    "profit_jpy": ("手元に残る額(円)", "what is left (yen)"),
    "floor_min_markup_jpy": ("下限: 仕入値に対して(円)", "floor: against cost (yen)"),
    "floor_min_profit_jpy": (
        "下限: 最低利益が残る価格(円)",
        "floor: break-even and the least profit (yen)",
    ),
    "floor_item_floor_jpy": ("下限: この商品の指定(円)", "floor: this item's own (yen)"),
    "blocked": ("送信禁止", "blocked"),
}
"""How the price was worked out; `rounded_to_10_jpy` carries its step in its name."""
STAMPS: Words = {
    "price_at": ("価格を確認", "price confirmed"),
    "stock_at": ("在庫を確認", "stock confirmed"),
    "detail_at": ("詳細を取得", "asked in detail"),
    "basic_at": ("商品情報を取得", "catalogue read"),
    "category_at": ("カテゴリーを取得", "category read"),
    "last_sold_at": ("最後に売れた", "last sold"),
    "last_viewed_at": ("最後に見られた", "last viewed"),
    "error_at": ("最後に回答がなかった", "last went unanswered"),
}
NOTES: Words = {
    "stopped": ("このショップへの送信は人が止めている ({})", "a person has stopped the pushing to its shop ({})"),
    "breaker": ("ショップは停止中: {}", "its shop is not called: {}"),
    "uneditable": ("BASEが編集を受け付けない: {}", "BASE does not let it be edited: {}"),
    "orphan": ("同期の対象外: {}", "takes no part: {}"),
    "delist": ("取り下げの候補 ({})", "candidate for delisting ({})"),
    "hidden_reason": ("非公開にした理由: {}", "hidden because: {}"),
    "not_listed": ("同期の対象外 (not_listed)", "takes no part (not_listed)"),
    "rules_changed_since": (
        "この判断のあとで価格のルールが変わった(判断は {}円)",
        "the rules changed since (it wanted {} yen)",
    ),
    "doubt": ("疑いがあり、もう一度調べる ({})", "doubted, a second look is owed ({})"),
    "wants_detail": ("詳しく調べる予定 ({})", "to be asked in detail ({})"),
    "filtered_count": ("条件に合う出品なし {}回続く", "no offer fits the rule, {} times in a row"),
    "error_count": ("回答なし {}回続く", "no answer {} times in a row"),
    "error_reason": ("回答がなかった理由: {}", "why there was no answer: {}"),
}
"""What stands against a listing or an answer, by the name in front of the note's colon."""


def labels(language: str) -> Mapping[str, str]:
    """Every label of an explanation."""
    return {name: words[1 if language == "en" else 0] for name, words in LABELS.items()}


def note_text(note: str, language: str) -> str:
    """A note ("name:code", or a name alone) as people read it, its code kept."""
    name, _, code = note.partition(":")
    if name == "breaker":
        code = f"{worded(BREAKERS, code, language)} ({code})"
    elif name == "orphan":
        code = said(f"orphan_{code}", language)
    elif name in ("uneditable", "hidden_reason", "error_reason"):
        code = said(code, language)
    return worded(NOTES, name, language).format(code) if name in NOTES else note


def hider(hidden_by: str, language: str) -> str:
    """Who hid a listing, in words and as a code."""
    return f"{worded(HIDDEN_BY, hidden_by, language)} ({hidden_by})"


def step_label(name: str, language: str) -> str:
    """A step of the price in words: `rounded_to_10_jpy` names the step it rounds to."""
    if name.startswith("rounded_to_"):
        step = name.removeprefix("rounded_to_").removesuffix("_jpy")
        return f"{step}円単位に四捨五入" if language == "ja" else f"rounded to {step} yen"
    return worded(STEPS, name, language)
