"""Who may write beside whom: the names that a write takes a lock on, and the rows that each name stands for.

SQLite has one writer at a time, so there a name changes nothing. PostgreSQL has many; there each name is an advisory
lock that ends with its transaction (postgresql.py). The rule, by which every `write(lock=...)` can be judged:

1. `write()` without a name locks the whole state, as on SQLite: of all others only names kept `apart` write meanwhile.
2. `write(lock=name)` may write the tables that TABLES gives for that name, rows of the thing named alone, and may rest
   what it writes on nothing but such rows (read in the same transaction). What it reads of others is as of some moment.
3. A name kept `apart` stands for tables that are written under no other name (rows long over are dropped by the whole).
4. A row may be added anywhere to the tables of ADDED_ANYWHERE: nobody reads it to decide about another.

The scenarios of the tests hold every write of a sync against TABLES. Not for: claims that outlive a transaction
(leases.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ecauto_pipeline.domain.model import AccountKey

Reach = Literal["beside", "apart", "whole"]


@dataclass(frozen=True, slots=True, order=True)
class Lock:
    """A name of a kind, exclusive in its transaction. `beside`: together with others, but never with a write of the
    whole state; `apart`: also beside such a one; `whole`: the whole state besides."""

    kind: str
    of: str
    reach: Reach = "beside"

    @property
    def name(self) -> str:
        return f"{self.kind}/{self.of}"


Locks = Lock | Sequence[Lock] | None
"""None: the whole state."""

TABLES: Mapping[str, frozenset[str]] = {
    "bucket": frozenset({"buckets"}),
    "window": frozenset({"windows"}),
    "token": frozenset({"oauth"}),
    "turn": frozenset({"leases"}),
    "ledger": frozenset(),
    "asin": frozenset({"asins", "observations", "leases"}),
    "sp_account": frozenset({"operation_health"}),
    "shop": frozenset({"listings", "shop_accounts", "judged_shops", "diffs", "journal", "leases", "runs"}),
    "plan": frozenset({"plans", "plan_targets", "asins"}),
    "run": frozenset({"runs", "leases"}),
    "lane_beat": frozenset({"lane_leases"}),
}
"""What may be written under each kind of name. `asin`: the row of an ASIN and the claim on it (`fetch/`), answers about
it; `shop`: everything of one shop, the right to push to it (`push:`), the heartbeat of the run that pushes; `plan`: the
plans of an hour and lane, and of `asins` the planned times alone, which nobody decides by; `run`: what is the run's."""

ADDED_ANYWHERE = frozenset({"api_calls", "run_sections"})
"""A call that was made; what a step of a run reports of itself, which only that step writes."""


def bucket(account: str, operation: str) -> Lock:
    """The token bucket of one operation of one SP-API account."""
    return Lock("bucket", f"{account}/{operation}", "apart")


def window(platform: str, account_id: str) -> Lock:
    """The hours and days of calls of one shop."""
    return Lock("window", f"{platform}:{account_id}", "apart")


def token(platform: str, account_id: str) -> Lock:
    """The tokens of one shop."""
    return Lock("token", f"{platform}:{account_id}", "apart")


def turn(name: str) -> Lock:
    """Whose turn it is at what only one may do at a time: the row of that name in `leases`."""
    return Lock("turn", name)


def ledger() -> tuple[Lock, ...]:
    """Calls are only added: nobody waits for anybody."""
    return ()


def sp_account(account: str) -> Lock:
    """Which operations of one SP-API account are down."""
    return Lock("sp_account", account)


def asins(wanted: Iterable[str]) -> tuple[Lock, ...]:
    """Each of these ASINs (<= 20: one batch of a call)."""
    return tuple(Lock("asin", asin) for asin in wanted)


def shop(account: AccountKey) -> Lock:
    """One shop of one platform."""
    return Lock("shop", str(account))


def shops(accounts: Iterable[AccountKey]) -> tuple[Lock, ...]:
    return tuple(map(shop, accounts))


def plan(partition_key: str, lane: str) -> Lock:
    """The plans of one hour and lane."""
    return Lock("plan", f"{partition_key}/{lane}")


def run(run_id: str) -> Lock:
    """What one run alone writes."""
    return Lock("run", run_id)


def publish() -> Lock:
    """Carrying rows to history: one at a time, and the whole state while rows leave it."""
    return Lock("publish", "", "whole")


def lane(name: str) -> Lock:
    """Who works on a lane; those who work on it share its name in each of their writes (lane_leases.py)."""
    return Lock("lane", name, "whole")


def lane_beat(name: str) -> Lock:
    """The lease of a lane by whoever holds it: that it lives on, that it is over."""
    return Lock("lane_beat", name, "apart")


def schema() -> Lock:
    """The tables themselves."""
    return Lock("schema", "", "whole")


def in_order(lock: Locks) -> tuple[Reach, tuple[Lock, ...]]:
    """How far a write reaches and its names, sorted: whoever takes several takes them in one order, so that no two
    wait for each other."""
    if lock is None:
        return "whole", ()
    names = tuple(sorted({lock} if isinstance(lock, Lock) else set(lock)))
    reaches = {one.reach for one in names} or {"apart"}
    reach: Reach = "whole" if "whole" in reaches else "beside" if "beside" in reaches else "apart"
    return reach, names
