"""The owner's views file, as spreadsheets and scripts write it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.freshness.views_file import View, parse
from ecauto_pipeline.domain.spreadsheets import decode

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)  # of 22 November in Japan


@pytest.mark.parametrize(
    "text",
    [
        "asin,viewed_at,count\nB000000001,2026-11-22,5\n",
        "﻿asin,viewed_at,count\r\nb000000001,2026/11/22 00:00:00,5\r\n",
        'ASIN , 日付,PV\n"B000000001",2026年11月22日,"5"\n',
        "count,asin,viewed_at,other\n5.0,B000000001,2026-11-21T15:00:00+00:00,x\n\n",
    ],
)
def test_spellings_of_the_same_row(text: str) -> None:
    """Headings, marks, slashes, zones and quotes vary; a time without a zone is Japanese."""
    assert (View("B000000001", "", MIDNIGHT, 5.0),) == parse(text, NOW).views


def test_items_and_missing_counts() -> None:
    """An item_id stands where there is no ASIN; no count is one view."""
    found = parse("asin,item_id,viewed_at,count\n,123,2026-11-22,\n", NOW)
    assert (View("", "123", MIDNIGHT, 1.0),) == found.views


def test_each_bad_row_is_named_by_its_line_and_costs_no_other() -> None:
    """Line numbers as an editor shows them."""
    rows = (
        *("asin,viewed_at,count", "B000000001,soon,1", "short,2026-11-22,1", "B000000002,2026-11-22,-4"),
        *("B000000003,2027-11-22,1", "B000000004", ",2026-11-22,1", "B000000005,2026-11-22,1"),
    )
    found = parse("\n".join(rows), NOW)
    assert ["B000000005"] == [view.asin for view in found.views]
    assert [2, 3, 4, 5, 6, 7] == [line for line, _ in found.problems]


def test_no_headings_is_one_problem() -> None:
    """A file of something else is said to be that."""
    assert (1, 0) == (len(parse("a,b\n1,2\n", NOW).problems), len(parse("a,b\n1,2\n", NOW).views))
    assert ((), ()) == (parse("", NOW).views, parse("", NOW).problems)


def test_spreadsheet_encodings() -> None:
    """UTF-8 with a mark, and what Japanese spreadsheets write."""
    text = "asin,閲覧日,閲覧数\nB000000001,2026-11-22,5\n"
    for encoding in ("utf-8", "utf-8-sig", "cp932"):
        assert 1 == len(parse(decode(text.encode(encoding)), NOW).views)


@given(st.text(max_size=200))
def test_reading_is_total(text: str) -> None:
    """Whatever the text, it is read or its problems are told."""
    parse("asin,viewed_at\n" + text, NOW)
