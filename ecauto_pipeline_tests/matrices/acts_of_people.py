"""What people say, by a command or on the desk, that writes: each as it is asked for, and what gives it work.

Not for: killing any of it (kills_of_people.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.migrate.cache_files import import_cache
from ecauto_pipeline.migrate.import_settings import import_legacy
from ecauto_pipeline.shops.platforms import shop_keys
from ecauto_pipeline.sync.context import Context, Run
from ecauto_pipeline.sync.line import run_line
from ecauto_pipeline.sync.people import holds, rules
from ecauto_pipeline.sync.people.keep_price import keep_price
from ecauto_pipeline.sync.people.plan_files import apply_plan, make_plan, plan_text, read_plan
from ecauto_pipeline.sync.people.rollback import rollback_run
from ecauto_pipeline.sync.people.rule_edits import set_rule, unset_rule
from ecauto_pipeline.sync.people.stop import resume_pushing, stop_pushing
from ecauto_pipeline.sync.people.take_back import take_back
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.matrices.killing import Reach

WHO, UNDO, NEWER = "kills", "undo", "newer"
FIRST = "first"
"""The run before the word."""
EVERY_STATE = ("open", "approved", "rejected", "expired", "superseded")
_LEGACY = {
    "account_config.json": '{"accounts": [{"id": "old_1", "active": true, "credentials": {"client_id": "c", '
    '"client_secret": "s"}}]}',
    "pricing_strategy.yaml": "default:\n  markup_ratio: 1.3\n",
    "blocked_asins.json": '["B000000009"]',
    ".env": "LWA_APP_ID=amzn1\nLWA_CLIENT_SECRET='x y'\n",
}
_RULES = "item_id,asin,min_price_jpy,note\r\n,B0NOTSOLD1,1,a\r\n,B0NOTSOLD2,2,b\r\n"


_A_WORD = Reach(steps=6_000)


@dataclass(frozen=True, slots=True)
class Act:
    """`do(context)`: what is asked for, also where it was asked for before; `before(context)`: what gives it work.
    `whole`: state holds all of it or nothing afterwards. `job`: it is a run of its own; `first`: the first there is.
    """

    do: Callable[[Context], object]
    before: Callable[[Context], object] = lambda context: None
    reach: Reach = _A_WORD
    whole: bool = True
    job: str = ""
    first: bool = False


def _ids(context: Context, states: tuple[str, ...] = EVERY_STATE) -> list[str]:
    return [hold.diff_id for hold in holds.list_holds(context, states=states)]


def _say(word: Any) -> Callable[[Context], object]:
    return lambda context: holds.decide(context, word, everything=True, who=WHO)


def _keep(context: Context) -> None:
    priced = [hold for hold in holds.list_holds(context, states=EVERY_STATE) if hold.kind is Kind.PRICE and hold.shown]
    keep_price(context, min(priced, key=lambda hold: (hold.key.account_id, hold.key.item_id)).diff_id, WHO)


def _release(context: Context) -> None:
    if left := _ids(context, ("open", "approved")):
        holds.release_holds(context, left, WHO)


def _item(context: Context) -> Any:
    return min((hold.key for hold in holds.list_holds(context, states=EVERY_STATE)), key=str)


def _set(context: Context) -> None:
    set_rule(context, _item(context), {"fixed_price_jpy": "4980"}, WHO)


def _import_rules(context: Context) -> None:
    rules.import_rules(context, _RULES.encode(), WHO)


def _plan_file(context: Context) -> Path:
    return context.settings.data_dir / "plan.json"


def _make_plan(context: Context) -> None:
    run = Run(str(uuid4()), "plan", (hour_key(context.clock.now()),), context.clock.now(), dry_run=True)
    with open_tools(context.settings, clock=context.clock, run_id=run.run_id) as tools:
        planning = tools.for_run(run)
        run_line(planning)
        _plan_file(context).write_text(plan_text(make_plan(planning)), encoding="utf-8")


def _legacy(context: Context) -> None:
    import_legacy(_old(context), _new(context), _new(context) / "data", dry_run=False)


def _old(context: Context) -> Path:
    return context.settings.data_dir / "older"


def _new(context: Context) -> Path:
    return context.settings.data_dir / NEWER


def _put_legacy(context: Context) -> None:
    (_old(context) / "config").mkdir(parents=True)
    for name, content in _LEGACY.items():
        (_old(context) / "config" / name).write_text(content, encoding="utf-8")


def _put_cache(context: Context) -> None:
    _old(context).mkdir()
    for number in range(30):
        entry = {"asin": f"B00OLDER{number:02d}", "price": 1980, "in_stock": True, "updated_at": "2026-06-01T09:00:00"}
        (_old(context) / f"{entry['asin']}.json").write_text(json.dumps(entry), encoding="utf-8")


ACTS: dict[str, Act] = {
    "approve": Act(_say("approve")),
    "reject": Act(_say("reject")),
    "take back": Act(
        lambda context: take_back(context, _ids(context), WHO), before=_say("approve"), reach=Reach(steps=12_000)
    ),
    "keep price": Act(_keep, reach=Reach(files=4, steps=24_000), whole=False),
    "set rule": Act(_set, reach=Reach(files=4, steps=21_000)),
    "unset rule": Act(lambda context: unset_rule(context, _item(context), WHO), _set, Reach(files=9, steps=20_000)),
    "import rules": Act(_import_rules, reach=Reach(files=4, steps=14_000)),
    "stop": Act(lambda context: stop_pushing(context, (), WHO), reach=Reach(files=2, steps=2_200)),
    "resume": Act(
        lambda context: resume_pushing(context, (), sorted(shop_keys(context.settings)), WHO),
        before=lambda context: stop_pushing(context, (), WHO),
        reach=Reach(files=2, steps=2_100),
    ),
    "release": Act(
        _release, reach=Reach(calls=8, files=10, steps=74_000, cpu_s=0.15), whole=False, job="release_holds"
    ),
    UNDO: Act(
        lambda context: rollback_run(context, FIRST),
        reach=Reach(calls=30, files=10, steps=94_000, cpu_s=0.17),
        whole=False,
        job="rollback_run",
    ),
    "apply plan": Act(
        lambda context: apply_plan(context, read_plan(_plan_file(context).read_text(encoding="utf-8"))),
        before=_make_plan,
        reach=Reach(calls=20, files=11, steps=72_000, cpu_s=0.15),
        whole=False,
        job="apply_plan",
        first=True,
    ),
    "import of settings": Act(_legacy, _put_legacy, Reach(files=14, steps=14_000), whole=False),
    "import of a cache": Act(
        lambda context: import_cache(context, _old(context)), _put_cache, Reach(steps=8_500), whole=False
    ),
}
"""What people say, by a command or on the desk, that writes."""
