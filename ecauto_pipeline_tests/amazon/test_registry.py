"""What is an operation, and who may name one."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.amazon import operations
from ecauto_pipeline.amazon.operations import catalog_items, item_offers_batch
from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.domain.model import Answer, Role, Status
from ecauto_pipeline.domain.offers.knowledge import Fact, within
from ecauto_pipeline_tests.amazon.made_up_offers import OPERATION
from ecauto_pipeline_tests.pages import ROOT

_FILES = sorted(path for path in Path(operations.__path__[0]).glob("*.py") if path.stem != "__init__")

NAMED_FOR_A_REASON = {"migrate/convert.py"}
"""The pace of the old scripts belonged to one operation."""


def test_every_file_of_the_folder_is_an_operation() -> None:
    """A file in operations/ is found by being there, and says where its figures come from."""
    found = {import_module(f"{operations.__name__}.{path.stem}").OPERATION.name for path in _FILES}
    assert found == set(registered().names)
    assert [] == [path.name for path in _FILES if "\nSource: " not in path.read_text(encoding="utf-8")]


def test_the_order_is_by_role_then_name_whatever_was_registered_first() -> None:
    """Threads, tables and figures stand in the same order in every process."""
    extra = [replace(OPERATION, name="b"), replace(OPERATION, name="a")]
    names = registered(extra).names
    assert names == registered(reversed(extra)).names
    details, confirms = ("a", "b", "getItemOffersBatch"), ("getItemOffers",)
    assert ("getCompetitivePricing", *details, *confirms, "getCompetitiveSummary", "searchCatalogItems") == names


def test_an_operation_is_refused_that_could_not_do_its_part() -> None:
    """Two of one name would share a bucket; a detail that can't know a price would never bring one."""
    with pytest.raises(ValueError, match="getItemOffersBatch: two operations"):
        registered([item_offers_batch.OPERATION])
    with pytest.raises(ValueError, match="a detail has to know price"):
        registered([replace(OPERATION, knows=frozenset({Fact.STOCK}))])
    with pytest.raises(ValueError, match="a confirm has to know price, stock"):
        registered([replace(catalog_items.OPERATION, name="x", role=Role.CONFIRM)])


def test_nothing_else_names_an_operation() -> None:
    """Whatever goes by an operation goes by its role: a name stands in its own file alone."""
    names, package = set(registered().names), ROOT / "ecauto_pipeline"
    naming, any_name = set(), re.compile("|".join(names))
    for path in package.rglob("*.py"):
        place = path.relative_to(package).as_posix()
        if not place.startswith(("emulator/", "amazon/operations/")):
            text = path.read_text(encoding="utf-8")
            if any_name.search(text):  # a walk through the others would find none
                tree = ast.walk(ast.parse(text))
                naming |= {place for node in tree if isinstance(node, ast.Constant) and node.value in names}
    assert naming == NAMED_FOR_A_REASON


_FULL = Answer(
    "B000000001",
    "x",
    Status.SUCCESS,
    price_jpy=1,
    listing_price_jpy=1,
    shipping_jpy=0,
    in_stock=True,
    offer_count=1,
    seller_id="S",
    offers_json="[]",
    ship_hours_max=1,
    is_prime=True,
    is_fba=False,
    probe_price_jpy=1,
    probe_offer_count=1,
    http_status=200,
    request_id="r",
)


@given(st.frozensets(st.sampled_from(list(Fact))))
def test_an_answer_says_no_more_than_its_source_can_know(knows: frozenset[Fact]) -> None:
    """What a source can't know is unknown: not a price, not free, not a zero; what it can know stays as it said."""
    answer = within(_FULL, knows)
    assert (1 if Fact.PRICE in knows else None, 0 if Fact.PRICE in knows else None) == (
        answer.price_jpy, answer.shipping_jpy,
    )  # fmt: skip
    assert (True if Fact.STOCK in knows else None) is answer.in_stock
    assert ("S" if Fact.OFFERS in knows else "") == answer.seller_id
    assert (1 if Fact.BUY_BOX in knows else None) == answer.probe_price_jpy
    assert (_FULL.asin, _FULL.status, _FULL.http_status, _FULL.request_id) == (
        answer.asin, answer.status, answer.http_status, answer.request_id,
    )  # fmt: skip
    assert answer == within(answer, knows)
    assert _FULL == within(_FULL, frozenset(Fact))
