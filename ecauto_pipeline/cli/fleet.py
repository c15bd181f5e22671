"""`ecauto fleet ...`: what only several machines that share the work need.

Not for: how they share it (fleet/, state/) or one machine, which needs none of this.
"""

from __future__ import annotations

import getpass
import os
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import err, fail, print_json, say, table, told
from ecauto_pipeline.doctor.dagster_files import dagster_home
from ecauto_pipeline.fleet.same_everywhere import settle_settings
from ecauto_pipeline.settings import load
from ecauto_pipeline.state import locks, migrations
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.views.fleet import look_at_fleet

COMMAND = typer.Typer(
    help="複数の機械で動かすためのコマンド (docs/fleet.md)。 Several machines that share the work.",
    no_args_is_help=True,
    add_completion=False,
)


@COMMAND.callback()
def _group() -> None:
    """Its commands keep their names while there is one alone."""


@COMMAND.command("migrate")
def migrate(json_output: Annotated[bool, typer.Option("--json", help="machine-readable")] = False) -> None:
    """PostgreSQLの状態の表をこのプログラムのものに、このecauto.tomlをフリートのものにします。 Makes the tables of
    state in PostgreSQL this program's (on SQLite every opening does), and this ecauto.toml the fleet's."""
    settings = load()
    database = Database(settings.state_url(), unmigrated=True)
    before: int | None = migrations.VERSION
    now = migrations.VERSION
    try:
        if not database.sqlite:
            with database.write(locks.schema()) as connection:
                before, now = migrations.migrate_postgresql(connection)
        new_settings = settings.fleet.on and settle_settings(database, settings, datetime.now(UTC))
    finally:
        database.close()
    if json_output:
        print_json({"before": before, "now": now, "new_settings": new_settings})
        return
    if new_settings:
        say(told("フリートはこの ecauto.toml に従います。", "the fleet goes by this ecauto.toml from now on"))
    if before == now:
        say(told(f"表は最新です（バージョン {now}）。", f"the tables are of this version ({now})"))
    elif before is None:
        say(told(f"表を作りました（バージョン {now}）。", f"the tables are made (version {now})"))
    else:
        say(
            told(
                f"表をバージョン {before} から {now} にしました。",
                f"the tables are now of version {now}, no longer {before}",
            )
        )


class SharedFile(StrEnum):
    """The owner's files that a fleet keeps in state."""

    BLOCKLIST = "blocklist"
    RULES = "rules"
    VIEWS = "views"


@COMMAND.command("put")
def put(
    name: Annotated[SharedFile, typer.Argument(metavar="NAME", help="blocklist / rules / views")],
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="そのファイル / the file")] = None,
    none: Annotated[bool, typer.Option("--none", help="中身はない / there are none")] = False,
) -> None:
    """店主のファイル(出品禁止リスト、規則、閲覧数)をstateに置き、すべてのマシンで使います。

    One of the owner's files into state, for every machine; what lies on a machine under its name is a copy.
    """
    from ecauto_pipeline.sync.listings.shared_files import put_file
    from ecauto_pipeline.sync.people.rules import import_rules, no_rules
    from ecauto_pipeline.wiring.open import open_tools

    settings = load()
    if none == (file is not None):
        fail("say a file, or --none", ja="ファイルか --none のどちらかを指定してください")
    if not settings.fleet.on:
        fail(
            "[fleet] on is false: the files are this machine's own",
            ja="[fleet] on が false です。ファイルはこの1台のものです",
        )
    with open_tools(settings, offline=True) as tools:
        if name is SharedFile.RULES:
            taken = import_rules(tools, no_rules() if file is None else file.read_bytes(), getpass.getuser())
            if taken.trouble is not None:
                fail(taken.trouble.en, ja=taken.trouble.ja)
            count = taken.rules
        else:
            count = put_file(settings, tools.state, tools.clock, name.value, file)
    say(told(f"{name.value}: {count:,}件を置きました。", f"{name.value}: {count:,} entries put"))


