"""The right of a run to work on its lane, in a fleet: held, renewed, and looked at before each write and each send.

A write of a run whose lane another has taken over is refused in its transaction (`Fence`); a call to a shop or to
Amazon leaves only while the lease is ours and has longer to live than the call may take. One machine alone needs none
of it. Not for: how the lease is kept (state/lane_leases.py) or whether a run is over (defs/).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection

from ecauto_pipeline.clock import Clock, SystemClock
from ecauto_pipeline.errors import LaneTaken
from ecauto_pipeline.state import lane_leases, leases, locks
from ecauto_pipeline.state.database import UNUSABLE, Database
from ecauto_pipeline.state.lane_leases import LIFE, RENEW_EVERY_S, LaneLease
from ecauto_pipeline.sync.context import Tools

LONGEST_WAIT_S = 3_600.0
"""Behind a run that works in the same lane; Dagster's queue lets one through at a time, so this is seldom needed."""
SPARE_S = 5.0
"""So much longer than a call may take has the lease to live when it leaves."""
_LOOK_EVERY_S = 1.0


class HeldLane:
    """One lane, held under one number. Safe to share between threads.

    `longest_call_s`: so long a call to a shop or to Amazon may take until it is given up.
    """

    def __init__(
        self, database: Database, clock: Clock, held: LaneLease, since_s: float, longest_call_s: float
    ) -> None:
        self._database, self._clock = database, clock
        self.lane, self.number = held.lane, held.number
        self.claims = lane_leases.mark(held.lane, held.number)
        self._renewed_s = since_s
        life_s = LIFE.total_seconds()
        self._send_before_s = max(life_s - longest_call_s - SPARE_S, 2 * RENEW_EVERY_S)
        self.taken: LaneTaken | None = None
        """What was said when another was found to have the lane."""

    def check(self, connection: Connection) -> None:
        """Raises LaneTaken where the lane has a newer number."""
        self._judge(lane_leases.number_of(connection, self.lane))

    def _judge(self, newest: int) -> None:
        if newest != self.number:
            self.taken = LaneTaken(
                f"another run works on lane {self.lane} now (number {newest}, this run's is {self.number}):"
                " it writes and sends nothing more",
                ja=f"レーン {self.lane} は別の実行が引き継ぎました（番号 {newest}、この実行は {self.number}）。"
                "この実行は何も書き込まず、何も送信しません",
            )
            raise self.taken

    def may_send(self) -> None:
        """To be called right before each call that leaves. Raises LaneTaken; UNUSABLE where nobody can tell."""
        self._judge(lane_leases.number_now(self._database, self.lane))
        if self._clock.monotonic() - self._renewed_s > self._send_before_s:
            self.renew()

    def renew(self) -> None:
        """It lives on from now. Raises LaneTaken, UNUSABLE."""
        began_s = self._clock.monotonic()  # what passes until it is committed is not ours
        self._database.write_again(
            lambda connection: lane_leases.renew(connection, self.lane, self.number, self._clock.now()),
            locks.lane_beat(self.lane),
        )
        self._renewed_s = began_s

    def release(self) -> None:
        """Nobody has to wait for our end. Where another has the lane, nothing is written."""
        if self.taken is None:
            self._database.write_again(
                lambda connection: lane_leases.release(connection, self.lane, self.number), locks.lane_beat(self.lane)
            )


@contextmanager
def holding(
    tools: Tools,
    lane: str,
    run_id: str,
    is_over: Callable[[str], bool] = lambda _run_id: False,
    meets: Sequence[str] = (),
) -> Iterator[HeldLane]:
    """Hold this lane for one run: from here on `tools.state` writes under its number. Waits for whoever works on it.

    `is_over`: whether a run (its id) is known to have ended, whatever its process does. `meets`: other lanes that work
    on the same shops, and are kept waiting too. Raises LaneTaken where another works on it for an hour, Stopped.
    """
    held = _claimed(tools, lane, run_id, is_over, meets)
    tools.state.fence = held
    ended = threading.Event()
    beat = threading.Thread(target=_beat, args=(tools, held, ended), name="lane", daemon=True)
    if isinstance(tools.clock, SystemClock):  # a clock moved by hand is renewed by may_send alone
        beat.start()
    try:
        yield held
    except UNUSABLE as error:
        if held.taken is None:
            raise
        raise held.taken from error  # whoever has it waited no longer for a transaction that this run slept in
    finally:
        ended.set()
        try:
            held.release()
        finally:
            tools.state.fence = None


def _claimed(tools: Tools, lane: str, run_id: str, is_over: Callable[[str], bool], meets: Sequence[str]) -> HeldLane:
    owner, until = leases.new_owner(), tools.clock.monotonic() + LONGEST_WAIT_S
    settings = tools.settings
    longest_call_s = max(settings.base.timeout_s, settings.sp_api.timeout_s)
    names = [locks.lane(name) for name in (lane, *meets)]
    while True:
        since_s, now = tools.clock.monotonic(), tools.clock.now()
        with tools.state.write(names) as connection:
            got = lane_leases.claim(connection, lane, run_id, owner, now, lambda one: is_over(one.run_id), meets)
        if got.owner == owner:
            tools.log.info("lane %s is ours under number %d", lane, got.number)
            return HeldLane(tools.state, tools.clock, got, since_s, longest_call_s)
        if since_s > until:
            raise LaneTaken(
                f"run {got.run_id} has worked on lane {got.lane} for too long; nothing was started",
                ja=f"レーン {got.lane} では実行 {got.run_id} が続いているため、開始しませんでした",
            )
        tools.go_on()
        tools.clock.sleep(_LOOK_EVERY_S, tools.stop)


def _beat(tools: Tools, held: HeldLane, ended: threading.Event) -> None:
    while not ended.wait(RENEW_EVERY_S):
        try:
            held.renew()
        except LaneTaken as taken:
            tools.log.error("%s", taken)
            return
        except UNUSABLE as error:  # the lease runs on; may_send renews it, or refuses
            tools.log.warning("lane %s could not be renewed: %s", held.lane, type(error).__name__)
