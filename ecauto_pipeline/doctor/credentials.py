"""Secrets and tokens: are they there, can others read them, how long do they live. Names only, never a value.

Not for: whether a service accepts them (`ecauto auth base ACCOUNT`).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ecauto_pipeline.alerts.rules.tokens import TOKEN_DAYS
from ecauto_pipeline.doctor.findings import Chart
from ecauto_pipeline.doctor.installation import Installation
from ecauto_pipeline.doctor.rights import hindrance
from ecauto_pipeline.doctor.set_up import problems
from ecauto_pipeline.doctor.state_book import kept
from ecauto_pipeline.errors import AccountBlocked, EcautoError
from ecauto_pipeline.settings import BaseAccount
from ecauto_pipeline.shops.base.tokens import TokenFile, Tokens
from ecauto_pipeline.wiring.shop_tokens import sealed_tokens


def secrets(chart: Chart, here: Installation) -> None:
    """Each account's variables as a run would fill them; nothing is needed where the emulator's values stand in."""
    problems(chart, here, "secrets ")
    found = here.connections.account_secrets
    if all(one.stands_in and not one.missing for one in found):
        chart.ok("secrets", "エミュレーターのため不要です", "none needed: the emulator's own values stand in")
        return
    for one in found:
        if one.missing:
            continue  # said among the problems
        if one.stands_in:
            chart.ok(one.name, "エミュレーターの既定値を使います", "the emulator's own values stand in")
        else:
            chart.ok(one.name, f"{len(one.variables)}個そろっています", f"all {len(one.variables)} present")


def tokens(chart: Chart, here: Installation) -> None:
    """The tokens of each active shop: there, private or sealed, alive for a week or more."""
    if here.settings.own_base:
        return
    for shop in here.connections.active_shops:
        if here.settings.fleet.on:
            _sealed(chart, here, shop)
        else:
            _token(chart, here, shop)


def _sealed(chart: Chart, here: Installation, shop: BaseAccount) -> None:
    """In a fleet they lie sealed in state."""
    name, do = f"token {shop.id}", f"ecauto auth base {shop.id}"
    try:
        with kept(here) as connection:
            values = here.connections.secrets.values
            found = None if connection is None else sealed_tokens(here.settings, shop, connection, values)
    except EcautoError as error:
        chart.bad(name, error.said("ja"), str(error), "ecauto keys list", "ecauto keys list")
        return
    if found is not None:
        _lives(chart, here, name, found, do)
    elif here.settings.mode == "emulated":
        chart.ok(name, "最初の実行で接続先から受け取ります", "the first run asks the other side for one")
    else:
        chart.bad(name, "stateにトークンがありません", "state has no tokens of it", do, do)


def _token(chart: Chart, here: Installation, shop: BaseAccount) -> None:
    name, path, do = f"token {shop.id}", here.settings.token_file(shop), f"ecauto auth base {shop.id}"
    if fault := (hindrance(path, write=False) if path.exists() else None):
        chart.fault(name, fault, str(path))
        return
    try:
        found = TokenFile(path).read()
    except AccountBlocked as error:
        chart.bad(name, f"{path.name} はトークンのファイルとして読めません", f"unusable: {error}", do, do)
        return
    if found is None and here.settings.mode == "emulated":
        chart.ok(name, "最初の実行で接続先から受け取ります", "the first run asks the other side for one")
        return
    if found is None:
        chart.bad(name, f"{path.name} がありません", f"{path.name} is not there", do, do)
        return
    private(chart, f"{name} mode", path)
    _lives(chart, here, name, found, do)


def _lives(chart: Chart, here: Installation, name: str, found: Tokens, do: str) -> None:
    dies = found.refresh_expires_at
    if dies is None:
        chart.warn(name, "取得日時が不明です", "nobody knows when it was obtained", do, do)
        return
    days = (dies - here.clock.now()).total_seconds() / 86400
    text_ja, text_en = f"リフレッシュトークンの残り {days:.1f}日", f"refresh token lives {days:.1f} more days"
    if days <= 0:
        chart.bad(name, "リフレッシュトークンが失効しています", "the refresh token has expired", do, do)
    elif days < TOKEN_DAYS:
        chart.warn(name, text_ja, text_en, do, do)
    else:
        chart.ok(name, text_ja, text_en)


def channels(chart: Chart, here: Installation) -> None:
    """Somebody will be told."""
    if not here.settings.alerts.channels:
        chart.warn(
            "alert channels",
            "通知先がありません",
            "none configured: nobody will be told",
            "ecauto.toml に [[alerts.channels]] を追加してください",
            "add [[alerts.channels]] to ecauto.toml",
        )


def private(chart: Chart, name: str, path: Path) -> None:
    """A file with secrets must be readable by its owner alone (POSIX; Windows keeps its own lists)."""
    if os.name == "nt" or not path.exists():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        do = f"chmod 600 {path.name}"
        chart.bad(name, f"他の利用者が読めます ({mode:04o})", f"others can read it ({mode:04o})", do, do)
    else:
        chart.ok(name, f"本人だけが読めます ({mode:04o})", f"private ({mode:04o})")
