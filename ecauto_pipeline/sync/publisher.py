"""One publisher at a time where history is shared: the lease "publish" in state.db, looked at before every put.

Two would lose and double nothing (history/mirror.py), but each would do the work. A publisher that was paused and finds
its lease gone writes nothing more and marks nothing; what it had under way its successor does once more, as the same
objects. On one machine with a folder there is no lease: every run publishes, as always.
Not for: what is published (publish.py).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import Connection

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline.state import leases, locks
from ecauto_pipeline.state.database import UNUSABLE
from ecauto_pipeline.sync.context import Tools

NAME = "publish"
LIFE = timedelta(seconds=45)
"""A publisher that lives renews it, also while a put takes longer; one whose machine died keeps the next waiting so
long at most."""
_WAIT_S = LIFE.total_seconds() + 15.0
_LOOK_EVERY_S = 1.0


class NotThePublisher(EcautoError):
    """Somebody else publishes: what is left comes into history with them."""

    def __init__(self) -> None:
        super().__init__(
            "another process publishes to the history just now",
            ja="別のプロセスが履歴に書き込んでいます",
        )


class Publisher:
    """Whoever publishes. `alone` False: nobody has to be kept out, and nothing is looked at."""

    def __init__(self, tools: Tools, owner: str = "") -> None:
        self._tools = tools
        self._owner = owner

    def go_on(self) -> None:
        """Before each put: the lease lives on. Raises NotThePublisher."""
        if self._owner:
            with self._tools.state.write() as connection:
                self.require(connection)

    def require(self, connection: Connection) -> None:
        """Inside the transaction that marks what was put: it is still ours, and lives on. Raises NotThePublisher."""
        if not self._owner:
            return
        held = leases.read(connection, [NAME])
        if not held or held[0].owner != self._owner:
            raise NotThePublisher
        leases.claim(connection, [NAME], self._owner, self._tools.clock.now(), LIFE)


@contextmanager
def as_publisher(tools: Tools) -> Iterator[Publisher]:
    """Alone, where history is shared; else at once. Raises NotThePublisher where another publishes for a minute."""
    if not tools.history.shared:
        yield Publisher(tools)
        return
    owner = leases.new_owner()
    deadline = tools.clock.monotonic() + _WAIT_S
    while True:
        with tools.state.write() as connection:
            if leases.claim(connection, [NAME], owner, tools.clock.now(), LIFE):
                break
        if tools.clock.monotonic() >= deadline:
            raise NotThePublisher
        tools.go_on()
        tools.clock.sleep(_LOOK_EVERY_S)
    ended = threading.Event()
    beat = threading.Thread(target=_beat, args=(tools, owner, ended), name="publisher", daemon=True)
    if isinstance(tools.clock, SystemClock):  # a clock moved by hand is renewed by go_on alone
        beat.start()
    try:
        yield Publisher(tools, owner)
    finally:
        ended.set()
        with tools.state.write() as connection:
            leases.release(connection, owner, [NAME])


def _beat(tools: Tools, owner: str, ended: threading.Event) -> None:
    while not ended.wait(leases.RENEW_EVERY_S):
        try:
            with tools.state.write(locks.turn(NAME)) as connection:
                leases.renew(connection, owner, tools.clock.now(), LIFE)
        except UNUSABLE as error:  # it runs on; go_on renews it, or refuses
            tools.log.warning("the right to publish could not be renewed: %s", type(error).__name__)
