"""What every step is handed: the run it belongs to and the tools of the trade.

`Run` says what this run is for and what it may do; `Tools` holds the collaborators that wiring built; `Context` is
both. Steps are functions `step(context) -> section`. Not for: choosing collaborators (wiring/) or Dagster (defs/).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from ecauto_pipeline.amazon.registry import Operations, registered
from ecauto_pipeline.clock import Clock
from ecauto_pipeline.domain.account_names import name_of
from ecauto_pipeline.domain.lanes import WHOLE, WHOLE_LANE, Lane
from ecauto_pipeline.domain.model import AccountKey, Kind
from ecauto_pipeline.errors import Stopped
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.shops.platforms import shop_keys
from ecauto_pipeline.state.salts import IN_CLEAR, AtRest

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
    hide_failed_prices: bool = True  # a loss that its right price can't mend now, in a run without visibility too
    push: bool = True
    push_while_asking: bool = False  # its steps go on to the push, which need not wait for the last answer
    fetch: bool = True
    accounts: tuple[AccountKey, ...] = ()  # () = every active one
    max_items: int | None = None  # listings at most, best sellers first
    spend: Literal["due", "budget"] = "due"
    slice_s: float = 600.0
    trigger: str = "manual"  # manual | schedule | next_slice | order | backfill | cli
    slice_no: int = 1
    judge_all: bool = False  # every listing, not only what has changed since it was judged last
    lane: str = WHOLE_LANE  # the shops and SP-API accounts it works with; one lane with all of them
    retries: str = ""  # the run that this one is a retry or a re-execution of

    @property
    def kinds(self) -> frozenset[Kind]:
        """What of a listing this run may change."""
        prices = {Kind.PRICE} if self.include_price != "never" else set()
        shown = {Kind.VISIBILITY, Kind.STOCK, Kind.DELIST} if self.include_visibility else set()
        return frozenset(prices | shown)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The collaborators of one process; nothing in it is changed by a step. `stop`: set when somebody asked us to end.

    `shops`, `sp_accounts`: of its lane, the active ones only. `active_shops`: the keys of every lane's. `at_rest`: how
    the installation's own secrets lie in state.
    """

    settings: Settings
    clock: Clock
    state: Database
    history: HistoryStore
    register: Register
    shops: Mapping[AccountKey, Shop] = field(default_factory=dict)
    sp_accounts: Sequence[SpApiClient] = ()
    operations: Operations = field(default_factory=registered)
    log: logging.Logger
    lane: Lane = WHOLE
    active_shops: frozenset[AccountKey] = frozenset()
    at_rest: AtRest = IN_CLEAR
    stop: threading.Event = field(default_factory=threading.Event)
    progress: Callable[[Progress], None] = lambda _progress: None

    def go_on(self) -> None:
        """Raises Stopped when somebody asked us to end; call it between units of work."""
        if self.stop.is_set():
            raise Stopped("asked to end")

    def name_of(self, account: AccountKey) -> str:
        """What people call this shop: its id where that says which one it is, else `platform:id`."""
        return name_of(account, {*self.shops, *shop_keys(self.settings)})

    def in_lane(self, lane: Lane) -> Tools:
        """The same as one lane sees them, for an offline look."""
        return replace(self, lane=lane)

    def for_run(self, run: Run) -> Context:
        """The same tools, for the work of one run."""
        return Context(**{one.name: getattr(self, one.name) for one in fields(Tools)}, run=run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(Tools):
    """What a step needs, by name: the run it belongs to and the tools of the trade."""

    run: Run

    @property
    def accounts(self) -> tuple[AccountKey, ...]:
        """The accounts this run may touch, by platform and id."""
        return tuple(sorted(account for account in self.shops if not self.run.accounts or account in self.run.accounts))

    def allowing(self, **changes: Any) -> Context:
        """The same, with other permissions of the run (fields of Run)."""
        return replace(self, run=replace(self.run, **changes))
