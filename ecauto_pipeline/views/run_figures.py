"""The figures of a run that people read, each with its label in Japanese and in English and the metric's name.

Not for: what they count (sync/run_metrics.py).
"""

from __future__ import annotations

SEVEN = (
    (("全ASIN数", "all ASINs"), "total_asins"),
    (("キャッシュヒット", "cache hits"), "cache_hits"),
    (("キャッシュミス", "cache misses"), "cache_misses"),
    (("SP-API呼び出し", "SP-API calls"), "sp_api_calls"),
    (("BASE更新", "updates at BASE"), "base_api_updates"),
    (("エラー", "errors"), "errors"),
    (("所要時間(秒)", "time taken (s)"), "execution_time_seconds"),
)
ANSWERS = (
    (("取得成功(在庫あり)", "answered (in stock)"), "status_success"),
    (("在庫切れ", "out of stock"), "status_out_of_stock"),
    (("条件に合う出品なし", "no offer fits"), "status_filtered_out"),
    (("Amazonに存在しない", "unknown to Amazon"), "status_not_found"),
    (("回答なし(状態は変えません)", "no answer (nothing changes)"), "status_api_error"),
)
ACCOUNT = (
    (("判定した対象", "targets judged"), "targets"),
    (("更新した", "updated"), "pushed"),
    (("変更不要", "unchanged"), "unchanged"),
    (("人の確認待ち", "wait for a person"), "held"),
    (("安全のため中止", "stopped by a limit"), "blocked"),
    (("見送り", "left for now"), "skipped"),
    (("失敗", "failed"), "failed"),
)
PLANNED = {"pushed": ("更新する予定", "would be updated")}
"""What a dry run's figures are called: nothing was sent."""
SET_ASIDE = ("skipped:", "held:", "blocked:", "failed:")
MOST_REASONS = 12
