"""The control plane over HTTP: JSON in, JSON out, under /emulator/.

For: people with curl and programs in another process. Not for: rules of its own; every route is one call of Control.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ecauto_pipeline.emulator.control import Control
from ecauto_pipeline.emulator.credentials import BASE_SCOPES

Handler = Callable[[Control, Request, Any], Any]


def routes(control: Control) -> list[Route]:
    """The routes of the control plane."""
    table: dict[str, dict[str, Handler]] = {
        "/emulator": {"GET": lambda c, r, b: {**c.about(), **c.clock()}},
        "/emulator/reset": {"POST": lambda c, r, b: c.reset(**b)},
        "/emulator/clock": {"GET": lambda c, r, b: c.clock(), "POST": _clock},
        "/emulator/rates": {"POST": _nothing(lambda c, b: c.set_rate(**b))},
        "/emulator/base_limits": {"POST": _nothing(lambda c, b: c.set_base_limits(**b))},
        "/emulator/calls": {"GET": _calls},
        "/emulator/stats": {"GET": lambda c, r, b: c.stats()},
        "/emulator/faults": {
            "GET": lambda c, r, b: c.faults(),
            "POST": lambda c, r, b: {"ids": c.add_faults(*(b if isinstance(b, list) else [b]))},
            "DELETE": _remove_faults,
        },
        "/emulator/world/asins": {"GET": lambda c, r, b: c.asins()},
        "/emulator/world/asins/{asin}": {"GET": _truth, "POST": _set_truth},
        "/emulator/world/items": {"GET": lambda c, r, b: c.items(r.query_params["account"]), "POST": _edit_item},
        "/emulator/orders": {
            "GET": lambda c, r, b: c.orders(r.query_params["account"]),
            "POST": _order,
        },
        "/emulator/register": {"GET": lambda c, r, b: c.register_rows()},
        "/emulator/tokens": {"POST": _tokens},
    }
    return [
        Route(path, _endpoint(control, handlers), methods=list(handlers), include_in_schema=False)
        for path, handlers in table.items()
    ]


def _endpoint(control: Control, handlers: dict[str, Handler]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        body = await request.body()
        try:
            handler = handlers["GET" if request.method == "HEAD" else request.method]
            return _json(200, handler(control, request, _parsed(body)))
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
            return _json(400, {"error": _sentence(error)})

    return endpoint


def _parsed(body: bytes) -> Any:
    """Raises ValueError with a sentence where it is no JSON object (or list of objects)."""
    try:
        content = json.loads(body) if body else {}
    except ValueError as error:
        raise ValueError(f"the body is no JSON: {error}") from None
    for one in content if isinstance(content, list) else [content]:
        if not isinstance(one, dict):
            raise ValueError(f"the body has to be a JSON object of fields, not {json.dumps(one, ensure_ascii=False)}")
    return content


def _sentence(error: Exception) -> str:
    """What was wrong with the request, for whoever typed it."""
    text = str(error.args[0]) if error.args else str(error)
    if isinstance(error, KeyError):
        return text if " " in text else f"{text!r} is missing, or names nothing there is"
    unknown = re.search(r"unexpected keyword argument (\S+)", text)
    if unknown:
        return f"unknown field {unknown[1]}"
    missing = re.search(r"missing \d+ required .*argument.?: (.*)", text)
    if missing:
        return f"{missing[1]} is missing"
    if isinstance(error, ValueError) and " " in text and "()" not in text:
        return text
    value = re.findall(r"'[^']*'", text)[-1:]
    return f"a field has a value of the wrong kind{''.join(f': {one}' for one in value)}"


def _json(status: int, content: Any) -> Response:
    body = json.dumps(content, ensure_ascii=False).encode("utf-8")
    return Response(body, status_code=status, media_type="application/json")


def _nothing(act: Callable[[Control, Any], None]) -> Handler:
    def handler(control: Control, _: Request, body: Any) -> dict[str, bool]:
        act(control, body)
        return {"done": True}

    return handler


def _clock(control: Control, _: Request, body: dict[str, Any]) -> dict[str, Any]:
    if "advance_s" in body:
        return control.advance(float(body["advance_s"]))
    if "set" in body:
        return control.set_clock(datetime.fromisoformat(body["set"]))
    return control.set_offset(float(body["offset"]))


def _remove_faults(control: Control, request: Request, _: Any) -> dict[str, bool]:
    """All of them, or those named by `?id=`."""
    ids = [int(value) for value in request.query_params.getlist("id")]
    if ids:
        control.remove_faults(*ids)
    else:
        control.clear_faults()
    return {"done": True}


def _calls(control: Control, request: Request, _: Any) -> list[dict[str, Any]]:
    query = request.query_params
    limit = query.get("limit")
    return control.calls(
        int(query.get("since", "0")),
        query.get("api"),
        query.get("operation"),
        query.get("account"),
        None if limit is None else int(limit),
    )


def _truth(control: Control, request: Request, _: Any) -> dict[str, Any]:
    at = request.query_params.get("at")
    return control.truth(request.path_params["asin"], None if at is None else datetime.fromisoformat(at))


def _set_truth(control: Control, request: Request, body: dict[str, Any]) -> dict[str, Any]:
    since = body.pop("since", None)
    return control.set_truth(
        request.path_params["asin"], since=None if since is None else datetime.fromisoformat(since), **body
    )


def _edit_item(control: Control, _: Request, body: dict[str, Any]) -> dict[str, Any]:
    """{account, item_id} with fields to change, with `delete: true`, or with `add: true` and title and price."""
    account, item_id = body.pop("account"), int(body.pop("item_id"))
    if body.pop("delete", False):
        control.delete_item(account, item_id)
        return {"done": True}
    if "price" in body:
        body["price_jpy"] = body.pop("price")
    if body.pop("add", False):
        return control.add_item(account, item_id, **body)
    return control.edit_item(account, item_id, **body)


def _order(control: Control, _: Request, body: dict[str, Any]) -> dict[str, Any]:
    """{account, item_id, amount?, status?}: an order now; with `at`, one that comes then."""
    at = body.pop("at", None)
    if at is None:
        return control.sell(**body)
    control.expect_order(**body, at=datetime.fromisoformat(at))
    return {"done": True}


def _tokens(control: Control, _: Request, body: dict[str, Any]) -> dict[str, Any]:
    """{action: expire | revoke | restore | issue, api?, account?, kind?}"""
    action = body.pop("action")
    if action == "expire":
        return {"count": control.expire_tokens(**body)}
    if action == "revoke":
        return {"count": control.revoke_tokens(**body)}
    if action == "issue":
        return control.issue_base_tokens(
            body["account"],
            tuple(body.get("scopes", BASE_SCOPES)),
        )
    if action == "restore":
        control.restore_refresh_tokens()
        return {"done": True}
    raise ValueError(f"unknown action {action!r}; known are expire, revoke, restore, issue")
