"""BASE's API of one shop each, as its papers write it: OAuth with turning refresh tokens, items, edits, orders.

Every refusal is HTTP 400. Answers carry fields that nobody asked for; a GET with a Content-Type is refused.
"""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any
from urllib.parse import urlencode

from proofs.independent.loopback import Asked, Reply

SCOPES = {"read_users", "read_items", "write_items", "read_orders"}


class Base:
    """Shops by client id; `shops[client_id]` are its items by item id. `edits`: (client id, fields) as they came."""

    def __init__(self, shops: dict[str, dict[int, dict[str, Any]]], secrets: dict[str, str], redirect_uri: str) -> None:
        self.shops, self.secrets, self.redirect_uri = shops, secrets, redirect_uri
        self.asked: list[tuple[str, str]] = []  # method, path
        self.edits: list[tuple[str, dict[str, str]]] = []
        self._lock = threading.Lock()
        self._codes: dict[str, str] = {}
        self._refresh: dict[str, str] = {}
        self._access: dict[str, str] = {}

    def answer(self, one: Asked) -> Reply:
        with self._lock:
            self.asked.append((one.method, one.path))
            if one.path == "/1/oauth/authorize":
                return self._authorize(one)
            if one.path == "/1/oauth/token":
                return self._token(one)
            shop = self._access.get(one.headers.get("authorization", "").removeprefix("Bearer "))
            if shop is None:
                return _refused("invalid_request", "アクセストークンが無効です。")
            if one.method == "GET" and "content-type" in one.headers:
                return _refused("bad_params", "bad request")
            return self._work(shop, one)

    def _authorize(self, one: Asked) -> Reply:
        wanted = set(one.query.get("scope", "").split())
        fits = one.query.get("client_id") in self.shops and one.query.get("redirect_uri") == self.redirect_uri
        if one.query.get("response_type") != "code" or not fits or not wanted <= SCOPES:
            return _refused("invalid_request", "bad authorisation request")
        code = uuid.uuid4().hex
        self._codes[code] = one.query["client_id"]
        back = urlencode({"code": code, "state": one.query.get("state", "")})
        return Reply(302, None, {"Location": f"{self.redirect_uri}?{back}"})

    def _token(self, one: Asked) -> Reply:
        form = one.form
        shop = form.get("client_id", "")
        if self.secrets.get(shop) != form.get("client_secret") or form.get("redirect_uri") != self.redirect_uri:
            return _refused("invalid_client", "クライアントが不正です。")
        if form.get("grant_type") == "authorization_code":
            owner = self._codes.pop(form.get("code", ""), None)
        else:
            owner = self._refresh.pop(form.get("refresh_token", ""), None)  # used once
        if owner != shop:
            return _refused("invalid_request", "不正なリフレッシュトークンです。")
        access, refresh = uuid.uuid4().hex, uuid.uuid4().hex
        self._access[access], self._refresh[refresh] = shop, shop
        answer = {"access_token": access, "token_type": "bearer", "expires_in": 3600, "refresh_token": refresh}
        return Reply(200, answer)

    def _work(self, shop: str, one: Asked) -> Reply:
        items = self.shops[shop]
        if one.path == "/1/users/me":
            return Reply(
                200, {"user": {"shop_id": shop, "shop_name": f"独立の店 {shop}", "shop_url": "", "logo": None}}
            )
        if one.path == "/1/items" and one.method == "GET":
            return Reply(200, {"items": _page(list(items.values()), one.query)})
        if one.path.startswith("/1/items/detail/"):
            item = items.get(int(one.path.rsplit("/", 1)[1]))
            return _refused("no_item", "商品がありません。") if item is None else Reply(200, {"item": item})
        if one.path == "/1/items/edit" and one.method == "POST":
            return self._edit(shop, one.form)
        if one.path == "/1/orders":
            return Reply(200, {"orders": []})
        return _refused("invalid_request", "不正なURLです。")

    def _edit(self, shop: str, form: dict[str, str]) -> Reply:
        item = self.shops[shop].get(int(form.get("item_id", "0")))
        if item is None:
            return _refused("bad_item_id", "不正なitem_idです。")
        self.edits.append((shop, dict(form)))
        for name in ("price", "stock", "visible"):
            if name in form:
                item[name] = int(form[name])
        item["modified"] = int(time.time())
        return Reply(200, {"item": item})


def _page(items: list[dict[str, Any]], query: Any) -> list[dict[str, Any]]:
    field = {"modified": "modified", "created": "item_id"}.get(query.get("order", "list_order"), "list_order")
    ordered = sorted(items, key=lambda item: (item[field], item["item_id"]), reverse=query.get("sort") == "desc")
    start, size = int(query.get("offset", 0)), min(100, int(query.get("limit", 20)))
    return ordered[start : start + size]


def _refused(error: str, description: str) -> Reply:
    return Reply(400, {"error": error, "error_description": description})
