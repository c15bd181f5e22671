"""What the exit code of a command says, decided once for every command that runs a job: `sync`, `apply`, `rollback`.

A script that looks at it alone hears of what a person should look at, and of nothing else. Not for: words about the
run itself (summary.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ecauto_pipeline.cli.console import FINE, GUARD, USAGE, WITH_ERRORS
from ecauto_pipeline.cli.interrupts import INTERRUPTED
from ecauto_pipeline.settings import Alerts

if TYPE_CHECKING:
    from ecauto_pipeline.cli.dagster_run import Finished
    from ecauto_pipeline.sync.run_record import RunRecord

MEANING: Mapping[int, str] = {
    FINE: "fine: the work was done. Rows that rules hold, block or skip, and ASINs that never answer, are part of it",
    WITH_ERRORS: "a person should look: an alert, a failed edit, a failed run, rows of a plan or a rollback that were"
    " not done, held rows that somebody else had decided, `status` with 要対応 or 不明, `doctor` with 問題",
    USAGE: "usage or configuration, a file or database that can't be used: one line says what; nothing was sent",
    GUARD: "stopped by a guard: look at `ecauto holds list`",
    INTERRUPTED: "interrupted with Ctrl-C: what was done is kept, the next run goes on",
}
"""The table of docs/commands.md."""

QUIET_RULES = ("alert_channel_configured",)
"""Checks whose failing is shown but is no reason for another exit code."""

SETTLED = ("nothing_to_do",)
"""Why a row of a plan was not sent, where that is as it should be: the shop shows it already."""


def exit_code(ended: Finished, run: RunRecord | None, alerts: Alerts) -> int:
    """The code of a run that was not interrupted. `run` None: it left no record."""
    if not ended.success:
        return USAGE if ended.refused else WITH_ERRORS
    if run is None:
        return WITH_ERRORS if firing(ended) else FINE
    if run.guard_stopped:
        return GUARD
    failed = run.account is not None and run.account.failed > 0
    news = any(name not in OF_SILENCE or OF_SILENCE[name](run, alerts) for name, _, _ in firing(ended))
    return WITH_ERRORS if news or failed or _left(run) else FINE


def firing(ended: Finished) -> list[tuple[str, str, str]]:
    """The checks of this run that a person should look at: (name, severity, message)."""
    return [entry for entry in ended.failed_checks if entry[0] not in QUIET_RULES]


def _more_are_silent(run: RunRecord, alerts: Alerts) -> bool:
    """Whether too many ASINs went without an answer, those left out that went without one before, too."""
    asked, again = run.sp_api_snapshots, _silent_again(run)
    if asked is None or not again:
        return True
    silent = asked.silent - again
    attempts = asked.answers - again
    return attempts >= alerts.min_attempts and silent > alerts.sp_api_error_rate * attempts


def _more_are_stale(run: RunRecord, alerts: Alerts) -> bool:
    """Whether too few ASINs were fresh, those left out that are due because they never answer."""
    again = _silent_again(run)
    if run.stale_asins is None or not again:
        return True
    survey = run.stale_asins.survey
    others = max(0, survey.cache_misses - min(survey.missing, survey.cache_misses) - again)
    known = survey.cache_hits + others
    return known >= alerts.min_attempts and survey.cache_hits < alerts.cache_hit_rate * known


def _silent_again(run: RunRecord) -> int:
    """ASINs of this run that had no answer the last times either. Where a call failed as a whole nobody knows whose
    fault it was: none.
    """
    asked = run.sp_api_snapshots
    return 0 if asked is None or asked.failed_calls else asked.silent_again


OF_SILENCE: Mapping[str, Callable[[RunRecord, Alerts], bool]] = {
    "sp_api_error_rate": _more_are_silent,
    "cache_hit_rate": _more_are_stale,
}
"""Checks that ASINs which never answer make fail each time: whether there is more to it than those."""


def _left(run: RunRecord) -> bool:
    """Whether something that a person asked for by name was not done."""
    by_hand = run.by_hand
    if by_hand is None:
        return False
    refused = sum(count for why, count in by_hand.refused.items() if why not in SETTLED)
    return refused + by_hand.account.held + by_hand.account.blocked + by_hand.account.skipped > 0
