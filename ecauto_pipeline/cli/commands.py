"""The commands, each with the line that `ecauto --help` shows; a command's module is imported when it is called.

A new command is a module of its name with a `COMMAND`, and a line here. What a command needs (Dagster, DuckDB,
Amazon's library) is imported at the top of its own module and of those below it, so that nobody else waits for it.
Not for: options, or what a command does (its module).
"""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, get_type_hints

import click
import typer
from typer.core import TyperCommand, TyperGroup
from typer.models import ArgumentInfo

COMMANDS: Mapping[str, str] = {
    "demo": "エミュレーター上の3ショップで、同期を1回通して実行します。 The whole line once, against the emulator.",
    "dev": "エミュレーター(必要なら)、Dagsterの画面、店主の画面を起動します。Ctrl-Cで終わります。"
    " Emulator, UI and desk.",
    "desk": "店主の画面を開きます (http://127.0.0.1:3001、Ctrl-Cで終了)。 The shop owner's page.",
    "emulator": "エミュレーターだけを起動します(Ctrl-Cで終了)。 The emulator alone.",
    "sync": "今の1時間ぶんの同期を1回実行します。 One run of the current hour (one a lane): read, ask, decide, push.",
    "validate": "キャッシュを検証し、足りないものを補います。 Checks the cache and fills what is missing or expired.",
    "status": "正常か要対応か、その理由と次のコマンド。 Whether a person has to look and why; how fresh all is.",
    "runs": "実行の一覧、内容、中止。 What runs did, and the end of one under way.",
    "changes": "今日ショップで変えたもの(公開状態・価格)を新しい順に示します。 What was changed at the shops today.",
    "items": "商品を検索します(販売中・赤字・確認待ちなどで絞り込み、CSVにも)。 Listings: search, filter, sort, CSV.",
    "unwatched": "同期されていない商品と、その理由の一覧です。 What is not watched, and why.",
    "samples": "想定外の形をしたAmazonの回答。 Amazon's answers in a shape nobody expected.",
    "explain": "なぜこの価格か、なぜ非公開かを説明します。 Why this price, why hidden, at any moment.",
    "capacity": "今の制限で何件を新しく保てるかを計算します。 What these limits can keep fresh.",
    "stop": "ショップへの送信をすべて、実行中のものも含めて、今すぐ止めます(非公開も)。 Stops all pushing at once.",
    "resume": "ecauto stop で止めた送信を再開します。 Pushing goes on.",
    "rollback": "実行がBASEで変えたものを、まだそのままなら元に戻します(30日前まで)。"
    " Puts back what runs changed, up to 30 days.",
    "plan": "送る予定の変更をファイルに書きます(BASEには何も送りません)。 The dry run as a file.",
    "apply": "計画のとおりに送ります。変わった行は1行ずつ断ります。 Applies exactly that file, if still valid.",
    "what-if": "設定や規則を変えたらどうなるかを比べます(何も書きません)。 What a change would do; nothing is written.",
    "import-legacy": "以前のスクリプトの設定・トークン・価格方針を引き継ぎます。"
    " Takes over the older scripts' settings.",
    "doctor": "設定・秘密・トークン・時計・ファイルを調べ、することを1行ずつ示します。"
    " Checks everything that can be checked.",
    "setup": "本番までの手順と、どこまで済んだか。 The way to a live shop, and how far it is gone.",
    "report": "この1週間を1ページのHTMLにまとめます。 The last week on one self-contained page.",
    "holds": "人の確認を待っている変更。 Changes that wait for a person.",
    "orders": "最近の注文と、その仕入れと利益。 What was sold lately, what it cost, what is left.",
    "money": "注文と利益を日と月ごとに、避けた損失とともに表示します。 What is left of orders, and losses avoided.",
    "rules": "商品ごとの規則 (固定価格・下限・販売禁止など)。 Rules per item: fixed prices, floors, bans.",
    "register": "台帳(master.db): 急な減少を認める、PostgreSQLと移し合う。 The register: accept a fall, carry it.",
    "cache": "以前のJSONキャッシュの取り込みと書き出し。 The older file cache, in and out.",
    "auth": "ショップの認可。 Authorise a shop.",
    "keys": "複数台で動かすときの、トークンを封印する鍵。 The key that seals a fleet's tokens.",
    "alerts": "通知。 Alerts.",
    "fleet": "複数の機械で動かすためのコマンド (docs/fleet.md)。 Several machines that share the work.",
    "history": "履歴の検証・再構築・圧縮。 Verify, rebuild or compact the history.",
}


class NamedCommand(TyperCommand):
    """A command of which only name and line are known; the first use of it imports its module."""

    def load(self) -> click.Command:
        """The command itself. Its context is made by it, so that this one is never invoked."""
        from ecauto_pipeline.cli.project import ANYWHERE, in_a_project  # pydantic: not for the help of all commands

        module = import_module(f"ecauto_pipeline.cli.{(self.name or '').replace('-', '_')}")
        command = typer.main.get_command(module.COMMAND)
        command.name = self.name
        _describe_arguments(command)
        if isinstance(command, TyperGroup):
            command.suggest_commands = False  # as below
        if self.name not in ANYWHERE:
            in_a_project(command)
        gc.freeze()  # what is loaded stays: no collection looks through it again
        gc.enable()
        return command

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        return self.load().make_context(info_name, args, parent, **extra)


def command_line(before_a_command: Callable[[], None] | None = None) -> TyperGroup:
    """`ecauto` as a whole. `before_a_command` is called before a command's module is imported, not for the help."""
    return TyperGroup(
        name="ecauto",
        help="BASEの商品の価格・公開状態・在庫を、Amazonに合わせて保ちます。 Keeps BASE shops in step with Amazon.",
        commands={name: NamedCommand(name, help=line) for name, line in COMMANDS.items()},
        no_args_is_help=True,
        suggest_commands=False,  # click says "did you mean" already
        callback=before_a_command,
    )


def _describe_arguments(command: click.Command) -> None:
    """Give every argument its help: typer 0.25 hands it to a class of click 8.5 that forgets it."""
    for child in getattr(command, "commands", {}).values():
        _describe_arguments(child)
    if command.callback is None:
        return
    hints = get_type_hints(inspect.unwrap(command.callback), include_extras=True)
    for parameter in command.params:
        extras = getattr(hints.get(parameter.name or ""), "__metadata__", ())
        said = next((extra.help for extra in extras if isinstance(extra, ArgumentInfo) and extra.help), "")
        if said and parameter.param_type_name == "argument":
            parameter.help = said
