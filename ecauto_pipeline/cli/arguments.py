"""Options that several commands have.

Not for: those of one command (its module).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from ecauto_pipeline.cli.console import fail
from ecauto_pipeline.clock import JST

Account = Annotated[list[str] | None, typer.Option("--account", help="このショップだけ / only this shop (repeatable)")]
Json = Annotated[bool, typer.Option("--json", help="machine-readable")]
ResultJson = Annotated[bool, typer.Option("--json", help="結果をJSONで / machine-readable")]
Platform = Annotated[str, typer.Option("--platform", help="この販売先だけ / only the shops of this platform")]
Lane = Annotated[str, typer.Option("--lane", help="このレーンだけ / only this lane of ecauto.toml")]
Partition = Annotated[str, typer.Option("--partition", help="対象の1時間 / the hour; default: this one")]


def moment_of(option: str, text: str) -> datetime:
    """A time that somebody typed, Japanese unless it says otherwise; where it is none, the command ends."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(
            f'{option} {text!r} is no time; one looks like "2026-11-23 18:00" or 2026-11-23T18:00:00+09:00',
            ja=f'{option} {text!r} は日時ではありません（例 "2026-11-23 18:00"、2026-11-23T18:00:00+09:00）',
        )
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=JST)
