"""`ecauto auth base`, `ecauto doctor`, `ecauto alerts test`, `ecauto report`: setting up and looking after.

Not for: keeping tokens alive (shops/base/oauth.py).
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ecauto_pipeline.alerts.announce import try_channels
from ecauto_pipeline.atomic_file import replace_file
from ecauto_pipeline.cli.console import FINE, WITH_ERRORS, fail, print_json, say, table
from ecauto_pipeline.clock import SystemClock, jst
from ecauto_pipeline.doctor.examine import examine, worst
from ecauto_pipeline.errors import CallError
from ecauto_pipeline.settings import load
from ecauto_pipeline.wiring import authorize as authorising
from ecauto_pipeline.wiring.open import known_accounts, open_tools, token_keeper

Json = Annotated[bool, typer.Option("--json", help="machine-readable")]
_MARKS = {"ok": "良好", "warn": "注意", "bad": "問題"}


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="ショップの認可", no_args_is_help=True)
    group.command("base")(base)
    group.callback()(_authorise)
    app.add_typer(group, name="auth")
    alerts = typer.Typer(help="通知", no_args_is_help=True)
    alerts.command("test")(alerts_test)
    alerts.callback()(_alerts)
    app.add_typer(alerts, name="alerts")
    app.command("doctor")(doctor)
    app.command("report")(report)


def _authorise() -> None:
    """ショップの認可 / authorise a shop."""


def _alerts() -> None:
    """通知 / alerts."""


def base(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="ecauto.tomlの[[base.accounts]]のid")],
    code: Annotated[str, typer.Option("--code", help="認可後のアドレス、またはコード / what came back")] = "",
) -> None:
    """BASEのショップを認可し、トークンを保存します。 The OAuth code flow of one BASE shop."""
    settings = load()
    known_accounts(settings, (account,))
    with open_tools(settings, offline=True) as tools:
        keeper, endpoint = token_keeper(tools, account)
        invitation = authorising.authorization_url(endpoint, keeper)
        say("1. ブラウザーで次のアドレスを開き、ショップのオーナーとして許可してください。")
        say(invitation.url)
        redirect = keeper.application.redirect_uri
        try:
            if code:
                got = authorising.code_from(code)
            elif authorising.can_listen(redirect):
                say(f"2. {redirect} でお返事を待っています(5分まで)…")
                got = authorising.listen_for_code(redirect, invitation.state, tools.clock)
            else:
                pasted = typer.prompt("2. 許可のあとに開いたページのアドレスを貼り付けてください")
                got = authorising.code_from(pasted, invitation.state)
            dies = authorising.exchange_code(keeper, got, account, tools.state)
        except CallError as error:
            fail(f"{account}: {error}", WITH_ERRORS)
    until = f"(更新トークンの期限 {jst(dies):%Y-%m-%d})" if dies is not None else ""
    say(f"{account} を認可しました{until}。")


def doctor(json_output: Json = False) -> None:
    """設定・秘密・トークン・時計・ファイルを調べ、することを1行ずつ示します。 Checks everything that can be checked."""
    settings = load()
    findings = examine(settings, os.environ, SystemClock(), language=settings.alerts.language)
    if json_output:
        print_json([asdict(one) for one in findings])
    else:
        rows = [(_MARKS[one.state], one.name, one.what_is, one.what_to_do) for one in findings]
        table("診断", ("", "項目", "今の状態", "すること"), rows)
    raise typer.Exit(WITH_ERRORS if worst(findings) == "bad" else FINE)


def alerts_test() -> None:
    """設定したすべての通知先に、試しのお知らせを1通ずつ送ります。 One trial message through each channel."""
    with open_tools(load(), offline=True) as tools:
        results = try_channels(tools)
    if not results:
        say("通知先が設定されていません([[alerts.channels]])。", style="yellow")
        raise typer.Exit(WITH_ERRORS)
    table("通知の試験", ("通知先", "結果", "理由"), [(r.channel, "OK" if r.ok else "失敗", r.error) for r in results])
    raise typer.Exit(FINE if all(result.ok for result in results) else WITH_ERRORS)


def report(
    output: Annotated[Path, typer.Option("--output", "-o", help="HTMLの保存先")] = Path("weekly.html"),
) -> None:
    """この1週間を1ページのHTMLにまとめます。 The last week on one self-contained page."""
    from ecauto_pipeline.history.summaries import HistorySummaries
    from ecauto_pipeline.reports.weekly import weekly_report

    settings = load()
    with open_tools(settings, offline=True) as tools:
        page = weekly_report(tools, HistorySummaries(tools.history), tools.clock.now(), settings.alerts.language)
    replace_file(output, page)
    say(f"{output} に書きました。ブラウザーで開いてください。")
