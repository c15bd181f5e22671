"""The lanes as they stand: whose shops and accounts, how fresh their goods are, when their runs were.

What `ecauto status` shows where `[[lanes]]` are written. Not for: who works on a lane just now (views/fleet.py), or how
lanes are cut (settings/lanes.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.lanes import Lane
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.stale_asins.next_slice import SYNC_JOBS
from ecauto_pipeline.sync.stale_asins.plan import survey
from ecauto_pipeline.wiring.lanes import lanes_of


@dataclass(frozen=True, slots=True)
class LaneNow:
    """One lane. `shops`: the names of its active ones; `asins` of theirs, `due` of these.

    `oldest_stock_s`: age of what was longest not confirmed, None = nothing ever was; `last_sign_at`: when a sync of it
    last gave a sign of life, aware UTC, None = none is on record.
    """

    id: str
    shops: tuple[str, ...]
    sp_accounts: tuple[str, ...]
    asins: int
    due: int
    oldest_stock_s: float | None
    last_sign_at: datetime | None


def lanes_now(tools: Tools) -> tuple[LaneNow, ...]:
    """Every lane in the order of ecauto.toml; () where it writes none. Raises SettingsError, as `lanes_of`."""
    return tuple(_now(tools, lane) for lane in lanes_of(tools.settings) if not lane.whole)


def as_data(one: LaneNow) -> Mapping[str, Any]:
    """As `ecauto status --json` has it; times in JST."""
    return {
        "id": one.id,
        "shops": list(one.shops),
        "sp_accounts": list(one.sp_accounts),
        "total_asins": one.asins,
        "due": one.due,
        "oldest_stock_s": one.oldest_stock_s,
        "last_sign": None if one.last_sign_at is None else jst(one.last_sign_at).isoformat(timespec="seconds"),
    }


def _now(tools: Tools, lane: Lane) -> LaneNow:
    found = survey(tools.in_lane(lane)) if lane.shops else None
    ages = [age for age in found.oldest_stock_s.values() if age is not None] if found else []
    with tools.state.read() as connection:
        last = run_book.last_sign(connection, SYNC_JOBS, lane.id)
    return LaneNow(
        lane.id,
        tuple(tools.name_of(shop) for shop in lane.shops),
        lane.sp_accounts,
        found.total_asins if found else 0,
        found.cache_misses if found else 0,
        max(ages, default=None),
        last,
    )
