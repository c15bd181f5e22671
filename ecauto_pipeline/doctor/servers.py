"""The servers of a fleet: PostgreSQL (is what goes over the network encrypted, can Dagster use its address), Redis,
object storage. One machine has none of them, and hears nothing of them.

Only with `ask` is something written: one object, put where history lies and taken away again.
Not for: what stands in the tables of state (state_book.py) or in the register (files.py), which also say that theirs
can't be reached.
"""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from ecauto_pipeline.doctor.dagster_engines import Named, dagster_engines
from ecauto_pipeline.doctor.findings import Chart
from ecauto_pipeline.doctor.installation import Installation
from ecauto_pipeline.errors import EcautoError, SettingsError
from ecauto_pipeline.state.described import StateUnreadable, looking_at
from ecauto_pipeline.state.server_figures import is_encrypted
from ecauto_pipeline.wiring.history_place import open_store
from ecauto_pipeline.wiring.reach import ask_broker

DAGSTERS_SCHEME = "postgresql+psycopg2"
"""What Dagster's storage needs; to SQLAlchemy 2.1 a plain postgresql:// is psycopg 3, at which it fails."""

Line = Literal["private", "encrypted", "clear"]


def postgresql(chart: Chart, here: Installation) -> None:
    """Each PostgreSQL that is named: what goes there is encrypted, or stays on this machine. Dagster's answers."""
    settings = here.settings
    for name, url in (("state", settings.state_url()), ("register", settings.register_url)):
        if url.startswith("postgresql"):
            with suppress(StateUnreadable, ModuleNotFoundError):  # said by the lines of state and register
                _line_to(chart, f"PostgreSQL {name}", url)
    try:
        named = _engines(here).get("postgresql")
    except SettingsError as error:
        do_ja, do_en = "deploy/dagster.yaml から作り直してください", "make it anew from deploy/dagster.yaml"
        chart.bad("PostgreSQL Dagster", error.said("ja"), error.said("en"), do_ja, do_en)
        return
    if named is not None and not _unusable(chart, "PostgreSQL Dagster", named):
        _dagsters(chart, named)


def redis(chart: Chart, here: Installation) -> None:
    """The broker of the workers answers, and not to everybody."""
    named = None
    with suppress(SettingsError):  # said of PostgreSQL
        named = _engines(here).get("redis")
    if named is None or _unusable(chart, "Redis", named):
        return
    try:
        host, guarded = ask_broker(named.url)
    except EcautoError as error:
        do_ja, do_en = (
            "Redis とそのアドレスを確認してください。それまで実行は待ち行列に残ります",
            "look at Redis and its address; until then runs wait in the queue",
        )
        chart.bad("Redis", error.said("ja"), error.said("en"), do_ja, do_en)
        return
    if guarded or line_kind(host, None) == "private":
        chart.ok("Redis", "応答あり", "answers")
        return
    chart.warn(
        "Redis",
        "パスワードなしで応答します",
        "answers without a password",
        "requirepass を設定し、アドレスに入れてください: 届く人は誰でも実行を送れます",
        "set requirepass and put it into the address: whoever reaches it can send runs",
    )


def object_storage(chart: Chart, here: Installation) -> None:
    """The bucket of history is there and can be listed; with `ask`, an object can be put there and taken away."""
    if not here.settings.history.url.startswith("s3:"):
        return
    do_ja, do_en = (
        "[history] url、endpoint と、環境変数 AWS_ACCESS_KEY_ID・AWS_SECRET_ACCESS_KEY の権限を確認してください",
        "look at [history] url and endpoint, and at the rights of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY",
    )
    try:
        store = open_store(here.settings, here.environ)
        store.look()
        if here.ask:
            store.try_to_put()
    except EcautoError as error:
        chart.bad("object storage", error.said("ja"), error.said("en"), do_ja, do_en)
        return
    if here.ask:
        chart.ok("object storage", "読み書きできます", "can be listed, written and removed from")
    else:
        ja, en = "一覧できます(書き込みは --ask で確認)", "can be listed (whether written: --ask)"
        chart.ok("object storage", ja, en)


def line_kind(host: str, encrypted: bool | None) -> Line:
    """What travels to this host: "private" = never over a network of others (loopback, a socket, a name without a
    domain, as containers and pods have), else "encrypted" or, by what was measured, "clear"."""
    if not host or host.startswith("/"):
        return "private"
    try:
        private = ipaddress.ip_address(host).is_loopback
    except ValueError:
        private = "." not in host
    return "private" if private else "encrypted" if encrypted else "clear"


def _line_to(chart: Chart, name: str, url: str) -> None:
    """Raises StateUnreadable where it can't be reached, ModuleNotFoundError without its driver."""
    with looking_at(url) as connection:
        encrypted = is_encrypted(connection)
    kind = line_kind(urlsplit(url).hostname or "", encrypted)
    if kind == "clear":
        chart.warn(
            name,
            "通信が暗号化されていません",
            "what goes there is not encrypted",
            "アドレスに ?sslmode=verify-full を付け、サーバーに証明書を置いてください",
            "give the server a certificate, and the address ?sslmode=verify-full",
        )
    elif encrypted:
        chart.ok(name, "応答あり(暗号化)", "answers, encrypted")
    else:
        chart.ok(name, "応答あり(このマシンかコンテナのネットワークの中)", "answers, on this machine or its containers")


def _dagsters(chart: Chart, named: Named) -> None:
    name = "PostgreSQL Dagster"
    if urlsplit(named.url).scheme != DAGSTERS_SCHEME:
        chart.bad(
            name,
            "Dagster の記録のアドレスが使えません",
            "Dagster can't use the address of its records",
            f"dagster.yaml の storage を {DAGSTERS_SCHEME}://... にしてください",
            f"make storage in dagster.yaml {DAGSTERS_SCHEME}://...",
        )
        return
    try:
        _line_to(chart, name, named.url)
    except ModuleNotFoundError as error:
        do = "pip install --require-hashes -r requirements-fleet.txt"
        chart.bad(name, f"パッケージ {error.name} がありません", f"the package {error.name} is missing", do, do)
    except StateUnreadable:
        chart.bad(
            name,
            "つながりません",
            "can't be reached",
            "PostgreSQL のサーバーと dagster.yaml の storage を確認してください",
            "look whether PostgreSQL is up and storage in dagster.yaml is right",
        )


def _engines(here: Installation) -> dict[str, Named]:
    """What a DAGSTER_HOME that is set names; without one there is no fleet's instance here."""
    home = here.environ.get("DAGSTER_HOME", "")
    return dagster_engines(Path(home), here.environ) if home and Path(home).is_dir() else {}


def _unusable(chart: Chart, name: str, named: Named) -> bool:
    if not named.missing:
        return False
    ja, en = f"環境変数がありません: {named.missing}", f"environment variable missing: {named.missing}"
    chart.bad(name, ja, en, ".env に追加してください", "add it to .env")
    return True
