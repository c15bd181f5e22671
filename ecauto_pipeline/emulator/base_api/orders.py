"""BASE orders: list and detail, with buyers that nobody could mistake for people.

Source: baseinc/api-docs, orders pages.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from ecauto_pipeline.clock import JST
from ecauto_pipeline.emulator.base_api.errors import BaseRefusal
from ecauto_pipeline.emulator.base_api.items import paging
from ecauto_pipeline.emulator.shop_world import Sale, ShopWorld

_LIST_FIELDS = {"start_ordered", "end_ordered", "limit", "offset"}
_BUYER = {"first_name": "見本", "last_name": "テスト用"}


def listing(shops: ShopWorld, account: str, query: dict[str, str]) -> list[dict[str, Any]]:
    """One page of a shop's orders, newest first. Raises BaseRefusal."""
    limit, offset = paging(query, _LIST_FIELDS)
    start_s = _moment(query.get("start_ordered"), "start_ordered", end=False)
    end_s = _moment(query.get("end_ordered"), "end_ordered", end=True)
    return [_shown(sale) for sale in shops.sales(account, start_s, end_s, limit, offset)]


def detail(shops: ShopWorld, account: str, unique_key: str) -> dict[str, Any]:
    """One order with its items and its buyer. Raises BaseRefusal."""
    sale = shops.sale(account, unique_key)
    if sale is None:
        raise BaseRefusal("bad_order")
    return {
        **_shown(sale),
        **_BUYER,
        "country": "日本",
        "zip_code": "0000000",
        "prefecture": "架空県",
        "address": "存在しない市1-2-3",
        "address2": "",
        "tel": "00000000000",
        "mail_address": "nobody@example.invalid",
        "order_items": [
            {
                "order_item_id": sale.ordered % 10**9,
                "item_id": sale.item_id,
                "variation_id": sale.variation_id or 0,
                "title": sale.title,
                "variation": "",
                "price": sale.price_jpy,
                "amount": sale.amount,
                "total": sale.price_jpy * sale.amount,
                "status": sale.dispatch_status,
            }
        ],
    }


def _shown(sale: Sale) -> dict[str, Any]:
    return {
        "unique_key": sale.unique_key,
        "ordered": sale.ordered,
        "cancelled": sale.modified if sale.dispatch_status == "cancelled" else None,
        "dispatched": sale.modified if sale.dispatch_status == "dispatched" else None,
        "payment": "creditcard",
        **_BUYER,
        "total": sale.price_jpy * sale.amount,
        "dispatch_status": sale.dispatch_status,
        "modified": sale.modified,
    }


def _moment(text: str | None, name: str, end: bool) -> float:
    """yyyy-mm-dd (the whole day) or yyyy-mm-dd hh:mm:ss, Japanese time, as seconds since the epoch."""
    if not text:
        return 2.0**40 if end else 0.0
    day_only = re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None
    if day_only:
        text = f"{text} {'23:59:59' if end else '00:00:00'}"
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=JST).timestamp()
    except ValueError:
        raise BaseRefusal("bad_params", f"{name}が不正です。") from None
