"""Every fault of the emulator, while each asset in turn is at work: generated, played, held to the laws.

Not for: what the surroundings do (surroundings.py).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ecauto_pipeline.emulator.chance import uniform
from ecauto_pipeline.emulator.faults import KINDS
from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline.sync.line import LINE
from ecauto_pipeline_tests.matrices import laws
from ecauto_pipeline_tests.matrices.owner import authorise_what_was_lost
from ecauto_pipeline_tests.matrices.stage import PAUSES_S, AtAsset, Stage, items_shown, one_run, seen
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

LIES = frozenset({"false_zeros", "stale", "unknown_asin", "extra_item", "vanished", "price_kept", "price_refused"})
"""A well-formed answer that is not so: what was done by it is not wrong by the program's knowledge; it must be mended
once the truth is told."""
_OF_BASE = ("item_id", "price", "visible", "stock", "identifier", "items", "item")
_OF_AMAZON = (
    "Offers",
    "ListingPrice",
    "LandedPrice",
    "Shipping",
    "Amount",
    "CurrencyCode",
    "SubCondition",
    "ShippingTime",
    "maximumHours",
    "availabilityType",
    "Summary",
    "Identifier",
    "ASIN",
    "status",
    "responses",
)
"""Fields of the answers that a rename may meet."""
_BODIES = ("[]", "null", "{}", '""', "0", "", '{"responses": null}', '{"items": {}}', '{"item": []}', "{" * 2_000)
_APIS = {"SP-API": "sp_api", "BASE": "base", "LWA": "lwa"}
"""What the emulator's words about a kind begin with, where only one of them knows it."""
_OF_PRICES = frozenset({"price_refused", "price_kept"})
_QUICK_S = 0.05
_CHOSEN_BY = ("api", "operation", "account")
_SHARE = 0.5
Calls = Sequence[Mapping[str, Any]]


class Case(AtAsset):
    """A fault at work while one asset is."""

    __slots__ = ()

    def spec(self, calls: Calls) -> dict[str, Any]:
        """The fault as the emulator takes it. `calls`: what the asset asks where nothing disturbs it, so that the fault
        meets one of them, if there is any that it concerns."""
        chance = random.Random(f"{self.name}{self.seed}")
        fault: dict[str, Any] = {"kind": self.kind, "seed": chance.randrange(1_000_000)}
        if api := _APIS.get(KINDS[self.kind].partition(":")[0]):
            fault["api"] = api
        if self.kind in _OF_PRICES:
            fault["operation"] = "items/edit"
        if chance.random() < 0.3 and self.asset in ("listings", "base_updates") and fault.get("api", "base") == "base":
            fault["account"] = "base_account_1"
        met = sum(all(call[name] == fault[name] for name in _CHOSEN_BY if name in fault) for call in calls)
        if chance.random() < 0.5:
            fault["times"] = chance.randint(1, 4)
        if chance.random() < 0.4 and met > 1:
            fault["after"] = chance.randint(1, min(5, met - 1))
        if chance.random() < 0.3 and met:
            later = range(fault.get("after", 0) + 1, met + 1)
            while not any(uniform(fault["seed"], number) < _SHARE for number in later):
                fault["seed"] += 1
            fault["probability"] = _SHARE
        if self.kind in ("slow", "timeout", "timeout_after", "timeout_in_body", "held"):
            fault["seconds"] = _QUICK_S
        elif self.kind == "http_error":
            fault["status"] = chance.choice([400, 403, 500, 502, 503, 504])
        elif self.kind == "error_json":
            fault["status"] = chance.choice([400, 403, 404, 413, 500, 503])
        elif self.kind == "body":
            fault["body"] = chance.choice(_BODIES)
        elif self.kind == "renamed":
            old = chance.choice(_OF_AMAZON if self.asset == "sp_api_snapshots" else _OF_BASE)
            fault["names"] = {old: f"{old}2"}
        elif self.kind in ("false_zeros", "rate_cut"):
            fault["share"] = chance.choice([0.1, 0.5, 1.0])
        elif self.kind == "stale":
            fault["age_s"] = float(chance.choice([600, 7_200, 172_800]))
        elif self.kind == "extra_item":
            fault["asin"] = "B0EXTRA001"
        return fault


def cases(seed: int) -> list[Case]:
    """Every kind there is, by every asset of the line."""
    return [Case(kind, step.name, seed) for kind in sorted(KINDS) for step in LINE]


def play(stage: Stage, case: Case) -> list[str]:
    """A run with the fault, then runs without it; the violations."""
    day = stage.begin()

    @contextmanager
    def around(step: str) -> Iterator[None]:
        if step != case.asset:
            yield
            return
        (fault,) = stage.control.add_faults(case.spec(stage.first_calls[step]))
        try:
            yield
        finally:
            stage.struck += sum(one["struck"] for one in stage.control.faults())
            stage.control.remove_faults(fault)

    found: list[str] = []
    try:
        one_run(day.settings, stage.clock, around)
    except EcautoError as error:
        if not str(error) or not error.ja:
            found.append(f"an end without words: {type(error).__name__}: {error}")
    except Exception as error:  # what must not be is told, whatever it is
        found.append(f"the run broke: {type(error).__name__}: {error}")
    return found + aftermath(stage, day, lies=case.kind in LIES, renames=case.kind == "renamed")


def aftermath(stage: Stage, day: ShopDay, *, lies: bool = False, renames: bool = False) -> list[str]:
    """What must hold after the disturbance, and when runs have gone on without it."""
    right, found = stage.undisturbed, []
    for pause in PAUSES_S:
        stage.clock.advance(pause)
        one_run(day.settings, stage.clock)
        if authorise_what_was_lost(day):
            continue
        if items_shown(day) == right.items:
            break
    now = seen(day)
    if not lies:
        found += laws.nothing_wrong_was_sent(now, right)
        found += laws.no_answer_was_made_up(now, right) if not renames else []
        found += laws.nothing_was_sent_twice(now)
    found += laws.it_caught_up(now.items, right, lies=lies)
    found += laws.numbers_add_up(day)
    found += laws.every_edit_is_on_record(day, now)
    found += laws.no_quota_was_overrun(day)
    return found
