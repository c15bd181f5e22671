"""Laws of joining an item of a shop with its row of the register."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.selling.joining import Joined, RegisterSide, join

ASIN, OTHER = "B000000001", "B000000002"
ROW = RegisterSide(1, ASIN, "listed", True, 2580)


@pytest.mark.parametrize(
    ("identifier", "present", "proven", "register", "joined"),
    [
        (f"b-{ASIN}-20251101000000", True, True, ROW, Joined(ASIN, "", True)),
        ("", True, True, ROW, Joined(ASIN, "", True)),
        ("abc-20251120230102", True, True, ROW, Joined(ASIN, "", True)),
        (f"s-{OTHER}-20251101", True, True, ROW, Joined(ASIN, "asin_mismatch", False)),
        ("", True, True, None, Joined(None, "no_register", False)),
        (OTHER, True, True, None, Joined(OTHER, "no_register", False)),
        ("", False, True, ROW, Joined(ASIN, "no_item", False)),
        ("", False, False, ROW, Joined(ASIN, "", False)),
        ("", True, True, RegisterSide(1, ASIN, "delisted", True, None), Joined(ASIN, "", False)),
        ("", True, True, RegisterSide(1, "b-none", "listed", True, None), Joined(None, "bad_asin", False)),
        (
            "",
            True,
            True,
            RegisterSide(1, ASIN, "listed", True, None, ambiguous=True),
            Joined(ASIN, "asin_mismatch", False),
        ),
    ],
)
def test_each_case(identifier: str, present: bool, proven: bool, register: RegisterSide | None, joined: Joined) -> None:
    """The register's mapping wins, disagreement is an orphan, absence wants proof."""
    assert joined == join(identifier, present, proven, register)


@given(
    identifier=st.text(max_size=30) | st.sampled_from([ASIN, OTHER, f"b-{OTHER}-20251101"]),
    present=st.booleans(),
    proven=st.booleans(),
    status=st.sampled_from(["listed", "pending", "delisted", ""]),
    asin=st.sampled_from([ASIN, OTHER, "", "x"]),
)
def test_what_takes_part_is_sound(identifier: str, present: bool, proven: bool, status: str, asin: str) -> None:
    """Taking part needs an item that is there, a listed row, one valid ASIN, and no reason against it."""
    joined = join(identifier, present, proven, RegisterSide(1, asin, status, None, None))
    if joined.listed:
        assert (True, "listed", "", asin) == (present, status, joined.orphan, joined.asin)
        assert asin in (ASIN, OTHER)
