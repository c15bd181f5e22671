"""What an answer says of who sells, and how thin supply is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ecauto_pipeline.amazon.offers import offers_answer
from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.settings import Offers
from ecauto_pipeline_tests.amazon.payloads import ASIN, feedback, offer, payload


@pytest.mark.parametrize(
    ("more", "facts"),
    [
        ({}, (True, True, None, None)),
        ({"PrimeInformation": {"IsPrime": False}}, (False, True, None, None)),
        ({"SellerFeedbackRating": feedback(12, 96.6)}, (True, True, 96, 12)),
        (
            {"SellerFeedbackRating": feedback("12", 960)},
            (True, True, None, None),
        ),
        ({"SellerFeedbackRating": []}, (True, True, None, None)),
    ],
)
def test_what_is_not_said_of_a_seller_is_unknown(more: dict[str, Any], facts: tuple[object, ...]) -> None:
    """Never "no", never zero: an owner who asks for Prime or a rating has to know the difference."""
    answer = offers_answer("getItemOffersBatch", ASIN, payload(offer(**more)), Offers())
    (row,) = json.loads(answer.offers_json)
    flags = (answer.is_prime, answer.is_fba)
    assert facts == (*flags, row["rating"], row["ratings"])
    assert tuple(None if flag is None else int(flag) for flag in flags) == (row["prime"], row["fba"])


def test_thin_supply_is_no_price_and_no_error() -> None:
    """Offers fit, fewer than the owner wants to rely on: authoritative, without a price, each named "thin"."""
    answer = offers_answer("getItemOffersBatch", ASIN, payload(offer(), offer()), Offers(min_offers=3))
    assert (Status.FILTERED_OUT, "thin", None) == (answer.status, answer.reason, answer.price_jpy)
    assert ["thin", "thin"] == [row["why_not"] for row in json.loads(answer.offers_json)]
