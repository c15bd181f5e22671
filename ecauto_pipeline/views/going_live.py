"""The way to a live shop, step by step, as docs/going-live.md has it: which steps are done, what to do for the next.

A step is told by what there is (a variable, a file, a run), never by somebody's word that it was done; secrets by name
alone. Not for: faults of an installation (doctor/), or doing a step.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from ecauto_pipeline.doctor.dagster_files import look_at_dagster
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.shops import base
from ecauto_pipeline.state import journal
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.stale_asins.plan import survey
from ecauto_pipeline.wiring.connections import Connections, resolve
from ecauto_pipeline.wiring.register_place import register_of
from ecauto_pipeline.wiring.shop_tokens import authorised

State = Literal["done", "open", "later"]
DAEMON_LIVES = timedelta(minutes=5)
_LOOKED_AT = 3_000
_SYNCS = frozenset({"stock_sync", "price_sync", "full_sync"})


@dataclass(frozen=True, slots=True)
class Step:
    """One section of the guide. `state`: "later" = it comes after one that is open. `is_now`, `to_do`: (ja, en);
    `command`: what to type, "" where nothing is typed."""

    number: int
    title: tuple[str, str]
    state: State
    is_now: tuple[str, str]
    to_do: tuple[str, str]
    command: str = ""


@dataclass(frozen=True, slots=True)
class SecretNamed:
    """One environment variable; its value is never told."""

    variable: str
    about: tuple[str, str]
    is_set: bool
    stands_in: bool = False  # the emulator's own is used


def secrets_named(settings: Settings, environ: Mapping[str, str] = os.environ) -> list[SecretNamed]:
    """Every variable that these settings name, in the order of ecauto.toml."""
    found = []
    for one in resolve(settings, environ).account_secrets:
        kind, account = one.name.split()[1:3]
        about = (f"Amazon（{account}）", f"Amazon ({account})")
        if kind != "sp_api":
            about = (f"ショップ {account}", f"shop {account}")
        found += [
            SecretNamed(name, about, name not in one.missing and not one.stands_in, one.stands_in)
            for name in one.variables
        ]
    others = [
        *((channel.url_env, ("通知先", "alerts")) for channel in settings.alerts.channels),
        *((channel.token_env, ("通知先", "alerts")) for channel in settings.alerts.channels),
        (settings.alerts.heartbeat_url_env, ("外からの見張り", "dead man's switch")),
        (settings.desk.password_env, ("この画面のパスワード", "password of this page")),
        (settings.fleet.key_env if settings.fleet.on else "", ("トークンの封印", "seal of the tokens")),
    ]
    found += [SecretNamed(name, about, bool(environ.get(name, "").strip())) for name, about in others if name]
    return found


def steps(tools: Tools, dagster_home: Path, environ: Mapping[str, str] = os.environ) -> list[Step]:
    """The nine steps, in their order."""
    settings, connections = tools.settings, resolve(tools.settings, environ)
    live = settings.mode == "live"
    with tools.state.read() as connection:
        dry, real = _runs(connection, live)
        edits = real and journal.any_done(connection)
        waiting = [shop.id for shop in connections.active_shops if not authorised(settings, shop, connection)]
    seen = survey(tools)
    beat = look_at_dagster(dagster_home, environ).daemon_at
    told = [
        _amazon(connections),
        _base(connections),
        _env_file(settings, connections),
        _config(settings),
        _authorised(settings, waiting),
        _dry_run(live and dry),
        _first_fifty(live and edits),
        _whole(live and real, seen.total_asins, seen.missing),
        _by_itself(live, beat is not None and tools.clock.now() - beat < DAEMON_LIVES),
    ]
    first_open = next((number for number, one in enumerate(told) if not one.done), len(told))
    return [
        Step(
            number + 1,
            one.title,
            "done" if one.done else "open" if number == first_open else "later",
            *(one.is_now, one.to_do, one.command),
        )
        for number, one in enumerate(told)
    ]


class _Told(NamedTuple):
    """A step before it is known where it stands among the others."""

    title: tuple[str, str]
    done: bool
    is_now: tuple[str, str]
    to_do: tuple[str, str]
    command: str


def _amazon(connections: Connections) -> _Told:
    return _application(
        connections,
        "sp_api",
        ("Amazon: アプリケーション", "Amazon: an application"),
        (
            "セラーセントラルで自社用のアプリケーションを作り、認可してください（ロール: 価格設定、商品の出品）",
            "make and authorise a private application in Seller Central (roles: Pricing, Product Listing)",
        ),
    )


def _base(connections: Connections) -> _Told:
    return _application(
        connections,
        base.PLATFORM,
        ("BASE: ショップごとのアプリケーション", "BASE: an application a shop"),
        (
            "BASE Developers で申請してください（read_users、read_items、write_items、read_orders）",
            "apply at BASE Developers (read_users, read_items, write_items, read_orders)",
        ),
    )


def _application(connections: Connections, kind: str, title: tuple[str, str], to_do: tuple[str, str]) -> _Told:
    mine = [one for one in connections.account_secrets if one.name.split()[1] == kind]
    missing = [name for one in mine for name in one.missing]
    played = any(one.stands_in for one in mine)
    if played:
        is_now = ("エミュレーターのものを使っています", "the emulator's own is used")
    elif missing:
        is_now = (f"まだ無い環境変数: {', '.join(missing)}", f"variables still missing: {', '.join(missing)}")
    else:
        is_now = (f"{len(mine)}件の秘密がそろっています", f"the secrets of {len(mine)} are there")
    return _Told(title, bool(mine) and not missing and not played, is_now, to_do, "")


def _env_file(settings: Settings, connections: Connections) -> _Told:
    title = ("秘密の情報", "Secrets")
    path = settings.root / ".env"
    to_do = (".env に書き、自分だけが読めるようにしてください", "write them into .env, for yourself alone")
    if not path.is_file():
        whole = not any(one.missing or one.stands_in for one in connections.account_secrets)
        is_now = (
            ".env はありません（環境変数があればそれを使います）",
            "there is no .env (variables that are set are used)",
        )
        return _Told(title, whole, is_now, to_do, "chmod 600 .env")
    private = os.name != "posix" or not stat.S_IMODE(path.stat().st_mode) & 0o077
    is_now = (".env は本人だけが読めます", ".env is for its owner alone")
    if not private:
        is_now = (".env をほかの人も読めます", "others can read .env")
    return _Told(title, private, is_now, to_do, "chmod 600 .env")


def _config(settings: Settings) -> _Told:
    live, there = settings.mode == "live", register_of(settings).is_there()
    name = register_of(settings).name
    register = ("あります", "is there") if there else ("ありません", "is not there")
    is_now = (
        f'mode = "{settings.mode}"、{name} は{register[0]}',
        f'mode = "{settings.mode}", {name} {register[1]}',
    )
    to_do = (
        'ecauto.toml に mode = "live" とショップを書き、master.db を置いてください',
        'write mode = "live" and the shops into ecauto.toml, and put master.db in its place',
    )
    return _Told(("ecauto.toml", "ecauto.toml"), live and there, is_now, to_do, "")


def _authorised(settings: Settings, waiting: list[str]) -> _Told:
    channels = len(settings.alerts.channels)
    is_now = ("どのショップも認可済みです", "every shop is authorised")
    if waiting:
        is_now = (f"認可がまだのショップ: {', '.join(waiting)}", f"not authorised yet: {', '.join(waiting)}")
    elif not channels:
        is_now = ("認可済みですが、通知先がありません", "authorised, but nobody would be told of anything")
    command = f"ecauto auth base {waiting[0]}" if waiting else "ecauto doctor --ask"
    to_do = ("認可し、診断し、通知を試してください", "authorise, examine, try the alerts")
    done = settings.mode == "live" and not waiting and channels > 0
    return _Told(("認可し、確かめ、試す", "Authorise, check, try"), done, is_now, to_do, command)


def _dry_run(done: bool) -> _Told:
    is_now = ("本番モードのドライランがあります", "there was a dry run in live mode")
    if not done:
        is_now = ("本番モードのドライランはまだです", "no dry run in live mode yet")
    to_do = ("50件で試し、5件をショップと見比べてください", "try with 50, and compare five with the shop")
    return _Told(("最初のドライラン", "The first dry run"), done, is_now, to_do, "ecauto sync --dry-run --max-items 50")


def _first_fifty(done: bool) -> _Told:
    is_now = ("ショップを更新したことがあります", "the shop has been updated")
    if not done:
        is_now = ("ショップにはまだ何も送っていません", "nothing was sent to the shop yet")
    to_do = ("50件だけ更新し、ショップを見てください", "update 50, and look at the shop")
    return _Told(("最初の50件", "The first fifty"), done, is_now, to_do, "ecauto sync --max-items 50")


def _whole(real: bool, total: int, missing: int) -> _Told:
    is_now = (f"{total:,} ASIN のうち、未回答は {missing:,}", f"of {total:,} ASINs {missing:,} were never answered")
    to_do = ("全件を取得してください（何度かに分かれます）", "fill everything; it takes several runs")
    done = real and total > 0 and missing * 100 <= total
    return _Told(("全体", "The whole shop"), done, is_now, to_do, "ecauto sync")


def _by_itself(live: bool, beats: bool) -> _Told:
    is_now = ("スケジュールが動いています", "the schedules are running")
    if not live:
        is_now = ("エミュレーターでは手動で実行します", "with the emulator runs are started by hand")
    elif not beats:
        is_now = ("スケジュールが動いていません", "the schedules are not running")
    to_do = ("ecauto dev を動かし続けてください（サービスとして登録できます）", "keep ecauto dev running, as a service")
    return _Told(("自動で", "By itself"), live and beats, is_now, to_do, "ecauto dev")


def _runs(connection: Connection, live: bool) -> tuple[bool, bool]:
    """Whether there was a dry run, and whether one that sends, that came to its end."""
    if not live:
        return False, False
    ended = [one for one in run_book.recent(connection, _LOOKED_AT) if one.ended_at is not None and one.job in _SYNCS]
    return any(one.dry_run for one in ended), any(not one.dry_run for one in ended)
