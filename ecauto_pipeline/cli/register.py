"""`ecauto register`: a person's word that a shop's part of the register did shrink; and carrying it between the owner's
file and PostgreSQL, looked at first.

Not for: when a fall is not believed (domain/selling/register_fall.py), or how it is carried (register/carrying.py).
"""

from __future__ import annotations

import getpass
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ecauto_pipeline.alerts.rules.register_read import fell
from ecauto_pipeline.cli.console import USAGE, fail, print_json, say, table, told
from ecauto_pipeline.register.carrying import Carried, Side, carry
from ecauto_pipeline.register.owner_file import OwnerFile
from ecauto_pipeline.settings import load
from ecauto_pipeline.sync.people.register_counts import accept as accept_counts
from ecauto_pipeline.wiring.accounts import known_accounts
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline.wiring.register_place import register_in_postgresql

COMMAND = typer.Typer(
    help="台帳(master.db): 急な減少を認める、PostgreSQLと移し合う。 The register: accept a fall, carry it.",
    no_args_is_help=True,
    add_completion=False,
)


_File = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="SQLiteのファイル(省略: data/master.db) / the SQLite file")
]
_Yes = Annotated[bool, typer.Option("--yes", help="確認せずに行う / do not ask")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="調べるだけ / look only")]
_Rest = Annotated[bool, typer.Option("--remove-rest", help="移す先だけにある行を消す / rows only the target has go")]
_Json = Annotated[bool, typer.Option("--json", help="JSONで出力 / as JSON")]


@COMMAND.callback()
def _register() -> None:
    """台帳(master.db)。 The register."""


@COMMAND.command("accept")
def accept(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="減少を認めるショップ / the shop that did shrink")],
) -> None:
    """master.dbで減った出品や商品名を正しいと認めます。次の実行から新しい件数で進みます。

    What fell in master.db is right: the next run goes by the new counts, and unlists what left. Where nothing fell:
    exit code 2, nothing is changed.
    """
    settings = load()
    english = settings.alerts.language == "en"
    chosen = known_accounts(settings, (account,))[0]
    with open_tools(settings, offline=True) as tools:
        found = accept_counts(tools, chosen, getpass.getuser())
        shop = tools.name_of(chosen)
    if not found:
        fail(
            f"nothing of shop {shop} fell in master.db; there is nothing to accept",
            ja=f"ショップ {shop} で認める減少はありません",
        )
    for one in found:
        words = fell(one)
        say(f"{shop}: {words.en if english else words.ja}")
    say(
        "accepted; the next run goes by the new counts" if english else "認めました。次の実行から新しい件数で進みます。"
    )


@COMMAND.command("import")
def import_(
    file: _File = None, yes: _Yes = False, dry_run: _DryRun = False, remove_rest: _Rest = False, as_json: _Json = False
) -> None:
    """店のmaster.dbを、設定 paths.master_db のPostgreSQLに移します。失われるものを先に示します。ファイルは変えません。

    The owner's master.db into PostgreSQL, all or nothing. What would be lost is said first; the file stays as it is.
    """
    settings = load()
    owner = OwnerFile(file or settings.master_db)
    _carry(owner, register_in_postgresql(settings), yes, dry_run, remove_rest, as_json)


@COMMAND.command("export")
def export(
    file: _File = None, yes: _Yes = False, dry_run: _DryRun = False, remove_rest: _Rest = False, as_json: _Json = False
) -> None:
    """PostgreSQLの台帳を、SQLiteのファイルに移します(なければ作ります)。失われるものを先に示します。

    The register in PostgreSQL into an SQLite file, all or nothing; a file that is not there is made.
    """
    settings = load()
    owner = OwnerFile(file or settings.master_db)
    _carry(register_in_postgresql(settings), owner, yes, dry_run, remove_rest, as_json)


def _carry(source: Side, target: Side, yes: bool, dry_run: bool, remove_rest: bool, as_json: bool) -> None:
    """Looked at, shown, asked about, done. With --json nothing is asked: it is done with --yes alone."""
    looked = carry(source, target, apply=False, remove_rest=remove_rest)
    if as_json:
        done = carry(source, target, apply=True, remove_rest=remove_rest) if yes and not dry_run else looked
        print_json(asdict(done))
        return
    _show(source, target, looked, remove_rest)
    if dry_run:
        return
    if not yes and not typer.confirm(told("この内容で移します。よろしいですか", "Carry it over like this")):
        raise typer.Exit(USAGE)
    done = carry(source, target, apply=True, remove_rest=remove_rest)
    say(told(f"{done.to_do:,}行を移しました。", f"{done.to_do:,} rows carried over."))


_LOST = {
    "table": ("移さない表", "a table that stays behind"),
    "column": ("移す先にない列", "a column that the target lacks"),
    "value": ("そのまま移せない値", "values that can't come as they are"),
    "row": ("移せない行", "rows that can't come"),
}


def _show(source: Side, target: Side, looked: Carried, remove_rest: bool) -> None:
    alone = told("先だけ(消す)", "only there (go)") if remove_rest else told("先だけ(残る)", "only there (stay)")
    names = [
        told(*one) for one in (("表", "table"), ("行", "rows"), ("新しい", "new"), ("違う", "differ"), ("同じ", "same"))
    ]
    rows = [(one.table, one.rows, one.new, one.differing, one.same, one.only_there) for one in looked.tables]
    table(f"{source.name} -> {target.name}", [*names, alone], rows)
    if not looked.lost:
        say(told("失われるものはありません。", "Nothing would be lost."))
        return
    heads = [told(*one) for one in (("失われるもの", "lost"), ("場所", "place"), ("件数", "count"), ("例", "example"))]
    lost = [(told(*_LOST[one.kind]), one.place, one.count, one.example) for one in looked.lost]
    table(told("失われるもの", "What would be lost"), heads, lost)
