"""Amazon's truth: what every ASIN costs and whether it can be bought, at any moment, from a seed.

For: a world of up to hundreds of thousands of ASINs that is asked, never stepped: price and stock at time t follow
from the seed, the ASIN's number and t alone, plus the overrides somebody set. Not for: the shape of API answers
(sp_api) or the shops (shop_world).

Price level lognormal (median 3,000 yen, sigma 0.7); jumps at a lognormal rate (mean 0.5 a day, sigma 1.2), the log
price an AR(1) over jumps (rho 0.7, Laplace 0.05). One ASIN in a hundred is hot: 24 jumps of Laplace 0.02 and two stock
flips a day; the others flip every 7.5 days on the mean. Events sit one to a cell of length 1/rate at a random place in
it, which keeps the rate and makes time t a matter of one division.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ecauto_pipeline.emulator.catalogue import Goods, goods
from ecauto_pipeline.emulator.chance import integer, laplace, mix, normal, text_key, uniform
from ecauto_pipeline.emulator.offers import Offer, from_fields, lead_offer, side_offers
from ecauto_pipeline.emulator.store import Store

OUT_SHARE = 0.02  # of the time
UNFIT, FAILING = 3, 1  # in any hundred ASINs: offers with a fee, a wait or a doubt only; errors that last
_DAY_S = 86_400.0
_RHO, _MEMORY = 0.7, 8
_ASIN_SPACE, _ASIN_STEP = 36**8, 1_190_494_759_321
_ISBN_SPACE, _ISBN_STEP = 10**8, 31_415_927
_ASIN_BACK, _ISBN_BACK = pow(_ASIN_STEP, -1, _ASIN_SPACE), pow(_ISBN_STEP, -1, _ISBN_SPACE)
_ISBN_EVERY = 97
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OVERRIDE_FIELDS = {"price_jpy", "in_stock", "offers", "unknown", "error", "status", "total_offer_count"}


@dataclass(frozen=True, slots=True)
class Failure:
    """An error that Amazon gives for this ASIN, whoever asks."""

    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Truth:
    """What is so of one ASIN at one moment. `known` False: Amazon has never heard of it."""

    asin: str
    known: bool
    offers: tuple[Offer, ...] = ()
    failure: Failure | None = None
    status: str = "Success"
    total_offer_count: int | None = None
    identifiers_only: bool = False


@dataclass(frozen=True, slots=True)
class _Habits:
    """What stays the same of an ASIN: its price level, how often it changes, and its lasting oddities."""

    key: int
    price_key: int
    level_jpy: float
    jumps_per_day: float
    jump_scale: float
    stock_cycles_per_day: float
    kind: str


class World:
    """`asins` goods of one seed; `store` keeps the overrides. Not thread-safe: its owner serialises."""

    def __init__(self, seed: int, asins: int, store: Store) -> None:
        self.seed, self.asins = seed, asins
        self._store = store
        self._habits = lru_cache(maxsize=20_000)(self._habits_of)
        self._number = lru_cache(maxsize=20_000)(self.index_of)
        self._asin_key, self._isbn_key = mix(seed, 8), mix(seed, 7)
        self._overrides: dict[str, list[tuple[float, dict[str, Any]]]] = {}
        for row in store.rows("SELECT asin, since, fields FROM overrides ORDER BY since, rowid"):
            self._overrides.setdefault(row["asin"], []).append((row["since"], json.loads(row["fields"])))

    # Names

    def asin_at(self, index: int) -> str:
        """The ASIN with number `index` (0 .. asins - 1); one in 97 is a book, whose ASIN is its ISBN-10."""
        if index % _ISBN_EVERY == 13:
            body = f"4{(index * _ISBN_STEP + self._isbn_key) % _ISBN_SPACE:08d}"
            return body + _isbn_check(body)
        value = (index * _ASIN_STEP + self._asin_key) % _ASIN_SPACE
        text = ""
        for _ in range(8):
            value, digit = divmod(value, 36)
            text = _DIGITS[digit] + text
        return "B0" + text

    def index_of(self, asin: str) -> int | None:
        """The number of an ASIN of this world, or None."""
        if asin.startswith("B0"):
            try:
                value = int(asin[2:], 36)
            except ValueError:
                return None
            index = (value - self._asin_key) * _ASIN_BACK % _ASIN_SPACE
        elif asin.startswith("4") and asin[1:9].isdigit():
            index = (int(asin[1:9]) - self._isbn_key) * _ISBN_BACK % _ISBN_SPACE
        else:
            return None
        return index if index < self.asins and self.asin_at(index) == asin else None

    def known_asins(self) -> Iterator[str]:
        """Every ASIN of the seed, then those that only an override made."""
        for index in range(self.asins):
            yield self.asin_at(index)
        yield from (asin for asin in self._overrides if self.index_of(asin) is None)

    # Truth

    def truth(self, asin: str, at_s: float) -> Truth:
        """What is so of `asin` at `at_s` (seconds since the epoch)."""
        override = self._override(asin, at_s)
        number = self._number(asin)
        if override.get("unknown") or (number is None and not override):
            return Truth(asin, known=False)
        number = text_key(asin) if number is None else number
        habits = self._habits(number)
        failure = _failure(override.get("error"))
        said_in_stock = override.get("in_stock", True if "price_jpy" in override or "offers" in override else None)
        if failure is None and not override and habits.kind == "failing":
            failure = _lasting_failure(habits.key)
        if "offers" in override:
            offers = tuple(from_fields(fields) for fields in override["offers"]) if said_in_stock else ()
        else:
            price = override["price_jpy"] if "price_jpy" in override else self._price(habits, at_s)
            offers = self._offers(habits, price, at_s, said_in_stock)
        return Truth(
            asin,
            known=True,
            offers=offers,
            failure=failure,
            status=override.get("status") or ("Success" if offers else "NoBuyableOffers"),
            total_offer_count=override.get("total_offer_count"),
            identifiers_only=not override and uniform(habits.key, 40) < 0.01,
        )

    def offered(self, index: int, at_s: float) -> bool:
        """Whether anybody offers ASIN number `index` at `at_s`, as the seed has it; overrides are not asked."""
        habits = self._habits(index)
        return habits.kind == "unfit" or not self._is_out(habits, at_s)

    def level_jpy(self, index: int, at_s: float) -> int:
        """The price level of ASIN number `index` at `at_s`."""
        return self._price(self._habits(index), at_s)

    def price_jpy(self, asin: str, at_s: float) -> int:
        """The price level of `asin` at `at_s`, whether or not anybody offers it then."""
        number = self._number(asin)
        return self._price(self._habits(text_key(asin) if number is None else number), at_s)

    def goods(self, asin: str) -> Goods:
        """The catalogue entry of `asin`."""
        number = self._number(asin)
        return goods(self.seed, text_key(asin) if number is None else number)

    def override(self, asin: str, fields: dict[str, Any], since_s: float) -> None:
        """From `since_s` on, `fields` are so of `asin`; {} gives it back to the seed. Raises ValueError."""
        unknown = sorted(set(fields) - _OVERRIDE_FIELDS)
        if unknown:
            raise ValueError(f"unknown fields {unknown}; known are {sorted(_OVERRIDE_FIELDS)}")
        for offer in fields.get("offers") or ():
            from_fields(offer)
        _failure(fields.get("error"))
        history = self._overrides.setdefault(asin, [])
        history.append((since_s, fields))
        history.sort(key=lambda entry: entry[0])
        self._store.write(
            "INSERT INTO overrides (asin, since, fields) VALUES (?, ?, ?)",
            (asin, since_s, json.dumps(fields, ensure_ascii=False)),
        )

    # From the seed

    def _override(self, asin: str, at_s: float) -> dict[str, Any]:
        history = self._overrides.get(asin)
        if not history:
            return {}
        place = bisect_right(history, at_s, key=lambda entry: entry[0])
        return history[place - 1][1] if place else {}

    def _habits_of(self, number: int) -> _Habits:
        key = mix(self.seed, number, 0xA51)
        hot = uniform(key, 1) < 0.01
        spread = 1.2
        place = (number * 37 + mix(self.seed, 5)) % 100
        kind = "failing" if place < FAILING else "unfit" if place < FAILING + UNFIT else "usual"
        return _Habits(
            key=key,
            price_key=mix(key, 21),
            level_jpy=3000 * math.exp(0.7 * normal(key, 2)),
            jumps_per_day=24.0 if hot else 0.5 * math.exp(spread * normal(key, 3) - spread**2 / 2),
            jump_scale=0.02 if hot else 0.05,
            stock_cycles_per_day=1.0 if hot else math.exp(spread * normal(key, 4) - spread**2 / 2) / 15,
            kind=kind,
        )

    def _price(self, habits: _Habits, at_s: float) -> int:
        place = at_s / _DAY_S * habits.jumps_per_day
        cell = math.floor(place)
        jump = cell if place - cell >= uniform(habits.key, 20, cell) else cell - 1
        return max(50, round(habits.level_jpy * math.exp(_log_move(habits.jump_scale, habits.price_key, jump))))

    def _is_out(self, habits: _Habits, at_s: float) -> bool:
        place = at_s / _DAY_S * habits.stock_cycles_per_day
        cycle = math.floor(place)
        length = 2 * OUT_SHARE * uniform(habits.key, 30, cycle)
        begin = (1 - length) * uniform(habits.key, 31, cycle)
        return begin <= place - cycle < begin + length

    def _offers(self, habits: _Habits, price: Any, at_s: float, said_in_stock: bool | None) -> tuple[Offer, ...]:
        if said_in_stock is False:
            return ()
        level = price if isinstance(price, int) and price > 0 else self._price(habits, at_s)
        if said_in_stock is None and habits.kind == "unfit":
            lead, side = None, side_offers(habits.key, level, 1, None)
        elif said_in_stock is None and self._is_out(habits, at_s):
            return ()
        else:
            lead = lead_offer(habits.key, level)
            side = side_offers(habits.key, level, 0, lead)
        return _with_winner(habits.key, lead, side, price if said_in_stock else level)


@lru_cache(maxsize=100_000)
def _log_move(scale: float, price_key: int, jump: int) -> float:
    """What the jumps up to this one have made of the price level; it is asked again until the next one."""
    return sum(_RHO**n * laplace(scale, price_key, jump - n) for n in range(_MEMORY))


def _with_winner(key: int, lead: Offer | None, side: list[Offer], lead_price: Any) -> tuple[Offer, ...]:
    """The list as shown, cheapest first, with the Featured Offer marked: usually the lead, sometimes nobody."""
    draw = uniform(key, 50)
    new = [offer for offer in side if offer.condition == "new" and offer.availability == "NOW"]
    if lead is not None:
        lead = _replace(lead, price_jpy=lead_price, winner=draw < 0.9)
    if new and (0.9 <= draw < 0.97 or (lead is None and draw < 0.5)):
        winner = new[integer(len(new), key, 51)]
        side = [_replace(offer, winner=True) if offer is winner else offer for offer in side]
    everyone = side if lead is None else [lead, *side]
    return tuple(sorted(everyone, key=lambda offer: (offer.total_jpy, offer.seller_id)))


def _replace(offer: Offer, **changes: Any) -> Offer:
    return Offer(**{name: changes.get(name, getattr(offer, name)) for name in Offer.__slots__})


def _lasting_failure(key: int) -> Failure:
    if uniform(key, 60) < 0.6:
        return Failure(500, "InternalFailure", "We encountered an internal error. Please try again.")
    return Failure(503, "ServiceUnavailable", "Service is temporarily unavailable. Please try again.")


def _failure(fields: dict[str, Any] | None) -> Failure | None:
    if not fields:
        return None
    return Failure(
        int(fields.get("status", 500)), fields.get("code", "InternalFailure"), fields.get("message", "error")
    )


def _isbn_check(body: str) -> str:
    rest = -sum(int(digit) * weight for digit, weight in zip(body, range(10, 1, -1), strict=True)) % 11
    return "X" if rest == 10 else str(rest)
