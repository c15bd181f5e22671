"""BASE's refusals as our errors: what the caller does about each.

BASE answers every refusal with HTTP 400 and `{"error", "error_description"}`; `error` decides, and for invalid_request
the description. An unknown text is a failure of that call with the text kept, never a success and never "not there".
Source: baseinc/api-docs error pages (April 2019); access_denied for a restricted shop: an operator's logs, Dec 2025.
"""

from __future__ import annotations

from ecauto_pipeline.errors import AccountBlocked, CallError, ItemGone, ItemRefused, Throttled, TokenRefused, Transport

MOST_TEXT = 200
_OVER = {"hour_api_limit": "hour", "day_api_limit": "day"}
_ITEM_NEVER = ("デジタルコンテンツ", "ClubT", "編集できません")
_TOKEN = ("アクセストークン",)
_OUR_BUG = ("no_item_id", "bad_params", "bad_variation_id", "validation_error", "not_post_method")


def window_over(error: str) -> str | None:
    """`hour` or `day` when this refusal says that the shop's calls are used up."""
    return _OVER.get(error)


def refusal(operation: str, error: str, description: str, http_status: int) -> CallError:
    """The error for one refusal of an API call (not of a token call, not of a spent window)."""
    text = f"{error}: {description}"[:MOST_TEXT]
    if error == "invalid_request":
        if any(word in description for word in _TOKEN):
            return TokenRefused("token", text, http_status=http_status)
        permanent = any(word in description for word in _ITEM_NEVER)
        return ItemRefused(
            "uneditable" if permanent else "invalid_request", text, permanent=permanent, http_status=http_status
        )
    if error == "access_denied":
        return AccountBlocked("access_denied", text, http_status=http_status)
    if error == "invalid_scope":
        return AccountBlocked("invalid_scope", f"{text} (needed by {operation})", http_status=http_status)
    if (error, operation) in (("bad_item_id", "items_edit"), ("bad_item_id", "items_edit_stock")):
        return ItemGone("bad_item_id", text, http_status=http_status)
    if (error, operation) == ("bad_order", "orders_detail"):
        return ItemGone(error, text, http_status=http_status)
    if error in ("no_item", "bad_item_id") and operation == "items_detail":
        return ItemGone(error, text, http_status=http_status)
    if error == "server_error":
        return Transport("server_error", text, http_status=http_status)
    if http_status == 429:
        return Throttled("http_429", text, http_status=http_status)
    if error in _OUR_BUG:
        return ItemRefused(error, text, http_status=http_status)
    return ItemRefused(f"unknown:{error}"[:MOST_TEXT], text, http_status=http_status)


def token_refusal(error: str, description: str, http_status: int) -> CallError:
    """The error for one refusal of a token call: a person has to authorise the shop again, or to mend the settings."""
    text = f"{error}: {description}"[:MOST_TEXT]
    if error == "access_denied":
        return AccountBlocked("access_denied", text, http_status=http_status)
    if error == "server_error":
        return Transport("server_error", text, http_status=http_status)
    if http_status == 429:
        return Throttled("http_429", text, http_status=http_status)
    return AccountBlocked("token", text, http_status=http_status)
