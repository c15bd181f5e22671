"""The jobs people and schedules start. What each may do is in defs/resources.py, beside the launchpad's fields.

Not for: when they start (schedules.py, sensors.py).
"""

from __future__ import annotations

import dagster as dg

STOCK_ASSETS = ("listings", "stale_asins", "sp_api_snapshots", "price_diffs", "visibility_diffs", "base_updates")
PRICE_ASSETS = ("listings", "stale_asins", "sp_api_snapshots", "price_diffs", "base_updates")

stock_sync = dg.define_asset_job(
    "stock_sync",
    selection=list(STOCK_ASSETS),
    description="毎時の在庫同期: visibility and stock; a shown price below the margin floor is corrected too.",
)
price_sync = dg.define_asset_job(
    "price_sync",
    selection=list(PRICE_ASSETS),
    description="毎日02:00の価格同期: prices alone; never touches visibility.",
)
full_sync = dg.define_asset_job(
    "full_sync",
    selection=list(STOCK_ASSETS),
    description="価格・公開状態・在庫をすべて同期: price, visibility and stock in one run.",
)
validate_cache = dg.define_asset_job(
    "validate_cache",
    selection=["listings", "stale_asins", "sp_api_snapshots"],
    description="キャッシュの検証と補充: fetches what is missing or too old; pushes nothing.",
)

SYNC_JOBS = [stock_sync, price_sync, full_sync, validate_cache]
