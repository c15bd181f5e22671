"""Whether an SP-API operation of one account can be asked at all: when it counts as down, and when it is tried again.

Down: five whole calls in a row in vain over three minutes or more; at once when Amazon refuses the operation (403, a
role) or knows it no more (404), or a question that is surely well formed is refused too. While it is down one call is
made as a probe, after a minute and then every five, or later each time where it was refused; an answer brings it back.
Not for: keeping it (state/operation_health.py), why a call fails (call_failures.py), or who asks (sync/).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from ecauto_pipeline.domain.call_failures import SHUT_OUT
from ecauto_pipeline.domain.model import Role

FAILED_CALLS: Final = 5
FAILING_FOR: Final = timedelta(minutes=3)
FIRST_PROBE: Final = timedelta(minutes=1)
PROBE_EVERY: Final = timedelta(minutes=5)
PROBE_AT_LEAST_EVERY: Final = timedelta(hours=1)
MOST_OF_A_CALL: Final = 0.8
"""A call of many that brought nothing about so large a share of them, for one and the same reason, was in vain."""
OF_SHAPES: Final = frozenset({"unreadable_offer", "wrong_shape", "bad_price", "unknown_status"})
"""Reasons for which an item could not be read, as it would be were its shape another one."""
REFUSED_SINGLES: Final = 3
"""A call about one ASIN that finds nothing (404) may be that ASIN's; so many in a row are the operation's."""

TAKEN_OVER_BY: Final[Mapping[Role, Role]] = MappingProxyType(
    {Role.SWEEP: Role.DETAIL, Role.DETAIL: Role.CONFIRM, Role.OPINION: Role.CONFIRM}
)
"""Whose operations do the work of a role that has none left. A second look has nobody behind it: its doubts stay."""

_OF_THE_ACCOUNT = (SHUT_OUT - {"role_missing"}) | {"quota_exceeded", "http_401", "http_403"}
_OF_THE_NETWORK = frozenset(
    {"name_not_resolved", "tls_failed", "proxy_refused", "connection_failed", "bad_request", "not_asked"}
)


@dataclass(frozen=True, slots=True)
class FailedCall:
    """A whole call that brought no answer about anything. `asins`: how many it was about; `certain`: another question,
    known to be good, was refused as well."""

    reason: str
    http_status: int | None = None
    asins: int = 1
    certain: bool = False

    @property
    def of_operation(self) -> bool:
        """Whether it can be the operation's own trouble: not a token's, a rate's or the network's."""
        if self.reason.startswith("lwa_"):
            return False
        return self.reason not in _OF_THE_ACCOUNT | _OF_THE_NETWORK

    @property
    def refused(self) -> bool:
        """Amazon does not serve this operation to this account, or to nobody any more."""
        return self.of_operation and self.http_status in (403, 404)


@dataclass(frozen=True, slots=True)
class OperationHealth:
    """One operation of one account. Times aware UTC; the empty one is well.

    `failed_calls` in a row since `failing_since`, the last for `reason`; `down_since` None = it is asked as usual;
    `probe_at`: when one call may be made while it is down, the next after `probes` in vain.
    """

    failed_calls: int = 0
    failing_since: datetime | None = None
    reason: str = ""
    http_status: int | None = None
    down_since: datetime | None = None
    probe_at: datetime | None = None
    probes: int = 0

    def may_be_asked(self, now: datetime) -> bool:
        """It is up, or its probe is due; a probe further away than they ever are (a clock set back) is due too."""
        if self.down_since is None or self.probe_at is None:
            return True
        return now >= self.probe_at - _KEPT or self.probe_at - now > PROBE_AT_LEAST_EVERY


_KEPT = timedelta(milliseconds=1)  # state.db rounds to these
WELL: Final = OperationHealth()


def after_call(health: OperationHealth, failed: FailedCall | None, now: datetime) -> OperationHealth:
    """The health after one whole call; `failed` None: it was answered."""
    if failed is None:
        return WELL
    if not failed.of_operation:
        return health if health.down_since is None else _probed(health, now)
    begun = min(now, health.failing_since or now)
    health = replace(
        health,
        failed_calls=health.failed_calls + 1,
        failing_since=begun,
        reason=failed.reason,
        http_status=failed.http_status,
    )
    if health.down_since is not None:
        return _probed(health, now)
    lasting = health.failed_calls >= FAILED_CALLS and now - begun >= FAILING_FOR
    surely = failed.http_status == 403 or failed.asins > 1 or health.failed_calls >= REFUSED_SINGLES
    if lasting or failed.certain or (failed.refused and surely):
        return replace(health, down_since=begun, probe_at=now + FIRST_PROBE, probes=0)
    return health


def role_left(role: Role, has: Collection[Role]) -> Role | None:
    """The role whose operations do this one's work, where `has` are the roles that have any; None: nobody does."""
    while role not in has:
        if role not in TAKEN_OVER_BY:
            return None
        role = TAKEN_OVER_BY[role]
    return role


def _probed(health: OperationHealth, now: datetime) -> OperationHealth:
    """Once more in vain. Trouble is looked at every few minutes, a refusal less and less often."""
    refused = health.http_status in (400, 403, 404)
    wait = min(PROBE_EVERY * 2 ** min(health.probes, 8), PROBE_AT_LEAST_EVERY) if refused else PROBE_EVERY
    return replace(health, probe_at=now + wait, probes=health.probes + 1)
