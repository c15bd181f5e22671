"""kill -9 at random instants of whatever the program does, taken up again in random ways, held to the laws.

A case is one installation on which several processes are killed, one after the other, each at a moment chosen by the
case's seed. Not for: faults (faults.py, surroundings.py).
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from multiprocessing.connection import Connection
from uuid import uuid4

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.line import LINE, STEPS, finish
from ecauto_pipeline.sync.people import holds, rules
from ecauto_pipeline.sync.run_record import begin_run
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.matrices import laws
from ecauto_pipeline_tests.matrices.faults import aftermath
from ecauto_pipeline_tests.matrices.stage import Stage, one_run
from ecauto_pipeline_tests.processes import fresh

KILLS_A_CASE = 5
_RULES = b"item_id,asin,min_price_jpy,note\r\n,B0NOTSOLD1,1,%d\r\n"
_LONGEST_S = 60.0
Work = Callable[[Settings, ManualClock, random.Random], object]


def _tools(work: Callable[[Tools, random.Random], object]) -> Work:
    def done(settings: Settings, clock: ManualClock, chance: random.Random) -> None:
        with open_tools(settings, clock=clock) as tools:
            work(tools, chance)

    return done


def import_rules(tools: Tools, chance: random.Random) -> None:
    rules.import_rules(tools, _RULES % chance.randrange(1_000), "kills")


def reject_holds(tools: Tools, _chance: random.Random) -> None:
    if holds.list_holds(tools):
        holds.reject(tools, everything=True, who="kills")


WORK: dict[str, Work] = {
    "open": _tools(lambda _tools, _chance: None),
    "load history": _tools(lambda tools, _chance: tools.history.load()),
    "rebuild history": _tools(lambda tools, _chance: tools.history.rebuild()),
    "compact history": _tools(lambda tools, _chance: tools.history.compact(date(2027, 1, 1))),
    "import rules": _tools(import_rules),
    "reject holds": _tools(reject_holds),
}
"""What is not a run. In its own process, of its own clock."""


@dataclass(frozen=True, slots=True)
class Case:
    """So many kills on one installation, all of them chosen by the seed."""

    number: int
    seed: int

    @property
    def name(self) -> str:
        return f"kills {self.number}"


def cases(seed: int, kills: int = 500) -> list[Case]:
    """Cases for at least so many kills."""
    return [Case(number, seed) for number in range(-(-kills // KILLS_A_CASE))]


def play(stage: Stage, case: Case) -> list[str]:
    """Kill, take up, kill again; then undisturbed runs. The violations, and what was done before them."""
    chance = random.Random(f"{case.name}{case.seed}")
    hours_pass = chance.random() < 0.5
    day = stage.begin()
    stage.set_generous_rates()
    killed, story = 0, []
    for _ in range(KILLS_A_CASE):
        activity = chance.choice(["run", "run", "run", "rotation", *WORK])
        asset = chance.choice([step.name for step in LINE]) if activity in ("run", "rotation") else ""
        if activity == "rotation":
            stage.control.expire_tokens(api="base")
        how = _kill_one(day.settings, stage.clock.now(), activity, asset, chance)
        killed += how.startswith("killed") and activity not in WORK
        taken = chance.choice(["not", "retry", "whole", "alone", *(["next hour"] * hours_pass)])
        story.append(f"{activity} {asset}: {how}, taken up: {taken}")
        _take_up(day.settings, stage.clock, taken, how.removeprefix("killed "))
    found = [] if hours_pass else laws.a_kill_cost_the_calls_in_flight(stage.asked(), stage.first_asked, killed)
    found += aftermath(stage, day)
    return [*found, *story] if found else []


def _take_up(settings: Settings, clock: ManualClock, how: str, run_id: str) -> None:
    if how == "next hour":
        clock.advance(3_600.0)
        one_run(settings, clock)
    elif how in ("retry", "whole"):
        one_run(settings, clock, retries=run_id if how == "retry" else "")
    elif how == "alone":
        for step in LINE:
            now = clock.now()
            run = Run(str(uuid4()), "__ASSET_JOB", (hour_key(now),), now)
            with open_tools(settings, clock=clock, run_id=run.run_id) as tools:
                context = tools.for_run(run)
                begin_run(context)
                STEPS[step.name].run(context)
                finish(context)


def _kill_one(settings: Settings, now: datetime, activity: str, asset: str, chance: random.Random) -> str:
    """Begin it and kill it; "killed RUN_ID" or how it ended before that."""
    ours, theirs = fresh().Pipe()
    run_id, luck = str(uuid4()), chance.randrange(1_000_000)
    process = fresh().Process(target=_live, args=(settings, now, activity, asset, run_id, luck, theirs))
    process.start()
    theirs.close()
    try:
        ours.recv()  # it has begun what it is to be killed in
        share = chance.random()
        time.sleep(share * share * 0.6)  # the moment of the kill is what is being tried
    except EOFError:
        pass
    assert process.pid is not None
    if process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
    process.join(_LONGEST_S)
    return f"killed {run_id}" if process.exitcode == -signal.SIGKILL else f"ended with {process.exitcode}"


def _live(
    settings: Settings, now: datetime, activity: str, asset: str, run_id: str, luck: int, parent: Connection
) -> None:
    """What is to be killed, in a process of its own. Says once when it begins."""
    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    clock = ManualClock(now)
    if activity in WORK:
        parent.send(activity)
        WORK[activity](settings, clock, random.Random(luck))
        return

    @contextmanager
    def around(step: str) -> Iterator[None]:
        if step == asset:
            parent.send(step)
        yield

    one_run(settings, clock, around, run_id=run_id)
