"""`ecauto register accept`: a person's word that a shop's part of master.db did shrink.

Not for: when a fall is not believed (domain/selling/register_fall.py).
"""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from ecauto_pipeline.alerts.rules.register_read import fell
from ecauto_pipeline.cli.console import fail, say
from ecauto_pipeline.settings import load
from ecauto_pipeline.sync.people.register_counts import accept as accept_counts
from ecauto_pipeline.wiring.connections import known_accounts
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(
    help="master.dbの急な減少を認める。 Accept a sudden fall of master.db.", no_args_is_help=True, add_completion=False
)


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
