"""A run while the machine does something to it (disturbances.py), held to the laws.

The disturbed run is a process of its own, so that its limits are its own; the runs after it are undisturbed.
Not for: what an API answers (faults.py).
"""

from __future__ import annotations

import logging
import os
import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from multiprocessing.connection import Connection

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.sync.line import LINE
from ecauto_pipeline_tests.matrices.disturbances import DISTURBANCES, MOUNTED, OF_HISTORY, Place, undo
from ecauto_pipeline_tests.matrices.faults import aftermath
from ecauto_pipeline_tests.matrices.relay import CUT, Relay
from ecauto_pipeline_tests.matrices.stage import PAUSES_S, PUBLISH, AtAsset, Stage, one_run
from ecauto_pipeline_tests.processes import fresh

_LOCKED_S = 1.0
_DISK_BYTES = 96 * 2**20
_LONGEST_S = 300.0
PLACES = (*(step.name for step in LINE), PUBLISH)
Case = AtAsset


def cases(seed: int) -> list[Case]:
    """Every disturbance, by every asset of the line, and by what a run does after them."""
    return [Case(kind, place, seed) for kind in DISTURBANCES for place in PLACES]


def play(stage: Stage, case: Case) -> list[str]:
    """A disturbed run, the first of the installation or the second, then undisturbed ones; the violations."""
    chance = random.Random(f"{case.name}{case.seed}")
    with Relay(stage.emulator.url, stage.next_folder / CUT) as relay:
        document = {
            "sp_api": {"endpoint": relay.url, "lwa_endpoint": relay.url},
            "base": {"endpoint": f"{relay.url}/1"},
        }
        day = stage.begin(
            document if case.kind == "proxy cuts" else None, disk_bytes=_DISK_BYTES * (case.kind in MOUNTED)
        )
        if case.kind in OF_HISTORY or chance.random() < 0.3:
            one_run(day.settings, stage.clock)
            stage.set_generous_rates()  # what that run took of the burst comes back in the pause
            stage.clock.advance(PAUSES_S[0])
        stage.set_generous_rates()
        ours, theirs = fresh().Pipe()
        process = fresh().Process(target=disturbed, args=(day.settings, stage.clock.now(), case, theirs))
        process.start()
        theirs.close()
        process.join(_LONGEST_S)
        found = []
        if process.exitcode is None:
            process.kill()
            process.join()
            found.append("it never ended")
        undo(day.settings)
        stage.struck += relay.cuts or _met(ours, process.exitcode)
        return found + aftermath(stage, day)


def _met(told: Connection, exitcode: int | None) -> int:
    """How often the disturbance met anything; a process that died of it can't tell."""
    try:
        return int(told.recv())
    except EOFError:
        return int(exitcode != 0)


def disturbed(settings: Settings, now: datetime, case: Case, parent: Connection) -> None:
    """One run in this process, disturbed while the asset of the case works. Its end is its own matter; told is how
    often it met the disturbance."""
    place = Place(settings, ManualClock(now), random.Random(f"{case.name}{case.seed}"))
    to_the_end = ExitStack()

    @contextmanager
    def around(step: str) -> Iterator[None]:
        if step != case.asset:
            yield
            return
        disturbance = DISTURBANCES[case.kind](place)
        if case.kind in OF_HISTORY:
            to_the_end.enter_context(disturbance)
            yield
            return
        with _warnings_of_the_run(place), disturbance:
            yield

    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    with to_the_end:
        try:
            one_run(settings, place.clock, around, busy_s=_LOCKED_S if case.kind.endswith("held") else 60.0)
        except Exception as error:
            place.met.append(type(error).__name__)
    parent.send(len(place.met))


@contextmanager
def _warnings_of_the_run(place: Place) -> Iterator[None]:
    """What the program warns of while it is disturbed: an undisturbed run of this world warns of nothing."""

    class Heard(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            place.met.append(record.levelname)

    heard = Heard(logging.WARNING)
    log = logging.getLogger("ecauto_pipeline")
    log.addHandler(heard)
    try:
        yield
    finally:
        log.removeHandler(heard)
