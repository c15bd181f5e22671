"""What can go wrong, on a script: which calls a fault picks, and the kinds there are.

For: choosing. What a fault does to an answer is in fault_effects.py; what it does to the world's view in
sp_api/view.py. A fault matches on api, family, operation, account, ASINs and item ids, within a time window of the
emulator's clock; it lets `after` matching calls pass, then strikes at most `times` times, each with `probability`
(seeded).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from ecauto_pipeline.emulator.chance import uniform
from ecauto_pipeline.emulator.messages import Seen

INSTEAD = {
    "throttle": "HTTP 429 with the documented QuotaExceeded body",
    "throttle_empty": "HTTP 429 with no body at all",
    "http_error": "an HTML page of a gateway; `status` (default 502)",
    "error_json": "a JSON error of the API; `status`, `code`, `message`",
    "redirect": "HTTP 301 to somewhere else",
    "body": "HTTP `status` (default 200) with `body` as it stands, e.g. [] or null or {}",
    "reset": "the connection is reset before any answer; nothing was done",
    "timeout": "no answer before the client gives up (at most `seconds`); nothing was done",
    "token_expired": "the access token is called expired, once per strike",
    "secret_expired": "LWA: 401 invalid_client to every request for a token; those given before live out their hour",
    "role_missing": "SP-API: HTTP 403, the application lacks the role that this operation needs",
    "down": "SP-API: trouble at Amazon, as JSON; `status` 503 (default) or 500",
    "gone": "SP-API: the operation is no more; `status` 404 (default) or 403",
    "hour_api_limit": "BASE: the hour's calls are used up",
    "day_api_limit": "BASE: the day's calls are used up",
    "access_denied": "BASE: the shop is restricted",
    "server_error": "BASE: server_error (DB error)",
}
VIEW = {
    "false_zeros": "SP-API: a `share` of the ASINs asked (or `asins`) look out of stock",
    "stale": "SP-API: the world as it was `age_s` ago, or at `as_of`",
    "item_error": "SP-API: `asins` (all asked without) answer with `status`, `code`, `message` of their own",
    "unknown_asin": "SP-API: `asins` (all asked without) are unknown to Amazon",
    "missing_items": "SP-API: `asins` (the last one asked without) are left out of the answer",
    "extra_item": "SP-API: an ASIN nobody asked for is added (`asin`)",
    "rate_cut": "SP-API: the usage plan is a `share` of what it was; advertised and enforced",
    "vanished": "BASE: `item_ids` (every item without) do not exist any more",
    "price_refused": "BASE: edits of the price of `item_ids` (of any item without) end as validation_error",
    "price_kept": "BASE: edits of the price of `item_ids` (of any without) are accepted and change nothing (a sale)",
}
AFTER = {
    "slow": "the answer waits `seconds` of real time (default 1)",
    "held": "the work was done, the answer waits until this fault is removed (at most `seconds` of real time)",
    "truncated": "the body ends half way, the length claims that was all",
    "string_body": "the inner body is a string instead of an object",
    "errors_dict": "`errors` is an object instead of a list",
    "invalid_utf8": "the body holds bytes that are not UTF-8",
    "renamed": "fields have other names, wherever they stand in the body: `names` says old and new",
    "reset_after": "the work was done, then the connection is reset before any answer: unknown outcome",
    "timeout_after": "the work was done, then no answer before the client gives up",
    "cut_in_body": "the connection ends in the middle of the body",
    "timeout_in_body": "half a body, then silence until the client gives up (at most `seconds`)",
}
KINDS = {**INSTEAD, **VIEW, **AFTER}


@dataclass(slots=True)
class Fault:
    """One scripted fault. Empty matchers match everything; times are of the emulator's clock (ISO, aware)."""

    kind: str
    api: str | None = None
    family: str | None = None
    operation: str | None = None
    account: str | None = None
    asin: str | None = None
    asins: list[str] = field(default_factory=list)
    item_ids: list[int] = field(default_factory=list)
    after: int = 0
    times: int | None = None
    start: str | None = None
    until: str | None = None
    probability: float = 1.0
    seed: int = 0
    seconds: float | None = None
    status: int | None = None
    code: str | None = None
    message: str | None = None
    body: str | None = None
    share: float = 1.0
    age_s: float | None = None
    as_of: str | None = None
    names: dict[str, str] = field(default_factory=dict)
    id: int = 0
    matched: int = 0
    struck: int = 0

    def about(self, seen: Seen) -> bool:
        """Whether this fault concerns such a call at all."""
        if self.api not in (None, seen.api) or self.operation not in (None, seen.operation):
            return False
        if self.family not in (None, seen.family) or self.account not in (None, seen.account):
            return False
        if self.asins and not set(self.asins) & set(seen.asins):
            return False
        listing = seen.item_id is None and self.kind == "vanished"
        return not self.item_ids or seen.item_id in self.item_ids or listing

    def open_at(self, now: datetime) -> bool:
        if self.start is not None and now < datetime.fromisoformat(self.start):
            return False
        return self.until is None or now < datetime.fromisoformat(self.until)


