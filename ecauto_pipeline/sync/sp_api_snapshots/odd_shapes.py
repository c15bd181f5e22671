"""What a run's answers held that nobody expected: noted as it comes, with an example of each, and ended when measured.

Noted in the transaction of the batch that brought it, so that people hear of it while a long run still goes on.
Not for: what a shape is (amazon/shapes.py) or when somebody is told (alerts/rules/shapes.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ecauto_pipeline.amazon.samples import SampleFolder
from ecauto_pipeline.state import amazon_shapes
from ecauto_pipeline.sync.context import Context, Tools

if TYPE_CHECKING:
    from ecauto_pipeline.amazon.client import SpApiClient

_LOGGED = 10

OddShapesMet = tuple[tuple[str, str, int], ...]
"""(operation, shape, ASINs), the most first."""


def samples_of(tools: Tools) -> SampleFolder:
    """Where the examples of this installation are."""
    return SampleFolder(tools.settings.data_dir / "samples")


def note_shapes(connection: Connection, account: SpApiClient, now: datetime) -> None:
    """What this account's answers held since it was last asked."""
    amazon_shapes.note(connection, account.odd.unnoted(), now)


def keep_examples(tools: Tools) -> None:
    """One file for each shape that has none; never a reason for a run to end."""
    for account in tools.sp_accounts:
        for example in account.odd.examples():
            trouble = samples_of(tools).keep(example)
            if trouble:
                tools.log.warning("%s: no example of %r could be kept: %s", example.operation, example.shape, trouble)


def end_of_asking(
    context: Context, connection: Connection, measured: Mapping[str, Set[str]] | None = None
) -> OddShapesMet:
    """The shapes that this run met; those that it measured and did not meet have gone.

    `measured`: by operation the ASINs that it was told of, None = as its observations say.
    """
    now, found = context.clock.now(), dict[tuple[str, str], set[str]]()
    for account in context.sp_accounts:
        note_shapes(connection, account, now)
        for key, asins_of_it in account.odd.taken().items():
            found.setdefault(key, set()).update(asins_of_it)
    if measured is None:
        measured = amazon_shapes.measured_by(connection, context.run.run_id)
    for operation, shape in amazon_shapes.settle(connection, measured, found, now):
        context.log.info("%s: answers are as documented again: %s", operation, shape)
    counted = sorted(((*key, len(names)) for key, names in found.items()), key=lambda row: (-row[2], row))
    for operation, shape, number in counted[:_LOGGED]:
        context.log.warning("%s: %d answers are not as documented: %s", operation, number, shape)
    return tuple(counted)
