"""The account of a run (rule 6) and the figures of its end, noted in the book of runs.

The diff steps count a push as pushed; the push step brings its correction; here the two become one account that must
add up. Not for: the figures of reading, planning and asking, which those steps note themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, func, select

from ecauto_pipeline.alerts.announce import broken_channels
from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.accounts import Account
from ecauto_pipeline.errors import RegisterError
from ecauto_pipeline.shops.platforms import PLATFORMS
from ecauto_pipeline.state import calls
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.schema import diffs, shop_accounts
from ecauto_pipeline.sync.base_updates.push import PushReport
from ecauto_pipeline.sync.base_updates.shop_worker import UNREACHABLE
from ecauto_pipeline.sync.context import Context, Tools
from ecauto_pipeline.sync.diffs.decide import DiffReport
from ecauto_pipeline.sync.listings.read import ListingsReport

_DAY_MS = 86_400_000
_SILENCE_MS = 50 * 60_000
"""A shop that two hourly runs in a row could not read is news."""
_JUDGED = ("price_judged", "visibility_judged")
_MASS = ("held:mass_hide", "held:mass_delist")


def note_standing(context: Context, report: ListingsReport) -> ListingsReport:
    """Keep which shops can't be worked on and whose token runs out, as the reading left it; returns the report."""
    with context.state.write() as connection:
        run_book.note(connection, context.run.run_id, _standing(connection, context))
    context.log.info(
        "listings read: %d of %d items, not read: %s", report.listings, report.items, dict(report.not_read)
    )
    return report


def note_diffs(context: Context, report: DiffReport, what: str) -> DiffReport:
    """Keep what one diff step (`price` or `visibility`) counted; returns the report."""
    stopped = sum(report.reasons.get(reason, 0) for reason in _MASS)
    figures = {f"{what}_judged": asdict(report.account), f"{what}_reasons": dict(report.reasons)}
    with context.state.write() as connection:
        run_book.note(connection, context.run.run_id, figures | ({"guard_stopped": stopped} if stopped else {}))
    context.log.info("%s judged: %s %s", what, asdict(report.account), dict(report.reasons))
    return report


def note_push(context: Context, report: PushReport) -> PushReport:
    """Keep the account of the whole run and what its end looks like; returns the report."""
    with context.state.read() as connection:
        row = run_book.read(connection, context.run.run_id)
    document: Mapping[str, Any] = row.document if row is not None else {}
    account = _whole(document, report)
    more = {"broken_channels": list(broken_channels(context))} | _catalogue(context)
    _note_end(context, account, report, document, more)
    return report


def note_outcome(
    context: Context,
    decided: Account | None,
    report: PushReport,
    *,
    whole: Account | None = None,
    refused: Sequence[tuple[str, str, str, str]] = (),
) -> None:
    """The same for work that a person started: `decided` by the judging, or the `whole` account where that is known."""
    account = whole if whole is not None else (decided or Account()) + report.correction
    reasons = Counter(why for *_, why in refused)
    _note_end(context, account, report, {}, {"refused": len(refused), "reason_counts": dict(reasons)})


def _note_end(
    context: Context,
    account: Account,
    report: PushReport,
    document: Mapping[str, Any],
    more: Mapping[str, object] | None = None,
) -> None:
    with context.state.write() as connection:
        figures: dict[str, Any] = (
            asdict(account) | _base_calls(connection, context.run.run_id) | _standing(connection, context)
        )
        unreachable = [list(alert) for alert in report.alerts if alert[1] == UNREACHABLE]
        figures |= {
            "breakers": [*figures["breakers"], *unreachable],
            "base_api_updates": report.edits,
            "errors": int(document.get("status_api_error", 0)) + account.failed,
            "oldest_pushed_data_s": report.oldest_pushed_data_s,
            "oldest_allowed_s": report.oldest_allowed_s,
            "waiting": report.waiting,
            "out_of_calls": [list(shop) for shop in report.out_of_calls],
            "push_reasons": dict(report.reasons),
            "worst": dict(document.get("worst", {})) | _worst(report),
            "register_problem": report.written_back.problem,
        }
        run_book.note(connection, context.run.run_id, figures | dict(more or {}))
    context.log.info("pushed: %s; edits %d, waiting %d", asdict(account), report.edits, report.waiting)


def _catalogue(context: Context) -> dict[str, object]:
    """Catalogue fields that were filled at the run before and are empty now (lived failure A4); unknown at first."""
    try:
        filled = context.register.catalogue_filled()
    except RegisterError as error:
        context.log.warning("catalogue not counted: %s", error)
        return {}
    with context.state.read() as connection:
        past = (
            row.document.get("catalogue_filled")
            for row in run_book.recent(connection, 50)
            if row.run_id != context.run.run_id
        )
        before = next((figures for figures in past if isinstance(figures, dict)), None)
    if before is None:
        return {"catalogue_filled": filled}
    gone = max(0, before["products"] - filled["products"])
    lost = sum(max(0, count - filled.get(name, 0) - gone) for name, count in before.items() if name != "products")
    return {"catalogue_filled": filled, "catalogue_nulled": lost}


def _whole(document: Mapping[str, Any], report: PushReport) -> Account:
    judged = [Account(**document[name]) for name in _JUDGED if name in document]
    if not judged:  # the push step alone was asked for
        return report.account
    total = report.correction
    for account in judged:
        total = total + account
    return total


def _base_calls(connection: Connection, run_id: str) -> dict[str, int]:
    made = [counts for name in PLATFORMS for counts in calls.counted(connection, run_id, api=name).values()]
    return {
        "base_api_calls": sum(count for count, _, _ in made),
        "base_api_errors": sum(failed for _, _, failed in made),
    }


def _standing(connection: Connection, tools: Tools) -> dict[str, Any]:
    """Holds that wait, shops that can't be worked on, and how long the first refresh token to die still lives."""
    held = connection.execute(
        select(func.count()).select_from(diffs).where(diffs.c.decision == "held", diffs.c.state == "open")
    ).scalar_one()
    seen = connection.execute(select(shop_accounts)).all()
    shops = [(AccountKey(row.platform, row.account_id), row) for row in seen]
    shops = [(account, row) for account, row in shops if account in tools.shops]
    expiries = [shop.refresh_expires_at for _, shop in shops if shop.refresh_expires_at is not None]
    now_ms = to_ms(tools.clock.now())
    days = (min(expiries) - now_ms) / _DAY_MS if expiries else None
    return {
        "held_open": int(held),
        "token_days_left": days,
        "breakers": [
            [tools.name_of(account), shop.breaker]
            for account, shop in shops
            if shop.breaker and not _young(shop, now_ms)
        ],
    }


def _young(shop: Any, now_ms: int) -> bool:
    """A reading that failed once: the next run may well succeed, and nobody need be told."""
    return shop.breaker == "not_read" and now_ms - (shop.breaker_since or now_ms) < _SILENCE_MS


def _worst(report: PushReport) -> dict[str, list[dict[str, str]]]:
    rows = [
        {"account_id": account, "item_id": item, "kind": kind, "reason": reason}
        for account, item, kind, reason in report.failures[:3]
    ]
    return {"base_error_rate": rows} if rows else {}
