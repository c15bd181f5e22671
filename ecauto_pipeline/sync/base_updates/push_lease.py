"""Who may push to a shop just now: one process at a time, by a lease in state.db.

Not for: what is pushed (shop_worker.py) or how a lease is kept (state/leases.py).
"""

from __future__ import annotations

from datetime import timedelta

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state import leases
from ecauto_pipeline.sync.context import Tools

LEASE_LIFE = timedelta(minutes=5)  # longer than any one call with its repeats; a dead process's is free at once
LEASE_WAIT_S = 120.0


class PushLease:
    """The right to push to one shop."""

    def __init__(self, tools: Tools, account: AccountKey) -> None:
        self._tools = tools
        self._name = f"push:{account}"
        self._owner = leases.new_owner()
        self._renewed = 0.0

    def claim(self) -> bool:
        """Take it, waiting a while for whoever holds it. Raises Stopped."""
        waited = 0.0
        while not self._mine():
            if waited >= LEASE_WAIT_S:
                return False
            self._tools.go_on()
            self._tools.clock.sleep(0.5, wake=self._tools.stop)
            waited += 0.5
        return True

    def renew(self) -> bool:
        """Keep it, now and then; False when somebody else has it."""
        due = self._tools.clock.monotonic() - self._renewed > leases.RENEW_EVERY_S
        return not due or self._mine()

    def release(self) -> None:
        """Let the next one have it."""
        with self._tools.state.write() as connection:
            leases.release(connection, self._owner)

    def _mine(self) -> bool:
        with self._tools.state.write() as connection:
            got = leases.claim(connection, [self._name], self._owner, self._tools.clock.now(), LEASE_LIFE)
        self._renewed = self._tools.clock.monotonic()
        return bool(got)
