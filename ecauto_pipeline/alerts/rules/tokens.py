"""Alert rules about the shops' tokens: how long they live, and whether their files hold the ones in use.

Not for: what a rule is (alerts/rule.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from ecauto_pipeline.alerts.rule import AlertSetup, Finding, RunRule, Words, unmeasured
from ecauto_pipeline.sync.run_record import RunRecord

TOKEN_DAYS = 7.0
"""A refresh token with fewer days left wants a person (BASE's live 30 days)."""


def _tokens(record: RunRecord, setup: AlertSetup) -> Finding:
    """ERROR once one is dead."""
    days = record.shops.token_days_left if record.shops is not None else None
    if days is None:
        return unmeasured("トークンの期限は不明です", "no token's expiry is known", TOKEN_DAYS)
    return _lives(days)


def _tokens_of_shops(record: RunRecord, setup: AlertSetup) -> Mapping[str, Finding]:
    days = record.shops.token_days if record.shops is not None else {}
    return {shop: _lives(left, f"ecauto auth base {shop}") for shop, left in days.items()}


def _lives(days: float, remedy: str = "") -> Finding:
    dead = days <= 0
    said = (
        Words("BASEのリフレッシュトークンが失効しています", "a BASE refresh token has expired")
        if dead
        else Words(
            f"BASEのリフレッシュトークンの残り {days:.1f}日（{TOKEN_DAYS:g}日以上必要）",
            f"a BASE refresh token has {days:.1f} days left (at least {TOKEN_DAYS:g})",
        )
    )
    return Finding(
        said=said,
        passed=days >= TOKEN_DAYS,
        value=days,
        threshold=TOKEN_DAYS,
        severity="ERROR" if dead else None,
        remedy=remedy,
        done=Words("このショップの更新は止まっています", "nothing reaches this shop any more") if dead else None,
    )


TOKEN_EXPIRY = RunRule(
    name="token_expiry",
    law=Words("BASEのトークンは7日以上有効", "every refresh token lives 7 days or more"),
    label=Words("トークンの期限", "token expiry"),
    asset="listings",
    severity="WARN",
    remedy="ecauto auth base ACCOUNT",
    desk="/setup",
    done=Words("このショップの更新は続けています", "this shop is still worked on"),
    page="/assets/listings?view=checks",
    find=_tokens,
    each=_tokens_of_shops,
    subject="shop",
)


def _token_files(record: RunRecord, setup: AlertSetup) -> Finding:
    if record.listings is None:
        return unmeasured("トークンファイルは調べていません", "token files were not looked at", 0.0)
    behind = record.listings.token_files
    names = ", ".join(f"{account} ({problem})" for account, problem in behind.items())
    said = (
        Words(
            f"トークンファイルを書けないショップ {len(behind)}件: {names}。stateのトークンで続けています",
            f"{len(behind)} shops whose token file can't be written: {names}; they go on with the token in state",
        )
        if behind
        else Words("トークンファイルは最新です", "every token file holds the token in use")
    )
    return Finding(said=said, passed=not behind, value=float(len(behind)), threshold=0.0)


def _token_files_of_shops(record: RunRecord, setup: AlertSetup) -> Mapping[str, Finding]:
    """Of the shops that this run was to read."""
    if record.listings is None:
        return {}
    behind = record.listings.token_files
    found = {}
    for shop in {*record.listings.by_account, *behind}:
        problem = behind.get(shop, "")
        found[shop] = Finding(
            said=Words(
                f"トークンファイルを書けません: {problem}" if problem else "トークンファイルは最新です",
                f"its token file can't be written: {problem}" if problem else "its token file holds the tokens in use",
            ),
            passed=not problem,
            value=float(bool(problem)),
            threshold=0.0,
        )
    return found


TOKEN_FILE_WRITTEN = RunRule(
    name="token_file_written",
    law=Words("トークンファイルは最新", "every token file holds the token in use"),
    label=Words("トークンファイルの書き込み", "writing token files"),
    asset="listings",
    severity="WARN",
    remedy="ecauto doctor",
    desk="/setup",
    done=Words(
        "トークンは保存済みで、このショップの更新は続けています",
        "the tokens are kept; this shop is worked on as before",
    ),
    page="/assets/listings?view=checks",
    find=_token_files,
    each=_token_files_of_shops,
    subject="shop",
)
