"""What came of claiming and of asking one batch, for the worker that took it.

Not for: doing either (batch.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from ecauto_pipeline.domain.call_failures import SHUT_OUT
from ecauto_pipeline.domain.model import Answer


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
