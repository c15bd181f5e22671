"""The runs, newest first, each as the values of one line of words: what it asked, changed and held, and what failed.

What no step of a run measured is None, never a guess. The last 30 days come from state.db (`kept_runs`); what is older
comes from history (`older_runs`). Not for: the words (run_lines.py) or a run's edits (run_edits.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Literal, cast

from sqlalchemy import Connection

from ecauto_pipeline.doctor.dagster_files import dagster_home, ends_of
from ecauto_pipeline.domain.liveness import stands_in_the_way
from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.state import run_edits
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.owner import place_of, process_of
from ecauto_pipeline.state.runs import RunRow
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.run_record import SECTIONS, RunRecord, as_record
from ecauto_pipeline.views.kept_past import MOST_MB
from ecauto_pipeline.views.run_words import NEVER_SEND, Words

Only = Literal["", "changed", "failed"]
ONLY: tuple[Only, ...] = ("", "changed", "failed")
A_PAGE = 50
_AT_ONCE = 100
_LOOKED_AT = tuple(name for name in SECTIONS if name not in ("stale_asins", "history"))
_ASKED_HERE = ("release_holds", "rollback_run", "apply_plan")


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run. Times aware UTC; None = not measured. `end`: as in run_words.ENDS; `stop_by`: who ended it early.

    `asks`, `sends`: whether asking Amazon, changing the shops is part of its job. `asked`: ASINs that Amazon was asked
    about, `silent` of them without an answer; `changed`: targets set at the shops (in a dry run: that would be);
    `held`: wait for a person; `failed`: edits that failed. `found`: rows of orders, or products refreshed, of the jobs
    that do nothing else; `refused`: rows that a person asked for by name and that were not done. `troubles`: what else
    went wrong, in both languages. `trigger`: who asked for it.
    """

    run_id: str
    job: str
    partition_key: str
    started_at: datetime
    ended_at: datetime | None
    dry_run: bool
    end: str
    asks: bool
    sends: bool
    asked: int | None = None
    silent: int | None = None
    changed: int | None = None
    held: int | None = None
    failed: int | None = None
    found: int | None = None
    refused: int | None = None
    left_over: int | None = None
    troubles: tuple[Words, ...] = ()
    stop_by: str = ""
    trigger: str = ""

    @property
    def cursor(self) -> tuple[datetime, str]:
        """What the next page goes on behind."""
        return self.started_at, self.run_id

    def matches(self, only: Only) -> bool:
        """Whether it is one of those; what was not measured is neither changed nor failed."""
        if only == "changed":
            return bool(self.changed) and not self.dry_run
        return only == "" or bool(self.failed or self.troubles) or self.end in ("FAILURE", "dead")


@dataclass(frozen=True, slots=True)
class RunsPage:
    """Some runs, newest first; `more`: whether there are older ones of the same kind where these came from."""

    lines: tuple[RunLine, ...]
    more: bool


def kept_runs(
    tools: Tools,
    *,
    job: str = "",
    only: Only = "",
    before: tuple[datetime, str] | None = None,
    limit: int = A_PAGE,
    home: Path | None = None,
) -> RunsPage:
    """Runs of the last 30 days. `before`: the `cursor` of the last line of the page before; `home`: of Dagster."""
    with tools.state.read() as connection:
        found = list(islice(_matching(tools, connection, job, only, before, limit, home), limit + 1))
    return RunsPage(tuple(found[:limit]), len(found) > limit)


def older_runs(
    tools: Tools, before: datetime, *, job: str = "", only: Only = "", limit: int = A_PAGE, home: Path | None = None
) -> RunsPage:
    """Runs that began before a moment, from history. Raises HistoryError where it can't be read."""
    from ecauto_pipeline.history.past_runs import PastRuns  # DuckDB: for who asks for the past

    rows = PastRuns(tools.history, most_mb=MOST_MB).runs(limit + 1, before=before, job=job, only=only)
    ends = ends_of(home or dagster_home(), [str(row["run_id"]) for row in rows])
    lines = tuple(past_line(row, ends.get(str(row["run_id"]), "")) for row in rows[:limit])
    return RunsPage(lines, len(rows) > limit)


def run_row(tools: Tools, prefix: str) -> RunRow | None:
    """The run whose id begins so; None where state.db has none (history may). Raises NotOnRecord where several do."""
    with tools.state.read() as connection:
        names = run_book.starting_with(connection, prefix) if prefix else []
        if len(names) > 1 and prefix not in names:
            raise NotOnRecord(
                f"{len(names)} runs begin with {prefix!r}", ja=f"{prefix!r} で始まる実行が {len(names)}件あります"
            )
        return run_book.read(connection, prefix if prefix in names else names[0]) if names else None


def sent_by_process(tools: Tools, pid: int) -> int | None:
    """Edits so far of the run on which this process of this host works; None where it has begun none."""
    with tools.state.read() as connection:
        for row in run_book.unended(connection):
            if place_of(row.owner)[1] == str(pid) and process_of(row.owner) == "lives":
                return sum(run_edits.count_of_run(connection, row.run_id).values())
    return None


def line_of(tools: Tools, row: RunRow, home: Path | None = None) -> RunLine:
    """The line of one run of state.db."""
    return _line(row, as_record(row), ends_of(home or dagster_home(), [row.run_id]), tools.clock.now())


