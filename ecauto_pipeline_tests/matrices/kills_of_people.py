"""kill -9 while a person's word is carried out: held rows, rules, stops, undoing, plans, what the older programs left.

Every act is played twice: left alone, and killed several times and then asked for again. What comes of it has to be
the same. Not for: runs (kills.py), what is asked for (acts_of_people.py), or how a process is killed
(killing.py).
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state import stops
from ecauto_pipeline.state.item_rules import rules_in_force
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.sync.context import Context, Run
from ecauto_pipeline.sync.line import finish
from ecauto_pipeline.sync.people import holds
from ecauto_pipeline.sync.run_record import begin_run
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.matrices import laws
from ecauto_pipeline_tests.matrices.acts_of_people import ACTS, EVERY_STATE, FIRST, NEWER, UNDO, Act
from ecauto_pipeline_tests.matrices.killing import Begun, Life, Within, kill_one
from ecauto_pipeline_tests.matrices.stage import PAUSES_S, Edit, Seen, Stage, edits_made, one_run, seen
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

KILLS_A_CASE = 5
MANY_HOLDS: dict[str, Any] = {"guards": {"max_move_ratio": 0.08}}
Facts = dict[str, object]


@dataclass(frozen=True, slots=True)
class Case:
    """An act killed several times on one installation, at instants chosen by the seed."""

    act: str
    number: int
    seed: int

    @property
    def name(self) -> str:
        return f"{self.act} {self.number}"


def cases(seed: int, kills: int = 70) -> list[Case]:
    """Every act once, and again until there are so many kills."""
    rounds = -(-kills // (KILLS_A_CASE * len(ACTS)))
    return [Case(act, number, seed) for act in ACTS for number in range(rounds)]


def play(stage: Stage, case: Case) -> list[str]:
    """The act undisturbed, then killed and asked for again; what differs, and how it was killed."""
    act, chance = ACTS[case.act], random.Random(f"{case.name}{case.seed}")
    day, before = _begin(stage, act)
    _in_tools(day.settings, stage.clock, act, act.do)
    right, right_seen = _facts(day), _later(stage, day)
    day, began = _begin(stage, act)
    wanted, found, story = edits_made(day), [], list[str]()
    if before != began:
        found.append(f"two installations differ before the act: {_differ(began, before)}")
    kept = shutil.copytree(day.folder, day.folder.with_name("kept"), dirs_exist_ok=True)
    for _ in range(KILLS_A_CASE):
        if not act.job:  # the shops saw nothing of it: from the beginning, each time
            shutil.rmtree(day.folder)
            shutil.copytree(kept, day.folder)
        death = kill_one(stage, day.folder, act.reach.instant(chance), _do, day.settings, stage.clock.now(), case.act)
        stage.count(case.act, death.landed)
        story.append(f"killed {death.landed or 'not'} {death.about}")
        found += [f"{case.act} broke: {death.broke}"] if death.broke else []
        left = _facts(day)
        if act.whole and left not in (before, right):
            found.append(f"half of it was left: {_differ(left, before)}; to what is right: {_differ(left, right)}")
        if not act.job:
            found += _asked_again(stage, day, act, right)
    shutil.rmtree(kept)
    if case.act == UNDO and chance.random() < 0.5:
        return _told(found + _inherited(stage, day, wanted), story)
    if act.job:  # an approved row, sent by who was killed, is settled by newer facts then (domain/transitions.py)
        found += _asked_again(stage, day, act, {})
    now = _later(stage, day)
    found += laws.as_if_undisturbed(now, right_seen)
    found += [*laws.numbers_add_up(day), *laws.every_edit_is_on_record(day, now), *laws.no_quota_was_overrun(day)]
    return _told(found, story)


def lives() -> dict[str, Life]:
    """All that is killed here, and how far it goes."""

    def of(name: str) -> Callable[[Stage], Begun]:
        def begin(stage: Stage) -> Begun:
            day, _ = _begin(stage, ACTS[name])
            return day.folder, _do, (day.settings, stage.clock.now(), name)

        return begin

    return {f"word: {name}": Life(act.reach, of(name)) for name, act in ACTS.items()}


def _asked_again(stage: Stage, day: ShopDay, act: Act, right: Facts) -> list[str]:
    with suppress(NotOnRecord):  # it was done
        _in_tools(day.settings, stage.clock, act, act.do)
    return _differ(_facts(day), right)


def _told(found: list[str], story: list[str]) -> list[str]:
    return [*found, *story] if found else []


def _begin(stage: Stage, act: Act) -> tuple[ShopDay, Facts]:
    """An installation in which there is something to say."""
    day = stage.begin(MANY_HOLDS)
    stage.set_generous_rates()
    if not act.first:
        one_run(day.settings, stage.clock, run_id=FIRST)
    _in_tools(day.settings, stage.clock, act, act.before)
    return day, _facts(day)


def _in_tools(settings: Settings, clock: ManualClock, act: Act, do: Callable[[Context], object]) -> None:
    run = Run(str(uuid4()), act.job or "desk", (hour_key(clock.now()),), clock.now())
    with open_tools(settings, clock=clock, run_id=run.run_id, offline=not act.job) as tools:
        context = tools.for_run(run)
        if act.job:
            begin_run(context)
        do(context)
        if act.job:
            finish(context)


def _do(settings: Settings, now: datetime, name: str, within: Within) -> None:
    """What is to be killed, in a process of its own."""
    act = ACTS[name]

    def killed(context: Context) -> None:
        with within():
            act.do(context)

    _in_tools(settings, ManualClock(now), act, killed)


def _facts(day: ShopDay) -> Facts:
    """What state holds of a person's word, and the files that were written for it, without names made by chance."""
    with open_tools(day.settings, clock=day.clock, offline=True) as tools:
        held = holds.list_holds(tools, states=EVERY_STATE)
        with tools.state.read() as connection:
            in_force = [str(rule) for rule in rules_in_force(connection).values()]
            stopped = [str(stop.account) for stop in stops.standing(connection)]
            known = connection.execute(select(asins.c.asin, asins.c.price_jpy).order_by(asins.c.asin)).all()
    files = sorted(path for path in (day.settings.data_dir / NEWER).rglob("*") if path.is_file())
    return {
        "holds": sorted(f"{hold.key} {hold.kind} {hold.wanted} {hold.state}" for hold in held),
        "rules": in_force,
        "stops": stopped,
        "asins": [tuple(row) for row in known],
        "files": {path.name: path.read_text(encoding="utf-8") for path in files if not path.name.endswith(".tmp")},
    }


def _differ(facts: Facts, right: Facts) -> list[str]:
    """By name what is there, and what would be right; of lists what differs."""
    told = []
    for name, wanted in right.items():
        is_there = facts[name]
        if isinstance(wanted, list) and isinstance(is_there, list):
            both = [one for one in wanted if one in is_there]
            wanted, is_there = ([one for one in side if one not in both] for side in (wanted, is_there))
        if wanted != is_there:
            told.append(f"{name}: {is_there}, undisturbed {wanted}")
    return told


def _later(stage: Stage, day: ShopDay) -> Seen:
    """What may be seen once runs have gone on for a while."""
    for pause in PAUSES_S[:2]:
        stage.clock.advance(pause)
        one_run(day.settings, stage.clock)
    return seen(day)


def _inherited(stage: Stage, day: ShopDay, wanted: Counter[Edit]) -> list[str]:
    """Undoing was begun and given up: what a later run sends is what the rules want, never what was to be undone."""
    before = edits_made(day)
    sent = _later(stage, day).edits - before
    return [f"a run went on with an undoing nobody asked it for: {edit}" for edit in sent if edit not in wanted]
