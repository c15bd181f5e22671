"""Every shape of a pricing answer, and that no shape at all breaks the classification."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.amazon.answers import item_error
from ecauto_pipeline.amazon.offers import offers_answer
from ecauto_pipeline.amazon.operation import Operation, ShapelessAnswer
from ecauto_pipeline.amazon.operations import catalog_items, item_offers, item_offers_batch
from ecauto_pipeline.amazon.operations.competitive_pricing import sweep_answer
from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.domain.model import Answer, Status
from ecauto_pipeline.settings import Offers, OperationLimits, Settings, SpApi
from ecauto_pipeline_tests.amazon.payloads import ASIN, offer, payload, yen

_ASIN = ASIN
_OTHER = "B000000002"
_RULE = Offers()


def _detail(payload: object) -> Answer:
    return offers_answer("getItemOffersBatch", _ASIN, payload, _RULE, "rid")


def test_a_good_answer_fills_every_field() -> None:
    """Price is ListingPrice + shipping of the chosen offer; the Buy Box is the next sweep's baseline."""
    box = {"condition": "New", "ListingPrice": yen(3000), "Shipping": yen(100), "LandedPrice": yen(3050)}
    points = {"PointsNumber": 30, "PointsMonetaryValue": yen(30)}
    answer = _detail(payload(offer(Points=points), offer(SellerId="S2", Shipping=yen(500)), BuyBoxPrices=[box]))
    assert (Status.SUCCESS, 2980, True, 2, 24, True, True, "S1") == (
        answer.status, answer.price_jpy, answer.in_stock, answer.offer_count, answer.ship_hours_max,
        answer.is_prime, answer.is_fba, answer.seller_id,
    )  # fmt: skip
    assert (3100, 2, "rid", 200) == (
        answer.probe_price_jpy, answer.probe_offer_count, answer.request_id, answer.http_status,
    )  # fmt: skip
    assert '"why_not":"shipping_not_free"' in answer.offers_json


