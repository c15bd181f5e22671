"""BASE items: list, detail, edit, edit_stock.

Source: baseinc/api-docs, items pages.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ecauto_pipeline.emulator.base_api.errors import NOT_EDITABLE, BaseRefusal
from ecauto_pipeline.emulator.shop_world import Item, ShopWorld, Variation

_PRICE_MAX, _STOCK_MAX, _TITLE_MAX = 500_000, 99_999, 255
_LIST_FIELDS = {"order", "sort", "limit", "offset", "max_image_no", "image_size"}
_WHOLE = {"price": (0, _PRICE_MAX), "proper_price": (0, _PRICE_MAX), "stock": (0, _STOCK_MAX)}
_WHOLE |= {"visible": (0, 1), "list_order": (0, 10**9)}
_TEXT = {"title", "detail", "identifier"}
_NAMES = {"price": "price_jpy", "proper_price": "proper_price_jpy"}
_VARIATION = re.compile(r"(variation_id|variation|variation_stock|variation_identifier)\[(\d+)\]")
_IMAGE_SIZES = {"origin", "76", "146", "300", "500", "640", "sp_480", "sp_640"}


def listing(shops: ShopWorld, account: str, query: dict[str, str], gone: frozenset[int]) -> list[Item]:
    """One page of a shop's items. Raises BaseRefusal."""
    limit, offset = paging(query, _LIST_FIELDS)
    order, sort = query.get("order", "list_order"), query.get("sort", "asc")
    if order not in ("list_order", "created", "modified"):
        raise BaseRefusal("bad_params", "orderが不正です。")
    if sort not in ("asc", "desc"):
        raise BaseRefusal("bad_params", "sortが不正です。")
    if not set(query.get("image_size", "origin").split(",")) <= _IMAGE_SIZES:
        raise BaseRefusal("bad_params", "image_sizeが不正です。")
    whole(query.get("max_image_no", "5"), "max_image_no", 1, 20)
    return shops.page(account, order, sort == "desc", limit, offset, without=gone)


def paging(query: dict[str, str], known: set[str]) -> tuple[int, int]:
    """limit (1 .. 100, default 20) and offset. Raises BaseRefusal."""
    unknown = sorted(set(query) - known)
    if unknown:
        raise BaseRefusal("bad_params", f"不正なパラメータです: {', '.join(unknown)}")
    return whole(query.get("limit", "20"), "limit", 1, 100), whole(query.get("offset", "0"), "offset", 0, 10**9)


def whole(text: str, name: str, low: int, high: int, error: str = "bad_params") -> int:
    """A whole number in range. Raises BaseRefusal."""
    if not re.fullmatch(r"\d{1,10}", text) or not low <= int(text) <= high:
        raise BaseRefusal(error, f"{name}が不正です。")
    return int(text)


def find(shops: ShopWorld, account: str, text: str | None, missing: str) -> Item:
    """The item with this id. Raises BaseRefusal: no_item_id without one, `missing` when there is no such item."""
    if not text:
        raise BaseRefusal("no_item_id")
    item = shops.item(account, int(text)) if re.fullmatch(r"\d{1,18}", text) else None
    if item is None:
        raise BaseRefusal(missing)
    return item


def edit(shops: ShopWorld, account: str, form: dict[str, str], now_s: float) -> Item:
    """Change the fields given, leave the others. Raises BaseRefusal, and then nothing has changed."""
    item = find(shops, account, form.get("item_id"), "bad_item_id")
    if not item.editable:
        raise BaseRefusal("invalid_request", NOT_EDITABLE)
    changes: dict[str, Any] = {}
    arrays: dict[int, dict[str, str]] = {}
    for name, text in form.items():
        match = _VARIATION.fullmatch(name)
        if match:
            arrays.setdefault(int(match[2]), {})[match[1]] = text
        elif name in _WHOLE:
            changes[_NAMES.get(name, name)] = whole(text, name, *_WHOLE[name], error="validation_error")
        elif name in _TEXT:
            changes[name] = text
        elif name != "item_id":
            raise BaseRefusal("bad_params", f"不正なパラメータです: {name}")
    if "visible" in changes:
        changes["visible"] = bool(changes["visible"])
    if "title" in changes and not 0 < len(changes["title"]) <= _TITLE_MAX:
        raise BaseRefusal("validation_error", "商品名が不正です。")
    if "identifier" in changes and not changes["identifier"]:
        changes["identifier"] = None
    if item.variations and "stock" in changes:
        raise BaseRefusal("bad_params", "バリエーションのある商品の在庫数は直接変更できません。")
    if arrays:
        changes["variations"] = _varied(item, arrays)
    return shops.edit(item, now_s, **changes)


def edit_stock(shops: ShopWorld, account: str, form: dict[str, str], now_s: float) -> Item:
    """Set the stock of an item without variations, or of one variation. Raises BaseRefusal."""
    unknown = sorted(set(form) - {"item_id", "stock", "variation_id", "variation_stock"})
    if unknown:
        raise BaseRefusal("bad_params", f"不正なパラメータです: {', '.join(unknown)}")
    if "variation_id" in form:
        number = whole(form["variation_id"], "variation_id", 0, 10**10, error="bad_variation_id")
        item = shops.item_of_variation(account, number)
        if item is None or form.get("item_id", str(item.item_id)) != str(item.item_id):
            raise BaseRefusal("bad_variation_id")
        stock = whole(form.get("variation_stock", ""), "variation_stock", 0, _STOCK_MAX, error="validation_error")
        variations = tuple(
            replace(each, stock=stock) if each.variation_id == number else each for each in item.variations
        )
        return shops.edit(item, now_s, variations=variations)
    item = find(shops, account, form.get("item_id"), "bad_item_id")
    if not item.editable:
        raise BaseRefusal("invalid_request", NOT_EDITABLE)
    if item.variations:
        raise BaseRefusal("bad_params", "バリエーションのある商品の在庫数は直接変更できません。")
    stock = whole(form.get("stock", ""), "stock", 0, _STOCK_MAX, error="validation_error")
    return shops.edit(item, now_s, stock=stock)


def shown(item: Item, images: int = 5) -> dict[str, Any]:
    """An item as answers show it."""
    pictures = {f"img{n}_origin": item.images[n - 1] if n <= len(item.images) else None for n in range(1, images + 1)}
    return {
        "item_id": item.item_id,
        "title": item.title,
        "detail": item.detail,
        "price": item.price_jpy,
        "proper_price": item.proper_price_jpy,
        "item_tax_type": 1,
        "stock": item.stock,
        "visible": int(item.visible),
        "list_order": item.list_order,
        "identifier": item.identifier,
        **pictures,
        "modified": item.modified,
        "variations": [
            {
                "variation_id": each.variation_id,
                "variation": each.name,
                "variation_stock": each.stock,
                "variation_identifier": each.identifier,
            }
            for each in item.variations
        ],
    }


def _varied(item: Item, arrays: dict[int, dict[str, str]]) -> tuple[Variation, ...]:
    variations = {each.variation_id: each for each in item.variations}
    for _, fields in sorted(arrays.items()):
        number = whole(fields.get("variation_id", ""), "variation_id", 0, 10**10, error="bad_variation_id")
        if number not in variations:
            raise BaseRefusal("bad_variation_id")
        each = variations[number]
        stock = fields.get("variation_stock", str(each.stock))
        variations[number] = Variation(
            number,
            fields.get("variation", each.name),
            whole(stock, "variation_stock", 0, _STOCK_MAX, error="validation_error"),
            fields.get("variation_identifier", each.identifier),
        )
    return tuple(variations.values())
