"""Usage plans: a token bucket for each (selling account, operation), enforced by the emulator's clock.

For: refusing what comes too fast, and counting it. A refused call consumes nothing. Not for: telling the client how
long to wait; Amazon does not.
Source: usage-plans page of the SP-API documentation and the operation descriptions of the API models (2026-08).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from ecauto_pipeline.emulator.store import Store

DOCUMENTED = {
    "getItemOffersBatch": (0.1, 1),
    "getItemOffers": (0.5, 1),
    "getCompetitivePricing": (0.5, 1),
    "getCompetitiveSummary": (0.033, 1),
    "searchCatalogItems": (2.0, 2),
}


@dataclass(slots=True)
class Bucket:
    """`granted` is everything the plan has given since it began: burst + the integral of rate over time.

    `share`: how much of the plan is in force (a rate cut).
    """

    rate_per_s: float
    burst: int
    tokens: float
    updated_s: float
    granted: float
    allowed: int = 0
    refused: int = 0
    share: float = 1.0

    def advance(self, now_s: float) -> None:
        passed_s = max(0.0, now_s - self.updated_s)
        self.tokens = min(float(self.burst), self.tokens + passed_s * self.rate_per_s)
        self.granted += passed_s * self.rate_per_s
        self.updated_s = now_s

    def take(self) -> bool:
        """Let one call through, or refuse it, as of the last `advance`."""
        if self.tokens < 1 - 1e-9:
            self.refused += 1
            return False
        self.tokens -= 1
        self.allowed += 1
        return True


class Throttle:
    """All buckets of a world. `speed` multiplies the documented rates; a rate that was set stands as set."""

    def __init__(self, store: Store, speed: float) -> None:
        self._store = store
        self.speed = speed
        self._plans: dict[str, list[float]] = store.setting("plans", {})
        self._buckets = {
            (row["account"], row["operation"]): Bucket(**json.loads(row["state"]))
            for row in store.rows("SELECT * FROM buckets")
        }

    def plan(self, account: str, operation: str) -> tuple[float, int]:
        """The rate (calls a second) and burst in force."""
        for name in (f"{account}/{operation}", f"/{operation}"):
            if name in self._plans:
                rate_per_s, burst = self._plans[name]
                return rate_per_s, int(burst)
        rate_per_s, burst = DOCUMENTED[operation]
        return rate_per_s * self.speed, burst

    def take(self, account: str, operation: str, now_s: float, share: float = 1.0) -> bool:
        """Let one call through, or refuse it. `share`: of its plan, from now on. Durable with the caller's commit."""
        bucket = self._bucket(account, operation, now_s, share)
        allowed = bucket.take()
        self._save(account, operation, bucket)
        return allowed

    def set_plan(self, operation: str, rate_per_s: float, burst: int, account: str | None, now_s: float) -> None:
        """Change a usage plan in mid-run, for one account or all. Raises ValueError on an unknown operation."""
        if operation not in DOCUMENTED:
            raise ValueError(f"unknown operation {operation!r}; known are {sorted(DOCUMENTED)}")
        if rate_per_s <= 0 or burst < 1:
            raise ValueError("a plan has a rate above 0 and a burst of at least 1")
        for owner, name in self._buckets:
            self._bucket(owner, name, now_s)
        if account is None:
            self._plans = {name: plan for name, plan in self._plans.items() if not name.endswith(f"/{operation}")}
        self._plans[f"{account or ''}/{operation}"] = [rate_per_s, burst]
        self._store.set_setting("plans", self._plans)
        for owner, name in self._buckets:
            self._save(owner, name, self._bucket(owner, name, now_s))

    def stats(self, now_s: float) -> list[dict[str, Any]]:
        """One row per bucket used: calls, allowed, refused, and the allowance its plan has given since the start."""
        rows = []
        for account, operation in sorted(self._buckets):
            bucket = self._bucket(account, operation, now_s)
            rows.append(
                {
                    "api": "sp_api",
                    "account": account,
                    "operation": operation,
                    "calls": bucket.allowed + bucket.refused,
                    "allowed": bucket.allowed,
                    "refused": bucket.refused,
                    "allowance": bucket.granted,
                    "rate_per_s": bucket.rate_per_s,
                    "burst": bucket.burst,
                    "tokens": bucket.tokens,
                }
            )
        return rows

    def _bucket(self, account: str, operation: str, now_s: float, share: float | None = None) -> Bucket:
        """The bucket, brought to now and then to the plan in force; `share` None: the one it had."""
        rate_per_s, burst = self.plan(account, operation)
        if (account, operation) not in self._buckets:
            self._buckets[account, operation] = Bucket(rate_per_s, burst, float(burst), now_s, float(burst))
        bucket = self._buckets[account, operation]
        bucket.advance(now_s)
        bucket.share = bucket.share if share is None else share
        bucket.rate_per_s, bucket.burst = rate_per_s * bucket.share, burst
        bucket.tokens = min(bucket.tokens, float(burst))
        return bucket

    def _save(self, account: str, operation: str, bucket: Bucket) -> None:
        self._store.write(
            "INSERT INTO buckets (account, operation, state) VALUES (?, ?, ?)"
            " ON CONFLICT (account, operation) DO UPDATE SET state = excluded.state",
            (account, operation, json.dumps(asdict(bucket))),
        )