@pytest.mark.parametrize(
    ("payload", "status", "reason"),
    [
        (payload(offer(ListingPrice=yen(2980.0))), Status.SUCCESS, ""),
        (payload(offer(SubCondition="New")), Status.SUCCESS, ""),
        (payload(offer(Shipping=None)), Status.SUCCESS, ""),
        (
            {"status": "NoBuyableOffers", "Summary": {"TotalOfferCount": 0}, "Offers": []},
            Status.OUT_OF_STOCK,
            "no_buyable_offers",
        ),
        ({"status": "NoBuyableOffers", "Summary": {"TotalOfferCount": 0}}, Status.OUT_OF_STOCK, "no_buyable_offers"),
        (payload(), Status.OUT_OF_STOCK, "no_offers"),
        (
            payload(TotalOfferCount=3, NumberOfOffers=[{"condition": "used", "OfferCount": 3}]),
            Status.OUT_OF_STOCK,
            "no_new_offers",
        ),
        (
            payload(TotalOfferCount=3, NumberOfOffers=[{"condition": "New", "OfferCount": 3}]),
            Status.API_ERROR,
            "offers_missing",
        ),
        (
            payload(TotalOfferCount=3, NumberOfOffers=[{"condition": "used", "OfferCount": 1}]),
            Status.API_ERROR,
            "offers_missing",
        ),
        (payload(TotalOfferCount=3), Status.API_ERROR, "offers_missing"),
        (payload(offer(), status="NoBuyableOffers"), Status.API_ERROR, "contradiction"),
        (payload(status="ActiveButTooSoonForProcessing"), Status.API_ERROR, "too_soon"),
        (payload(offer(), status="ActiveButTooSoonForProcessing"), Status.API_ERROR, "too_soon"),
        (payload(status="SomethingNew"), Status.API_ERROR, "unknown_status"),
        (payload(offer(SubCondition="used")), Status.FILTERED_OUT, "not_new"),
        (payload(offer(Shipping=yen(400))), Status.FILTERED_OUT, "shipping_not_free"),
        (
            payload(offer(ShippingTime={"maximumHours": 73, "availabilityType": "NOW"})),
            Status.FILTERED_OUT,
            "ships_late",
        ),
        (
            payload(offer(ShippingTime={"minimumHours": 0, "maximumHours": 0, "availabilityType": "FUTURE_WITH_DATE"})),
            Status.FILTERED_OUT,
            "future_date",
        ),
        (
            payload(offer(ShippingTime={"maximumHours": 0, "availabilityType": "FUTURE_WITHOUT_DATE"})),
            Status.FILTERED_OUT,
            "future_date",
        ),
        (payload(offer(ShippingTime={"availabilityType": "NOW"})), Status.FILTERED_OUT, "no_ship_time"),
        (payload(offer(ShippingTime=None)), Status.FILTERED_OUT, "no_ship_time"),
        (payload(offer(ListingPrice=yen(29.8, "USD"))), Status.API_ERROR, "bad_price"),
        (payload(offer(ListingPrice=yen(0))), Status.API_ERROR, "bad_price"),
        (payload(offer(ListingPrice=yen(-1))), Status.API_ERROR, "bad_price"),
        (payload(offer(ListingPrice=yen(2980.5))), Status.API_ERROR, "bad_price"),
        (payload(offer(ListingPrice=None)), Status.API_ERROR, "bad_price"),
        (payload(offer(Shipping=yen(0, "USD"))), Status.API_ERROR, "bad_price"),
        (payload("an offer"), Status.API_ERROR, "wrong_shape"),
        ({"status": "Success", "Summary": {"TotalOfferCount": 1}}, Status.API_ERROR, "wrong_shape"),
        ({"status": "Success", "Offers": []}, Status.API_ERROR, "wrong_shape"),
        (payload(offer()) | {"ASIN": _OTHER}, Status.API_ERROR, "merged"),
        (payload(offer()) | {"ASIN": "an ASIN"}, Status.API_ERROR, "wrong_asin"),
        (payload(offer()) | {"ASIN": None}, Status.API_ERROR, "wrong_asin"),
        (payload(offer(offerType="B2B")), Status.FILTERED_OUT, "business_offer"),
        (payload(offer(quantityTier=3)), Status.FILTERED_OUT, "quantity_price"),
        (payload(offer(quantityTier=1, offerType="B2C")), Status.SUCCESS, ""),
        ({}, Status.API_ERROR, "wrong_shape"),
        ("Internal error", Status.API_ERROR, "wrong_shape"),
        (None, Status.API_ERROR, "wrong_shape"),
    ],
)
def test_each_shape_of_an_offers_answer(payload: object, status: Status, reason: str) -> None:
    """Amazon's "no offer" is out of stock, offers that do not fit are filtered out, the rest is unknown."""
    answer = _detail(payload)
    assert (status, reason) == (answer.status, answer.reason)
    assert (answer.price_jpy is not None) == (status is Status.SUCCESS)
    expected = {Status.SUCCESS: True, Status.OUT_OF_STOCK: False}.get(status)
    assert expected is answer.in_stock


def test_no_price_is_read_from_points_or_another_currency() -> None:
    """LandedPrice has the points taken off: it is nobody's cost."""
    offers = [offer(LandedPrice=yen(10)), offer(SellerId="S2", ListingPrice=yen(1, "USD"))]
    assert 2980 == _detail(payload(*offers)).price_jpy


def test_a_business_offer_is_nobody_s_cost() -> None:
    """900 yen for business customers and 1,000 for everybody: the goods cost 1,000. Without the field it is for all."""
    business = offer(ListingPrice=yen(900), offerType="B2B")
    for consumer in (offer(ListingPrice=yen(1000), offerType="B2C"), offer(ListingPrice=yen(1000))):
        answer = _detail(payload(business, consumer | {"SellerId": "S2", "IsBuyBoxWinner": False}))
        assert (Status.SUCCESS, 1000, "S2") == (answer.status, answer.price_jpy, answer.seller_id)
        assert '"why_not":"business_offer"' in answer.offers_json


def test_the_sweep_s_baseline_is_no_tier_and_no_business_price() -> None:
    """Of the Buy Box prices in a Summary only the consumer's price of one piece is what a sweep is compared with."""
    box = {"condition": "New", "ListingPrice": yen(3000)}
    boxes = [box, box | {"ListingPrice": yen(800), "quantityTier": 3}, box | _B2B | {"ListingPrice": yen(700)}]
    assert 3000 == _detail(payload(offer(), BuyBoxPrices=boxes)).probe_price_jpy


_B2B = {"offerType": "B2B"}


