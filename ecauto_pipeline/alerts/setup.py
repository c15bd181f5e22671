"""What the alert rules go by besides the record of a run, gathered from what is kept: held rows, shapes, channels.

Not for: the rules (rules/) or telling anybody (announce.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from ecauto_pipeline.alerts.announce import broken_channels
from ecauto_pipeline.alerts.rule import AlertSetup
from ecauto_pipeline.alerts.rules.shops import BLOCKING_BREAKERS
from ecauto_pipeline.alerts.verdicts import WORST_ROWS, Row
from ecauto_pipeline.amazon.samples import sample_name
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.state import decisions
from ecauto_pipeline.state.amazon_shapes import ShapeMet, shapes_met
from ecauto_pipeline.state.shop_accounts import load_accounts
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.sp_api_snapshots.odd_shapes import samples_of


def alert_setup(tools: Tools) -> AlertSetup:
    """What the rules go by besides the run."""
    held: dict[str, dict[str, Row]] = {}
    now = tools.clock.now()
    with tools.state.read() as connection:
        shapes = tuple(one for one in shapes_met(connection) if one.gone_at is None and not one.known(now))
        waiting = decisions.holds(connection)
        unsent = {
            key: decisions.unsent(connection, key, shop.breaker_since, WORST_ROWS)
            for key, shop in load_accounts(connection).items()
            if shop.breaker in BLOCKING_BREAKERS and shop.breaker_since is not None
        }
    names = {account: tools.name_of(account) for account in {one.diff.key.account for one in waiting}}
    for one in waiting:
        key, kind = one.diff.key, one.diff.kind.value
        held.setdefault(names[key.account], {}).setdefault(
            f"{key.item_id}/{kind}", {**_row(tools, one), "diff_id": one.diff_id}
        )
    rows = {tools.name_of(account): tuple(_row(tools, one) for one in found) for account, found in unsent.items()}
    return AlertSetup(tools.settings.alerts, broken_channels(tools), held, rows, shapes, _samples(tools, shapes), now)


def _samples(tools: Tools, shapes: Sequence[ShapeMet]) -> dict[tuple[str, str], str]:
    """The example's file of each shape that has one, as people find it: from the folder that holds the data folder."""
    folder = samples_of(tools)
    there = folder.names() if shapes else ()
    names = {(one.operation, one.shape): sample_name(one.operation, one.shape) for one in shapes}
    place = tools.settings.data_dir.name
    return {key: f"{place}/{folder.folder.name}/{name}.json" for key, name in names.items() if name in there}


def _row(tools: Tools, one: decisions.Decided) -> Row:
    return {
        "asin": one.diff.asin,
        "item_id": one.diff.key.item_id,
        "kind": one.diff.kind.value,
        "shown": one.diff.shown,
        "wanted": one.diff.wanted,
        "reason": said(one.diff.reason, tools.settings.alerts.language),
    }