def parse_fault(spec: dict[str, Any]) -> Fault:
    """A fault from its JSON form. Raises ValueError naming what is wrong."""
    known = {entry.name for entry in fields(Fault)} - {"id", "matched", "struck"}
    unknown = sorted(set(spec) - known)
    if unknown:
        raise ValueError(f"unknown fault fields {unknown}; known are {sorted(known)}")
    if spec.get("kind") not in KINDS:
        raise ValueError(f"unknown fault kind {spec.get('kind')!r}; known are {sorted(KINDS)}")
    for name in ("start", "until", "as_of"):
        if spec.get(name) is not None and datetime.fromisoformat(spec[name]).tzinfo is None:
            raise ValueError(f"{name} needs a time zone: {spec[name]!r}")
    names = spec.get("names", {})
    if not isinstance(names, dict) or not all(isinstance(new, str) and new for new in names.values()):
        raise ValueError(f"names must say old and new, such as {{'ListingPrice': 'listingPrice'}}: {names!r}")
    if bool(names) != (spec["kind"] == "renamed"):
        raise ValueError("names go with kind renamed, and only with it")
    if spec["kind"] == "rate_cut" and not 0 < spec.get("share", 1.0) <= 1:
        raise ValueError(f"rate_cut needs a share above 0, at most 1: {spec['share']!r}")
    if spec["kind"] == "secret_expired":
        spec = {**spec, "api": "lwa"}
    if spec["kind"] != "extra_item" and spec.get("asin") is not None:
        spec = {**spec, "asins": [*spec.get("asins", []), spec["asin"]]}
    return Fault(**spec)


class FaultBook:
    """The script: faults in the order they were added."""

    def __init__(self, saved: list[dict[str, Any]] | None = None) -> None:
        self._faults = [Fault(**fault) for fault in saved or []]
        self._next_id = 1 + max((fault.id for fault in self._faults), default=0)

    def add(self, specs: list[dict[str, Any]]) -> list[int]:
        """Append faults; all or none. Returns their ids."""
        parsed = [parse_fault(spec) for spec in specs]
        for fault in parsed:
            fault.id = self._next_id
            self._next_id += 1
        self._faults.extend(parsed)
        return [fault.id for fault in parsed]

    def clear(self) -> None:
        self._faults.clear()

    def remove(self, ids: Collection[int]) -> None:
        """Take these out of the script; ids that are not in it are passed over."""
        self._faults = [fault for fault in self._faults if fault.id not in ids]

    def listed(self) -> list[dict[str, Any]]:
        """The script with how often each fault matched and struck."""
        return [asdict(fault) for fault in self._faults]

    def strike(self, seen: Seen, now: datetime) -> list[Fault]:
        """The faults that hit this call. Counts: ask exactly once a call."""
        hits = []
        for fault in self._faults:
            if not fault.open_at(now) or not fault.about(seen):
                continue
            fault.matched += 1
            if fault.matched <= fault.after or (fault.times is not None and fault.struck >= fault.times):
                continue
            if fault.probability < 1 and uniform(fault.seed, fault.matched) >= fault.probability:
                continue
            fault.struck += 1
            hits.append(fault)
        return hits
