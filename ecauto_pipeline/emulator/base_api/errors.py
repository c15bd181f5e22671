"""Refusals in BASE's words: always HTTP 400 with `error` and `error_description`.

Source: baseinc/api-docs (April 2019).
"""

from __future__ import annotations

from ecauto_pipeline.emulator.messages import Answer, json_answer

DESCRIPTIONS = {
    "hour_api_limit": "1時間のAPIの利用上限を超えました。時間が経ってからもう一度アクセスしてください。",
    "day_api_limit": "1日のAPIの利用上限を超えました。日付が変わってからもう一度アクセスしてください。",
    "access_denied": "アクセスが拒否されました。",
    "bad_item_id": "不正なitem_idです。",
    "no_item_id": "item_idが指定されていません。",
    "no_item": "商品がありません。",
    "bad_variation_id": "不正なvariation_idです。",
    "not_post_method": "POSTメソッドでアクセスしてください。",
    "server_error": "DBエラーです。",
    "bad_order": "注文がありません。",
}
DEAD_TOKEN = "アクセストークンが無効です。"
NOT_EDITABLE = "デジタルコンテンツの商品は編集できません。"
WRONG_REFRESH_TOKEN = "不正なリフレッシュトークンです。"
OLD_REFRESH_TOKEN = "リフレッシュトークンの有効期限が切れています。"


class BaseRefusal(Exception):
    """A call that BASE refuses."""

    def __init__(self, error: str, description: str | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.description = DESCRIPTIONS[error] if description is None else description


def refused(refusal: BaseRefusal) -> Answer:
    body = {"error": refusal.error, "error_description": refusal.description}
    return json_answer(400, body, outcome=f"refused:{refusal.error}")
