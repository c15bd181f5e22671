"""An answer about many ASINs, item by item: whose item is not as documented, and which items there should not be.

Not for: the shape of one item (shapes.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ecauto_pipeline.amazon.shapes import json_type


def odd_items(
    items: object,
    asins: Sequence[str],
    about: Callable[[Any], object],
    odd: Callable[[Any], frozenset[str] | None],
    *,
    every_one_answers: bool = True,
) -> dict[str, frozenset[str]]:
    """ASIN -> where its item in an answer's list is not as documented, counts that don't fit among them.

    `about`: the ASIN an item speaks of; `odd`: its shapes, None = it is an error of its own, whose shape says nothing
    of an answer's. `every_one_answers` False: an ASIN that Amazon does not know is left out by design. An item that
    speaks of nobody asked is counted for an ASIN that got none.
    """
    if not isinstance(items, list):
        return dict.fromkeys(asins, frozenset({"answer is no list"}))
    found: dict[str, frozenset[str]] = {}
    answered: set[str] = set()
    strays: list[frozenset[str]] = []
    for item in items:
        asin, shapes = about(item), odd(item)
        if not isinstance(asin, str) or asin not in asins:
            named = isinstance(asin, str) and asin
            strays.append((shapes or frozenset()) | {"item of nobody asked" if named else "item without its ASIN"})
            continue
        if asin in answered:
            shapes = (shapes or frozenset()) | {"two items of one ASIN"}
        answered.add(asin)
        if shapes is not None:
            found[asin] = found.get(asin, frozenset()) | shapes
    without = [asin for asin in asins if asin not in answered]
    if every_one_answers:
        found |= dict.fromkeys(without, frozenset({"no item for an asked ASIN"}))
    for number, shapes in enumerate(strays):
        asin = (without or list(asins))[number % len(without or asins)]
        found[asin] = found.get(asin, frozenset()) | shapes
    return found


def odd_responses(
    payload: object,
    asins: Sequence[str],
    about: Callable[[Any], object],
    odd: Callable[[dict[str, Any]], frozenset[str]],
) -> dict[str, frozenset[str]]:
    """The same of a batch whose items are responses with a body each. `odd`: the shapes of a body that is an answer."""

    def of_item(item: Any) -> frozenset[str] | None:
        body = item.get("body") if isinstance(item, dict) else None
        if not isinstance(body, dict):
            return frozenset({"missing responses.body"})
        errors = body.get("errors")
        if errors:
            return None if isinstance(errors, list) else frozenset({f"responses.body.errors is {json_type(errors)}"})
        return odd(body)

    responses = payload.get("responses") if isinstance(payload, dict) else None
    if not isinstance(responses, list):
        return dict.fromkeys(asins, frozenset({"missing responses"}))
    return odd_items(responses, asins, about, of_item)
