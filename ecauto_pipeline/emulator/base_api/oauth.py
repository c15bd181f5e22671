"""BASE OAuth: a code that is approved by itself, tokens of an hour, refresh tokens that die when they are used.

Source: baseinc/api-docs, oauth pages.
"""

from __future__ import annotations

import base64
import binascii
from urllib.parse import urlencode

from ecauto_pipeline.emulator.base_api.errors import OLD_REFRESH_TOKEN, WRONG_REFRESH_TOKEN, BaseRefusal
from ecauto_pipeline.emulator.credentials import BASE_SCOPES, BaseApp, base_app
from ecauto_pipeline.emulator.messages import Answer, Call, json_answer
from ecauto_pipeline.emulator.tokens import TokenBook

API = "base"
ACCESS_TOKEN_LIFE_S = 3600
REFRESH_TOKEN_LIFE_S = 30 * 86_400
_CODE_LIFE_S = 600
_ALL_SCOPES = {*BASE_SCOPES, "read_users_mail", "read_savings", "write_orders"}


def app_of(client_id: str | None, accounts: tuple[str, ...]) -> BaseApp | None:
    """The application with this client id."""
    return next((base_app(account) for account in accounts if base_app(account).client_id == client_id), None)


def authorize(call: Call, tokens: TokenBook, accounts: tuple[str, ...], now_s: float) -> Answer:
    """Answer the request for a code: approved at once, sent to the redirect address. Raises BaseRefusal."""
    query = call.query_first()
    if query.get("response_type") != "code":
        raise BaseRefusal("invalid_request", "response_typeが不正です。")
    app = app_of(query.get("client_id"), accounts)
    if app is None:
        raise BaseRefusal("unauthorized_client", "不正なクライアントです。")
    if query.get("redirect_uri") != app.redirect_uri:
        raise BaseRefusal("invalid_request", "redirect_uriが登録されたものと一致しません。")
    scope = query.get("scope") or "read_users"
    if not set(scope.split()) <= _ALL_SCOPES:
        raise BaseRefusal("invalid_scope", "不正なscopeです。")
    code = tokens.issue("code", API, app.account, now_s + _CODE_LIFE_S, scope)
    answer = {"code": code, **({"state": query["state"]} if "state" in query else {})}
    return Answer(302, b"", {"location": f"{app.redirect_uri}?{urlencode(answer)}"})


def token(call: Call, tokens: TokenBook, accounts: tuple[str, ...], now_s: float) -> Answer:
    """Answer the exchange of a code or a refresh token for new tokens. Raises BaseRefusal."""
    if call.method != "POST":
        raise BaseRefusal("not_post_method")
    form = call.form()
    if form.get("grant_type") not in ("authorization_code", "refresh_token"):
        raise BaseRefusal("unsupported_grant_type", "不正なgrant_typeです。")
    client_id, client_secret = _client(call, form)
    app = app_of(client_id, accounts)
    if app is None:
        raise BaseRefusal("unauthorized_client", "不正なクライアントです。")
    if client_secret != app.client_secret:
        raise BaseRefusal("invalid_client", "クライアント認証に失敗しました。")
    if form.get("redirect_uri") != app.redirect_uri:
        raise BaseRefusal("invalid_request", "redirect_uriが登録されたものと一致しません。")
    kind = "code" if form["grant_type"] == "authorization_code" else "refresh"
    given = form.get("code" if kind == "code" else "refresh_token", "")
    found = tokens.find(given, kind, API)
    if found is None or found.dead or found.account != app.account:
        what = "不正な認可コードです。" if kind == "code" else WRONG_REFRESH_TOKEN
        raise BaseRefusal("invalid_grant" if kind == "code" else "invalid_request", what)
    if found.expires_s <= now_s:
        what = "認可コードの有効期限が切れています。" if kind == "code" else OLD_REFRESH_TOKEN
        raise BaseRefusal("invalid_grant" if kind == "code" else "invalid_request", what)
    tokens.kill(given)
    return json_answer(200, issue(tokens, app.account, " ".join(sorted(found.scope)), now_s))


def issue(tokens: TokenBook, account: str, scope: str, now_s: float) -> dict[str, str | int]:
    """A new pair of tokens, as the token answer shows it (without the scope)."""
    return {
        "access_token": tokens.issue("access", API, account, now_s + ACCESS_TOKEN_LIFE_S, scope),
        "token_type": "bearer",
        "expires_in": ACCESS_TOKEN_LIFE_S,
        "refresh_token": tokens.issue("refresh", API, account, now_s + REFRESH_TOKEN_LIFE_S, scope),
    }


def client_of(call: Call) -> str | None:
    """The client id that a token or authorize call names; for the log."""
    return call.query_first().get("client_id") or _client(call, call.form())[0]


def _client(call: Call, form: dict[str, str]) -> tuple[str | None, str | None]:
    scheme, _, credentials = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(credentials, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None, None
        return client_id, secret
    return form.get("client_id"), form.get("client_secret")
