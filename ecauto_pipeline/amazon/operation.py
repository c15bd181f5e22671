"""What an SP-API operation is: its usage plan, its role, what it can know, its request, its parser.

One file in operations/ fills this in, and everything else derives from those files. Not for: calling (client.py), which
operations there are (registry.py) or any one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from ecauto_pipeline.domain.freshness.capacity import UsagePlan
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.domain.offers.knowledge import Fact
from ecauto_pipeline.limiter import RateLimit
from ecauto_pipeline.settings import Offers as OfferRule
from ecauto_pipeline.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an ASIN got no answer: `reason` is one word; None and "" where there was no HTTP answer.

    `of_call`: the call as a whole failed, which says nothing of this ASIN. `other_asin`: the one told of instead.
    """

    reason: str
    http_status: int | None = None
    request_id: str = ""
    of_call: bool = False
    other_asin: str = ""


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What an answer's body said. `answers` by ASIN, only ASINs that were asked; `strangers`: others it spoke of."""

    answers: Mapping[str, T]
    strangers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[T]):
    """One operation, as documented or under the owner's settings. Rates are calls a second, `batch` ASINs a call.

    `role`: what it is asked for; several operations may share one. `knows`: what its answers can say at all, whatever
    else they carry is not read. `api`: the library's class in sp_api.api. `send(api, asins, marketplace_id)` makes the
    call through the library. `parse(payload, asins, request_id, rule)` is total: an ASIN without a usable answer gets
    a failed one, an ASIN the body does not speak of is left out; it raises ShapelessAnswer when the body as a whole is
    none. `fail(asin, failure)` makes the answer of an ASIN that got none. `refused(asin, status, errors, request_id)`:
    what a refusal of the whole call (4xx with errors) says of the one ASIN asked, None = nothing.
    `odd(payload, asins)`: ASIN -> where its answer is not of the documented shape (shapes.py); total.
    """

    name: str
    role: Role
    rate_per_s: float
    burst: float
    batch: int
    knows: frozenset[Fact]
    api: str
    send: Callable[[Any, Sequence[str], str], Any]
    parse: Callable[[object, Sequence[str], str, OfferRule], Reading[T]]
    fail: Callable[[str, Failure], T]
    refused: Callable[[str, int, object, str], T | None] = lambda _asin, _status, _errors, _request_id: None
    odd: Callable[[object, Sequence[str]], Mapping[str, frozenset[str]]] = lambda _payload, _asins: {}
    rule: OfferRule = field(default_factory=OfferRule)

    @property
    def limit(self) -> RateLimit:
        """What its bucket starts with."""
        return RateLimit(self.rate_per_s, self.burst)

    @property
    def usage_plan(self) -> UsagePlan:
        return UsagePlan(self.name, self.role, self.rate_per_s, self.burst, self.batch)

    def read(self, payload: object, asins: Sequence[str], request_id: str) -> Reading[T]:
        """What this body says of these ASINs. Raises ShapelessAnswer."""
        return self.parse(payload, asins, request_id, self.rule)

    def under(self, settings: Settings) -> Operation[T]:
        """The operation under the owner's offer rule and limits; what the limits leave out stays as documented."""
        limits = settings.sp_api.limits.get(self.name)
        if limits is None:
            return replace(self, rule=settings.offers)
        return replace(
            self,
            rule=settings.offers,
            rate_per_s=self.rate_per_s if limits.rate_per_s is None else limits.rate_per_s,
            burst=self.burst if limits.burst is None else limits.burst,
            batch=self.batch if limits.batch is None else min(self.batch, limits.batch),
        )


class ShapelessAnswer(Exception):
    """The body is JSON, but not an answer of this operation; `reason` says how."""

    def __init__(self, reason: str = "wrong_shape") -> None:
        super().__init__(reason)
        self.reason = reason
