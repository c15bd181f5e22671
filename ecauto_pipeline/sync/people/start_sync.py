"""Who may start a run by hand just now: of two people who click at once, one; the other is told.

Whoever is at work already, whatever launched it, comes first. The claim bridges the seconds until the new run is on
record; it is gone with its time, or with the process that holds it. A typed sync is refused to nobody, and makes the
claim where nobody has it: a click in these seconds is told. Not for: starting (the desk does, as a command), or what
two runs at once may do to each other (leases on each ASIN and shop).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.liveness import stands_in_the_way
from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline.state import leases
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.database import UNUSABLE
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.stale_asins.next_slice import SYNC_JOBS

CLAIM = "start:sync"
LIFE = timedelta(minutes=2)
"""A command is on record within seconds, on a busy machine within one minute."""


class AlreadyUnderWay(EcautoError):
    """Somebody is at work, or has just begun: nothing was started. Wait for its end."""


def claim_start(tools: Tools, owner: str) -> None:
    """The right to start a sync, for `owner` (state/owner.py). Raises AlreadyUnderWay, in words for the loser."""
    now = tools.clock.now()
    with tools.state.write() as connection:
        for run in run_book.unended(connection):
            if run.job in SYNC_JOBS and stands_in_the_way(run_book.life(run, now)):
                since = f"{jst(run.started_at):%H:%M}"
                raise AlreadyUnderWay(
                    f"nothing was started: run {run.run_id[:8]} ({run.job}) is under way since {since}",
                    ja=f"開始しませんでした: {since} からの実行（{run.job}、{run.run_id[:8]}）が続いています",
                )
        if not leases.claim(connection, [CLAIM], owner, now, LIFE):
            raise AlreadyUnderWay(
                "nothing was started: somebody else has just started a run",
                ja="開始しませんでした: ほかの画面かコマンドが、たった今実行を始めたところです",
            )


@contextmanager
def start_told(opened: Callable[[], AbstractContextManager[Tools]], owner: str) -> Iterator[None]:
    """While the block lasts, others who would start a sync are told; nothing is refused to this one.

    `opened`: tools for a moment, twice: a run has its own. A state.db that can't be written now is for the run itself
    to tell.
    """
    with suppress(UNUSABLE), opened() as tools, tools.state.write() as connection:
        leases.claim(connection, [CLAIM], owner, tools.clock.now(), LIFE)
    try:
        yield
    finally:
        with suppress(UNUSABLE, EcautoError), opened() as tools:
            release_start(tools, owner)


def release_start(tools: Tools, owner: str) -> None:
    """The command has ended: the next one may start."""
    with tools.state.write() as connection:
        leases.release(connection, owner, [CLAIM])
