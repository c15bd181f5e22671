"""A run's noted figures as one row of `run_metrics`, and as the facts that the alert rules judge.

Not for: measuring (each step notes its own figures) or judging (alerts/rules.py).
"""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any

from ecauto_pipeline.alerts.verdicts import RunFacts
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.database import to_json
from ecauto_pipeline.state.runs import RunRow
from ecauto_pipeline.sync.context import Context, Tools

_COUNTS = (
    *("total_asins", "cache_hits", "cache_misses", "sp_api_calls", "base_api_updates", "errors"),
    *("targets", "pushed", "unchanged", "held", "blocked", "skipped", "failed"),
)
_MORE = (
    *("due_total", "held_open", "catalogue_nulled", "probe_audited", "probe_missed"),
    *("base_api_calls", "base_api_errors", "sp_api_errors", "slice_no", "left_over", "trigger"),
    *("status_success", "status_out_of_stock", "status_filtered_out", "status_not_found", "status_api_error"),
)
_REALS = ("oldest_pushed_data_s", "token_days_left")
LONGEST_SILENCE = timedelta(minutes=15)
"""Steps beat at least once a batch; a run silent for longer has no process any more."""
_FACTS = {field.name for field in fields(RunFacts)} - {
    "breakers",
    "out_of_calls",
    "broken_channels",
    "worst",
    "started_at",
}


def execution_seconds(run: RunRow) -> float | None:
    """How long the run took, None while it goes on."""
    return None if run.ended_at is None else max(0.0, (run.ended_at - run.started_at).total_seconds())


def metrics_row(run: RunRow) -> dict[str, object]:
    """One row of `run_metrics`; counts that no step noted are 0 where the contract counts, unknown elsewhere."""
    noted = run.document
    return {
        "run_id": run.run_id,
        "job": run.job,
        "partition_key": run.partition_key,
        "started_at": run.started_at,
        "dry_run": run.dry_run,
        **{name: noted.get(name, 0) for name in _COUNTS},
        "execution_time_seconds": execution_seconds(run),
        "planned_seconds": noted.get("planned_seconds"),
        **{name: noted.get(name) for name in (*_MORE, *_REALS)},
        "sp_account_calls": to_json(noted.get("sp_account_calls", {})),
        "reason_counts": to_json(noted.get("reason_counts", {})),
    }


def run_facts(settings: Settings, run: RunRow) -> RunFacts:
    """What the alert rules may know about a run."""
    noted: dict[str, Any] = {name: value for name, value in run.document.items() if name in _FACTS}
    noted |= {
        "run_id": run.run_id,
        "job": run.job,
        "partition_key": run.partition_key,
        "started_at": run.started_at,
        "dry_run": run.dry_run,
        "execution_time_seconds": execution_seconds(run),
        "breakers": tuple((account, reason) for account, reason in run.document.get("breakers", ())),  # type: ignore[attr-defined]
        "out_of_calls": tuple((account, waiting) for account, waiting in run.document.get("out_of_calls", ())),  # type: ignore[attr-defined]
        "broken_channels": tuple(run.document.get("broken_channels", ())),  # type: ignore[arg-type]
        "worst": run.document.get("worst", {}),
        "channels": len(settings.alerts.channels),
    }
    return RunFacts(**noted)


def facts_of(tools: Tools, run_id: str) -> RunFacts:
    """The facts of a run as noted so far. Raises LookupError for a run nobody began."""
    with tools.state.read() as connection:
        row = run_book.read(connection, run_id)
    if row is None:
        raise LookupError(f"no run {run_id}")
    return run_facts(tools.settings, row)


def begin_run(context: Context) -> None:
    """Open the run's row in the book."""
    with context.state.write() as connection:
        if run_book.end_silent(connection, context.clock.now() - LONGEST_SILENCE):
            context.log.warning("a run before this one died without a word; what it kept is published now")
        if context.run.retries:  # Dagster retries a run when it is over: no need to wait out its silence
            run_book.end_at_last_sign(connection, context.run.retries)
        run_book.begin(
            connection,
            context.run.run_id,
            context.run.job,
            context.run.partition_key,
            context.run.started_at,
            context.run.dry_run,
        )
        run_book.note(
            connection,
            context.run.run_id,
            {"trigger": context.run.trigger, "slice_no": context.run.slice_no, "fetch": context.run.fetch},
        )


def note(context: Context, **figures: object) -> None:
    """Note figures of a run under the names that `run_metrics` and the alert rules use."""
    with context.state.write() as connection:
        run_book.note(connection, context.run.run_id, figures)


def end_run(context: Context) -> None:
    """Close the run's row; its figures are then published."""
    with context.state.write() as connection:
        run_book.end(connection, context.run.run_id, context.clock.now())
