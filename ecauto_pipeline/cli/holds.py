"""`ecauto holds list|show|approve|reject|take-back|keep|send`: a person's word.

Not for: why a row is held (domain/selling/guards.py, domain/selling/diffs.py).
"""

from __future__ import annotations

import getpass
from dataclasses import asdict
from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import Json, ResultJson
from ecauto_pipeline.cli.console import FINE, WITH_ERRORS, err, fail, labelled, out, print_json, say, told
from ecauto_pipeline.cli.hold_documents import hold_document, row_document
from ecauto_pipeline.cli.running import ready, run_and_name
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.domain.words import DECISION_STATES
from ecauto_pipeline.settings import load
from ecauto_pipeline.state.held import HeldState, word_in
from ecauto_pipeline.sync.people import holds as keeping
from ecauto_pipeline.sync.people.holds import Hold, Word, approved_ids
from ecauto_pipeline.sync.people.keep_price import keep_price
from ecauto_pipeline.sync.people.take_back import take_back
from ecauto_pipeline.views import hold_effects
from ecauto_pipeline.views.held_rows import held_lines
from ecauto_pipeline.views.hold_effects import effect_on
from ecauto_pipeline.views.holds import SORTS, Asked, held_page, held_row
from ecauto_pipeline.wiring.accounts import known_accounts
from ecauto_pipeline.wiring.open import open_tools

EVERY = 1_000_000
"""Rows of a list without --limit."""
Ids = Annotated[list[str] | None, typer.Argument(metavar="DIFF_ID...", help="diff_idの先頭 / its beginning")]
Account = Annotated[str, typer.Option("--account", help="このショップだけ / only this shop")]
Asin = Annotated[str, typer.Option("--asin", help="このASINを全ショップで / this ASIN in every shop")]
Effect = Annotated[bool, typer.Option("--dry-run", help="影響を示すだけ / say what it would do, decide nothing")]
Everything = Annotated[bool, typer.Option("--all", help="すべて / every open one")]


COMMAND = typer.Typer(
    help="人の確認を待っている変更。 Changes that wait for a person.", no_args_is_help=True, add_completion=False
)


@COMMAND.command("list")
def list_command(
    account: Account = "",
    search: Annotated[str, typer.Option("--search", help="商品名の一部、ASIN、商品ID / part of a title, ASIN")] = "",
    kind: Annotated[str, typer.Option("--kind", help="price | visibility | stock | delist")] = "",
    reason: Annotated[str, typer.Option("--reason", help="理由のコード / why it is held: move, mass_hide, ...")] = "",
    sort: Annotated[str, typer.Option("--sort", help=" | ".join(SORTS))] = "age",
    limit: Annotated[int, typer.Option("--limit", min=0, help="先頭からこの件数 / so many rows; 0 = all")] = 0,
    approved: Annotated[
        bool, typer.Option("--approved", help="承認済みで送信前のもの / approved, not sent yet")
    ] = False,
    json_output: Json = False,
) -> None:
    """保留中の変更を一覧します。 Held rows that wait for a person, oldest first."""
    settings = load()
    by = next((one for one in SORTS if one == sort), None)
    if by is None or (kind and kind not in tuple(Kind)):
        wrong, known = ("--sort", SORTS) if by is None else ("--kind", tuple(Kind))
        fail(f"{wrong}: one of {', '.join(known)}", ja=f"{wrong} は {'、'.join(known)} のどれかです")
    known_accounts(settings, (account,) if account else ())
    state: HeldState = "approved" if approved else "open"
    asked = Asked(account, kind, reason, search, by, descending=by == "change", state=state)
    with open_tools(settings, offline=True) as tools:
        page = held_page(tools, asked, limit or EVERY)
        rows = [row.hold for row in page.rows]
        titles, selling = (
            {row.hold.asin: row.title for row in page.rows},
            {row.hold.key: row.on_sale for row in page.rows},
        )
        lines = list(held_lines(rows, tools.name_of, titles, selling, settings.alerts.language, out().width))
    if json_output:
        print_json([row_document(row) for row in page.rows])
        return
    for line in lines:
        say(line)
    if page.total > len(rows):
        more = page.total - len(rows)
        say(told(f"ほか {more:,} 件（--limit 0 ですべて）", f"{more:,} more (--limit 0 shows all)"))


