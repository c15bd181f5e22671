"""What BASE allows and how it counts, in one place; ecauto.toml may say otherwise ([base.limits]).

Source: baseinc/api-docs (April 2019); hour and day limits confirmed by operators up to December 2025.
"""

from __future__ import annotations

from datetime import timedelta

from ecauto_pipeline.domain.selling.call_shares import allowance
from ecauto_pipeline.settings import Settings

PAGE_ROWS = 100  # of items and orders alike
ACCESS_TOKEN_LIFE = timedelta(hours=1)
REFRESH_TOKEN_LIFE = timedelta(days=30)
REFRESH_EARLY = timedelta(minutes=5)  # by our clock, before the access token ends
SCOPES = ("read_users", "read_items", "write_items", "read_orders")


def edits_a_day(settings: Settings) -> int:
    """Edits of one shop that both windows together leave in a day, without the calls that are kept back."""
    limits = settings.base.limits
    hour, day = (allowance(n, "edit", limits.reserve) for n in (limits.per_hour, limits.per_day))
    return min(day, 24 * hour)