@pytest.mark.parametrize(
    ("status", "errors", "expected", "reason"),
    [
        (
            400,
            [{"code": "InvalidInput", "message": "B0 is an invalid ASIN for marketplace A1"}],
            Status.NOT_FOUND,
            "invalid_asin",
        ),
        (
            None,
            [{"code": "InvalidInput", "message": "B0 is an invalid ASIN for marketplace A1"}],
            Status.NOT_FOUND,
            "invalid_asin",
        ),
        (400, [{"code": "InvalidInput", "message": "ItemCondition is missing"}], Status.API_ERROR, "invalid_input"),
        (
            500,
            [{"code": "InternalFailure", "message": "an invalid ASIN made us stumble"}],
            Status.API_ERROR,
            "internal_failure",
        ),
        (429, [{"code": "QuotaExceeded", "message": "slow down"}], Status.API_ERROR, "quota_exceeded"),
        (500, {"code": "InternalFailure"}, Status.API_ERROR, "internal_failure"),
        (503, [], Status.API_ERROR, "http_503"),
        (None, "oops", Status.API_ERROR, "wrong_shape"),
    ],
)
def test_errors_of_one_item(status: int | None, errors: object, expected: Status, reason: str) -> None:
    """Only "invalid ASIN" says that Amazon does not know it; everything else is an error of that item."""
    answer = item_error("getItemOffersBatch", _ASIN, status, errors)
    assert (expected, reason, status) == (answer.status, answer.reason, answer.http_status)


def _item(prices: Any = (), counts: Any = (), status: str = "Success") -> dict[str, Any]:
    listed = [{"condition": name, "Count": count} for name, count in counts] if isinstance(counts, tuple) else counts
    competitive = {"CompetitivePrices": list(prices), "NumberOfOfferListings": listed}
    return {"status": status, "ASIN": _ASIN, "Product": {"CompetitivePricing": competitive}}


def _box(price: Any = 2980, condition: str = "New", kind: str = "1") -> dict[str, Any]:
    return {
        "CompetitivePriceId": kind,
        "condition": condition,
        "Price": {"ListingPrice": yen(price), "Shipping": yen(100), "LandedPrice": yen(1)},
    }


@pytest.mark.parametrize(
    ("item", "status", "reason", "price", "count"),
    [
        (_item([_box()], (("New", 3), ("Any", 9))), Status.SUCCESS, "", 3080, 3),
        (_item([_box(condition="new")], (("new", 3),)), Status.SUCCESS, "", 3080, 3),
        (_item([_box(), _box(2800)], (("New", 2),)), Status.SUCCESS, "", 2900, 2),
        (_item([], (("New", 3),)), Status.SUCCESS, "no_buy_box", None, 3),
        (_item([_box(kind="2", condition="Used")], (("New", 1), ("Used", 1))), Status.SUCCESS, "no_buy_box", None, 1),
        (_item([], ()), Status.OUT_OF_STOCK, "no_offers", None, 0),
        (_item([], (("Used", 4), ("Any", 4))), Status.OUT_OF_STOCK, "no_new_offers", None, 0),
        (_item([_box("x")], (("New", 3),)), Status.API_ERROR, "bad_price", None, None),
        (_item([], [{"condition": "New"}]), Status.API_ERROR, "wrong_shape", None, None),
        ({"status": "ClientError", "ASIN": _ASIN}, Status.API_ERROR, "client_error", None, None),
        (
            {"status": "Success", "ASIN": _ASIN, "Product": {"Identifiers": {}}},
            Status.API_ERROR,
            "no_competitive_pricing",
            None,
            None,
        ),
        (
            {"status": "Success", "ASIN": _ASIN, "Product": {"CompetitivePricing": {}}},
            Status.API_ERROR,
            "no_competitive_pricing",
            None,
            None,
        ),
        ({"status": "Odd", "ASIN": _ASIN}, Status.API_ERROR, "unknown_status", None, None),
        ({"ASIN": _ASIN}, Status.API_ERROR, "wrong_shape", None, None),
    ],
)
def test_each_shape_of_a_sweep_answer(
    item: object, status: Status, reason: str, price: int | None, count: int | None
) -> None:
    """An absent block is unknown, not zero; a missing Buy Box with offers is in stock; never a selling price."""
    answer = sweep_answer(_ASIN, item)
    assert (status, reason, price, count) == (
        answer.status, answer.reason, answer.probe_price_jpy, answer.probe_offer_count,
    )  # fmt: skip
    assert answer.price_jpy is None


