"""What is said of orders is said whole in either language, whatever Amazon answered."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ecauto_pipeline.alerts.order_words import MOST_ROWS, not_read_document, orders_document, verdict
from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.state.orders import AskedOrder, FoundOrder, OrderRow
from ecauto_pipeline_tests.languages import JAPANESE

NOON = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
ANSWERS = {
    "": AskedOrder("success", "", 1984, 385, "A1", is_prime=True, is_fba=True),
    "loss": AskedOrder("success", "", 3000, -631, ""),
    "gone": AskedOrder("out_of_stock", "no_offers"),
    "filtered": AskedOrder("filtered_out", "ships_late"),
    "unknown": AskedOrder("api_error", "http_503"),
}


def row(asked: AskedOrder, number: int = 1, asin: str = "B000000001") -> OrderRow:
    found = FoundOrder(str(number), f"o{number}", ListingKey("base", "one", f"10{number}"), asin, 1, 2580, NOON)
    return OrderRow(found, 1900, NOON, NOON, asked, told=False)


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_has_words_in_both_languages(name: str) -> None:
    """The Japanese are Japanese, the English hold none; what has to be done stands there, but where all is well."""
    rows = [row(ANSWERS[name]), row(ANSWERS[name], 2, "")]
    assert name == verdict(rows[0])
    texts = {one: orders_document("shop", rows, {}, one) for one in ("ja", "en")}
    assert [True, False] == [bool(JAPANESE.search(f"{text['title']}{text['body']}")) for text in texts.values()]
    of_a_known_one = str(orders_document("shop", rows[:1], {}, "ja")["body"]).splitlines()
    assert (4 if name else 3) == len(of_a_known_one)
    assert "https://www.amazon.co.jp/dp/B000000001" == of_a_known_one[-1].strip()


def test_that_orders_can_not_be_read_has_words_in_both_languages() -> None:
    """With the hour at which it goes on, as clocks in Japan show it."""
    texts = [not_read_document("shop", NOON, one) for one in ("ja", "en")]
    assert [True, False] == [bool(JAPANESE.search(f"{text['title']}{text['body']}")) for text in texts]
    assert all("12:00" in str(text["body"]) for text in texts)


def test_a_crowd_of_orders_is_counted_beyond_what_a_message_can_hold() -> None:
    """What needs a person is never among those that are only counted, unless there are more of them."""
    rows = [row(ANSWERS[""], number) for number in range(30)] + [row(ANSWERS["gone"], 99)]
    body = str(orders_document("shop", rows, {}, "en")["body"])
    assert body.startswith("■ item 1099")
    assert f"{31 - MOST_ROWS} more" in body
