"""What an SP-API operation is to the client: its plan, its request, its parser. One file an operation fills this in.

Not for: calling (client.py) or any one operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from ecauto_pipeline.limiter import Limit
from ecauto_pipeline.settings import OperationLimits

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an ASIN got no answer: `reason` is one word; None and "" where there was no HTTP answer."""

    reason: str
    http_status: int | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What an answer's body said. `answers` by ASIN, only ASINs that were asked; `strangers`: others it spoke of."""

    answers: Mapping[str, T]
    strangers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """One operation. Rates are calls a second, `batch` ASINs a call.

    `api`: the library's class ("products" or "catalog"). `send(api, asins, marketplace_id)` makes the call through
    the library. `read(payload, asins, request_id)` is total: an ASIN without a usable answer gets a failed one, an
    ASIN the body does not speak of is left out; it raises ShapelessAnswer when the body as a whole is none.
    `fail(asin, failure)` makes the answer of an ASIN that got none. `refused(asin, status, errors, request_id)`: what
    a refusal of the whole call (4xx with errors) says of the one ASIN asked, None = nothing.
    """

    name: str
    api: str
    rate_per_s: float
    burst: float
    batch: int
    send: Callable[[Any, Sequence[str], str], Any]
    read: Callable[[object, Sequence[str], str], Reading[T]]
    fail: Callable[[str, Failure], T]
    refused: Callable[[str, int, object, str], T | None] = lambda _asin, _status, _errors, _request_id: None

    @property
    def limit(self) -> Limit:
        return Limit(self.rate_per_s, self.burst)

    def limited(self, limits: OperationLimits | None) -> Operation[T]:
        """The operation under the owner's limits; what they leave out stays as documented."""
        if limits is None:
            return self
        return replace(
            self,
            rate_per_s=self.rate_per_s if limits.rate_per_s is None else limits.rate_per_s,
            burst=self.burst if limits.burst is None else limits.burst,
            batch=self.batch if limits.batch is None else min(self.batch, limits.batch),
        )


class ShapelessAnswer(Exception):
    """The body is JSON, but not an answer of this operation; `reason` says how."""

    def __init__(self, reason: str = "wrong_shape") -> None:
        super().__init__(reason)
        self.reason = reason
