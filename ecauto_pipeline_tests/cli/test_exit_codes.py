"""The exit code means the same after `sync`, `apply` and `rollback`: 0 fine, 1 look, 2 usage, 3 stopped by a guard."""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ecauto_pipeline.cli.dagster_run import Finished
from ecauto_pipeline.cli.exit_codes import MEANING, exit_code
from ecauto_pipeline.domain.selling.row_counts import RowCounts
from ecauto_pipeline.settings import Alerts
from ecauto_pipeline.sync.diff_section import DiffReport
from ecauto_pipeline.sync.push_section import HandReport, PushReport
from ecauto_pipeline.sync.run_record import RunRecord
from ecauto_pipeline.sync.sections import FetchReport, PlanReport, Survey
from ecauto_pipeline_tests.pages import ROOT, read, table

AT = datetime(2026, 1, 5, tzinfo=UTC)
SILENCE = (("sp_api_error_rate", "ERROR", "57%"),)
FINE, LOOK, USAGE, GUARD = 0, 1, 2, 3


def ended(*checks: tuple[str, str, str], **how: Any) -> Finished:
    return Finished("r", **{"success": True, "error": "", "figures": {}, "failed_checks": checks, **how})


def sync(**sections: Any) -> RunRecord:
    """A run of the line."""
    done = {"price_diffs": DiffReport(RowCounts(5, 1, 4)), "base_updates": PushReport(), **sections}
    return RunRecord(run_id="r", job="full_sync", partition_key="", started_at=AT, **done)


def by_hand(job: str, counts: RowCounts, **refused: int) -> RunRecord:
    """An `apply_plan` or a `rollback_run`."""
    report = HandReport(counts, PushReport(), refused)
    return RunRecord(run_id="r", job=job, partition_key="", started_at=AT, by_hand=report)


def silent(again: int, errors: int, answers: int, failed_calls: int = 0) -> FetchReport:
    """`errors` of `answers` ASINs had no answer, `again` of them for the third time or more."""
    statuses = {"api_error": errors, "success": answers - errors}
    return FetchReport(by_status=statuses, silent_again=again, failed_calls=failed_calls)


def with_late_doubts(asked: FetchReport) -> FetchReport:
    """The same with as many zeros that lost their credit after they had been counted as answers."""
    return replace(asked, zeros_not_believed={"getItemOffersBatch": asked.answers})


def surveyed(hits: int, misses: int) -> PlanReport:
    return PlanReport(Survey(hits + misses, hits, misses, missing=1))


