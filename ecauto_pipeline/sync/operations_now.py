"""What Amazon can be asked with at this moment: the operations that are left, of each account, and who does what.

An operation is missing where the owner has switched it off or it is down (state/operation_health.py). Who does the work
of a role follows from the roles alone. Planner, workers, capacity, status and doctor go by this.
Not for: rates (stale_asins/measured_rates.py) or asking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from ecauto_pipeline.amazon.operation import Operation
from ecauto_pipeline.amazon.registry import Operations
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.domain.operation_health import TAKEN_OVER_BY, WELL, OperationHealth, role_left
from ecauto_pipeline.domain.operations_down import OperationDown
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state.operation_health import AccountOperation, read_health
from ecauto_pipeline.sync.context import Tools

NO_ACCOUNT = ("",)
"""The accounts where none is known by name."""


@dataclass(frozen=True, slots=True)
class OperationsNow:
    """`all`: every operation of the program; `health`: those that are not well, by (account, operation)."""

    all: Operations
    settings: Settings
    accounts: tuple[str, ...]
    health: Mapping[AccountOperation, OperationHealth]
    now: datetime

    @property
    def operations(self) -> Operations:
        """Those that are not switched off, under the owner's rule and limits."""
        return self.all.under(self.settings)

    def is_up(self, account: str, operation: str) -> bool:
        return self.health.get((account, operation), WELL).down_since is None

    def may_ask(self, account: str, operation: str) -> bool:
        """It is up, or may be tried now."""
        return self.health.get((account, operation), WELL).may_be_asked(self.now)

    def of_role(self, account: str, role: Role) -> tuple[Operation[Any], ...]:
        """The operations of this very role that are up."""
        return tuple(one for one in self.operations.of(role) if self.is_up(account, one.name))

    def doing(self, account: str, role: Role) -> tuple[Operation[Any], ...]:
        """The operations that do the work of this role: its own, else those of the role that takes over."""
        has = {one.role for one in self.operations if self.is_up(account, one.name)}
        doer = role_left(role, has)
        return () if doer is None else self.of_role(account, doer)

    def to_try(self, account: str, role: Role) -> tuple[Operation[Any], ...]:
        """The operations that are down and would do the work of this role, if they may be tried now."""
        own = self.operations.of(role)
        if not own and not self.doing(account, role) and role in TAKEN_OVER_BY:
            return self.to_try(account, TAKEN_OVER_BY[role])
        return tuple(one for one in own if not self.is_up(account, one.name) and self.may_ask(account, one.name))

    @property
    def can_ask(self) -> bool:
        """Whether anybody can ask about price or stock now, if only to try."""
        roles = (Role.SWEEP, Role.DETAIL)
        return any(
            self.doing(account, role) or self.to_try(account, role) for account in self.accounts for role in roles
        )

    @property
    def down(self) -> tuple[OperationDown, ...]:
        """Those that are down, in the order of the registry."""
        found = []
        for one in self.operations:
            sick = {account: self.health.get((account, one.name), WELL) for account in self.accounts}
            sick = {account: health for account, health in sick.items() if health.down_since is not None}
            if not sick:
                continue
            worst = max(sick.values(), key=lambda health: health.failing_since or self.now)
            every = len(sick) == len(self.accounts)
            found.append(
                OperationDown(
                    one.name,
                    one.role,
                    min(health.down_since for health in sick.values() if health.down_since is not None),
                    worst.reason,
                    worst.http_status,
                    () if every else tuple(sorted(sick)),
                    self._instead(one.role, tuple(sick)),
                )
            )
        return tuple(found)

    @property
    def switched_off(self) -> tuple[OperationDown, ...]:
        """Those that the owner does without."""
        off = [one for one in self.all if one.name in self.settings.sp_api.without]
        return tuple(OperationDown(one.name, one.role, instead=self._instead(one.role, self.accounts)) for one in off)

    def refused_status(self, role: Role) -> int:
        """The HTTP status of the last failure of a role that no account can ask, 0 where one can."""
        operations = self.operations.of(role)
        if not operations or any(self.of_role(account, role) for account in self.accounts):
            return 0
        return next((one.http_status or 0 for one in self.down if one.role is role), 0)

    def _instead(self, role: Role, accounts: Sequence[str]) -> tuple[str, ...]:
        found = [one.name for account in accounts for one in self.doing(account, role)]
        if role is Role.SWEEP:  # a missing sweep is no sweep: all is asked in detail
            found = [one.name for account in accounts for one in self.doing(account, TAKEN_OVER_BY[role])]
        return tuple(dict.fromkeys(found))


def present_operations(tools: Tools, connection: Connection | None = None) -> OperationsNow:
    """As settings and state have it. Without connections of its own (an offline look) the accounts are those of the
    settings, else those that state has heard of."""
    if connection is None:
        with tools.state.read() as opened:
            return present_operations(tools, opened)
    ids = [account.account_id for account in tools.sp_accounts]
    ids = ids or list(tools.lane.sp_accounts) or [account.id for account in tools.settings.sp_api.accounts]
    return operations_now(connection, tools.operations, tools.settings, ids, tools.clock.now())


def operations_now(
    connection: Connection, operations: Operations, settings: Settings, accounts: Sequence[str], now: datetime
) -> OperationsNow:
    """The same for accounts of these ids; none known = whoever state has heard of, else one."""
    health = read_health(connection)
    names = tuple(dict.fromkeys(accounts)) or tuple(sorted({account for account, _ in health})) or NO_ACCOUNT
    return OperationsNow(operations, settings, names, health, now)