def past_run(tools: Tools, prefix: str, home: Path | None = None) -> RunLine:
    """The line of a run that only history has. Raises NotOnRecord where it has none, or several begin so."""
    from ecauto_pipeline.history.past_runs import PastRuns  # DuckDB: for who asks for the past

    rows = PastRuns(tools.history, most_mb=MOST_MB).run_starting_with(prefix) if prefix else []
    if len(rows) != 1:
        some = f"several runs begin with {prefix!r}" if rows else f"no run {prefix!r} is on record"
        ja = f"{prefix!r} で始まる実行が複数あります" if rows else f"実行 {prefix!r} の記録はありません"
        raise NotOnRecord(some, ja=ja)
    name = str(rows[0]["run_id"])
    return past_line(rows[0], ends_of(home or dagster_home(), [name]).get(name, ""))


def past_line(row: Mapping[str, Any], end: str) -> RunLine:
    """The line of a run of which history has the figures alone. A count is measured where its step's other figures
    are: the count itself stands at 0 where no step measured it."""
    started_at, seconds, job = cast(datetime, row["started_at"]), row["execution_time_seconds"], str(row["job"])
    asked = [row.get(f"status_{status}") for status in Status]
    sent = row.get("base_api_calls") is not None
    return RunLine(
        run_id=str(row["run_id"]),
        job=job,
        partition_key=str(row["partition_key"] or ""),
        started_at=started_at.astimezone(UTC),
        ended_at=None if seconds is None else started_at + timedelta(seconds=seconds),
        dry_run=bool(row["dry_run"]),
        end=end,
        asks=job not in _ASKED_HERE,
        sends=job not in NEVER_SEND,
        asked=sum(int(one or 0) for one in asked) if any(one is not None for one in asked) else None,
        silent=row.get(f"status_{Status.API_ERROR}"),
        changed=row["pushed"] if sent else None,
        held=row["held"] if sent else None,
        failed=row["failed"] if sent else None,
        left_over=row.get("left_over"),
        trigger=str(row.get("trigger") or ""),
    )


def _matching(
    tools: Tools,
    connection: Connection,
    job: str,
    only: Only,
    before: tuple[datetime, str] | None,
    limit: int,
    home: Path | None,
) -> Iterator[RunLine]:
    while True:
        many = _AT_ONCE if only else limit + 1
        rows = run_book.page(connection, many, job=job, before=before, sections=_LOOKED_AT)
        ends = ends_of(home or dagster_home(), [row.run_id for row in rows])
        for row in rows:
            line = _line(row, as_record(row), ends, tools.clock.now())
            if line.matches(only):
                yield line
        if len(rows) < many:
            return
        before = rows[-1].started_at, rows[-1].run_id


def _line(row: RunRow, record: RunRecord, ends: Mapping[str, str], now: datetime) -> RunLine:
    asked, account, start = record.sp_api_snapshots, record.account, record.start
    looked, orders = record.catalog_refresh, record.order_watch
    alive = row.ended_at is None and stands_in_the_way(run_book.life(row, now))
    end = ends.get(row.run_id, "") if row.ended_at is not None else "running" if alive else "dead"
    own = looked.asked if looked is not None else orders.asked if orders is not None else None
    own_silent = looked.failed if looked is not None else None
    own_silent = orders.by_status.get(Status.API_ERROR, 0) if orders is not None else own_silent
    return RunLine(
        run_id=row.run_id,
        job=row.job,
        partition_key=row.partition_key,
        started_at=row.started_at,
        ended_at=row.ended_at,
        dry_run=row.dry_run,
        end=end,
        asks=start.fetch if start is not None else row.job not in _ASKED_HERE,
        sends=row.job not in NEVER_SEND,
        asked=asked.asked if asked is not None else own,
        silent=asked.by_status.get(Status.API_ERROR, 0) if asked is not None else own_silent,
        changed=record.changed,
        held=account.held if account is not None else None,
        failed=account.failed if account is not None else None,
        found=looked.found if looked is not None else orders.rows if orders is not None else None,
        refused=sum(record.by_hand.refused.values()) if record.by_hand is not None else None,
        left_over=record.left_over,
        troubles=tuple(_troubles(record)),
        stop_by=row.stop_by,
        trigger=start.trigger if start is not None else "",
    )


def _troubles(record: RunRecord) -> Iterator[Words]:
    read, asked, pushed = record.listings, record.sp_api_snapshots, record.pushed
    for shop, why in (read.not_read if read is not None else {}).items():
        yield f"{shop} の商品を読めませんでした（{said(why, 'ja')}）", f"{shop} could not be read ({said(why, 'en')})"
    met = asked.calls_met() if asked is not None else None
    if met is not None and met.all_failed:
        yield (
            f"Amazonへの問い合わせがすべて失敗: {met.failure.what('ja')}",
            f"every call failed: {met.failure.what('en')}",
        )
    for fault in (*(read.faults if read is not None else ()), *(pushed.faults if pushed is not None else ())):
        yield (
            f"想定外のエラー（{fault.account} {fault.error}）",
            f"an error nobody foresaw ({fault.account} {fault.error})",
        )
    if pushed is not None and pushed.written_back.problem:
        words = pushed.written_back
        yield words.problem_ja or words.problem, words.problem
