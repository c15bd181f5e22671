"""Codes that a person meets and that are no reasons, in words: kinds, states, who hid a listing, breakers of shops.

Each stands under its code, Japanese and English. Not for: reasons of rows (reasons.py), alert rules (their own
declarations) or deciding anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ecauto_pipeline.domain.reasons import WORDS, said
from ecauto_pipeline.errors import CallError, EcautoError

Words = Mapping[str, tuple[str, str]]

KINDS: Words = MappingProxyType(
    {
        "price": ("価格", "price"),
        "visibility": ("公開", "visibility"),
        "stock": ("在庫", "stock"),
        "delist": ("取下げ", "delisting"),
    }
)
STATUSES: Words = MappingProxyType(
    {
        "success": ("在庫あり", "in stock"),
        "out_of_stock": ("在庫切れ", "out of stock"),
        "filtered_out": ("条件外", "no offer fits the rule"),
        "not_found": ("該当なし", "unknown to Amazon"),
        "api_error": ("エラー", "no usable answer"),
    }
)
DECISIONS: Words = MappingProxyType(
    {
        "push": ("送信", "to be sent"),
        "held": ("保留", "held"),
        "blocked": ("送信禁止", "blocked"),
        "skipped": ("見送り", "skipped"),
        "unchanged": ("変更不要", "unchanged"),
    }
)
DECISION_STATES: Words = MappingProxyType(
    {
        "open": ("待っている", "waits"),
        "sent": ("送信済み", "sent"),
        "superseded": ("新しい判断に置き換えられた", "replaced by a later decision"),
        "approved": ("承認済み", "approved"),
        "rejected": ("却下", "rejected"),
        "expired": ("事情が変わって終了", "settled by newer facts"),
        "closed": ("終了", "closed"),
    }
)
OUTCOMES: Words = MappingProxyType(
    {
        "done": ("成功", "done"),
        "failed": ("失敗", "failed"),
        "unknown": ("結果不明", "nobody knows yet"),
        "dry_run": ("ドライラン", "dry run"),
        "intent": ("送信中", "under way"),
        "withdrawn": ("取りやめ", "withdrawn"),
    }
)
HIDDEN_BY: Words = MappingProxyType(
    {
        "ours": ("このプログラム", "this program"),
        "owner_scripts": ("以前のスクリプト", "the earlier scripts"),
        "person": ("人", "a person"),
        "blocklist": ("出品禁止リスト", "the blocklist"),
        "shop": ("ショップ", "the shop"),
    }
)
BREAKERS: Words = MappingProxyType(
    {
        "access_denied": ("BASEがこのショップの操作を拒否", "BASE refuses this shop"),
        "token": ("トークンが使えない", "its token is not valid"),
        "hour_api_limit": ("BASEの1時間の上限", "BASE's hourly limit"),
        "day_api_limit": ("BASEの1日の上限", "BASE's daily limit"),
        "not_read": ("商品をまだ読めていない", "its items could not be read"),
        "shop_unreachable": ("ショップにつながらない", "can't be reached"),
    }
)
TIERS: Words = MappingProxyType(
    {"high": ("よく売れる", "sells"), "medium": ("見られている", "viewed"), "low": ("その他", "the rest")}
)


def sentence_of(error: EcautoError, language: str = "ja") -> str:
    """What an error of ours says to a person; of a call to an API, its reason in words."""
    if isinstance(error, CallError) and not error.ja:
        return said(error.reason, language) if language == "ja" else str(error)
    return error.said(language)


def opinion_line(operation: str, refused: int, language: str = "ja") -> str:
    """How doubted answers are checked. `operation`: the second opinion's, "" = switched off; `refused`: the HTTP status
    with which Amazon refuses it, 0 = it does not."""
    english = language == "en"
    if not operation:
        return (
            "second opinion: switched off ([sp_api] without); doubts take a second look of the same source"
            if english
            else "第二意見: 使わない設定です（[sp_api] without）。疑わしい回答は同じ系統にもう一度聞きます"
        )
    if not refused:
        return f"second opinion: {operation}" if english else f"第二意見: {operation}"
    why = {403: ("ロールがない（going-live）", "a role is missing, see going-live"), 404: ("廃止", "it is gone")}
    ja, en = why.get(refused, ("認証", "credentials"))
    return (
        f"second opinion: Amazon refuses {operation} (HTTP {refused}: {en}); doubts take a look of the same source"
        if english
        else f"第二意見: Amazonが {operation} を拒否（HTTP {refused}: {ja}）。疑わしい回答は同じ系統にもう一度聞きます"
    )


def audit_line(compared: int, contradicted: int, share: float | None, language: str = "ja") -> str:
    """What the second opinion said of unchanged answers lately; `share` None = too few to tell, "" = none at all."""
    english = language == "en"
    if not compared:
        return ""
    if share is None:
        return (
            f"unchanged answers checked by it: {compared}, {contradicted} contradicted (too few to tell a share)"
            if english
            else f"変化なしの回答の抜き取り: {compared}件中 {contradicted}件が食い違い（割合をいうには少なすぎます）"
        )
    return (
        f"unchanged answers checked by it: {contradicted} of {compared:,} contradicted ({share:.1%}, last 7 days)"
        if english
        else f"変化なしの回答の抜き取り: {compared:,}件中 {contradicted}件が食い違い（{share:.1%}、過去7日）"
    )


def unwatched_line(counts: Mapping[str, int] | None, language: str = "ja") -> str:
    """How many items nothing keeps in step, by reason; `counts` None: no shop was read whole yet."""
    english = language == "en"
    if counts is None:
        return (
            "not watched: not known before a shop is read"
            if english
            else "同期されていない商品: ショップをまだ読んでいません"
        )
    if not counts:
        return "every item is watched" if english else "同期されていない商品はありません"
    each = ", ".join(f"{WORDS[code][english]} {count:,}" for code, count in counts.items())
    total = f"{sum(counts.values()):,}"
    return (
        f"{total} items are not watched: {each}  (ecauto unwatched)"
        if english
        else f"同期されていない商品 {total}件: {each}  (ecauto unwatched)"
    )


def worded(table: Words, code: str, language: str = "ja") -> str:
    """The code's words, the code alone where there are none."""
    words = table.get(code)
    return code if words is None else words[0 if language == "ja" else 1]


def changes_wait(count: int, what: str = "change") -> str:
    """English: "1 change waits", "2,000 changes wait"; `what`: "held change"."""
    return f"1 {what} waits" if count == 1 else f"{count:,} {what}s wait"
