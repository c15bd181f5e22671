"""The second opinion's answers: what they say, what they can't say, and that no shape at all breaks the reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.amazon.operation import ShapelessAnswer
from ecauto_pipeline.amazon.operations.competitive_summary import OPERATION, summary_answer
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.domain.model import Answer, Status
from ecauto_pipeline.domain.offers.knowledge import within
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.reports.capacity import capacity, rows
from ecauto_pipeline.settings import Offers, parse
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import tools_at

_ASIN = "B000000001"
_RULE = Offers()


def _offer(price: object = 2980, shipping: object = 0, **more: Any) -> dict[str, Any]:
    offer = {
        "sellerId": "S1",
        "condition": "New",
        "fulfillmentType": "AFN",
        "listingPrice": {"amount": price, "currencyCode": "JPY"},
        "primeDetails": {"eligibility": "NATIONAL"},
    } | more
    if shipping is not None:
        offer["shippingOptions"] = [
            {"shippingOptionType": "DEFAULT", "price": {"amount": shipping, "currencyCode": "JPY"}}
        ]
    return offer


def _body(*offers: Any, featured: Any = (), **more: Any) -> dict[str, Any]:
    asked = {"itemCondition": "New", "offerType": "Consumer"}
    segments = [{**one, "featuredOfferSegments": [{"customerMembership": "DEFAULT"}]} for one in featured]
    options = [{"buyingOptionType": "New", "segmentedFeaturedOffers": segments}] if segments else []
    lowest = [{"lowestPricedOffersInput": asked, "offers": list(offers)}]
    return {"asin": _ASIN, "featuredBuyingOptions": options, "lowestPricedOffers": lowest} | more


def test_new_offers_are_seen_with_what_they_cost() -> None:
    """Cheapest first, a featured one that is listed too counts once; a comparison figure, and never a selling price."""
    answer = summary_answer(
        _ASIN, _body(_offer(), _offer(2500.0, 500, sellerId="S2"), featured=[_offer()]), _RULE, "rid"
    )
    assert (Status.SUCCESS, "", True, 2, 2980, "rid") == (
        answer.status,
        answer.reason,
        answer.in_stock,
        answer.offer_count,
        answer.probe_price_jpy,
        answer.request_id,
    )
    assert [("S2", 3000), ("S1", 2980)] == [(one.seller_id, one.cost_jpy) for one in answer.seen]
    assert (None, None) == (answer.price_jpy, answer.ship_hours_max)


def test_a_seller_that_the_owner_refuses_bears_nothing_out() -> None:
    """The offer rule is one for every operation: of such an offer no price is compared; that offers exist still counts.

    What this source does not say of a seller (a rating, sometimes Prime) refuses none here."""
    body = _body(_offer(), _offer(2500, sellerId="S2", primeDetails=None))
    barred = summary_answer(_ASIN, body, Offers(sellers_never=("S1", "S2")))
    assert (Status.SUCCESS, True, ()) == (barred.status, barred.in_stock, barred.seen)
    rated = Offers(sellers_never=("S1",), prime_only=True, min_rating_percent=90)
    assert ["S2"] == [one.seller_id for one in summary_answer(_ASIN, body, rated).seen]


def test_what_it_does_not_say_is_unknown_never_free() -> None:
    """Without shippingOptions, or with one that can't be read: the cost is unknown, the listing price is kept."""
    unreadable = [{"shippingOptionType": "DEFAULT", "price": {"amount": 3.5, "currencyCode": "JPY"}}]
    for offer in (_offer(shipping=None), _offer(shippingOptions=unreadable, shipping=None)):
        (seen,) = summary_answer(_ASIN, _body(offer), _RULE).seen
        assert (2980, None, None) == (seen.listing_price_jpy, seen.shipping_jpy, seen.cost_jpy)
    (bare,) = summary_answer(_ASIN, _body(_offer(primeDetails=None, fulfillmentType=None)), _RULE).seen
    assert (None, None) == (bare.is_prime, bare.is_fba)


def test_none_takes_both_lists_empty() -> None:
    """No featured offer and an empty list of new ones is "gone"; where one of them is missing it can't say."""
    assert (Status.OUT_OF_STOCK, False) == (
        summary_answer(_ASIN, _body(), _RULE).status,
        summary_answer(_ASIN, _body(), _RULE).in_stock,
    )
    for body in (
        _body(lowestPricedOffers=None),
        _body(featuredBuyingOptions=None),
        _body(lowestPricedOffers=[{"lowestPricedOffersInput": {"itemCondition": "Used"}, "offers": []}]),
        {"asin": _ASIN},
    ):
        answer = summary_answer(_ASIN, body, _RULE)
        assert (Status.API_ERROR, "offers_missing", None) == (answer.status, answer.reason, answer.in_stock)
    assert Status.SUCCESS is summary_answer(_ASIN, _body(featured=[_offer()], lowestPricedOffers=None), _RULE).status
    assert "bad_price" == summary_answer(_ASIN, _body(_offer("free")), _RULE).reason
    assert Status.OUT_OF_STOCK is summary_answer(_ASIN, _body(_offer(condition="Used")), _RULE).status


