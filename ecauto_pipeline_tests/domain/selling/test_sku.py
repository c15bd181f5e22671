"""ASINs and identifiers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.selling.sku import asin_of, valid_asin


@pytest.mark.parametrize(
    ("identifier", "asin"),
    [
        ("b-B0ABCDEF12-20251120230102", "B0ABCDEF12"),
        ("s-B0ABCDEF12-20251120", "B0ABCDEF12"),
        ("e-B0ABCDEF12-20251120230102", "B0ABCDEF12"),
        ("ya-B0ABCDEF12-20251120230102", "B0ABCDEF12"),
        ("base-B0ABCDEF12-1700000000_2", "B0ABCDEF12"),
        ("b-4873119030-20251120230102", "4873119030"),
        ("B0ABCDEF12", "B0ABCDEF12"),
        ("4873119030", "4873119030"),
        ("406352731X", "406352731X"),
        (" B0ABCDEF12\n", "B0ABCDEF12"),
    ],
)
def test_every_format_ever_written_is_read(identifier: str, asin: str) -> None:
    """The five prefixes with 8 to 14 digits, the counter at the end, and bare ASINs and ISBNs."""
    assert asin == asin_of(identifier)


@pytest.mark.parametrize(
    "identifier",
    [
        *("", None, " ", "abc-20251120230102", "abc-2025112023", "2025112023", "b-b0abcdef12-20251120230102"),
        *("b0abcdef12", "b-B0ABCDEF1-20251120", "b-B0ABCDEF12-2025112", "b-B0ABCDEF12-202511202301021"),
        *("x-B0ABCDEF12-20251120", "b-B0ABCDEF12-20251120_", "my b-B0ABCDEF12-20251120", "4873119031", "Ｂ０ABCDEF12"),
    ],
)
def test_what_is_no_asin_is_not_made_one(identifier: str | None) -> None:
    """A time stamp is no ASIN: the lenient pattern of old read '2025112023' out of 'abc-20251120230102'."""
    assert asin_of(identifier) is None


def test_the_shape_of_an_asin() -> None:
    """B and nine capitals or digits, or an ISBN-10."""
    assert [True, True, True] == [valid_asin(text) for text in ("B0ABCDEF12", "4873119030", "406352731X")]
    wrong = ("", "b0abcdef12", "B0ABCDEF1", "B0ABCDEF123", "ABCDEFGHIJ", "B0ABCDEF1 ", "B0ABCDEF12\n", None, 4873119030)
    assert [False] * len(wrong) == [valid_asin(text) for text in wrong]


@given(st.from_regex(r"B0[A-Z0-9]{8}", fullmatch=True), st.from_regex(r"[0-9]{8,14}(_[0-9]{1,3})?", fullmatch=True))
def test_what_is_written_is_read_back(asin: str, stamp: str) -> None:
    """Writing an identifier and reading it gives the ASIN back, for every prefix."""
    assert {asin} == {asin_of(f"{prefix}-{asin}-{stamp}") for prefix in ("b", "s", "e", "ya", "base")}


@given(st.text())
def test_asin_of_is_total(text: str) -> None:
    """No text raises; what comes out has ten characters."""
    asin = asin_of(text)
    assert asin is None or 10 == len(asin)
