"""`ecauto auth base`: the OAuth code flow of one shop.

Not for: keeping tokens alive (shops/base/oauth.py).
"""

from __future__ import annotations

from typing import Annotated

import typer

from ecauto_pipeline.cli.console import WITH_ERRORS, fail, say, told
from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.words import sentence_of
from ecauto_pipeline.errors import CallError
from ecauto_pipeline.settings import load
from ecauto_pipeline.wiring import authorize as authorising
from ecauto_pipeline.wiring.accounts import known_accounts
from ecauto_pipeline.wiring.clients import token_keeper
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(help="ショップの認可。 Authorise a shop.", no_args_is_help=True, add_completion=False)


@COMMAND.callback()
def _authorise() -> None:
    """ショップの認可。 Authorise a shop."""


@COMMAND.command("base")
def base(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="ecauto.tomlのbase.accountsのid / the shop's id")],
    code: Annotated[str, typer.Option("--code", help="認可後のアドレス、またはコード / what came back")] = "",
) -> None:
    """BASEのショップを認可し、トークンを保存します。 The OAuth code flow of one BASE shop."""
    settings = load()
    known_accounts(settings, (account,), "base")
    with open_tools(settings, offline=True) as tools, token_keeper(tools, account) as (keeper, endpoint):
        invitation = authorising.authorization_url(endpoint, keeper)
        say(
            told(
                "1. ブラウザーで次のアドレスを開き、ショップのオーナーとして許可してください。",
                "1. Open this address in a browser and allow it as the shop's owner.",
            )
        )
        say(invitation.url)
        redirect = keeper.application.redirect_uri
        try:
            if code:
                got = authorising.code_from(code)
            elif authorising.can_listen(redirect):
                say(
                    told(
                        f"2. {redirect} でお返事を待っています(5分まで)…",
                        f"2. Waiting at {redirect} for the answer (up to 5 minutes)...",
                    )
                )
                got = authorising.listen_for_code(redirect, invitation.state, tools.clock)
            else:
                ask = told(
                    "2. 許可のあとに開いたページのアドレスを貼り付けてください",
                    "2. Paste the address of the page that opened after you allowed it",
                )
                pasted = typer.prompt(ask)
                got = authorising.code_from(pasted, invitation.state)
            dies = authorising.exchange_code(keeper, got, account, tools.state)
        except CallError as error:
            fail(f"{account}: {error}", WITH_ERRORS, ja=f"{account} を認可できませんでした: {sentence_of(error)}")
    day = "" if dies is None else f"{jst(dies):%Y-%m-%d}"
    until = told(f"(更新トークンの期限 {day})", f" (its refresh token lives until {day})") if day else ""
    say(told(f"{account} を認可しました{until}。", f"{account} is authorised{until}."))
