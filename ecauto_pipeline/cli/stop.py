"""`ecauto stop`: nothing more is sent to any shop, or to one, in runs under way too, until `ecauto resume`.

Not for: ending a run (Ctrl-C), or what still leaves (rollback.py).
"""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from ecauto_pipeline.cli.console import say, told
from ecauto_pipeline.clock import jst
from ecauto_pipeline.settings import load
from ecauto_pipeline.sync.people.stop import stop_pushing
from ecauto_pipeline.wiring.accounts import known_accounts
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def stop(
    account: Annotated[
        str, typer.Argument(metavar="[ACCOUNT]", help="止めるショップ。省略するとすべて / one shop; all without")
    ] = "",
) -> None:
    """ショップへの送信をすべて、実行中のものも含めて、今すぐ止めます(非公開も)。 Stops all pushing at once.

    価格・公開・在庫の変更は1件も出ません。ecauto rollback だけは送れます。 Hides are held back too; a rollback is not.
    ecauto resume まで、再起動しても続きます。 It stands until ecauto resume, over restarts.
    """
    settings = load()
    accounts = known_accounts(settings, (account,) if account else ())
    with open_tools(settings, offline=True) as tools:
        found = stop_pushing(tools, accounts, getpass.getuser())
        names = {one.account: tools.name_of(one.account) for one in found if one.account is not None}
    for one in found:
        at = f"{jst(one.since):%Y-%m-%d %H:%M}"
        shop = told("すべてのショップ", "every shop") if one.account is None else names[one.account]
        say(told(f"{shop}: 送信停止中（{at} から、{one.who}）", f"{shop}: pushing stopped since {at} by {one.who}"))
    say(
        told(
            "取り消し: ecauto rollback RUN_ID　再開: ecauto resume",
            "undo: ecauto rollback RUN_ID; go on: ecauto resume",
        )
    )