def test_a_tier_price_is_no_unit_price() -> None:
    """The unit price rises beside a cheaper price from three up: it has moved. The tier comes or goes: nothing has."""
    tier = _box(800) | {"quantityTier": 3, "quantityDiscountType": "QUANTITY_DISCOUNT"}
    before, dearer, alone = (
        sweep_answer(_ASIN, _item([_box(price), *tiers], [{"condition": "New", "Count": 2}])).probe_price_jpy
        for price, tiers in ((900, [tier]), (1200, [tier]), (900, []))
    )
    assert (1000, 1300, 1000) == (before, dearer, alone)


def test_a_price_for_business_customers_alone_says_nothing() -> None:
    """No new offers by count, and yet one price: not sold out, not in stock; detail has to look."""
    answer = sweep_answer(_ASIN, _item([_box() | _B2B], [{"condition": "New", "Count": 0}]))
    assert (Status.API_ERROR, "contradiction") == (answer.status, answer.reason)


def test_detail_and_sweep_give_comparable_figures() -> None:
    """The same Buy Box and the same offers: the same baseline, or every sweep would cry change."""
    box = {"condition": "New", "ListingPrice": yen(2980), "Shipping": yen(100)}
    detail = _detail(payload(offer(), BuyBoxPrices=[box]))
    sweep = sweep_answer(_ASIN, _item([_box()], (("New", 1),)))
    assert (detail.probe_price_jpy, detail.probe_offer_count) == (sweep.probe_price_jpy, sweep.probe_offer_count)


def _response(asin: str, payload: object) -> dict[str, Any]:
    return {"status": {"statusCode": 200}, "headers": {"x-amzn-RequestId": f"r-{asin}"},
            "request": {"Asin": asin}, "body": {"payload": payload}}  # fmt: skip


def test_a_batch_is_matched_by_asin_and_strangers_are_left_out() -> None:
    """Order, extra and missing items do not move an answer to another ASIN."""
    good = payload(offer())
    stranger = _response("B000000009", good | {"ASIN": "B000000009"})
    body = {"responses": [_response(_OTHER, good | {"ASIN": _OTHER}), stranger, _response(_ASIN, payload())]}
    reading = item_offers_batch.OPERATION.read(body, [_ASIN, _OTHER, "B000000003"], "rid")
    assert {_ASIN: Status.OUT_OF_STOCK, _OTHER: Status.SUCCESS} == {a: x.status for a, x in reading.answers.items()}
    assert ("B000000009",) == reading.strangers
    assert f"r-{_OTHER}" == reading.answers[_OTHER].request_id


def test_a_merged_asin_names_the_other_one() -> None:
    """The request says one ASIN, the payload another: merged, and with which. It tells nothing of prices."""
    asked = [_ASIN, "B000000003"]
    body = {"responses": [_response(_ASIN, payload(offer()) | {"ASIN": _OTHER})]}
    answer = item_offers_batch.OPERATION.read(body, asked, "rid").answers[_ASIN]
    assert (Status.API_ERROR, "merged", _OTHER, None) == (
        answer.status, answer.reason, answer.merged_into, answer.price_jpy,
    )  # fmt: skip


def test_answers_that_have_changed_places_are_no_merger() -> None:
    """Two items of one call tell of each other: mixed up. Where the other one tells of itself, it is a merger."""
    crossed = [
        _response(_ASIN, payload(offer()) | {"ASIN": _OTHER}),
        _response(_OTHER, payload(offer()) | {"ASIN": _ASIN}),
    ]
    found = item_offers_batch.OPERATION.read({"responses": crossed}, [_ASIN, _OTHER], "rid").answers
    assert ["wrong_asin", "wrong_asin"] == [found[asin].reason for asin in (_ASIN, _OTHER)]
    merged = [crossed[0], _response(_OTHER, payload(offer()) | {"ASIN": _OTHER})]
    found = item_offers_batch.OPERATION.read({"responses": merged}, [_ASIN, _OTHER], "rid").answers
    assert ["merged", ""] == [found[asin].reason for asin in (_ASIN, _OTHER)]


def test_two_different_answers_for_one_asin_are_none() -> None:
    """Who contradicts himself has said nothing."""
    body = {"responses": [_response(_ASIN, payload(offer())), _response(_ASIN, payload())]}
    assert "answered_twice" == item_offers_batch.OPERATION.read(body, [_ASIN], "").answers[_ASIN].reason


