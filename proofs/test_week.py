"""A week of a shop on a clock moved by hand: everything that goes wrong in a week does, and at its end all is in step.

Judged by the emulator's own lists and its world: what it was asked, what was so, what it was told to show. Our own
history is asked for nothing but whether the numbers add up.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline_tests.scenarios.expectation import breaks_floor, cost_jpy, expected_after_run
from proofs.week import CALM, HOURS, LIES, LISTINGS, NIGHT, REFUSED, START, ZEROS, Week, played, within


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    with played(Path(tmp_path_factory.mktemp("week"))) as one:
        yield one


def test_everything_that_goes_wrong_really_did(week: Week) -> None:
    """The script struck: zeros, lies, the night without BASE, prices that BASE would not have, sales, hiding people,
    goods that went and came back.
    """
    struck = {fault["kind"]: fault["struck"] for fault in week.day.control.faults()}
    hidden = {key for _, key, fields in week.edits if fields.get("visible") == "0"}
    shown = {key for _, key, fields in week.edits if fields.get("visible") == "1"}
    prices = sum("price" in fields for _, _, fields in week.edits)
    restocks = sum(fields.get("stock") == "1" for _, _, fields in week.edits)
    print(f"\nfaults struck {struck}; {week.sales} sales, {len(week.hidden_by_people)} hidden by people")
    print(f"edits: {prices} prices, {len(hidden)} items hidden, {len(hidden & shown)} came back, {restocks} restocks")
    faults = {"false_zeros", "stale", "http_error", "price_refused", "price_kept"}
    assert faults == {kind for kind, count in struck.items() if count}
    assert [] == [at for at, *_ in week.edits if within(at, NIGHT)]
    assert min(week.sales, len(week.hidden_by_people), prices, len(hidden & shown), restocks) > 0
    lied_about = [asin for asin, asked in week.asked.items() if any(within(at, LIES) for at in asked)]
    assert lied_about


def test_at_the_end_every_listing_shows_what_it_should(week: Week) -> None:
    """Price, visibility and stock of every item of every shop, also of those that must not be touched."""
    now = week.clock.now()
    last = {asin: truth for asin in week.asked for truth in week.last_told(asin, now)[:1]}
    silent = {"failure": "no answer"}
    refused = {key: week.before_the_end[key] for key in (week.price_refused, week.price_kept)}
    expected = expected_after_run(
        week.listings,
        week.before_the_end,
        week.day.accounts[:-1],
        lambda asin: last.get(asin, silent),
        week.ours_to_show - set(week.hidden_by_people),
        week.filtered_twice,
    )
    expected |= {key: (item["price_jpy"], False, item["stock"]) for key, item in refused.items()}
    shown = {key: (item["price_jpy"], item["visible"], item["stock"]) for key, item in week.day.shown().items()}
    wrong = {key: (expected[key], shown[key]) for key in expected if expected[key] != shown[key]}
    right = sum(shown[key][1] for key in expected)
    print(f"\nof {len(expected)} items {len(expected) - len(wrong)} show what they should, {right} of them are public")
    assert {} == wrong
    assert right > LISTINGS // 3


def test_the_mass_false_zero_hid_nothing(week: Week) -> None:
    """What was hidden while Amazon said zero of nearly everything could not be sold in truth."""
    hidden = [(at, key) for at, key, fields in week.edits if fields.get("visible") == "0" and within(at, ZEROS)]
    shown_jpy = {key: item["price_jpy"] for key, item in week.day.shown().items()}
    wrong = []
    for at, key in hidden:
        prices = [
            int(fields["price"]) for when, k, fields in week.edits if k == key and when <= at and "price" in fields
        ]
        cost = cost_jpy(week.day.control.truth(week.asin_of[key], at))
        if cost is not None and not breaks_floor(prices[-1] if prices else shown_jpy[key], cost):
            wrong.append(key)
    print(f"\nhidden in the hour of the false zeros: {len(hidden)}, of these for no reason: {len(wrong)}")
    assert [] == wrong


def test_nothing_hidden_by_a_person_was_ever_shown(week: Week) -> None:
    """Rule 3, by the emulator's list of edits and by what it shows at the end."""
    shown = week.day.shown()
    assert [] == [key for key in week.hidden_by_people if shown[key]["visible"]]
    assert [] == [
        (at, key)
        for at, key, fields in week.edits
        if fields.get("visible") == "1" and key in week.hidden_by_people and at >= week.hidden_by_people[key]
    ]


def test_no_price_below_the_floor_was_ever_sent(week: Week) -> None:
    """Rule 2, by the emulator's list: each price was at least 1.05 times what Amazon had last said it charges, and left
    no loss after BASE's fees.
    """
    wrong, judged = [], 0
    for at, key, fields in week.edits:
        if "price" not in fields:
            continue
        costs = [cost for truth in week.last_told(week.asin_of[key], at) if (cost := cost_jpy(truth)) is not None]
        judged += 1
        if not costs or breaks_floor(int(fields["price"]), costs[0]):
            wrong.append((at, key, fields, costs[:1]))
    print(f"\n{judged} prices sent, {len(wrong)} below the floor")
    assert judged
    assert [] == wrong


def test_no_loss_stays_on_show(week: Week) -> None:
    """Rule 11: a listing whose price leaves a loss is mended or hidden within its slice and two minutes of the answer
    that showed the cost; the hours in which BASE takes no edit don't count.
    """
    night = START + timedelta(hours=NIGHT[0]), START + timedelta(hours=NIGHT[1])
    found = week.losses()
    lasted = sorted(((one.lasted(night), one) for one in found), key=lambda pair: pair[0])
    over = [one for span, one in lasted if span > week.allowed(one.began)]
    rises = [at for steps in week.rising.values() for at, _ in steps]
    print(f"\n{len(rises)} rises written; {len(found)} losses on show, the longest {lasted[-1]}")
    print(f"yen a piece in all {sum(one.worst_jpy for one in found)}; {len(over)} longer than allowed")
    assert START + timedelta(hours=HOURS - CALM) > max(rises)
    assert len(found) > len(week.rising) // 2
    assert [] == over


def test_a_price_that_the_shop_will_not_have_ends_off_sale(week: Week) -> None:
    """Rule 11: one edit of the price and one that hides it until the week is over; a day later one more try at most."""
    risen = START + timedelta(hours=REFUSED)
    shown = week.day.shown()
    for key in (week.price_refused, week.price_kept):
        sent = [
            datetime.fromisoformat(call["at"])
            for call in week.day.edits()
            if (call["account"], str(call["details"]["item_id"])) == key
        ]
        sent = [at for at in sent if at >= risen]
        in_the_week = [at for at in sent if at < START + timedelta(hours=HOURS)]
        print(f"\n{key}: {len(in_the_week)} edits in the week, {len(sent) - len(in_the_week)} a day later")
        assert (False, False) == (week.before_the_end[key]["visible"], shown[key]["visible"])
        assert 2 == len(in_the_week)
        assert len(sent) <= 3


def test_every_run_adds_up(week: Week) -> None:
    """Rule 6, in every run of the week."""
    sums = "pushed + unchanged + held + blocked + skipped + failed"
    assert week.day.history(f"select count(*) as n from run_metrics where targets <> {sums}") == [{"n": 0}]
    assert week.day.history("select count(*) as n from run_metrics") == [{"n": len(week.runs)}]
    assert len(week.runs) > HOURS
