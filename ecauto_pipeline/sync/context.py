"""What every step is handed: the run it belongs to and the tools of the trade.

`Run` says what this run is for and what it may do; `Tools` holds the collaborators that wiring built. Steps are
functions `step(tools, run) -> report`. Not for: choosing collaborators (wiring/open.py) or Dagster (defs/).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from ecauto_pipeline.clock import Clock
from ecauto_pipeline.errors import Stopped
from ecauto_pipeline.settings import Settings

if TYPE_CHECKING:
    from ecauto_pipeline.amazon.client import SpApiClient
    from ecauto_pipeline.history.store import HistoryStore
    from ecauto_pipeline.register.master import Register
    from ecauto_pipeline.shops.protocol import Shop
    from ecauto_pipeline.state.database import Database

IncludePrice = Literal["never", "floor", "all"]


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `run_id` is Dagster's; `partition_keys` are hours on the JST wall clock, oldest first, one or more."""

    run_id: str
    job: str
    partition_keys: tuple[str, ...]
    started_at: datetime
    dry_run: bool = False
    include_price: IncludePrice = "all"
    include_visibility: bool = True  # and stock, which belongs to it
    push: bool = True
    fetch: bool = True
    accounts: tuple[str, ...] = ()  # () = every active one
    max_items: int | None = None  # listings at most, best sellers first
    spend: Literal["due", "budget"] = "due"
    slice_s: float = 600.0
    trigger: str = "manual"  # manual | schedule | next_slice | backfill | cli
    slice_no: int = 1

    @property
    def partition_key(self) -> str:
        """The newest hour this run stands for."""
        return self.partition_keys[-1] if self.partition_keys else ""


@dataclass(frozen=True, slots=True)
class Progress:
    """n of N of one step, for people who wait. `details`: counts worth showing, in order."""

    step: str
    done: int
    total: int
    remaining_s: float | None = None
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Tools:
    """The collaborators of one process. `stop` is set when somebody asked us to end."""

    settings: Settings
    clock: Clock
    state: Database
    history: HistoryStore
    register: Register
    shops: Mapping[str, Shop]  # by account id, active ones
    sp_accounts: Sequence[SpApiClient]
    log: logging.Logger
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Callable[[Progress], None] = lambda _progress: None

    def go_on(self) -> None:
        """Raises Stopped when somebody asked us to end; call it between units of work."""
        if self.stop.is_set():
            raise Stopped("asked to end")
