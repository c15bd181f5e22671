"""Options that several commands have.

Not for: those of one command (its module).
"""

from __future__ import annotations

from typing import Annotated

import typer

Account = Annotated[list[str] | None, typer.Option("--account", help="このショップだけ / only this shop (repeatable)")]
Json = Annotated[bool, typer.Option("--json", help="machine-readable")]
ResultJson = Annotated[bool, typer.Option("--json", help="結果をJSONで / machine-readable")]
Platform = Annotated[str, typer.Option("--platform", help="この販売先だけ / only the shops of this platform")]
Partition = Annotated[str, typer.Option("--partition", help="対象の1時間 / the hour; default: this one")]