def test_the_catalogue_tells_absent_from_unread() -> None:
    """Absent from a whole answer is not found; absent from half of one is unknown."""
    item = {
        "asin": _ASIN,
        "summaries": [{"itemName": "名前 ㎥ 🎉", "brand": "B", "browseClassification": {"displayName": "C"}}],
    }
    read = catalog_items.OPERATION.read
    whole = read({"numberOfResults": 1, "items": [item]}, [_ASIN, _OTHER], "").answers
    assert ("名前 ㎥ 🎉", "B", "C") == (whole[_ASIN].title, whole[_ASIN].brand, whole[_ASIN].category)
    assert Status.NOT_FOUND is whole[_OTHER].status
    assert [_ASIN] == list(read({"numberOfResults": 2, "items": [item]}, [_ASIN, _OTHER], "").answers)


def test_the_owners_limits_replace_the_documented_ones_field_by_field() -> None:
    """Limits are data; a batch never grows beyond what the API takes."""
    limits = {"getItemOffersBatch": OperationLimits(rate_per_s=0.05), "getItemOffers": OperationLimits(batch=20)}
    settings = Settings(sp_api=SpApi(limits=limits))
    operation = item_offers_batch.OPERATION.under(settings)
    assert (0.05, 1, 20) == (operation.rate_per_s, operation.burst, operation.batch)
    assert 1 == item_offers.OPERATION.under(settings).batch


_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(
    ["Success", "NoBuyableOffers", "ClientError", "new", "JPY", "NOW", "1", _ASIN, _OTHER]
)  # fmt: skip
_keys = st.sampled_from(
    ["responses", "payload", "body", "request", "Asin", "ASIN", "asin", "status", "statusCode", "headers", "errors",
     "code", "message", "Summary", "TotalOfferCount", "NumberOfOffers", "OfferCount", "condition", "Offers",
     "BuyBoxPrices", "ListingPrice", "Shipping", "Amount", "CurrencyCode", "ShippingTime", "maximumHours",
     "availabilityType", "SubCondition", "SellerId", "Product", "CompetitivePricing", "CompetitivePrices",
     "CompetitivePriceId", "Price", "NumberOfOfferListings", "Count", "items", "summaries", "images", "numberOfResults"]
) | st.text(max_size=4)  # fmt: skip
_json = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=6), max_leaves=30
)


@given(_json, st.sampled_from(registered().all))
def test_any_json_at_all_gives_answers_of_asked_asins_or_a_word(body: object, operation: Operation[Any]) -> None:
    """Reading is total: it raises nothing but ShapelessAnswer and speaks of nobody who was not asked."""
    try:
        spoken_of = set(operation.read(body, [_ASIN, _OTHER], "rid").answers)
    except ShapelessAnswer:
        spoken_of = set()
    assert spoken_of <= {_ASIN, _OTHER}


def _spoiled(draw: st.DrawFn, value: Any) -> Any:
    """A good document with any of its parts replaced."""
    if draw(st.integers(0, 12)) == 0:
        return draw(_scalars)
    if isinstance(value, dict):
        return {key: _spoiled(draw, inner) for key, inner in value.items() if draw(st.integers(0, 14))}
    if isinstance(value, list):
        return [_spoiled(draw, inner) for inner in value]
    return value


_GOOD_ITEM = _item([_box()], (("New", 3), ("Any", 9)))
_GOOD_PAYLOAD = payload(
    offer(),
    offer(SellerId="S2"),
    BuyBoxPrices=[{"condition": "New", "ListingPrice": yen(2980), "Shipping": yen(0)}],
)


@st.composite
def _spoiled_payloads(draw: st.DrawFn) -> object:
    return _spoiled(draw, _GOOD_PAYLOAD)


@st.composite
def _spoiled_items(draw: st.DrawFn) -> object:
    return _spoiled(draw, _GOOD_ITEM)


@given(_spoiled_payloads(), _spoiled_items())
def test_a_spoiled_answer_never_yields_a_price_or_a_zero_from_nothing(payload: object, item: object) -> None:
    """Exactly one answer whatever is missing or wrong: a price only where yen were read, a zero only where told."""
    detail, sweep = _detail(payload), sweep_answer(_ASIN, item)
    assert (_ASIN, _ASIN) == (detail.asin, sweep.asin)
    assert (detail.status is Status.SUCCESS) == (detail.price_jpy is not None and detail.price_jpy > 0)
    if detail.status is Status.OUT_OF_STOCK:
        assert isinstance(payload, dict)
        assert not payload.get("Offers")
    assert sweep.price_jpy is None
