"""The control plane: what a person or a test may do to the world, as plain calls.

For: resetting, moving the clock, rates, faults, overrides, edits by a person, sales, tokens, and looking at all of it.
What is done in the shops stands in control_shops.py, the same powers over HTTP in control_http.py. Not for: the
programs under test; no client of an API calls this.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from ecauto_pipeline.emulator.base_api import oauth
from ecauto_pipeline.emulator.control_shops import ShopPowers
from ecauto_pipeline.emulator.credentials import BASE_SCOPES, SP_ACCOUNTS


class Control(ShopPowers):
    """Powers over one emulated world. Safe to use from any thread. Bad arguments raise ValueError or KeyError."""

    # World and clock

    def reset(
        self,
        seed: int | None = None,
        listings: int | None = None,
        accounts: int | None = None,
        speed: float | None = None,
    ) -> dict[str, Any]:
        """Begin a new world; what is not given stays. All tokens, calls, faults and overrides are gone."""
        with self._emulation.lock:
            shape = self._emulation.shape
            self._emulation.reset(
                shape["seed"] if seed is None else seed,
                shape["listings"] if listings is None else listings,
                shape["accounts"] if accounts is None else accounts,
                self._emulation.speed if speed is None else speed,
            )
            return self.about()

    def about(self) -> dict[str, Any]:
        """Seed, sizes and speed of the world."""
        emulation = self._emulation
        return {**emulation.shape, "speed": emulation.speed, "shops": list(emulation.accounts)}

    def now(self) -> datetime:
        """The emulator's time, aware, in UTC."""
        return self._emulation.time.now()

    def clock(self) -> dict[str, Any]:
        return {"now": self.now().isoformat(), "offset_s": self._emulation.time.offset_s}

    def advance(self, seconds: float) -> dict[str, Any]:
        """Let the emulator's clock jump ahead (the clock handed in stays where it is)."""
        return self.set_offset(self._emulation.time.offset_s + seconds)

    def set_clock(self, moment: datetime) -> dict[str, Any]:
        with self._emulation.lock:
            self._emulation.time.set(moment)
            return self.set_offset(self._emulation.time.offset_s)

    def set_offset(self, seconds: float) -> dict[str, Any]:
        with self._emulation.lock:
            self._emulation.time.offset_s = float(seconds)
            self._emulation.store.set_setting("offset_s", float(seconds))
            self._emulation.store.commit()
            return self.clock()

    # Limits

    def set_rate(self, operation: str, rate_per_s: float, burst: int = 1, account: str | None = None) -> None:
        """Change a usage plan in mid-run, for one SP-API account or all. `speed` does not multiply it."""
        with self._emulation.lock:
            self._emulation.throttle.set_plan(operation, rate_per_s, burst, account, self._emulation.time.seconds())
            self._emulation.store.commit()

    def set_base_limits(
        self, account: str | None = None, per_hour: int | None = None, per_day: int | None = None
    ) -> None:
        """Change a shop's calls an hour or a day; without an account, those of all shops."""
        with self._emulation.lock:
            self._emulation.limits.set_limits(account, per_hour, per_day)
            self._emulation.store.commit()

    # Calls

    def calls(
        self,
        since: int = 0,
        api: str | None = None,
        operation: str | None = None,
        account: str | None = None,
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """Every call seen after number `since`, oldest first: seq, at, api (`lwa`, `sp_api`, `base`), operation,
        account, method, path, details (asins, item_id, fields, params), http_status (None: never delivered),
        outcome, request_id."""
        with self._emulation.lock:
            return self._emulation.calls.since(since, api, operation, account, limit)

    def stats(self) -> dict[str, Any]:
        """`buckets`: per SP-API account and operation calls, allowed, refused, allowance. `shops`: per shop the
        running windows and the calls by operation and outcome."""
        with self._emulation.lock:
            counted = self._emulation.calls.counts("base")
            now = self.now()
            shops = [
                {
                    "api": "base",
                    "account": account,
                    **self._emulation.limits.used(account, now),
                    "operations": {name: outcomes for (owner, name), outcomes in counted.items() if owner == account},
                }
                for account in self._emulation.accounts
            ]
            return {"buckets": self._emulation.throttle.stats(now.timestamp()), "shops": shops}

    # Faults

    def add_faults(self, *specs: dict[str, Any]) -> list[int]:
        """Append faults to the script (fields: faults.Fault). Returns their ids."""
        with self._emulation.lock:
            ids = self._emulation.faults.add(list(specs))
            self._save_faults()
            return ids

    def faults(self) -> list[dict[str, Any]]:
        with self._emulation.lock:
            return self._emulation.faults.listed()

    def clear_faults(self) -> None:
        with self._emulation.lock:
            self._emulation.faults.clear()
            self._save_faults()

    def remove_faults(self, *ids: int) -> None:
        """Take these faults out of the script: they strike no more, and what they hold back is answered."""
        with self._emulation.lock:
            self._emulation.faults.remove(ids)
            self._save_faults()

    def _save_faults(self) -> None:
        self._emulation.save_faults()
        self._emulation.store.commit()

    # Amazon's truth

    def asins(self) -> list[str]:
        """Every ASIN of the world."""
        with self._emulation.lock:
            return list(self._emulation.world.known_asins())

    def truth(self, asin: str, at: datetime | None = None) -> dict[str, Any]:
        """What is so of `asin`, chosen by nobody: known, status, failure, offers, and the price level."""
        with self._emulation.lock:
            at_s = (at or self.now()).timestamp()
            truth = self._emulation.world.truth(asin, at_s)
            return {
                "asin": asin,
                "at": datetime.fromtimestamp(at_s, self.now().tzinfo).isoformat(),
                "known": truth.known,
                "status": truth.status if truth.known else None,
                "failure": None if truth.failure is None else asdict(truth.failure),
                "offers": [offer.fields() for offer in truth.offers],
                "level_jpy": self._emulation.world.price_jpy(asin, at_s),
            }

    def set_truth(self, asin: str, *, since: datetime | None = None, **fields: Any) -> dict[str, Any]:
        """From `since` (now) on, make something so: price_jpy, in_stock, offers (list of dicts with seller_id and
        price_jpy), unknown, error ({status, code, message}), status, total_offer_count. Replaces what was set
        before; without fields the seed has its way again."""
        with self._emulation.lock:
            self._emulation.world.override(asin, fields, (since or self.now()).timestamp())
            self._emulation.store.commit()
            return self.truth(asin)

    # Tokens

    def issue_base_tokens(self, account: str, scopes: tuple[str, ...] = BASE_SCOPES) -> dict[str, Any]:
        """Tokens of a shop as the OAuth flow would give them."""
        with self._emulation.lock:
            self._check_account(account)
            now_s = self._emulation.time.seconds()
            issued = oauth.issue(self._emulation.tokens, account, " ".join(scopes), now_s)
            self._emulation.store.commit()
            return issued

    def expire_tokens(self, api: str | None = None, account: str | None = None, kind: str = "access") -> int:
        """End the life of tokens now (`kind` access or refresh). Returns how many."""
        with self._emulation.lock:
            count = self._emulation.tokens.expire(api, account, kind, self._emulation.time.seconds())
            self._emulation.store.commit()
            return count

    def revoke_tokens(self, api: str | None = None, account: str | None = None) -> int:
        """Revoke access and refresh tokens, SP-API refresh tokens included. Returns how many were issued ones."""
        with self._emulation.lock:
            count = sum(self._emulation.tokens.revoke(api, account, kind) for kind in ("access", "refresh"))
            if api in (None, "sp_api"):
                revoked = {owner.id for owner in SP_ACCOUNTS if account in (None, owner.id)}
                revoked |= set(self._emulation.store.setting("revoked_lwa", []))
                self._emulation.store.set_setting("revoked_lwa", sorted(revoked))
            self._emulation.store.commit()
            return count

    def restore_refresh_tokens(self) -> None:
        """Let the well-known SP-API refresh tokens work again."""
        with self._emulation.lock:
            self._emulation.store.set_setting("revoked_lwa", [])
            self._emulation.store.commit()
