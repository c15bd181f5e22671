"""How often a shop may be called: 5,000 an hour, 100,000 a day, in windows of the wall clock.

For: counting every call and saying which limit is passed. The hour begins at minute 00, the day at midnight in Japan.
Source: baseinc/api-docs; confirmed by operators' reports up to December 2025.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ecauto_pipeline.clock import jst
from ecauto_pipeline.emulator.store import Store

PER_HOUR, PER_DAY = 5_000, 100_000


class ShopLimits:
    """The windows of every shop. Refused calls count as well."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._limits: dict[str, dict[str, int]] = store.setting("base_limits", {})

    def limits(self, account: str) -> tuple[int, int]:
        """Calls an hour and a day."""
        found = self._limits.get(account) or self._limits.get("") or {}
        return found.get("hour", PER_HOUR), found.get("day", PER_DAY)

    def set_limits(self, account: str | None, per_hour: int | None, per_day: int | None) -> None:
        """Change the limits of one shop, or of all; None leaves a limit as it is."""
        if account is None:
            self._limits = {}
        hour, day = self.limits(account or "")
        self._limits[account or ""] = {
            "hour": hour if per_hour is None else per_hour,
            "day": day if per_day is None else per_day,
        }
        self._store.set_setting("base_limits", self._limits)

    def count(self, account: str, now: datetime) -> str | None:
        """Count one call. Returns `hour_api_limit` or `day_api_limit` when it is one too many."""
        per_hour, per_day = self.limits(account)
        in_hour, in_day = (self._add(account, window, start) for window, start in _starts(now))
        if in_day > per_day:
            return "day_api_limit"
        return "hour_api_limit" if in_hour > per_hour else None

    def used(self, account: str, now: datetime) -> dict[str, Any]:
        """Calls counted in the running hour and day, with the limits."""
        used = {}
        for window, start in _starts(now):
            row = self._store.row("SELECT * FROM windows WHERE account = ? AND window = ?", (account, window))
            used[window] = row["calls"] if row is not None and row["start"] == start else 0
        per_hour, per_day = self.limits(account)
        return {"in_hour": used["hour"], "in_day": used["day"], "per_hour": per_hour, "per_day": per_day}

    def _add(self, account: str, window: str, start: int) -> int:
        self._store.write(
            "INSERT INTO windows (account, window, start, calls) VALUES (?, ?, ?, 1) ON CONFLICT (account, window)"
            " DO UPDATE SET calls = CASE WHEN start = excluded.start THEN calls + 1 ELSE 1 END, start = excluded.start",
            (account, window, start),
        )
        row = self._store.row("SELECT calls FROM windows WHERE account = ? AND window = ?", (account, window))
        return 0 if row is None else row["calls"]


def _starts(now: datetime) -> tuple[tuple[str, int], tuple[str, int]]:
    hour = jst(now).replace(minute=0, second=0, microsecond=0)
    return ("hour", int(hour.timestamp())), ("day", int(hour.replace(hour=0).timestamp()))
