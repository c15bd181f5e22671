"""SP-API and Login with Amazon, as the published models write them; one token bucket an operation.

Where the models leave a choice, this one differs from the emulator: a batch is answered in reverse order, yen are
sometimes `2980.0`, the marketplace's name has its old spelling, the Buy Box condition is lower case, optional blocks
are left out, an ASIN that Amazon does not know is an error within the batch.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any

from proofs.independent.loopback import Asked, Reply

MARKET = "A1VC38T7YXB528"
RATES = {"getItemOffersBatch": 0.1, "getItemOffers": 0.5, "getCompetitivePricing": 0.5, "searchCatalogItems": 2.0}


@dataclass(frozen=True)
class Good:
    """What Amazon has of an article: `price_jpy` None = gone, `hours` until it ships, `shipping_jpy`."""

    price_jpy: int | None
    hours: int = 24
    shipping_jpy: int = 0


class Amazon:
    """Goods by ASIN. `pace`: how many times faster than the papers' rates."""

    def __init__(self, goods: dict[str, Good], secrets: dict[str, str], pace: float) -> None:
        self.goods, self.secrets, self.pace = goods, secrets, pace
        self.asked: list[tuple[str, tuple[str, ...], int]] = []  # operation, ASINs, HTTP status
        self._lock = threading.Lock()
        self._tokens = dict.fromkeys(RATES, 1.0)
        self._at = dict.fromkeys(RATES, time.monotonic())
        self._access: set[str] = set()

    def answer(self, one: Asked) -> Reply:
        with self._lock:
            if one.path == "/auth/o2/token":
                return self._login(one)
            operation, asins = _operation(one)
            reply = self._guarded(operation, asins, one)
            self.asked.append((operation, asins, reply.status))
            return reply

    def _login(self, one: Asked) -> Reply:
        known = {
            "grant_type": "refresh_token",
            "refresh_token": self.secrets["SP_API_REFRESH_TOKEN"],
            "client_id": self.secrets["LWA_APP_ID"],
            "client_secret": self.secrets["LWA_CLIENT_SECRET"],
        }
        if one.method != "POST" or one.form != known:
            return Reply(400, {"error": "invalid_grant", "error_description": "The request has an invalid grant"})
        token = f"Atza|{uuid.uuid4().hex}"
        self._access.add(token)
        return Reply(200, {"access_token": token, "token_type": "bearer", "expires_in": 3600})

    def _guarded(self, operation: str, asins: tuple[str, ...], one: Asked) -> Reply:
        if one.headers.get("x-amz-access-token") not in self._access:
            return _wrong(403, "Unauthorized", "Access to requested resource is denied.")
        if operation not in RATES:
            return _wrong(404, "NotFound", "The resource specified does not exist.")
        if not self._take(operation):
            return _wrong(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")
        if not 1 <= len(asins) <= 20 or len(set(asins)) != len(asins):
            return _wrong(400, "InvalidInput", "Duplicate requests submitted")
        document = {
            "getItemOffersBatch": self._batch,
            "getItemOffers": lambda names: self._offers(names[0])[1],
            "getCompetitivePricing": self._competitive,
            "searchCatalogItems": self._catalogue,
        }[operation](asins)
        status = 400 if "errors" in document else 200
        rate = RATES[operation] * self.pace
        return Reply(status, document, {"x-amzn-RequestId": str(uuid.uuid4()), "x-amzn-RateLimit-Limit": f"{rate}"})

    def _take(self, operation: str) -> bool:
        now = time.monotonic()
        gained = (now - self._at[operation]) * RATES[operation] * self.pace
        self._tokens[operation] = min(
            2.0 if operation == "searchCatalogItems" else 1.0, self._tokens[operation] + gained
        )
        self._at[operation] = now
        if self._tokens[operation] < 1.0 - 1e-6:
            return False
        self._tokens[operation] -= 1.0
        return True

    def _batch(self, asins: tuple[str, ...]) -> dict[str, Any]:
        answers = []
        for asin in reversed(asins):
            status, body = self._offers(asin)
            request = {"MarketplaceId": MARKET, "Asin": asin, "ItemCondition": "New", "CustomerType": "Consumer"}
            answers.append({"status": {"statusCode": status}, "headers": {}, "request": request, "body": body})
        return {"responses": answers}

    def _offers(self, asin: str) -> tuple[int, dict[str, Any]]:
        good = self.goods.get(asin)
        if good is None:
            message = f"{asin} is an invalid ASIN for marketplace {MARKET}"
            return 400, {"errors": [{"code": "InvalidInput", "message": message}]}
        payload: dict[str, Any] = {"ASIN": asin, "ItemCondition": "New", "MarketplaceID": MARKET}
        if good.price_jpy is None:
            return 200, {
                "payload": {**payload, "status": "NoBuyableOffers", "Summary": {"TotalOfferCount": 0}, "Offers": []}
            }
        listing = {"ListingPrice": _yen(asin, good.price_jpy), "Shipping": _yen(asin, good.shipping_jpy)}
        offer = {
            "SellerId": "A2INDEPENDENT",
            "SubCondition": "new",
            **listing,
            "ShippingTime": {"minimumHours": 0, "maximumHours": good.hours, "availabilityType": "NOW"},
            "IsFulfilledByAmazon": False,
            "IsBuyBoxWinner": True,
        }
        late = {
            **offer,
            "SellerId": "A3LATE",
            "ListingPrice": _yen(asin, good.price_jpy // 2),
            "ShippingTime": {"minimumHours": 240, "maximumHours": 480, "availabilityType": "NOW"},
        }
        landed = {"LandedPrice": _yen(asin, good.price_jpy + good.shipping_jpy), **listing}
        summary = {"TotalOfferCount": 2, "BuyBoxPrices": [{"condition": "new", **landed}]}
        return 200, {"payload": {**payload, "status": "Success", "Summary": summary, "Offers": [late, offer]}}

    def _competitive(self, asins: tuple[str, ...]) -> dict[str, Any]:
        rows: list[dict[str, Any]] = []
        for asin in asins:
            good = self.goods.get(asin)
            if good is None:
                rows.append({"status": "ClientError", "ASIN": asin})
                continue
            prices = [] if good.price_jpy is None else [_competitor(asin, good)]
            counts = (
                [] if good.price_jpy is None else [{"condition": "New", "Count": 2}, {"condition": "Any", "Count": 2}]
            )
            block = {"CompetitivePrices": prices, "NumberOfOfferListings": counts}
            rows.append({"status": "Success", "ASIN": asin, "Product": {"CompetitivePricing": block}})
        return {"payload": rows}

    def _catalogue(self, asins: tuple[str, ...]) -> dict[str, Any]:
        items = [
            {"asin": asin, "summaries": [{"marketplaceId": MARKET, "itemName": f"商品 {asin}"}]}
            for asin in asins
            if asin in self.goods
        ]
        return {"numberOfResults": len(items), "items": items}


def _operation(one: Asked) -> tuple[str, tuple[str, ...]]:
    parts = one.path.strip("/").split("/")
    if one.method == "POST" and one.path == "/batches/products/pricing/v0/itemOffers":
        requests = json.loads(one.body)["requests"]
        return "getItemOffersBatch", tuple(str(request["uri"]).split("/")[-2] for request in requests)
    if one.method == "GET" and parts[:4] == ["products", "pricing", "v0", "items"] and parts[-1] == "offers":
        return "getItemOffers", (parts[4],)
    if (
        one.method == "GET"
        and one.path == "/products/pricing/v0/competitivePrice"
        and one.query.get("ItemType") == "Asin"
    ):
        return "getCompetitivePricing", tuple(one.query["Asins"].split(","))
    if one.method == "GET" and one.path == "/catalog/2022-04-01/items" and one.query.get("pageSize") == "20":
        return "searchCatalogItems", tuple(one.query["identifiers"].split(","))
    return one.path, ()


def _competitor(asin: str, good: Good) -> dict[str, Any]:
    assert good.price_jpy is not None
    price = {"ListingPrice": _yen(asin, good.price_jpy), "Shipping": _yen(asin, good.shipping_jpy)}
    return {"CompetitivePriceId": "1", "condition": "new", "belongsToRequester": False, "Price": price}


def _yen(asin: str, amount: int) -> dict[str, Any]:
    return {"CurrencyCode": "JPY", "Amount": float(amount) if sum(asin.encode()) % 3 else amount}


def _wrong(status: int, code: str, message: str) -> Reply:
    return Reply(status, {"errors": [{"code": code, "message": message}]}, {"x-amzn-RequestId": str(uuid.uuid4())})
