"""What the older files mean here: a document for ecauto.toml, and secrets for .env under the names it uses.

Pure. What has no meaning here becomes a note. Not for: reading (find.py) or writing (write.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ecauto_pipeline.migrate.find import Legacy, Note
from ecauto_pipeline.settings import BaseAccount

SP_NAMES = {
    "SP_API_REFRESH_TOKEN": ("SP_API_REFRESH_TOKEN", "REFRESH_TOKEN"),
    "LWA_APP_ID": ("LWA_APP_ID", "SP_API_LWA_APP_ID"),
    "LWA_CLIENT_SECRET": ("LWA_CLIENT_SECRET", "SP_API_LWA_CLIENT_SECRET"),
}
"""Our variables and what the older programs called them."""

STRATEGIES = {"simple_markup": "simple", "tiered_markup": "tiered", "simple": "simple", "tiered": "tiered"}
FLOOR_S = 10.0  # a slower pace than the API's own was the owner's choice; a faster one is not taken over


@dataclass(slots=True)
class Converted:
    """`document`: sections of ecauto.toml; `secrets`: for .env, never shown; `tokens`: documents by account id."""

    document: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    notes: list[Note] = field(default_factory=list)


def convert(legacy: Legacy) -> Converted:
    """Everything that can be taken over."""
    out = Converted(notes=list(legacy.notes))
    if legacy.master_db:
        out.document["paths"] = {"master_db": legacy.master_db.absolute().as_posix()}
    _sp_api(out, legacy)
    _accounts(out, legacy)
    _pricing(out, legacy)
    _notifications(out, legacy)
    return out


def _sp_api(out: Converted, legacy: Legacy) -> None:
    for ours, theirs in SP_NAMES.items():
        value = next((legacy.environ[name] for name in theirs if legacy.environ.get(name)), None)
        if value:
            out.secrets[ours] = value
    text = legacy.environ.get("SP_API_BATCH_INTERVAL", "")
    interval = float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else 0.0
    if interval > FLOOR_S:
        out.document["sp_api"] = {"limits": {"getItemOffersBatch": {"rate_per_s": round(1 / interval, 5)}}}


def _accounts(out: Converted, legacy: Legacy) -> None:
    shops: list[dict[str, Any]] = []
    rows = (legacy.accounts or {}).get("accounts", [])
    owners = {str(one.get("id")): one for one in _objects((legacy.accounts or {}).get("owners", []))}
    for row in _objects(rows):
        name = str(row.get("id", ""))
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", name) or name in [shop["id"] for shop in shops]:
            out.notes.append(
                Note(
                    f"アカウント {name!r} は引き継ぎません（idが使えないか、二度あります）",
                    f"account {name!r}: left out (its id can't be used, or is there twice)",
                )
            )
            continue
        shop: dict[str, Any] = {"id": name, "active": row.get("active") is True}
        proxy = row.get("proxy_id") or owners.get(str(row.get("owner_id")), {}).get("proxy_id")
        if proxy and shop["active"]:
            shop["active"] = False
            out.notes.append(
                Note(
                    f"{name} はプロキシを使っていました。対応していないので停止の状態にしました",
                    f"{name}: used a proxy, which is not supported; switched off until you decide",
                )
            )
        credentials = row.get("credentials")
        credentials = credentials if isinstance(credentials, Mapping) else {}
        if credentials.get("redirect_uri"):
            shop["redirect_uri"] = str(credentials["redirect_uri"])
        _credentials(out, shop, credentials)
        shops.append(shop)
        if name in legacy.tokens:
            out.tokens[name] = legacy.tokens[name]
    for name in sorted(set(legacy.tokens) - set(out.tokens)):
        out.notes.append(
            Note(
                f"{name!r} のトークンファイルは、アカウントがないので引き継ぎません",
                f"token file of {name!r}: no such account; left out",
            )
        )
    if shops:
        out.document["base"] = {"accounts": shops}


def _credentials(out: Converted, shop: dict[str, Any], credentials: Mapping[str, Any]) -> None:
    account = BaseAccount.model_validate({"id": shop["id"]})
    for key, variable in (
        ("client_id", account.client_id_variable()),
        ("client_secret", account.client_secret_variable()),
    ):
        if not credentials.get(key):
            out.notes.append(
                Note(
                    f"{shop['id']}: account_config.json に {key} がありません。.env に {variable} を書いてください",
                    f"{shop['id']}: no {key} in account_config.json; set {variable} in .env",
                )
            )
            continue
        name, number = variable, 2
        while name in out.secrets:  # two ids that differ only in punctuation
            name, number = f"{variable}_{number}", number + 1
        if name != variable:
            shop[f"{key}_env"] = name
        out.secrets[name] = str(credentials[key])


def _pricing(out: Converted, legacy: Legacy) -> None:
    if legacy.pricing is None:
        return
    theirs = legacy.pricing
    strategies = _object(theirs.get("strategies")) or theirs
    override = _object(_object(theirs.get("platform_overrides")).get("base"))
    name = str(override.get("strategy") or theirs.get("default_strategy") or "simple_markup")
    pricing: dict[str, Any] = {"strategy": STRATEGIES.get(name, "simple")}
    if name not in STRATEGIES:
        out.notes.append(
            Note(
                f"価格の決め方 {name!r} にあたるものがないので simple にしました",
                f"pricing strategy {name!r} has no counterpart; taken is simple",
            )
        )
    simple = _object(strategies.get("simple_markup"))
    _number(pricing, "markup_ratio", simple, "markup_ratio", "ratio", "markup", kind=float)
    _number(pricing, "round_to_jpy", simple, "round_to")
    _number(pricing, "min_diff_jpy", simple, "min_price_diff")
    tiers = _tiers(out, _object(strategies.get("tiered_markup")).get("tiers"))
    if tiers:
        pricing["tiers"] = tiers
    safety, guards = _object(theirs.get("safety")), {}  # type: tuple[Mapping[str, Any], dict[str, Any]]
    _number(guards, "min_price_jpy", safety, "min_selling_price", "min_price")
    _number(guards, "max_price_jpy", safety, "max_selling_price", "max_price")
    _number(guards, "min_markup_ratio", safety, "min_markup_ratio", kind=float)
    _number(guards, "max_markup_ratio", safety, "max_markup_ratio", kind=float)
    out.document["pricing"] = pricing
    if guards:
        out.document["guards"] = guards
        out.notes.append(
            Note(
                "範囲の外の価格は送りません。以前のスクリプトは範囲の端に移していました",
                "prices outside the limits are now held back; the older scripts moved them onto the limit",
            )
        )
    for other in sorted(set(strategies) & {"category_based", "ebay_custom"}):
        out.notes.append(
            Note(
                f"価格の決め方 {other!r} には対応していないので引き継ぎません",
                f"pricing strategy {other!r} is not supported and was left out",
            )
        )


def _tiers(out: Converted, rows: object) -> list[dict[str, Any]]:
    tiers: list[dict[str, Any]] = []
    for row in _objects(rows):
        tier: dict[str, Any] = {}
        _number(tier, "max_price_jpy", row, "max_price", "max_price_jpy", "max")
        _number(tier, "markup_ratio", row, "markup_ratio", "ratio", kind=float)
        if "markup_ratio" not in tier:
            out.notes.append(
                Note(
                    "tiered_markup に倍率のない段階があるので、段階は引き継ぎません",
                    "tiered_markup: a tier without a ratio; the tiers were left out",
                )
            )
            return []
        tiers.append(tier)
    return tiers


def _notifications(out: Converted, legacy: Legacy) -> None:
    if legacy.notifications is None:
        return
    kind = str(legacy.notifications.get("method", ""))
    block = _object(legacy.notifications.get(kind))
    channel: dict[str, Any] = {"kind": kind}
    if kind == "chatwork":
        channel |= {"token_env": "CHATWORK_TOKEN", "room_id": str(block.get("room_id", ""))}
        _secret(out, "CHATWORK_TOKEN", block, "api_token", "token")
    elif kind in ("discord", "slack"):
        channel["url_env"] = f"{kind.upper()}_WEBHOOK_URL"
        _secret(out, channel["url_env"], block, "webhook_url", "url")
    elif kind == "email":
        channel |= {"url_env": "SMTP_URL", "to": _addresses(block)}
        url = _smtp_url(block)
        if url:
            out.secrets["SMTP_URL"] = url
    else:
        out.notes.append(
            Note(
                f"通知の方法 {kind or 'なし'!r} にあたるものはありません。[[alerts.channels]] を見てください",
                f"notifications: {kind or 'no method'!r} has no counterpart; see [[alerts.channels]]",
            )
        )
        return
    out.document["alerts"] = {"channels": [channel]}
    if legacy.notifications.get("enabled") is not True:
        out.notes.append(
            Note(
                "以前のスクリプトでは通知が切られていました。ここでは有効です",
                "notifications were switched off in the older scripts; here they are on",
            )
        )


def _smtp_url(block: Mapping[str, Any]) -> str:
    host = str(block.get("smtp_server") or block.get("smtp_host") or block.get("host") or "")
    user = str(block.get("username") or block.get("user") or block.get("smtp_user") or "")
    password = str(block.get("password") or block.get("smtp_password") or "")
    sender = str(block.get("from_address") or block.get("from_email") or block.get("from") or user)
    port = str(block.get("smtp_port") or block.get("port") or 587)
    if not host or not port.isdecimal():
        return ""
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
    scheme = "smtps" if port == "465" else "smtp"
    return f"{scheme}://{login}{host}:{port}" + (f"?from={quote(sender)}" if sender else "")


def _addresses(block: Mapping[str, Any]) -> str:
    to = block.get("to_addresses") or block.get("to_address") or block.get("to_email") or block.get("to") or ""
    return ",".join(str(one) for one in to) if isinstance(to, list) else str(to)


def _secret(out: Converted, variable: str, block: Mapping[str, Any], *names: str) -> None:
    value = next((str(block[name]) for name in names if block.get(name)), "")
    if value:
        out.secrets[variable] = value
    else:
        out.notes.append(
            Note(
                f"notifications.json にないので、.env に {variable} を書いてください",
                f"set {variable} in .env: notifications.json holds none",
            )
        )


def _number(into: dict[str, Any], key: str, source: Mapping[str, Any], *names: str, kind: type = int) -> None:
    """Take a number over; absent, null or no number is left to the default here."""
    for name in names:
        value = source.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value == kind(value):
            into[key] = kind(value)
            return


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
