"""Login with Amazon: a refresh token for an access token of 3,600 seconds.

Source: the LWA documentation of the authorization grant; error names of RFC 6749.
"""

from __future__ import annotations

from ecauto_pipeline.emulator.credentials import SP_ACCOUNTS
from ecauto_pipeline.emulator.messages import Answer, Call, json_answer
from ecauto_pipeline.emulator.tokens import TokenBook

ACCESS_TOKEN_LIFE_S = 3600


def token(call: Call, tokens: TokenBook, revoked: set[str], now_s: float) -> Answer:
    """Answer `POST /auth/o2/token`. `revoked` are the accounts whose refresh token no longer works."""
    if call.method != "POST":
        return _refuse(405, "invalid_request", "The request method must be POST")
    if call.media_type != "application/x-www-form-urlencoded":
        return _refuse(400, "invalid_request", "The Content-Type is not supported by the authorization server")
    form = call.form()
    if form.get("grant_type") != "refresh_token":
        return _refuse(400, "unsupported_grant_type", "The grant type is not supported by the authorization server")
    if not form.get("client_id") or not form.get("client_secret"):
        return _refuse(400, "invalid_request", "The request is missing a required parameter")
    owner = next((account for account in SP_ACCOUNTS if account.client_id == form["client_id"]), None)
    if owner is None or owner.client_secret != form["client_secret"]:
        return secret_refused()
    if owner.refresh_token != form.get("refresh_token") or owner.id in revoked:
        return _refuse(400, "invalid_grant", "The request has an invalid grant parameter : refresh_token")
    access = tokens.issue("access", "sp_api", owner.id, now_s + ACCESS_TOKEN_LIFE_S, prefix="Atza|")
    answer = {
        "access_token": access,
        "refresh_token": owner.refresh_token,
        "token_type": "bearer",
        "expires_in": ACCESS_TOKEN_LIFE_S,
    }
    return json_answer(200, answer, {"cache-control": "no-store"})


def secret_refused() -> Answer:
    """What LWA says where the client secret is not the one in force."""
    return _refuse(401, "invalid_client", "Client authentication failed")


def account_of(call: Call) -> str | None:
    """Whose call it is, by its client id; for the log."""
    client_id = call.form().get("client_id")
    return next((account.id for account in SP_ACCOUNTS if account.client_id == client_id), None)


def _refuse(status: int, error: str, description: str) -> Answer:
    return json_answer(status, {"error": error, "error_description": description}, outcome=f"refused:{error}")
