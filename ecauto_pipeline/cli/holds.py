"""`ecauto holds list|show|approve|reject`: a person's word.

Not for: why a row is held (domain/selling/guards.py, domain/selling/diffs.py).
"""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer

from ecauto_pipeline.cli.arguments import Json
from ecauto_pipeline.cli.console import FINE, fail, labelled, out, print_json, say, told
from ecauto_pipeline.settings import load
from ecauto_pipeline.sync.people import holds as keeping
from ecauto_pipeline.sync.people.goods import on_sale, titles_of
from ecauto_pipeline.sync.people.holds import Hold
from ecauto_pipeline.views.held_rows import held_lines
from ecauto_pipeline.wiring.connections import known_accounts
from ecauto_pipeline.wiring.open import open_tools

Ids = Annotated[list[str] | None, typer.Argument(metavar="DIFF_ID...", help="diff_idの先頭 / its beginning")]
Account = Annotated[str, typer.Option("--account", help="このショップだけ / only this shop")]
Asin = Annotated[str, typer.Option("--asin", help="このASINを全ショップで / this ASIN in every shop")]
Everything = Annotated[bool, typer.Option("--all", help="すべて / every open one")]


COMMAND = typer.Typer(
    help="人の確認を待っている変更。 Changes that wait for a person.", no_args_is_help=True, add_completion=False
)


@COMMAND.command("list")
def list_command(account: Account = "", json_output: Json = False) -> None:
    """保留中の変更を一覧します。 Held rows that wait for a person, oldest first."""
    settings = load()
    chosen = known_accounts(settings, (account,) if account else ())
    with open_tools(settings, offline=True) as tools:
        rows = keeping.list_holds(tools, next(iter(chosen), None))
        titles, selling = titles_of(tools, (row.asin for row in rows)), on_sale(tools, (row.key for row in rows))
        lines = list(held_lines(rows, tools.name_of, titles, selling, settings.alerts.language, out().width))
    if json_output:
        more = ({"title": titles.get(row.asin, ""), "on_sale": selling.get(row.key)} for row in rows)
        print_json([_document(row) | extra for row, extra in zip(rows, more, strict=True)])
        return
    for line in lines:
        say(line)


@COMMAND.command("show")
def show(diff_id: Annotated[str, typer.Argument(help="diff_idの先頭")], json_output: Json = False) -> None:
    """1件の根拠を表示します。 One held row with its evidence."""
    with open_tools(load(), offline=True) as tools:
        row = keeping.show_hold(tools, diff_id)
        document = _document(row) | {
            "title": titles_of(tools, [row.asin]).get(row.asin, ""),
            "on_sale": on_sale(tools, [row.key]).get(row.key),
        }
    if json_output:
        print_json(document)
        return
    labelled(told("保留", "held"), [(name, "", value) for name, value in document.items() if name != "evidence"])
    labelled(told("根拠", "evidence"), [(name, "", str(value)) for name, value in row.evidence.items()])


@COMMAND.command("approve")
def approve(
    diff_ids: Ids = None,
    account: Account = "",
    asin: Asin = "",
    everything: Everything = False,
    json_output: Json = False,
) -> None:
    """承認します。次の同期で送られます。 Say yes: the next sync that still wants it sends it."""
    _decide_holds("approve", diff_ids, account, asin, everything, json_output)


@COMMAND.command("reject")
def reject(
    diff_ids: Ids = None,
    account: Account = "",
    asin: Asin = "",
    everything: Everything = False,
    json_output: Json = False,
) -> None:
    """却下します。同じ値では二度と提案しません。 Say no: not proposed again while the value stays the same.

    非公開を却下した商品は、公開されたまま販売が続きます。 A rejected hide: the item stays on show and keeps selling.
    """
    _decide_holds("reject", diff_ids, account, asin, everything, json_output)


def _decide_holds(
    word: str, ids: list[str] | None, account: str, asin: str, everything: bool, json_output: bool
) -> None:
    if not ids and not account and not asin and not everything:
        fail(
            "name the rows (DIFF_ID), an ASIN (--asin), a shop (--account) or --all",
            ja="対象を指定してください: 行（DIFF_ID）、ASIN（--asin）、ショップ（--account）、または --all",
        )
    settings = load()
    chosen = known_accounts(settings, (account,) if account else ())
    who = getpass.getuser()
    with open_tools(settings, offline=True) as tools:
        rows = (keeping.approve if word == "approve" else keeping.reject)(
            tools, ids or (), account=next(iter(chosen), None), asin=asin.strip(), everything=everything, who=who
        )
    if json_output:
        print_json([_document(row) for row in rows])
        raise typer.Exit(FINE)
    count = len(rows)
    if word == "approve":
        say(told(f"{count} 件を承認しました。次の同期で送られます。", f"{count} approved; the next sync sends them"))
    else:
        say(told(f"{count} 件を却下しました。", f"{count} rejected"))
        consequence = keeping.consequence_of_rejecting(rows)
        if consequence:
            say(told(*consequence))


def _document(row: Hold) -> dict[str, Any]:
    return {
        "diff_id": row.diff_id,
        "run_id": row.run_id,
        "platform": row.key.platform,
        "account_id": row.key.account_id,
        "item_id": row.key.item_id,
        "asin": row.asin,
        "kind": row.kind.value,
        "shown": row.shown,
        "wanted": row.wanted,
        "cost_jpy": row.cost_jpy,
        "profit_jpy": row.profit_jpy,
        "reason": row.reason,
        "state": row.state,
        "age_s": round(row.age.total_seconds()),
        "evidence": row.evidence,
    }
