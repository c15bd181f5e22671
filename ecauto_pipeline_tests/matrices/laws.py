"""What must hold of an installation that something was done to, against one that was left alone.

Not for: doing it (faults.py, surroundings.py, kills.py). Each law gives its violations in words; none: all is well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ecauto_pipeline.limiter import WAY_S
from ecauto_pipeline_tests.matrices.stage import Asked, Item, Seen
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

_PARTS = ("pushed", "unchanged", "held", "blocked", "skipped", "failed")
OPINION = "getCompetitiveSummary"
A_CALL = 20
"""ASINs of the largest call."""
MIN_DIFF_JPY = 100
"""A price is moved by so much or not at all (docs/configuration.md)."""
_SHOWN = 5
"""So many of a kind are told; the rest is a number."""


def nothing_wrong_was_sent(now: Seen, right: Seen) -> list[str]:
    """Every edit is one that the undisturbed made too: same item, same field, same value."""
    return _told("an edit that nothing asked for", set(now.edits) - set(right.edits))


def nothing_was_sent_twice(now: Seen) -> list[str]:
    """Amazon stands still, so that no value is ever set twice."""
    return _told("an edit carried out twice", [edit for edit, times in now.edits.items() if times > 1])


def no_answer_was_made_up(now: Seen, right: Seen) -> list[str]:
    """What history calls Amazon's word is what Amazon says: no failure has become "out of stock".

    A sweep says that an offer is as it was and never a price, by design: it may say so of what is on sale, and an
    undisturbed run, whose details are answered, need not have asked one.
    """
    on_sale = {asin for asin, status, _ in right.answers if status == "success"}
    made_up = now.answers - right.answers
    return _told("an answer that Amazon never gave", [*made_up, *(now.unchanged - on_sale)])


def it_caught_up(items: dict[tuple[str, str], Item], right: Seen, *, lies: bool = False) -> list[str]:
    """Every item shows what it shows in the undisturbed shop.

    `lies`: Amazon or the shop said what was not so. The price that an item was then given stays where Amazon has none
    for it: without an offer no price is set (never one that nobody checked), and the item is hidden for just that. And
    it stays where what it should be moved to is nearer than a move is worth, as the undisturbed one's does.
    """
    differ = []
    for key, item in right.items.items():
        shown = items.get(key)
        free = lies and shown is not None and _as_good(shown, key, right)
        if shown != item and not (free and shown is not None and shown[1:] == item[1:]):
            differ.append((key, shown, item))
    return _told("an item that never came to show what it must (item, shown, right)", differ)


def _as_good(shown: Item, key: tuple[str, str], right: Seen) -> bool:
    """Whether nobody would move this price, nor the one of the item that was never lied about."""
    if key in right.priceless:
        return not right.items[key][1]
    wanted_jpy = _selling(right.costs_jpy.get(key, 0))
    return all(abs(price_jpy - wanted_jpy) < MIN_DIFF_JPY for price_jpy in (shown[0], right.items[key][0]))


def _selling(cost_jpy: int) -> int:
    """docs/configuration.md, [pricing]: 1.3 times, down to whole yen, to the next 10, half up."""
    return (cost_jpy * 13 // 10 + 5) // 10 * 10


def as_if_undisturbed(now: Seen, right: Seen) -> list[str]:
    """The very edits that the undisturbed made, each as often, and every item shows what it shows there."""
    more, fewer = (now.edits - right.edits).elements(), (right.edits - now.edits).elements()
    return [*_told("an edit too many", more), *_told("an edit that is missing", fewer), *it_caught_up(now.items, right)]


def a_kill_cost_the_calls_in_flight(asked: Counter[Asked], first: Counter[Asked], kills: int) -> list[str]:
    """While no time passes nothing that was answered is asked again: against what one undisturbed run asks (`first`),
    at most one call of each operation a kill, and once more a look at what was in doubt, where the plan is a new one.
    """
    by_operation = Counter(operation for operation, _ in first)
    doubted = {asin for operation, asin in first if operation == OPINION}
    found = []
    for operation, times in sorted(Counter(operation for operation, _ in (asked - first).elements()).items()):
        anew = len(doubted) if operation in by_operation and operation != OPINION else 0
        a_kill = min(by_operation[operation], A_CALL) + anew
        if times > kills * a_kill:
            found.append(f"{operation}: {times} ASINs were asked again, at most {kills * a_kill} with {kills} kills")
    return found


def numbers_add_up(day: ShopDay) -> list[str]:
    """Of every run that ended: targets = pushed + unchanged + held + blocked + skipped + failed."""
    rows = day.history("select * from run_metrics where targets is not null")
    wrong = [row["run_id"] for row in rows if row["targets"] != sum(row[part] or 0 for part in _PARTS)]
    return _told("a run whose numbers do not add up", wrong)


def every_edit_is_on_record(day: ShopDay, now: Seen) -> list[str]:
    """What the shops carried out is in history as done, and what is there as done was carried out."""
    rows = day.history(
        "select account_id, item_id, kind, after from updates where outcome in ('done', 'confirmed') order by all"
    )
    kinds = {"price": "price", "visible": "visibility", "stock": "stock"}
    sent = {(account, item, kinds.get(name, name)) for account, item, name, _ in now.edits}
    known = {(row["account_id"], row["item_id"], row["kind"]) for row in rows}
    lost = _told("an edit that nobody knows of", sent - known)
    return lost + _told("an edit on record that no shop saw", known - sent)


def no_quota_was_overrun(day: ShopDay) -> list[str]:
    """No call was refused by the emulator's own counting: every refusal was one that was asked for."""
    sent = day.history("select request_id, epoch_ms(started_at) as ms from api_calls where request_id <> ''")
    return beyond_limits(day.control.calls(), {row["request_id"]: row["ms"] / 1000 for row in sent})


def beyond_limits(calls: Iterable[Mapping[str, Any]], sent_s: Mapping[str, float]) -> list[str]:
    """Of the calls as the emulator lists them; `sent_s`: when the program says that it sent each, by request id.

    Not looked at is the call right after one whose answer was spoiled: who hears nothing of a call can't tell when it
    came. Nor the one after a call that came later than any way takes: several threads pass the time by one clock here,
    so that a wait of another may lie on its way; who hears of it late takes it for an answer that was long in making.
    """
    refused, before = [], dict[tuple[str, str, str], Mapping[str, Any]]()
    for call in calls:
        bucket = (call["api"], call["account"], call["operation"])
        beyond = call["outcome"] in ("throttled", "refused:hour_api_limit", "refused:day_api_limit")
        last = before.get(bucket)
        if beyond and not (last and ("+fault:" in last["outcome"] or _on_its_way_s(last, sent_s) > WAY_S)):
            refused.append((call["api"], call["operation"], call["outcome"]))
        before[bucket] = call
    return _told("a call beyond a limit", refused)


def _on_its_way_s(call: Mapping[str, Any], sent_s: Mapping[str, float]) -> float:
    """Seconds from being sent to being seen; 0 where the program has no record of it."""
    came_s = datetime.fromisoformat(call["at"]).timestamp()
    return came_s - sent_s.get(call["request_id"] or "", came_s)


def _told(what: str, found: Iterable[object]) -> list[str]:
    each = sorted(str(one) for one in found)
    more = [f"{what}: {len(each) - _SHOWN} more"] if len(each) > _SHOWN else []
    return [f"{what}: {one}" for one in each[:_SHOWN]] + more
