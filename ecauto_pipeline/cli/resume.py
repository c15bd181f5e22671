"""`ecauto resume`: what `ecauto stop` stopped may be sent again.

Not for: stopping (stop.py).
"""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from ecauto_pipeline.cli.console import fail, say, told
from ecauto_pipeline.settings import load
from ecauto_pipeline.sync.people.stop import resume_pushing
from ecauto_pipeline.wiring.accounts import known_accounts, shop_accounts
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def resume(
    account: Annotated[
        str, typer.Argument(metavar="[ACCOUNT]", help="再開するショップ。省略するとすべて / one shop; all without")
    ] = "",
) -> None:
    """ecauto stop で止めた送信を再開します。 Pushing goes on.

    待っていた変更は次の実行が改めて判断します。先に原因(設定など)を直し、ecauto plan で送るものを見てください。
    Mend the cause first: ecauto plan shows what would leave.
    止まっていなければ終了コード2です。 Exit code 2 where nothing was stopped.
    """
    settings = load()
    accounts = known_accounts(settings, (account,) if account else ())
    with open_tools(settings, offline=True) as tools:
        ended = resume_pushing(tools, accounts, tuple(shop_accounts(settings)), getpass.getuser())
    if not ended:
        which = account or told("どのショップも", "no shop")
        fail(f"{which}: pushing is not stopped", ja=f"{which}: 送信は止まっていません")
    say(
        told(
            "再開しました。次の実行が、待っていた変更を改めて判断して送ります。",
            "pushing goes on; the next run judges anew what waited, and sends it",
        )
    )
