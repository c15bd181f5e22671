"""ASINs that Amazon does not answer for: how long each waits for its next question, and when a person has to look.

After the k-th failure in a row an ASIN waits 2^k x 10 minutes, a day at most, less a share of a fifth by its own hash,
so that those that failed together do not come back together. What failed with the whole call is no failure of its ASINs
and does not come here. Not for: counting failures (domain/offers/learning.py) or what else is due (ages.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from ecauto_pipeline.domain.freshness.slots import shares

Rows = npt.NDArray[np.void]
Ints = npt.NDArray[np.int64]

FIRST_WAIT = timedelta(minutes=10)
"""Doubled by each failure, the first included."""

LONGEST_WAIT = timedelta(days=1)
DAY_MS = 86_400_000
DAILY_MS = DAY_MS - 1_800_000
"""What an unanswerable ASIN waits: with a slice's length and the wait for its turn it is still asked within the day."""

SPREAD = 0.2
"""Up to so much of a wait is taken off, another share for each ASIN."""

UNANSWERABLE_AFTER = timedelta(days=3)
"""A reason that stays for so long is told to a person; the ASIN is still asked about daily."""

AT_ONCE = frozenset({"merged"})
"""Reasons that no further question will change."""

SLICE_SHARE = 0.1
"""All failing ASINs together get no more of a slice's details."""


def is_unanswerable(failures: int, reason: str, since: datetime | None, now: datetime) -> bool:
    """Whether a person has to look: the same reason for days, or one that stays for good."""
    return failures > 0 and (reason in AT_ONCE or (since is not None and now - since >= UNANSWERABLE_AFTER))


def waits(rows: Rows, now_ms: int, longest_ms: Ints) -> npt.NDArray[np.bool_]:
    """Which rows failed and are not asked about yet. `longest_ms`: the most that each may wait.

    One that is unanswerable waits for its daily turn whatever hangs on it. A failure stamped in the future (a clock set
    back) makes nobody wait.
    """
    found = np.zeros(rows.size, np.bool_)
    failing = np.flatnonzero(rows["failures"] > 0)  # a few of a million
    few = rows[failing]
    wait_ms = np.minimum(backoff_ms(few["failures"]), longest_ms[failing])
    wait_ms = np.where(few["unanswerable"] == 1, DAILY_MS, wait_ms)
    wait_ms = (wait_ms * (1 - SPREAD * shares(few["asin"]))).astype(np.int64)
    passed = now_ms - few["failed_at"]
    found[failing] = (passed >= 0) & (passed < wait_ms)
    return found


def backoff_ms(failures: npt.NDArray[np.int8]) -> Ints:
    """2^k x 10 minutes after the k-th failure, a day at most."""
    doubled = FIRST_WAIT.total_seconds() * 1000 * 2.0 ** np.minimum(failures, 10)
    return np.minimum(doubled, DAY_MS).astype(np.int64)
