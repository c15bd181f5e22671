"""Figures for Prometheus, as its text format has them: what runs did, calls used and allowed, ages, holds, errors.

Asked every minute or so: a few questions to state, nothing else. What was not measured has no line, so that a board
shows a gap and never a zero. No secret, no buyer, no ASIN; shops and SP-API accounts by id. Where the metrics are:
`/metrics` of the desk (desk/metrics_answer.py). Not for: history, or what is wrong (doctor/).
Source: prometheus.io, text-based exposition format 0.0.4 (November 2026).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from ecauto_pipeline.settings import BaseAccount
from ecauto_pipeline.state import decisions, lane_leases
from ecauto_pipeline.state.buckets import rates
from ecauto_pipeline.state.shared_time import shared_now
from ecauto_pipeline.state.windows import calls_in
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.run_record import RunRecord, recent_records
from ecauto_pipeline.sync.sections import Survey
from ecauto_pipeline.sync.stale_asins.plan import survey
from ecauto_pipeline.views.under_way import runs_under_way
from ecauto_pipeline.wiring.accounts import shop_accounts

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
HOUR = timedelta(hours=1)
RUNS_LOOKED_AT = 200
Labels = Mapping[str, str]
Values = Sequence[tuple[Labels, float | int | None]]
"""Of one gauge, for each set of labels; None = not measured, and left out."""


METRICS: Mapping[str, str] = {
    "ecauto_asins": "ASINs by whether their data are fresh or due",
    "ecauto_asins_of_tier": "ASINs by tier",
    "ecauto_stock_age_seconds_max": "age of the oldest stock answer by tier",
    "ecauto_held_rows": "changes that wait for a person",
    "ecauto_shop_calls_this_hour": "calls of each shop in this clock hour",
    "ecauto_shop_calls_allowed_an_hour": "calls that each shop may make in a clock hour",
    "ecauto_sp_api_calls_last_hour": "calls to Amazon by account and operation, of runs begun in the last 60 minutes",
    "ecauto_sp_api_rate_per_second": "calls a second that Amazon allows now, by account and operation",
    "ecauto_runs_last_hour": "runs begun in the last 60 minutes by job and lane",
    "ecauto_pushed_last_hour": "changes sent by runs begun in the last 60 minutes, by lane",
    "ecauto_errors_last_hour": "errors of runs begun in the last 60 minutes, by lane",
    "ecauto_last_run_seconds": "how long the last ended run of each job and lane took",
    "ecauto_last_run_end_timestamp_seconds": "when the last ended run of each job and lane ended",
    "ecauto_runs_under_way": "runs that somebody works on",
    "ecauto_lane_number": "the number under which a lane was last claimed",
    "ecauto_lane_worked_on": "1 where somebody works on the lane now",
}
"""Every metric that there is, with its help."""


def prometheus(tools: Tools) -> str:
    """The whole answer; metrics in the order of METRICS."""
    found = {metric: list(values) for metric, values in _measured(tools)}
    lines: list[str] = []
    for name, text in METRICS.items():
        values = [(labels, value) for labels, value in found.get(name, []) if value is not None]
        if values:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
            lines += [f"{name}{_labels(labels)} {value!r}" for labels, value in values]
    return "\n".join([*lines, ""])


def _measured(tools: Tools) -> Iterator[tuple[str, Values]]:
    now = tools.clock.now()
    fresh = survey(tools)
    with tools.state.read() as connection:
        records = recent_records(connection, RUNS_LOOKED_AT)
        held = decisions.count_open_holds(connection)
        calls = calls_in(connection, "hour", now)
        allowed = rates(connection)
        leases = lane_leases.read(connection)
        by_all = shared_now(connection, now)
    yield from _of_freshness(fresh)
    yield "ecauto_held_rows", [({}, held)]
    shops = {key: shop for key, shop in shop_accounts(tools.settings).items() if isinstance(shop, BaseAccount)}
    named = [(_shop(key.platform, key.account_id), key) for key in shops]
    yield "ecauto_shop_calls_this_hour", [(labels, calls.get(key, 0)) for labels, key in named]
    yield "ecauto_shop_calls_allowed_an_hour", [(labels, tools.settings.base.limits.per_hour) for labels, _ in named]
    yield (
        "ecauto_sp_api_rate_per_second",
        [({"account": account, "operation": name}, rate) for (account, name), rate in sorted(allowed.items())],
    )
    yield from _of_runs(records, [one for one in records if one.started_at > now - HOUR])
    yield "ecauto_runs_under_way", [({}, len(runs_under_way(tools)))]
    yield "ecauto_lane_number", [({"lane": lease.lane}, lease.number) for lease in leases]
    alive = [({"lane": lease.lane}, int(lane_leases.is_alive(lease, by_all))) for lease in leases]
    yield "ecauto_lane_worked_on", alive


def _of_freshness(fresh: Survey) -> Iterator[tuple[str, Values]]:
    yield "ecauto_asins", [({"state": "fresh"}, fresh.cache_hits), ({"state": "due"}, fresh.cache_misses)]
    yield "ecauto_asins_of_tier", [({"tier": tier}, count) for tier, count in fresh.by_tier.items()]
    yield "ecauto_stock_age_seconds_max", [({"tier": tier}, age) for tier, age in fresh.oldest_stock_s.items()]


def _of_runs(records: Sequence[RunRecord], of_hour: Sequence[RunRecord]) -> Iterator[tuple[str, Values]]:
    """Of the hour's runs, and of the newest ended one of each job and lane."""
    asked: Counter[str] = Counter()
    for one in of_hour:
        asked.update(one.sp_api_snapshots.calls if one.sp_api_snapshots is not None else {})
    named = [
        (dict(zip(("account", "operation"), name.split("/", 1), strict=True)), made) for name, made in asked.items()
    ]
    yield "ecauto_sp_api_calls_last_hour", named
    begun = Counter((one.job, one.lane) for one in of_hour)
    yield "ecauto_runs_last_hour", [(_job(job, lane), count) for (job, lane), count in sorted(begun.items())]
    pushed = [one for one in of_hour if one.pushed is not None]
    for name, of in (
        ("ecauto_pushed_last_hour", [(one.lane, one.pushed.edits) for one in pushed if one.pushed is not None]),
        ("ecauto_errors_last_hour", [(one.lane, one.errors) for one in of_hour]),
    ):
        summed: Counter[str] = Counter()
        for lane, count in of:
            summed[lane] += count
        yield name, [({"lane": lane}, count) for lane, count in sorted(summed.items())]
    ended = {(one.job, one.lane): one for one in reversed(records) if one.ended_at is not None}
    latest = [(_job(job, lane), one) for (job, lane), one in sorted(ended.items())]
    yield "ecauto_last_run_seconds", [(labels, one.execution_seconds) for labels, one in latest]
    at = [(labels, one.ended_at.timestamp()) for labels, one in latest if one.ended_at is not None]
    yield "ecauto_last_run_end_timestamp_seconds", at


def _job(job: str, lane: str) -> Labels:
    return {"job": job, "lane": lane}


def _shop(platform: str, account: str) -> Labels:
    return {"platform": platform, "account": account}


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    quoted = (value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for value in labels.values())
    return "{" + ",".join(f'{name}="{value}"' for name, value in zip(labels, quoted, strict=True)) + "}"
