"""What came of claiming and of asking one batch, for the worker that took it.

Not for: doing either (batch.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ecauto_pipeline.domain.call_failures import SHUT_OUT
from ecauto_pipeline.domain.model import Answer
from ecauto_pipeline.domain.offers.learning import AsinRow
from ecauto_pipeline.sync.sp_api_snapshots.opinions import Claim


@dataclass(frozen=True, slots=True)
class Claimed:
    """ASINs that are ours to ask; `busy` ones are being asked by another run, the rest needs no asking any more."""

    asins: list[str]
    busy: list[str]
    settled: int


@dataclass(frozen=True, slots=True)
class Asked:
    """`unasked`: ASINs for which no call could be made in time. `shut_out`: the account's token was refused, or none
    could be had, for every one of them. `to_others`: of an operation that is down, what somebody else is to ask."""

    unasked: list[str]
    shut_out: bool
    to_others: list[str]


def shut_out(given: list[Answer]) -> bool:
    """Whether a token was missing or refused for all of these answers."""
    return bool(given) and all(_no_token(answer.reason) for answer in given)


def _no_token(reason: str) -> bool:
    return reason.startswith("lwa_") or reason in (*SHUT_OUT, "http_401", "http_403")


@dataclass(frozen=True, slots=True)
class Kept:
    """What one call brought, as it is committed. `answers`: with their snapshot ids; `before`, `after`: the ASINs'
    rows; `unbelieved`: zeros without credit, with the price believed in yen; `doubts`: what has to be borne out;
    `refused`: ASINs whose call was refused whole; `to_others`: what another account has to ask; `freed`: what a trial's
    end leaves to be asked one by one, None where none ended."""

    at: datetime
    answers: list[tuple[str, Answer]]
    before: dict[str, AsinRow]
    after: dict[str, AsinRow]
    unbelieved: dict[str, int | None]
    doubts: list[str]
    said: dict[str, Claim]
    refused: list[str]
    known_good: str | None
    to_others: list[str]
    freed: list[str] | None
