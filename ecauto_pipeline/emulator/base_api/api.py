"""The BASE API as one thing to call: token, limits, scope, then the operation.

For: the order in which BASE refuses. Not for: sockets, the log, or whether a fault strikes (state.py decides).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ecauto_pipeline.emulator.base_api import items, oauth, orders
from ecauto_pipeline.emulator.base_api.errors import DEAD_TOKEN, BaseRefusal, refused
from ecauto_pipeline.emulator.base_api.limits import ShopLimits
from ecauto_pipeline.emulator.faults import Fault
from ecauto_pipeline.emulator.messages import Answer, Call, Seen, json_answer
from ecauto_pipeline.emulator.shop_world import ShopWorld
from ecauto_pipeline.emulator.tokens import Token, TokenBook

API = "base"
_SAID_IN_LOG = {"price", "stock", "visible", "list_order", "identifier", "variation_id", "variation_stock"}


@dataclass(frozen=True, slots=True)
class _Operation:
    name: str
    method: str
    path: re.Pattern[str]
    scope: str | None


_OPERATIONS = (
    _Operation("oauth/authorize", "GET", re.compile(r"/1/oauth/authorize"), None),
    _Operation("oauth/token", "POST", re.compile(r"/1/oauth/token"), None),
    _Operation("users/me", "GET", re.compile(r"/1/users/me"), "read_users"),
    _Operation("items", "GET", re.compile(r"/1/items"), "read_items"),
    _Operation("items/detail", "GET", re.compile(r"/1/items/detail(?:/(?P<id>[^/]*))?"), "read_items"),
    _Operation("items/edit", "POST", re.compile(r"/1/items/edit"), "write_items"),
    _Operation("items/edit_stock", "POST", re.compile(r"/1/items/edit_stock"), "write_items"),
    _Operation("orders", "GET", re.compile(r"/1/orders"), "read_orders"),
    _Operation("orders/detail", "GET", re.compile(r"/1/orders/detail(?:/(?P<id>[^/]*))?"), "read_orders"),
)


class BaseApi:
    def __init__(self, accounts: tuple[str, ...], shops: ShopWorld, tokens: TokenBook, limits: ShopLimits) -> None:
        self._accounts, self._shops, self._tokens, self._limits = accounts, shops, tokens, limits

    def see(self, call: Call) -> Seen:
        """What the call is about, before anything is decided."""
        operation, found = _match(call)
        seen = Seen(API, operation.name if operation else "unknown")
        if operation is not None and operation.scope is None:
            app = oauth.app_of(oauth.client_of(call), self._accounts)
            seen.account = app.account if app else None
            grant = call.form().get("grant_type")
            seen.details = {"grant_type": grant} if grant else {}
            return seen
        token = self._token(call)
        seen.account = token.account if token else None
        form = call.form()
        text = form.get("item_id") or (found if operation and operation.name == "items/detail" else None)
        seen.item_id = int(text) if text and re.fullmatch(r"\d{1,18}", text) else None
        if form:
            seen.details["fields"] = {
                name: value if name in _SAID_IN_LOG else "..." for name, value in form.items() if name != "item_id"
            }
        if call.query:
            seen.details["params"] = call.query_first()
        return seen

    def handle(self, call: Call, seen: Seen, faults: Iterable[Fault], now: datetime) -> Answer:
        """Answer one call."""
        passed = self._limits.count(seen.account, now) if seen.account else None
        try:
            operation, found = _match(call)
            if operation is None:
                raise BaseRefusal("invalid_request", "不正なURLです。")
            if operation.name == "oauth/authorize":
                return oauth.authorize(call, self._tokens, self._accounts, now.timestamp())
            if operation.name == "oauth/token":
                return oauth.token(call, self._tokens, self._accounts, now.timestamp())
            account = self._admit(call, operation, passed, now)
            return json_answer(200, self._work(operation, call, account, found, tuple(faults), now.timestamp()))
        except BaseRefusal as refusal:
            return refused(refusal)

    def refuse(self, kind: str, seen: Seen) -> Answer:
        """The API's own refusal of this kind, when a fault asks for it."""
        if kind == "token_expired":
            return refused(BaseRefusal("invalid_request", DEAD_TOKEN))
        if kind == "throttle":
            return json_answer(429, {"error": "too_many_requests", "error_description": "too many requests"})
        return refused(BaseRefusal(kind))

    def _admit(self, call: Call, operation: _Operation, passed: str | None, now: datetime) -> str:
        token = self._token(call)
        if token is None or token.dead or token.expires_s <= now.timestamp():
            raise BaseRefusal("invalid_request", DEAD_TOKEN)
        if passed:
            raise BaseRefusal(passed)
        if operation.method == "POST" and call.method != "POST":
            raise BaseRefusal("not_post_method")
        if operation.method == "GET" and call.method != "GET":
            raise BaseRefusal("bad_params", "GETメソッドでアクセスしてください。")
        if operation.method == "GET" and "content-type" in call.headers:
            raise BaseRefusal("bad_params", "GETにContent-Typeは指定できません。")
        if operation.method == "POST" and call.media_type != "application/x-www-form-urlencoded":
            raise BaseRefusal("bad_params", "Content-Typeはapplication/x-www-form-urlencodedとしてください。")
        if operation.scope not in token.scope:
            raise BaseRefusal("invalid_scope", f"scopeが不足しています: {operation.scope}")
        return token.account

    def _work(
        self,
        operation: _Operation,
        call: Call,
        account: str,
        found: str | None,
        faults: tuple[Fault, ...],
        now_s: float,
    ) -> dict[str, Any]:
        vanished = [fault for fault in faults if fault.kind == "vanished"]
        all_gone = any(not fault.item_ids for fault in vanished)
        gone = frozenset(item_id for fault in vanished for item_id in fault.item_ids)
        query = call.query_first()
        if operation.name == "users/me":
            shop = {"shop_id": account.replace("_", "-"), "shop_name": f"見本店 {account}"}
            return {"user": {**shop, "shop_introduction": "", "shop_url": f"https://{account}.example.invalid"}}
        if operation.name == "items":
            page = items.listing(self._shops, account, query, gone)
            images = int(query.get("max_image_no", "5"))
            return {"items": [] if all_gone else [items.shown(item, images) for item in page]}
        if operation.name == "items/detail":
            if found and found.isdigit() and (all_gone or int(found) in gone):
                raise BaseRefusal("no_item")
            return {"item": items.shown(items.find(self._shops, account, found, "no_item"))}
        if operation.name in ("items/edit", "items/edit_stock"):
            form = call.form()
            if form.get("item_id", "").isdigit() and (all_gone or int(form["item_id"]) in gone):
                raise BaseRefusal("bad_item_id")
            kinds = {fault.kind for fault in faults} if "price" in form else set()
            if "price_refused" in kinds:
                raise BaseRefusal("validation_error", "価格が不正です。")
            if "price_kept" in kinds:
                form = {name: value for name, value in form.items() if name != "price"}
            change = items.edit if operation.name == "items/edit" else items.edit_stock
            return {"item": items.shown(change(self._shops, account, form, now_s))}
        if operation.name == "orders":
            return {"orders": orders.listing(self._shops, account, query)}
        return {"order": orders.detail(self._shops, account, found or "")}

    def _token(self, call: Call) -> Token | None:
        scheme, _, text = call.headers.get("authorization", "").partition(" ")
        return self._tokens.find(text.strip(), "access", API) if scheme.lower() == "bearer" else None


def _match(call: Call) -> tuple[_Operation | None, str | None]:
    for operation in _OPERATIONS:
        found = operation.path.fullmatch(call.path)
        if found:
            return operation, found.groupdict().get("id")
    return None, None
