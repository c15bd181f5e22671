"""A run's pushes as a document that people can read, keep and apply later, exactly or not at all.

The document says of every row what it was made from; what is no longer so is refused row by row. Nothing in it is
believed: applying judges everything anew and sends what the rules want and the document names.
Not for: files (the command line reads and writes them).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ecauto_pipeline.domain.model import AccountKey, Decision, Diff, Kind, ListingKey
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.state import decisions, locks
from ecauto_pipeline.state.decisions import Target
from ecauto_pipeline.sync.base_updates.push import push_own
from ecauto_pipeline.sync.context import Context, Run
from ecauto_pipeline.sync.diff_section import DiffReport
from ecauto_pipeline.sync.diffs import decide as deciding
from ecauto_pipeline.sync.diffs.evaluate import load_input
from ecauto_pipeline.sync.diffs.price import evaluate_prices
from ecauto_pipeline.sync.diffs.visibility import evaluate_visibility
from ecauto_pipeline.sync.push_section import HandReport, PushReport
from ecauto_pipeline.sync.run_record import keep

VERSION = 1
_INCLUDES = ("never", "floor", "all")
_FIELDS = (
    "platform",
    "account_id",
    "item_id",
    "asin",
    "kind",
    "shown",
    "wanted",
    "reason",
    "snapshot_id",
    "cost_jpy",
    "profit_jpy",
)


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """What became of a plan. `refused`: (account, item_id, kind, why), in the order of the document."""

    rows: int
    decided: DiffReport
    pushed: PushReport
    refused: tuple[tuple[str, str, str, str], ...]


def make_plan(context: Context) -> dict[str, Any]:
    """The pushes that this run (dry or not) decided, by listing and kind. The same decisions give the same bytes."""
    with context.state.read() as connection:
        rows = decisions.of_run(connection, context.run.run_id)
    return plan_of(context.run, [row.diff for row in rows])


def plan_of(run: Run, decided: Iterable[Diff]) -> dict[str, Any]:
    """The plan of a run that has decided this; by listing and kind, whatever the order."""
    pushes = [diff for diff in decided if diff.decision is Decision.PUSH and diff.kind is not Kind.DELIST]
    return {
        "version": VERSION,
        "made_at": run.started_at.isoformat(),
        "run_id": run.run_id,
        "include_price": run.include_price,
        "include_visibility": run.include_visibility,
        "rows": [_row(diff) for diff in sorted(pushes, key=lambda diff: (diff.key, diff.kind))],
    }


def plan_text(document: Mapping[str, Any]) -> str:
    """The document as text, byte for byte the same for the same plan."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n"


def read_plan(text: str) -> dict[str, Any]:
    """A document from its text. Raises SettingsError when it is none of ours."""
    try:
        document: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(
            f"this is no plan: {error}", ja="計画のファイルではありません（JSONとして読めません）"
        ) from None
    _check(document)
    return document


def apply_plan(context: Context, document: Mapping[str, Any]) -> ApplyReport:
    """Send what the plan names and the rules still want, row by row. Raises SettingsError for what is no plan."""
    made_at = _check(document)
    rows = document["rows"]
    now = context.clock.now()
    if abs(now - made_at) > context.settings.ttl.price:
        refused = tuple((*_name(context, row), "plan_too_old") for row in rows)
        return _kept(context, ApplyReport(len(rows), DiffReport(), PushReport(dry_run=context.run.dry_run), refused))
    context = context.allowing(
        include_price=document["include_price"],
        include_visibility=document["include_visibility"],
        max_items=None,
    )
    with context.state.read() as connection:
        inputs = load_input(context, connection, now)
        standing = deciding.standing_of(context, connection)
    judged = []
    if context.run.include_price != "never":
        judged.append(evaluate_prices(context, inputs, standing))
    if context.run.include_visibility:
        judged.append(evaluate_visibility(context, inputs, standing))
    wanted = {(diff.key, diff.kind): diff for evaluated in judged for diff in evaluated.found}
    accepted: set[Target] = set()
    refused_rows = []
    for row in rows:
        target = (ListingKey(row["platform"], row["account_id"], row["item_id"]), Kind(row["kind"]))
        why = "twice" if target in accepted else _refusal(row, wanted.get(target))
        if why:
            refused_rows.append((*_name(context, row), why))
        else:
            accepted.add(target)
    report = DiffReport()
    for evaluated in judged:
        with context.state.write() as connection:
            report += deciding.keep(context, connection, evaluated.narrowed(accepted))
    return _kept(context, ApplyReport(len(rows), report, push_own(context), tuple(refused_rows)))


def _kept(context: Context, report: ApplyReport) -> ApplyReport:
    refused = Counter(why for *_, why in report.refused)
    by_hand = HandReport(report.decided.account + report.pushed.correction, report.pushed, dict(refused))
    with context.state.write(locks.run(context.run.run_id)) as connection:
        keep(connection, context.run.run_id, "by_hand", by_hand)
    return report


def _refusal(row: Mapping[str, Any], diff: Diff | None) -> str:
    """Why this row is not what the rules want now; "" where it is."""
    if diff is None:
        return "nothing_to_do"
    if diff.decision is not Decision.PUSH:
        return f"{diff.decision}:{diff.reason}"
    for name, now in (("shown", diff.shown), ("snapshot_id", diff.snapshot_id), ("wanted", diff.wanted)):
        if row[name] != now:
            return f"{name}_changed"
    return ""


def _row(diff: Diff) -> dict[str, Any]:
    values = {name: getattr(diff, name) for name in _FIELDS if hasattr(diff, name)}
    key = {name: getattr(diff.key, name) for name in ("platform", "account_id", "item_id")}
    return {**key, **values, "kind": diff.kind.value}


def _name(context: Context, row: Mapping[str, Any]) -> tuple[str, str, str]:
    return context.name_of(AccountKey(row["platform"], row["account_id"])), row["item_id"], row["kind"]


def _check(document: Any) -> datetime:
    """When the plan was made. Raises SettingsError with the first thing that is wrong with its shape."""
    if not isinstance(document, Mapping) or document.get("version") != VERSION:
        raise SettingsError(
            f"this is no plan of version {VERSION}", ja=f"バージョン {VERSION} の計画のファイルではありません"
        )
    if document.get("include_price") not in _INCLUDES or not isinstance(document.get("include_visibility"), bool):
        raise SettingsError("the plan does not say what it includes", ja="計画に、何を含むかが書かれていません")
    rows = document.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) and {*_FIELDS} <= {*row} for row in rows):
        raise SettingsError("the plan has a row that is none", ja="計画に、行の形でないものがあります")
    if not all(row["kind"] in ("price", "visibility", "stock") for row in rows):
        raise SettingsError("the plan has a row of an unknown kind", ja="計画に、知らない種類の行があります")
    try:
        made_at = datetime.fromisoformat(document["made_at"])
    except (KeyError, TypeError, ValueError):
        raise SettingsError("the plan does not say when it was made", ja="計画に、作った日時がありません") from None
    if made_at.tzinfo is None:
        raise SettingsError("the plan was made at a time without a zone", ja="計画の日時に時間帯がありません")
    return made_at
