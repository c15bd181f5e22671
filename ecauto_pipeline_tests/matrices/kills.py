"""kill -9 at instants spread over whatever the program does, taken up again in random ways, held to the laws.

A case is one installation on which several processes are killed, one after the other, each at an instant chosen by the
case's seed (killing.py). Not for: faults (faults.py, surroundings.py), what people say (kills_of_people.py), data
folders of earlier versions (kills_of_upgrades.py).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, datetime
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
from ecauto_pipeline_tests.matrices.killing import Begun, Life, Reach, Within, kill_one
from ecauto_pipeline_tests.matrices.stage import PUBLISH, Stage, one_run
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

KILLS_A_CASE = 5
_RULES = b"item_id,asin,min_price_jpy,note\r\n,B0NOTSOLD1,1,%d\r\n"
RUN = (*(step.name for step in LINE), PUBLISH)
"""What a run does, one after the other."""
_RUN_REACH = {
    "listings": Reach(files=18, steps=52_000, cpu_s=0.11),
    "stale_asins": Reach(steps=48_000),
    "sp_api_snapshots": Reach(files=1, steps=21_000, cpu_s=0.07),
    "price_diffs": Reach(steps=65_000),
    "visibility_diffs": Reach(steps=40_000),
    "base_updates": Reach(files=3, steps=43_000, cpu_s=0.13),
    PUBLISH: Reach(files=40, steps=70_000, cpu_s=0.17),
}
"""Without the calls; those are counted in the first undisturbed run."""


def import_rules(tools: Tools, chance: random.Random) -> None:
    rules.import_rules(tools, _RULES % chance.randrange(1_000), "kills")


def reject_holds(tools: Tools, _chance: random.Random) -> None:
    if holds.list_holds(tools):
        holds.reject(tools, everything=True, who="kills")


_LOAD = "load history"
_WORK: dict[str, tuple[Callable[[Tools, random.Random], object], Reach]] = {
    _LOAD: (lambda tools, _: tools.history.load(), Reach(files=7, steps=7_500, cpu_s=0.1)),
    "rebuild history": (lambda tools, _: tools.history.rebuild(), Reach(files=7, steps=7_500, cpu_s=0.13)),
    "compact history": (
        lambda tools, _: tools.history.compact(date(2027, 1, 1)),
        Reach(files=61, steps=11_000, cpu_s=0.16),
    ),
    "import rules": (import_rules, Reach(files=4, steps=15_000)),
    "reject holds": (reject_holds, Reach(steps=3_000)),
}
"""What is not a run, in its own process, of its own clock, and how far it goes."""
_OPEN = "open"
_OPEN_REACH = Reach(files=9, steps=38_000, cpu_s=0.04)
_OF_SO_MANY = 12
"""One case of so many kills processes that import all they need themselves, as whoever calls a command begins one."""
_OF_FIVE = 3
"""In so many cases of five the first kill is in a call: an installation that has just begun has all of them to make,
and one that was killed and taken up in the same hour hardly any."""


@dataclass(frozen=True, slots=True)
class Case:
    """So many kills on one installation, all of them chosen by the seed."""

    number: int
    seed: int

    @property
    def name(self) -> str:
        return f"kills {self.number}"


def cases(seed: int, kills: int = 440) -> list[Case]:
    """Cases for at least so many kills."""
    return [Case(number, seed) for number in range(-(-kills // KILLS_A_CASE))]


def play(stage: Stage, case: Case) -> list[str]:
    """Kill, take up, kill again; then undisturbed runs. The violations, and what was done before them."""
    chance = random.Random(f"{case.name}{case.seed}")
    hours_pass = chance.random() < 0.5
    day = stage.begin()
    stage.set_generous_rates()
    killed, story, broken = 0, [], []
    for number in range(KILLS_A_CASE):
        activity = chance.choice(["run", "run", "run", "run", "run", "rotation", _OPEN, *_WORK])
        asset = chance.choice(RUN) if activity in ("run", "rotation") else ""
        asking = number == 0 and case.number % 5 < _OF_FIVE
        if asking:
            activity, asset = "run", chance.choice([name for name in RUN if stage.first_calls[name]])
        if activity == "rotation":
            stage.control.expire_tokens(api="base")
        run_id, luck = str(uuid4()), chance.randrange(1_000_000)
        reach = _reach(stage, activity, asset)
        instant = (Reach(calls=reach.calls) if asking else reach).instant(chance)
        _give_work(day, activity)
        what = (day.settings, stage.clock.now(), activity, asset, run_id, luck)
        itself = case.number % _OF_SO_MANY == _OF_SO_MANY - 1
        death = kill_one(stage, day.folder, instant, _do, *what, imports_itself=itself)
        stage.count(asset or activity, death.landed)
        killed += bool(death.landed) and bool(asset)
        taken = chance.choice(["not", "retry", "whole", "alone", *(["next hour"] * hours_pass)])
        story.append(f"{activity} {asset}: {instant}, {death.landed or 'not killed'} {death.about}, taken up: {taken}")
        broken += [f"{activity} {asset} broke: {death.broke}"] if death.broke else []
        _take_up(day.settings, stage.clock, taken, run_id if death.landed else "")
    found = [] if hours_pass else laws.a_kill_cost_the_calls_in_flight(stage.asked(), stage.first_asked, killed)
    found += broken + aftermath(stage, day)
    return [*found, *story] if found else []


def _reach(stage: Stage, activity: str, asset: str) -> Reach:
    if asset:
        return replace(_RUN_REACH[asset], calls=len(stage.first_calls[asset]))
    return _WORK[activity][1] if activity in _WORK else _OPEN_REACH


def _give_work(day: ShopDay, activity: str) -> None:
    """What a run has left, where there has to be something: one that could not have history's database."""
    if activity == _LOAD:
        day.run()


def lives() -> dict[str, Life]:
    """All that is killed here, and how far it goes."""

    def of(activity: str, asset: str = "") -> Callable[[Stage], Begun]:
        def begin(stage: Stage) -> Begun:
            day = stage.begin()
            stage.set_generous_rates()
            if activity in _WORK and activity != _LOAD:
                one_run(day.settings, stage.clock)
            _give_work(day, activity)
            return day.folder, _do, (day.settings, stage.clock.now(), activity, asset, str(uuid4()), 0)

        return begin

    runs = {asset: Life(reach, of("run", asset)) for asset, reach in _RUN_REACH.items()}
    others = {what: Life(reach, of(what)) for what, (_, reach) in _WORK.items()}
    return {**runs, _OPEN: Life(_OPEN_REACH, of(_OPEN)), **others}


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


def _do(settings: Settings, now: datetime, activity: str, asset: str, run_id: str, luck: int, within: Within) -> None:
    """What is to be killed, in a process of its own."""
    clock = ManualClock(now)
    if asset:

        @contextmanager
        def around(step: str) -> Iterator[None]:
            with within() if step == asset else nullcontext():
                yield

        one_run(settings, clock, around, run_id=run_id)
    elif activity == _OPEN:
        with within(), open_tools(settings, clock=clock):
            pass
    else:
        with open_tools(settings, clock=clock) as tools, within():
            _WORK[activity][0](tools, random.Random(luck))