def _parsed(payload: object, *asins: str) -> dict[str, Answer]:
    return dict(OPERATION.read(payload, asins or (_ASIN,), "rid").answers)


def test_an_item_fails_alone() -> None:
    """INVALID_ASIN is not_found, another error is none; an ASIN nobody asked about is a stranger."""
    failed = {"asin": _ASIN, "errors": [{"code": "INVALID_ASIN", "message": "no"}]}
    answers = _parsed({"responses": [{"status": {"statusCode": 400}, "body": failed}]})
    assert (Status.NOT_FOUND, 400) == (answers[_ASIN].status, answers[_ASIN].http_status)
    failed["errors"] = [{"code": "InternalFailure", "message": "no"}]
    answers = _parsed({"responses": [{"status": {"statusCode": 500}, "body": failed}]})
    assert (Status.API_ERROR, "internal_failure") == (answers[_ASIN].status, answers[_ASIN].reason)
    both = {"responses": [{"body": _body(_offer())}, {"body": {**_body(), "asin": "B000000009"}}]}
    reading = OPERATION.read(both, [_ASIN], "rid")
    assert ([_ASIN], ("B000000009",)) == (list(reading.answers), reading.strangers)
    twice = {"responses": [{"body": _body(_offer())}, {"body": _body()}]}
    assert "answered_twice" == _parsed(twice)[_ASIN].reason


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5000) | st.text(max_size=4) | st.sampled_from(["New", "JPY", _ASIN]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("responses", "body", "asin", "status", "statusCode", "errors", "featuredBuyingOptions", "offers"),
                    *("lowestPricedOffers", "lowestPricedOffersInput", "itemCondition", "segmentedFeaturedOffers"),
                    *("listingPrice", "shippingOptions", "shippingOptionType", "price", "amount", "currencyCode"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_no_shape_breaks_the_reading(payload: Any) -> None:
    """Whatever JSON comes, each ASIN has an answer or the body is none; nothing ever becomes a price."""
    for body in (payload, {"responses": [payload]}, {"responses": [{"body": {"asin": _ASIN, "offers": payload}}]}):
        try:
            answers = _parsed(body)
        except ShapelessAnswer:
            continue
        assert {None} >= {answer.price_jpy for answer in answers.values()}
    if isinstance(payload, dict):
        answer = within(summary_answer(_ASIN, _body(payload, featured=[payload]), _RULE), OPERATION.knows)
        assert answer.price_jpy is None


def test_the_library_asks_in_the_shape_that_amazon_takes(tmp_path: Path) -> None:
    """Twenty ASINs in one call of the library's, answered by an emulator that refuses every other shape."""
    clock = SystemClock()
    with EmulatorServer(clock=clock, seed=5, listings=60, accounts=1) as emulator:
        asins = emulator.control.asins()[:19]
        emulator.control.set_truth(asins[0], offers=[{"seller_id": "S1", "price_jpy": 1200, "winner": True}])
        emulator.control.set_truth(asins[1], in_stock=False)
        (account,) = tools_at(tmp_path, emulator.url, clock).sp_accounts
        answers = account.call(OPERATION, [*asins, "B0UNKNOWN0"], "run")
        (call,) = emulator.control.calls(operation=OPERATION.name)
    assert (200, 20) == (call["http_status"], len(call["details"]["asins"]))
    assert [1200] == [one.listing_price_jpy for one in answers[0].seen]
    assert (Status.OUT_OF_STOCK, Status.NOT_FOUND) == (answers[1].status, answers[-1].status)


@pytest.mark.parametrize(
    ("limits", "figures"), [({}, "119 回/時, 2,376 ASIN/h"), ({"batch": 10}, "119 回/時, 1,188 ASIN/h")]
)
def test_capacity_lists_it_and_the_owner_may_limit_it(tmp_path: Path, limits: dict[str, int], figures: str) -> None:
    """`ecauto capacity` shows its calls; [sp_api.limits.getCompetitiveSummary] changes them."""
    settings = parse({"sp_api": {"limits": {OPERATION.name: limits}}}, tmp_path)
    with open_tools(settings, offline=True) as tools:
        table = {name: said for name, said, _ in rows(capacity(tools, listings=100_000))}
    assert figures == table[OPERATION.name]
