"""Bare HTTP callers of the emulated APIs: they send what they are told, so that refusals can be seen."""

from __future__ import annotations

from typing import Any

import httpx

from ecauto_pipeline.emulator.credentials import MARKETPLACE_ID, SP_ACCOUNTS, base_app

SUMMARY_PATH = "/batches/products/pricing/2022-05-01/items/competitiveSummary"


def lwa_form(number: int = 0, **changes: str) -> dict[str, str]:
    account = SP_ACCOUNTS[number]
    form = {"grant_type": "refresh_token", "refresh_token": account.refresh_token}
    return form | {"client_id": account.client_id, "client_secret": account.client_secret} | changes


class AmazonCaller:
    """One SP-API account with a token in hand."""

    def __init__(self, http: httpx.Client, number: int = 0) -> None:
        self.http = http
        self.token = http.post("/auth/o2/token", data=lwa_form(number)).json()["access_token"]

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(path, params=params, headers={"x-amz-access-token": self.token})

    def post(self, path: str, content: Any) -> httpx.Response:
        return self.http.post(path, json=content, headers={"x-amz-access-token": self.token})

    def batch(self, asins: list[str], **changes: Any) -> httpx.Response:
        requests = [
            {
                "uri": f"/products/pricing/v0/items/{asin}/offers",
                "method": "GET",
                "MarketplaceId": MARKETPLACE_ID,
                "ItemCondition": "New",
                "CustomerType": "Consumer",
                **changes,
            }
            for asin in asins
        ]
        return self.post("/batches/products/pricing/v0/itemOffers", {"requests": requests})

    def offers(self, asin: str, **changes: Any) -> httpx.Response:
        params = {"MarketplaceId": MARKETPLACE_ID, "ItemCondition": "New"} | changes
        return self.get(f"/products/pricing/v0/items/{asin}/offers", **params)

    def competitive(self, asins: list[str], **changes: Any) -> httpx.Response:
        params = {"Asins": ",".join(asins), "ItemType": "Asin", "MarketplaceId": MARKETPLACE_ID} | changes
        return self.get("/products/pricing/v0/competitivePrice", **params)

    def summary(self, asins: list[str], **changes: Any) -> httpx.Response:
        requests = [
            {
                "asin": asin,
                "marketplaceId": MARKETPLACE_ID,
                "method": "GET",
                "uri": "/products/pricing/2022-05-01/items/competitiveSummary",
                "includedData": ["featuredBuyingOptions", "lowestPricedOffers"],
                "lowestPricedOffersInputs": [{"itemCondition": "New", "offerType": "Consumer"}],
                **changes,
            }
            for asin in asins
        ]
        return self.post(SUMMARY_PATH, {"requests": requests})

    def catalog(self, asins: list[str], **changes: Any) -> httpx.Response:
        params = {"identifiers": ",".join(asins), "identifiersType": "ASIN", "marketplaceIds": MARKETPLACE_ID} | changes
        return self.get("/catalog/2022-04-01/items", **params)


class BaseCaller:
    """One shop with tokens in hand."""

    def __init__(self, http: httpx.Client, account: str, tokens: dict[str, Any]) -> None:
        self.http, self.account, self.tokens = http, account, tokens

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}

    def get(self, path: str, headers: dict[str, str] | None = None, **params: Any) -> httpx.Response:
        return self.http.get(f"/1/{path}", params=params, headers=self.bearer | (headers or {}))

    def post(self, path: str, **form: Any) -> httpx.Response:
        return self.http.post(f"/1/{path}", data=form, headers=self.bearer)

    def refresh(self, refresh_token: str | None = None, **changes: str) -> httpx.Response:
        app = base_app(self.account)
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token or self.tokens["refresh_token"],
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "redirect_uri": app.redirect_uri,
        }
        return self.http.post("/1/oauth/token", data=form | changes)


def code_of(answer: httpx.Response) -> str:
    """The one error code of an SP-API answer."""
    (error,) = answer.json()["errors"]
    return str(error["code"])
