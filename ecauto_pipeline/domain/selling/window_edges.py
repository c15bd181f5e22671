"""What a shop's word that its calls are used up means right after an hour or a day of calls began.

Its clock and ours are two. Ours a second ahead, or a reset of theirs that comes late, and the refusal of a call in the
first moments of our window is about the one before: taken at its word it would close an hour, or a day, of which
nothing is spent, hides included.
Not for: counting calls (state/windows.py), or whose calls they are (call_shares.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta

RESETS_AGREE_WITHIN = timedelta(minutes=5)
"""A clock that is further off is no small matter any more: tokens are renewed so much early, by our clock, and the
doctor calls 4 minutes bad. So at most five calls are refused before a word that stays is believed."""
ASKED_AGAIN_AFTER = timedelta(minutes=1)
BELIEVED_FROM = 0.5
"""Share of the limit that we counted ourselves in this window: who has spent so much may well have spent all of it
together with other programs."""


def closed_until(called_at: datetime, starts_at: datetime, ends_at: datetime, used: int, limit: int) -> datetime:
    """Until when a shop is left alone that refused a call made at `called_at` because this window were over.

    `used`: calls that we counted in it, of `limit`.
    """
    of_the_one_before = called_at - starts_at < RESETS_AGREE_WITHIN and used < limit * BELIEVED_FROM
    return min(called_at + ASKED_AGAIN_AFTER, ends_at) if of_the_one_before else ends_at
