"""Who may push to a shop just now: one process at a time, by a lease in state.db.

Not for: what is pushed (shop_worker.py) or how a lease is kept (state/leases.py).
"""

from __future__ import annotations

from datetime import timedelta

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state import leases, locks
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.context import Context

LEASE_LIFE = timedelta(minutes=5)  # longer than any one call with its repeats; a dead process's is free at once
LEASE_WAIT_S = 120.0


class PushLease:
    """The right to push to one shop. Taking and keeping it is a sign of life of the run."""

    def __init__(self, context: Context, account: AccountKey) -> None:
        self._context = context
        self._name = f"push:{account}"
        self._lock = locks.shop(account)
        self._owner = leases.new_owner(context.state.fence)
        self._renewed = 0.0

    def claim(self) -> bool:
        """Take it, waiting a while for whoever holds it. Raises Stopped."""
        waited = 0.0
        while not self._mine():
            if waited >= LEASE_WAIT_S:
                return False
            self._context.go_on()
            self._context.clock.sleep(0.5, wake=self._context.stop)
            waited += 0.5
        return True

    def renew(self) -> bool:
        """Keep it, now and then; False when somebody else has it."""
        due = self._context.clock.monotonic() - self._renewed > leases.RENEW_EVERY_S
        return not due or self._mine()

    def release(self) -> None:
        """Let the next one have it."""
        with self._context.state.write(self._lock) as connection:
            leases.release(connection, self._owner)

    def _mine(self) -> bool:
        with self._context.state.write(self._lock) as connection:
            now = self._context.clock.now()
            got = leases.claim(connection, [self._name], self._owner, now, LEASE_LIFE)
            run_book.beat(connection, self._context.run.run_id, now)
        self._renewed = self._context.clock.monotonic()
        return bool(got)