CASES: list[tuple[str, int, Finished, RunRecord | None]] = [
    ("all went well", FINE, ended(), sync()),
    ("rules blocked and skipped rows", FINE, ended(), sync(price_diffs=DiffReport(RowCounts(9, 0, 4, 0, 2, 3)))),
    ("a row was held", FINE, ended(), sync(price_diffs=DiffReport(RowCounts(5, 0, 4, 1)))),
    ("nobody is told of alerts", FINE, ended(("alert_channel_configured", "WARN", "none")), sync()),
    ("an alert", LOOK, ended(("token_expiry", "WARN", "3 days")), sync()),
    ("an edit failed", LOOK, ended(), sync(base_updates=PushReport(correction=RowCounts(pushed=-1, failed=1)))),
    ("the run failed", LOOK, ended(success=False, error="no room"), sync()),
    ("no record", FINE, ended(), None),
    ("no record, an alert", LOOK, ended(("no_faults", "ERROR", "x")), None),
    ("ASINs that always fail, alone", FINE, ended(*SILENCE), sync(sp_api_snapshots=silent(25, 25, 25))),
    ("and many answers", FINE, ended(*SILENCE), sync(sp_api_snapshots=silent(25, 27, 100))),
    ("and other ASINs", LOOK, ended(*SILENCE), sync(sp_api_snapshots=silent(25, 40, 100))),
    ("and others, doubts", LOOK, ended(*SILENCE), sync(sp_api_snapshots=with_late_doubts(silent(25, 40, 100)))),
    ("calls that failed as a whole", LOOK, ended(*SILENCE), sync(sp_api_snapshots=silent(25, 25, 25, 2))),
    ("for the first time", LOOK, ended(*SILENCE), sync(sp_api_snapshots=silent(0, 25, 25))),
    (
        "ASINs that always fail, due because of it",
        FINE,
        ended(*SILENCE, ("cache_hit_rate", "WARN", "58%")),
        sync(sp_api_snapshots=silent(30, 31, 31), stale_asins=surveyed(42, 31)),
    ),
    (
        "ASINs that always fail, and others that are stale",
        LOOK,
        ended(*SILENCE, ("cache_hit_rate", "WARN", "30%")),
        sync(sp_api_snapshots=silent(30, 31, 100), stale_asins=surveyed(42, 100)),
    ),
    ("too few were fresh", LOOK, ended(("cache_hit_rate", "WARN", "58%")), sync(stale_asins=surveyed(42, 31))),
    (
        "ASINs that always fail, and an alert",
        LOOK,
        ended(*SILENCE, ("held_rows", "WARN", "1")),
        sync(sp_api_snapshots=silent(25, 25, 25)),
    ),
    ("a mass of hides", GUARD, ended(), sync(visibility_diffs=DiffReport(reasons={"held:mass_hide": 60}))),
    (
        "a mass of hides, and an alert",
        GUARD,
        ended(("held_rows", "WARN", "60")),
        sync(visibility_diffs=DiffReport(reasons={"held:mass_hide": 60})),
    ),
    ("a plan, all of it", FINE, ended(), by_hand("apply_plan", RowCounts(3, 3))),
    ("a plan that the shop shows already", FINE, ended(), by_hand("apply_plan", RowCounts(), nothing_to_do=3)),
    ("a plan that is too old", LOOK, ended(), by_hand("apply_plan", RowCounts(), plan_too_old=3)),
    ("a plan, a row of it changed", LOOK, ended(), by_hand("apply_plan", RowCounts(2, 2), shown_changed=1)),
    ("a plan that a guard stopped", GUARD, ended(), by_hand("apply_plan", RowCounts(), **{"held:mass_hide": 60})),
    ("a plan that could not be read", USAGE, ended(success=False, error="?", refused=True), None),
    ("a rollback, all of it", FINE, ended(), by_hand("rollback_run", RowCounts(3, 2, 1))),
    ("a rollback, a row left", LOOK, ended(), by_hand("rollback_run", RowCounts(3, 2, skipped=1), changed_since=1)),
    ("a rollback, a row blocked late", LOOK, ended(), by_hand("rollback_run", RowCounts(3, 2, blocked=1))),
    (
        "a rollback of no run",
        USAGE,
        ended(success=False, error="?", refused=True),
        by_hand("rollback_run", RowCounts()),
    ),
]


@pytest.mark.parametrize(("what", "code", "run", "record"), CASES, ids=[what for what, *_ in CASES])
def test_a_run_ends_with_the_code_of_the_table(what: str, code: int, run: Finished, record: RunRecord | None) -> None:
    """1 is news for a person; what rules do each day and ASINs that never answer are none."""
    assert code == exit_code(run, record, Alerts())


def test_every_code_of_a_run_is_in_the_table() -> None:
    """And the page has the table."""
    assert {code for _, code, _, _ in CASES} <= set(MEANING)
    assert table(("code", "meaning"), [(str(code), text) for code, text in MEANING.items()]) in read("docs/commands.md")


@pytest.mark.parametrize("command", ["sync", "apply", "rollback"])
def test_a_command_has_no_code_of_its_own(command: str) -> None:
    """What it ends with is what the one function said: `code`, or the call that gives it; of lanes, the highest."""
    tree = ast.parse((ROOT / "ecauto_pipeline" / "cli" / f"{command}.py").read_text(encoding="utf-8"))
    exits = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "typer.Exit"]
    given = {ast.unparse(node.args[0]).partition("(")[0] for node in exits}
    assert 1 == len(exits)
    assert given <= {"code", "run_and_show", "run_lanes_and_show"}
