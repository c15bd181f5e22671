"""Which of a shop's calls may use how much of its hour or day: what is kept back, for whom.

The last calls are for reading one item and for tokens, so that an edit of unknown outcome can be read back. The share
before them, `reserve`, is for hides and for undoing what a run did: sales can always be stopped, whatever the hour's
calls were spent on. Everything else is refused past both; undoing has to read first, and may use the last calls, too.
Not for: counting calls (state/windows.py).
"""

from __future__ import annotations

import math
from typing import Literal

from ecauto_pipeline.domain.selling.ratios import exact

CallKind = Literal["read", "list", "token", "hide", "edit", "undo"]
"""read: one item; list: pages of items and orders; undo: an edit that takes another one back."""

READ_SHARE, READ_CALLS = 0.02, 20
RESERVE = 0.1
MOST_RESERVE = 0.25


def reserved(limit: int, reserve: float = RESERVE) -> int:
    """Calls of a window of `limit` that are kept for hides and undoing."""
    return min(math.ceil(exact(reserve) * limit), limit // 4)


def allowance(limit: int, kind: str, reserve: float = RESERVE) -> int:
    """Calls that may have been counted before one of this kind is refused.

    All of them for undoing, a read of one item and tokens, less for others. On very small limits what is kept back
    together stays below half.
    """
    for_reads = min(max(READ_CALLS, math.ceil(limit * READ_SHARE)), limit // 4)
    if kind in ("read", "token", "undo"):
        return limit
    return limit - for_reads if kind == "hide" else limit - for_reads - reserved(limit, reserve)