@COMMAND.command("show")
def show(diff_id: Annotated[str, typer.Argument(help="diff_idの先頭")], json_output: Json = False) -> None:
    """1件の根拠を表示します。 One held row with its evidence."""
    with open_tools(load(), offline=True) as tools:
        row = held_row(tools, diff_id)
    document = row_document(row)
    if json_output:
        print_json(document)
        return
    plain = {name: value for name, value in document.items() if name not in ("evidence", "sources", "before")}
    labelled(told("保留", "held"), [(name, "", value) for name, value in plain.items()])
    labelled(told("根拠", "evidence"), [(name, "", str(value)) for name, value in row.hold.evidence.items()])


@COMMAND.command("approve")
def approve(
    diff_ids: Ids = None,
    account: Account = "",
    asin: Asin = "",
    everything: Everything = False,
    dry_run: Effect = False,
    json_output: Json = False,
) -> None:
    """承認します。次の同期で送られます。 Say yes: the next sync that still wants it sends it.

    すでに決まっていたものは変えずに名前を挙げ、終了コード1で終わります。 What was decided before stays and is named:
    exit code 1.
    """
    _decide_holds("approve", diff_ids, account, asin, everything, dry_run, json_output)


@COMMAND.command("reject")
def reject(
    diff_ids: Ids = None,
    account: Account = "",
    asin: Asin = "",
    everything: Everything = False,
    dry_run: Effect = False,
    json_output: Json = False,
) -> None:
    """却下します。同じ値では二度と提案しません。 Say no: not proposed again while the value stays the same.

    非公開を却下した商品は、公開されたまま販売が続きます。 A rejected hide: the item stays on show and keeps selling.
    すでに決まっていたものは変えずに名前を挙げ、終了コード1で終わります。 What was decided before stays and is named:
    exit code 1.
    """
    _decide_holds("reject", diff_ids, account, asin, everything, dry_run, json_output)


@COMMAND.command("take-back")
def take_back_command(
    diff_ids: Annotated[list[str], typer.Argument(metavar="DIFF_ID...", help="diff_idの先頭 / its beginning")],
    json_output: Json = False,
) -> None:
    """承認を取り消します。まだ送っていないものに限ります。 Takes a yes back, as long as nothing was sent for it.

    却下と同じになります。 It is rejected then.
    承認していないもの、送ったものは変えずに名前を挙げ、終了コード1で終わります。 What has no yes, or was sent, stays
    and is named: exit code 1.
    """
    with open_tools(load(), offline=True) as tools:
        said = take_back(tools, diff_ids, getpass.getuser())
    if json_output:
        print_json([hold_document(row) for row in said.done])
    elif said.done:
        count = len(said.done)
        say(told(f"{count} 件の承認を取り消し、却下しました。", f"{count} taken back: rejected now"))
        consequence = keeping.consequence_of_rejecting(said.done)
        if consequence:
            say(told(*consequence))
    for row in said.late:
        state = told(*DECISION_STATES["sent" if row.state == "approved" else row.state])
        name = f"{row.diff_id[:12]} {row.key.account_id} {row.key.item_id} {row.asin}"
        line = told(f"{name}: 取り消せません（{state}）", f"{name}: can't be taken back ({state})")
        err().print(line, style="yellow", markup=False)
    raise typer.Exit(WITH_ERRORS if said.late else FINE)


