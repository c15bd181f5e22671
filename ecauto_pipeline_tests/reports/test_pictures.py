"""Pictures: always a PNG of the right size, with Japanese letters, whatever the rows; nothing is an answer too."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ecauto_pipeline.clock import JST
from ecauto_pipeline.explain.model import Answered, Explanation, Sent
from ecauto_pipeline.explain.picture import history_png
from ecauto_pipeline.reports import pictures

T0 = datetime(2026, 1, 5, 0, 0, tzinfo=JST)
HOURS = [T0 + timedelta(hours=number) for number in range(24)]
ROWS: dict[str, list[dict[str, Any]]] = {
    "freshness_by_tier": [
        {"at": at, "tier": tier, "fresh": 90, "total": 100} for at in HOURS for tier in ("high", "medium", "low")
    ],
    "budget_by_hour": [{"at": at, "used": 10, "allowed": 360} for at in HOURS],
    "outcomes_by_hour": [
        {"at": at, "status": status, "count": 5} for at in HOURS for status in ("success", "api_error")
    ],
    "updates_by_kind": [
        {"kind": "price", "outcome": "done", "count": 5},
        {"kind": "stock", "outcome": "failed", "count": 1},
    ],
    "held_rows": [{"reason": "mass_hide", "count": 60, "oldest_h": 3.5}, {"reason": "move", "count": 1}],
}
DRAW: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {name: getattr(pictures, name) for name in ROWS}


def coloured(image: bytes) -> int:
    """How many pixels are neither grey nor white: the data's colours."""
    pixels = np.asarray(Image.open(io.BytesIO(image)).convert("RGB")).astype(int)
    return int(((pixels.max(axis=2) - pixels.min(axis=2)) > 40).sum())


@pytest.mark.parametrize("name", ROWS)
def test_rows_become_a_picture_and_no_rows_say_so(name: str) -> None:
    """Data shows in colour; without data there is a picture with grey words only. No letter is missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # matplotlib warns of a glyph the font lacks
        full, empty, one = DRAW[name](ROWS[name]), DRAW[name]([]), DRAW[name](ROWS[name][:1])
    for image in (full, empty, one):
        assert "PNG" == Image.open(io.BytesIO(image)).format
        assert len(image) < 100_000
    assert coloured(full) > 100
    assert 0 == coloured(empty)


def test_the_same_rows_give_the_same_picture() -> None:
    """No time stamp, no chance."""
    assert DRAW["held_rows"](ROWS["held_rows"]) == DRAW["held_rows"](ROWS["held_rows"])


def test_tiers_without_asins_are_left_out() -> None:
    """0 of 0 is no share."""
    assert 0 == coloured(pictures.freshness_by_tier([{"at": T0, "tier": "high", "fresh": 0, "total": 0}]))


def test_markdown_holds_the_whole_picture() -> None:
    """A data address, and a title that can't break it."""
    text = pictures.as_markdown("a [b]", b"\x89PNG")
    assert "![a (b)](data:image/png;base64,iVBORw==)" == text


def answer(at: datetime, status: str, price: int | None = None) -> Answered:
    return Answered(at.isoformat(), "r", at, "getItemOffersBatch", status, "", price, None, None, None, "")


def test_an_asin_has_a_history() -> None:
    """Prices, sales prices, errors and stock, in one picture; nothing known is a picture too."""
    answers = (answer(HOURS[5], "api_error"), answer(HOURS[3], "out_of_stock"), answer(HOURS[1], "success", 2000))
    sent = Sent("u", "d", "r", HOURS[2], None, "base", "shop_1", "7001", "price", 2000, 2600, "done", "", 1)
    whole = Explanation("B000000001", "B000000001", HOURS[6], True, answers=answers, updates=(sent,))
    empty = Explanation("B000000001", "B000000001", HOURS[6], True)
    assert coloured(history_png(whole)) > 1000
    assert history_png(whole) != history_png(whole, "en")
    assert 0 == coloured(history_png(empty))
