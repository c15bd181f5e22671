"""The library the program uses speaks to the emulator as it speaks to Amazon."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from sp_api.api import CatalogItems, Products
from sp_api.auth.access_token_client import AccessTokenClient, cache
from sp_api.base import SellingApiForbiddenException, SellingApiRequestThrottledException

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.credentials import MARKETPLACE_ID, SP_ACCOUNTS
from ecauto_pipeline.emulator.server import EmulatorServer


@pytest.fixture
def arguments(emulator: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Constructor arguments that point a client of the library at the emulator."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("SP_API_DEFAULT_MARKETPLACE", raising=False)

    class LocalLwa(AccessTokenClient):  # type: ignore[misc]  # the library has no types
        scheme, host = "http://", f"127.0.0.1:{emulator.port}"

    endpoint = f"http://@127.0.0.1:{emulator.port}"
    account = SP_ACCOUNTS[0]
    cache.clear()
    yield {
        "marketplace": SimpleNamespace(endpoint=endpoint, marketplace_id=MARKETPLACE_ID, region="us-west-2"),
        "credentials": {
            "refresh_token": account.refresh_token,
            "lwa_app_id": account.client_id,
            "lwa_client_secret": account.client_secret,
        },
        "auth_token_client_class": LocalLwa,
        "timeout": 10,
    }
    cache.clear()


def test_prices_and_catalogue_come_through(arguments: dict[str, Any], emulator: EmulatorServer) -> None:
    """Batch, sweep and catalogue calls of the library are well-formed for the emulator and come back whole."""
    asins = emulator.control.asins()[:20]
    products, catalogue = Products(**arguments), CatalogItems(version="2022-04-01", **arguments)
    requests = [
        {
            "uri": f"/products/pricing/v0/items/{asin}/offers",
            "method": "GET",
            "MarketplaceId": MARKETPLACE_ID,
            "ItemCondition": "New",
            "CustomerType": "Consumer",
        }
        for asin in asins
    ]
    batch = products.get_item_offers_batch(requests)
    assert asins == [item["request"]["Asin"] for item in batch.payload["responses"]]
    assert "0.1" == batch.rate_limit
    swept = products.get_competitive_pricing_for_asins(asins, MarketplaceId=MARKETPLACE_ID)
    assert asins == [row["ASIN"] for row in swept.payload]
    single = products.get_item_offers(asins[0], item_condition="New", MarketplaceId=MARKETPLACE_ID)
    assert asins[0] == single.payload["ASIN"]
    found = catalogue.search_catalog_items(
        identifiers=",".join(asins), identifiersType="ASIN", marketplaceIds=MARKETPLACE_ID, pageSize=20
    )
    assert asins == [item["asin"] for item in found.payload["items"]]


def test_refusals_are_the_librarys_exceptions(
    arguments: dict[str, Any], emulator: EmulatorServer, clock: ManualClock
) -> None:
    """Too fast is a throttled exception, an expired token a forbidden one that says so."""
    products = Products(**arguments)
    asin = emulator.control.asins()[0]
    products.get_item_offers(asin, item_condition="New", MarketplaceId=MARKETPLACE_ID)
    with pytest.raises(SellingApiRequestThrottledException, match="exceeded your quota"):
        products.get_item_offers(asin, item_condition="New", MarketplaceId=MARKETPLACE_ID)
    clock.advance(3600)
    with pytest.raises(SellingApiForbiddenException) as refused:
        products.get_item_offers(asin, item_condition="New", MarketplaceId=MARKETPLACE_ID)
    assert "expired" in refused.value.error[0]["details"]