@COMMAND.command("keep")
def keep(diff_id: Annotated[str, typer.Argument(help="diff_idの先頭")], json_output: Json = False) -> None:
    """今の価格のままにします。 Keeps the price shown: a rule fixes it for this listing, and the row is rejected.

    規則は data/rules.csv の1行です。消せばまた自動になります。 A line of data/rules.csv: without it the price is worked
    out again. すでに決まっていたときは何も変えず、終了コード1です。 Decided before: nothing changes, exit code 1.
    """
    with open_tools(load(), offline=True) as tools:
        said = keep_price(tools, diff_id, getpass.getuser())
    if json_output:
        print_json([hold_document(row) for row in said.done])
    for row in said.done if not json_output else ():
        say(
            told(
                f"{row.key.item_id} の価格を {row.shown:,}円に固定しました。",
                f"{row.key.item_id} stays at {row.shown:,} yen",
            )
        )
    for row in said.late:
        err().print(_late_line(row), style="yellow", markup=False)
    raise typer.Exit(WITH_ERRORS if said.late else FINE)


@COMMAND.command("send")
def send(diff_ids: Ids = None, json_output: ResultJson = False) -> None:
    """承認済みの変更を、次の同期を待たずに送ります。 Sends what was approved at once, where it is still needed.

    DIFF_IDを省略すると承認済みのすべてです。 Without ids: everything approved. 送らなかったものがあれば終了コード1。
    What is not sent (things changed, the shop is closed to us) makes the exit code 1.
    """
    with open_tools(load(), offline=True) as tools:
        names = approved_ids(tools, diff_ids or ())
    if not names:
        fail("nothing that was approved waits to be sent", ja="承認済みで送信を待っている変更はありません")
    settings = ready("", None)
    form: dict[str, object] = {"diff_ids": names, "who": getpass.getuser()}
    _, code = run_and_name(settings, "release_holds", {"dry_run": False}, json_output, form)
    raise typer.Exit(code)


def _decide_holds(
    word: Word,
    ids: list[str] | None,
    account: str,
    asin: str,
    everything: bool,
    dry_run: bool,
    json_output: bool,
) -> None:
    if not ids and not account and not asin and not everything:
        fail(
            "name the rows (DIFF_ID), an ASIN (--asin), a shop (--account) or --all",
            ja="対象を指定してください: 行（DIFF_ID）、ASIN（--asin）、ショップ（--account）、または --all",
        )
    settings = load()
    shop = next(iter(known_accounts(settings, (account,) if account else ())), None)
    with open_tools(settings, offline=True) as tools:
        if dry_run:
            chosen = keeping.choose(tools, ids or (), account=shop, asin=asin.strip(), everything=everything)
            _say_effect(effect_on(tools, chosen.done, len(chosen.late)), word, json_output)
            return
        said = keeping.decide(
            tools, word, ids or (), account=shop, asin=asin.strip(), everything=everything, who=getpass.getuser()
        )
    if json_output:
        print_json([hold_document(row) for row in said.done])
    else:
        _say_done(word, said)
    for row in said.late:
        err().print(_late_line(row), style="yellow", markup=False)
    raise typer.Exit(WITH_ERRORS if said.late else FINE)


def _say_effect(effect: hold_effects.Effect, word: Word, json_output: bool) -> None:
    if json_output:
        print_json(asdict(effect) | {"lines": [told(*line) for line in hold_effects.effect_lines(effect, word)]})
        return
    for line in hold_effects.effect_lines(effect, word):
        say(told(*line))


def _say_done(word: Word, said: keeping.Said) -> None:
    count = len(said.done)
    if word == "approve":
        say(told(f"{count} 件を承認しました。次の同期で送られます。", f"{count} approved; the next sync sends them"))
        return
    say(told(f"{count} 件を却下しました。", f"{count} rejected"))
    consequence = keeping.consequence_of_rejecting(said.done)
    if consequence:
        say(told(*consequence))


def _late_line(row: Hold) -> str:
    """What became of a row for which the word came too late."""
    said = word_in(row.evidence, row.wanted)
    state = told(*DECISION_STATES[row.state])
    by = f", {said.who}" if said is not None else ""
    name = f"{row.diff_id[:12]} {row.key.account_id} {row.key.item_id} {row.asin}"
    return told(f"{name}: すでに決まっています（{state}{by}）", f"{name}: decided before ({state}{by})")
