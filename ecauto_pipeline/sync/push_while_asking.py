"""While a run asks Amazon, what was answered is decided and pushed in small batches: a stock-out waits for no slice.

One batch at a time, in a thread beside the questions; each ASIN is judged by what is believed when its turn comes. The
steps after the asking judge everything once more and send the rest, so that a batch that is lost costs nothing but its
haste. Not for: which changes are in a hurry (diffs/answered.py), sending (base_updates/early.py) or asking.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace

from ecauto_pipeline.errors import Stopped
from ecauto_pipeline.state import locks
from ecauto_pipeline.sync.base_updates.early import push_early
from ecauto_pipeline.sync.base_updates.push_totals import together
from ecauto_pipeline.sync.context import Context, Progress
from ecauto_pipeline.sync.diffs.answered import decide_answered
from ecauto_pipeline.sync.faults import concerns_everybody, place_of
from ecauto_pipeline.sync.push_section import PushReport
from ecauto_pipeline.sync.room_for_threads import look_for_room
from ecauto_pipeline.sync.run_record import keep

MASS = 500
"""ASINs whose hides wait because there are too many of them: from so many on the whole run is waited for."""
PUSH_EVERY_S = 15.0
"""Seconds between two batches: a stock-out is mostly told twice, half a minute apart, so that less gains little; a
batch with nothing in it costs nothing."""


def _untold(_progress: Progress) -> None:
    """The step under way is the asking; people are told of that."""


class PushWhileAsking:
    """The early pushing of one run. `failure`: what ends the run, whoever stumbled over it; None while all is well."""

    def __init__(self, context: Context) -> None:
        self._context = replace(context, progress=_untold)
        self._lock = threading.Lock()
        self._answered: dict[str, None] = {}
        self._last = context.clock.monotonic()
        self._thread: threading.Thread | None = None
        self._report: PushReport | None = None
        self._given_up = False
        self.failure: BaseException | None = None

    def answered(self, asins: Iterable[str]) -> None:
        """These are gone or dearer, by an answer that is committed. Safe to call from any thread."""
        with self._lock:
            self._answered |= dict.fromkeys(asins)

    def look(self) -> None:
        """Begin a batch where it is time for one and there is something; never waits for it."""
        now = self._context.clock.monotonic()
        if self._given_up or now - self._last < PUSH_EVERY_S or not self._answered or self.busy:
            return
        self._last = now
        look_for_room(1)
        self._thread = threading.Thread(target=self._batch, name="push-while-asking", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether a batch is under way."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """At most about so long (real time) for the batch under way."""
        if self._thread is not None:
            self._thread.join(seconds)

    def push_answered(self) -> None:
        """One batch, now: decide about what was answered since the last one, push it, and keep what became of it.

        What looks like too many hides waits, and is counted among those of the next batch.
        """
        with self._lock:
            asins, self._answered = list(self._answered), {}
        decided = decide_answered(self._context, asins)
        self.answered(decided.waiting)
        self._given_up = self._given_up or len(decided.waiting) > MASS
        if not decided.stored:
            return
        pushed = push_early(self._context, decided.stored)
        self._report = pushed if self._report is None else together(self._report, pushed)
        with self._context.state.write(locks.run(self._context.run.run_id)) as connection:
            keep(connection, self._context.run.run_id, "early_updates", self._report)
        self._context.log.info("pushed while asking: %d edits", pushed.edits)

    def _batch(self) -> None:
        """What nobody foresaw ends the early pushing, not the run: the steps to come do all of it."""
        try:
            self.push_answered()
        except Stopped:
            self._given_up = True
        except BaseException as error:
            self._given_up = True
            if not isinstance(error, Exception) or concerns_everybody(error):
                self.failure = error
            else:
                self._context.log.exception(
                    "nothing more is pushed before the run has asked everything (%s)", place_of(error)
                )
