"""`ecauto validate`: checks the cache and fills what is missing or expired; sends the shops nothing.

Not for: what the run does (defs/, sync/).
"""

from __future__ import annotations

from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import Account, Partition, Platform, ResultJson
from ecauto_pipeline.cli.console import FINE
from ecauto_pipeline.cli.running import chosen, ready, run_and_show
from ecauto_pipeline.cli.summary import show_survey
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def validate(
    platform: Platform = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="数えるだけ、通信しない / count only, no call")] = False,
    account: Account = None,
    partition: Partition = "",
    json_output: ResultJson = False,
) -> None:
    """キャッシュを検証し、足りないものを補います。 Checks the cache and fills what is missing or expired."""
    settings = ready(platform, account, reach=not dry_run)
    from ecauto_pipeline.sync.stale_asins.plan import survey

    with open_tools(settings, offline=True) as tools:
        before = survey(tools)
    if dry_run:
        show_survey(before, json_output)
        raise typer.Exit(FINE)
    if not json_output:
        show_survey(before, False)
    config: dict[str, object] = {"accounts": chosen(settings, platform, account)}
    raise typer.Exit(run_and_show(settings, "validate_cache", partition, config, json_output))
