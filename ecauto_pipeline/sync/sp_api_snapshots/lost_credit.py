"""Zeros that lost their credit: what they had set in motion is taken back, in the transaction that finds it out.

Not for: which zeros lose it (mass_zeros.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.amazon.operation import Operation
from ecauto_pipeline.domain.model import Answer, Role
from ecauto_pipeline.domain.offers.learning import AsinRow
from ecauto_pipeline.state import asins, observations
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.sp_api_snapshots.mass_zeros import REASON
from ecauto_pipeline.sync.sp_api_snapshots.opinions import Opinions


def disbelieve(
    context: Context,
    connection: Connection,
    opinions: Opinions,
    operation: Operation[Answer],
    role: Role,
    lost: Mapping[str, str],
    now: datetime,
) -> dict[str, int | None]:
    """Take back what the zeros `lost` (snapshot id -> ASIN) had set in motion. Returns the ASINs with the price
    believed, in yen.

    What a second opinion has borne out meanwhile is believed on its own account; what it denied stays a contradiction,
    and is not asked again.
    """
    if not lost:
        return {}
    context.log.warning("%s: too many zeros at once, none is believed in this run", operation.name)
    rows = asins.read(connection, list(lost.values()))
    still = {sid: asin for sid, asin in lost.items() if rows[asin].snapshot_id != sid and not opinions.denied(sid)}
    observations.disbelieve(connection, context.run.run_id, operation.name, list(still), REASON)
    taken_back = []
    for snapshot_id, asin in still.items():
        row = _without_its_doubt(rows[asin], snapshot_id, role)
        if row is not None:
            taken_back.append(replace(row, error_count=row.error_count + 1, error_at=now, error_reason=REASON))
    asins.write(connection, taken_back)
    return {asin: rows[asin].price_jpy for asin in still.values()}


def _without_its_doubt(row: AsinRow, snapshot_id: str, role: Role) -> AsinRow | None:
    """The row as it was before that zero asked for more; None where another operation has spoken since."""
    if role is Role.SWEEP and row.wants_detail == "zero":
        return replace(row, wants_detail="")
    if row.doubt == "zero" and row.doubt_snapshot_id == snapshot_id:
        return replace(row, doubt="", doubt_price_jpy=None, doubt_at=None, doubt_operation="", doubt_snapshot_id="")
    return None
