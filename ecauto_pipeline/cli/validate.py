"""`ecauto validate`: checks the cache and fills what is missing or expired; sends the shops nothing.

Not for: what the run does (defs/, sync/).
"""

from __future__ import annotations

from typing import Annotated

import typer

from ecauto_pipeline.cli.arguments import Account, Lane, Partition, Platform, ResultJson
from ecauto_pipeline.cli.console import FINE
from ecauto_pipeline.cli.running import ready, run_lanes_and_show, shares_of
from ecauto_pipeline.cli.summary import show_survey
from ecauto_pipeline.wiring.lanes import known_lane
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def validate(
    platform: Platform = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="数えるだけ、通信しない / count only, no call")] = False,
    account: Account = None,
    lane: Lane = "",
    partition: Partition = "",
    json_output: ResultJson = False,
) -> None:
    """キャッシュを検証し、足りないものを補います。 Checks the cache and fills what is missing or expired."""
    settings = ready(platform, account, reach=not dry_run, lane=lane)
    shares = shares_of(settings, lane, platform, account)
    from ecauto_pipeline.sync.stale_asins.plan import survey

    with open_tools(settings, offline=True) as tools:
        before = survey(tools.in_lane(known_lane(settings, lane)))
    if dry_run:
        show_survey(before, json_output)
        raise typer.Exit(FINE)
    if not json_output:
        show_survey(before, False)
    raise typer.Exit(run_lanes_and_show(settings, "validate_cache", partition, shares, json_output))