@COMMAND.command("status")
def status(json_output: Json = False) -> None:
    """レーン、ワーカー、ロック、接続の今の様子。 Lanes, workers, locks, connections, as they are now.

    測定していないものは「不明」です。 What was not measured is said to be unknown.
    """
    from ecauto_pipeline.wiring.open import open_tools

    workers = _workers()
    with open_tools(load(), offline=True) as tools:
        now = look_at_fleet(tools)
    if json_output:
        print_json({**asdict(now), "workers": workers})
        return
    unknown = told("不明", "unknown")
    rows = [
        (
            one.lane,
            one.host and f"{one.host} ({one.run_id[:8]})",
            one.number,
            _ago(now.at, one.ended_at),
            "" if one.seconds is None else f"{one.seconds:.0f} s",
            one.errors,
        )
        for one in now.lanes
    ]
    columns = [
        told(ja, en)
        for ja, en in (
            ("レーン", "lane"),
            ("処理中", "worked on by"),
            ("番号", "number"),
            ("最後の実行", "last run"),
            ("かかった時間", "took"),
            ("エラー", "errors"),
        )
    ]
    table(told("レーン", "lanes"), columns, rows)
    if workers is None:
        ja, en = "不明(Redis に接続できないか、Celery を使っていません)", "unknown (no Redis, or no Celery)"
        say(told(f"ワーカー: {ja}", f"workers: {en}"))
    for name, runs in (workers or {}).items():
        say(f"{name}: " + (", ".join(run[:8] for run in runs) or told("空き", "idle")))
    server = now.server
    connections = unknown if server is None else f"{server.connections} / {server.connections_allowed}"
    held = unknown if server is None else f"{server.locks_held}"
    waiting = unknown if server is None else f"{server.locks_waited_for}"
    ja, en = (
        f"接続: {connections}、ロック: {held}、待ち: {waiting}",
        f"connections: {connections}, locks: {held}, waited for: {waiting}",
    )
    say(told(ja, en))


def _workers() -> dict[str, list[str]] | None:
    """Which workers answer, with their runs; None where the launcher has none or nobody can be asked."""
    from ecauto_pipeline.cli.dagster_run import instance

    try:
        with instance() as opened:
            ask = getattr(opened.run_launcher, "workers", None)
            return dict(found) if ask is not None and (found := ask()) is not None else None
    except Exception as error:  # Dagster's storage or a package is away: the lanes are shown all the same
        err().print(f"Dagster: {type(error).__name__}", markup=False)
        return None


def _ago(now: datetime, then: datetime | None) -> str:
    if then is None:
        return told("記録なし", "none on record")
    minutes = int((now - then).total_seconds() // 60)
    return told(f"{minutes} 分前", f"{minutes} minutes ago")


@COMMAND.command("worker")
def worker(
    runs: Annotated[int, typer.Option("--runs", min=1, help="同時に行う実行の数 / runs at once")] = 2,
    name: Annotated[
        str, typer.Option("--name", help="ワーカー名、%h はホスト名 / its name, %h is the host; one of a kind")
    ] = "worker@%h",
) -> None:
    """この機械で実行を引き受けます(Ctrl-Cかdocker stopで、今の実行を終えてから止まります)。 Takes runs of the fleet."""
    from ecauto_pipeline.cli.dagster_run import instance

    os.environ.setdefault("DAGSTER_HOME", str(dagster_home()))  # where its runs look for the instance, too
    try:
        with instance() as opened:
            launcher = opened.run_launcher
            make = getattr(launcher, "worker_app", None)
            app = make() if make is not None else None
    except ImportError as error:
        fail(
            f"the package {error.name} is missing: pip install --require-hashes -r requirements-fleet.txt",
            ja=f"パッケージ {error.name} がありません: pip install --require-hashes -r requirements-fleet.txt",
        )
    if app is None:
        fail(
            f"dagster.yaml starts runs by {type(launcher).__name__}, which has no workers; see docs/fleet.md",
            ja=f"dagster.yaml の run_launcher は {type(launcher).__name__} で、ワーカーがありません。"
            "docs/ja/fleet.md をご覧ください",
        )
    from ecauto_pipeline.fleet.worker_end import end_after_its_runs

    end_after_its_runs()
    alone = ("--without-gossip", "--without-mingle")  # workers have nothing to tell each other
    app.worker_main(["worker", "--concurrency", str(runs), "--hostname", name, "--loglevel", "INFO", *alone])
