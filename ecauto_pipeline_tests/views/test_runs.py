"""Each run is a line of words; what no step measured is said to be so, and nothing is guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.domain.selling.row_counts import RowCounts
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.owner import new_owner
from ecauto_pipeline.state.schema_runs import runs as runs_table
from ecauto_pipeline.sync.push_section import HandReport, PushReport
from ecauto_pipeline.sync.run_metrics import metrics_row
from ecauto_pipeline.sync.run_record import Section, SectionName, keep, read_record
from ecauto_pipeline.sync.sections import FetchReport, ListingsReport, StartReport
from ecauto_pipeline.views.run_lines import headline, sentence, what_it_did
from ecauto_pipeline.views.runs import Only, kept_runs, line_of, older_runs, past_line, run_row
from ecauto_pipeline_tests.sync.diffs.selling import World

GONE = "gone-host|1|1+1|x"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def a_run(
    world: World,
    run_id: str,
    minutes_ago: float = 60,
    job: str = "stock_sync",
    *,
    ended: bool = True,
    dry_run: bool = False,
    owner: str = GONE,
    **sections: Section,
) -> str:
    began = world.clock.now() - timedelta(minutes=minutes_ago)
    with world.state.write() as connection:
        run_book.begin(connection, run_id, job, "", began, dry_run, owner)
        for name, section in sections.items():
            known: SectionName = name  # type: ignore[assignment]  # as it is typed here
            keep(connection, run_id, known, section)
        if ended:
            run_book.end(connection, run_id, began + timedelta(seconds=192))
    return run_id


def asked(count: int, silent: int = 0) -> FetchReport:
    return FetchReport(asked=count, by_status={Status.SUCCESS: count - silent, Status.API_ERROR: silent})


def pushed(**counts: int) -> PushReport:
    return PushReport(account=RowCounts(**counts), base_calls=1)


def said(world: World, tmp_path: Path, language: str = "ja") -> list[str]:
    return [what_it_did(line, language) for line in kept_runs(world.tools, home=tmp_path).lines]


def test_a_run_that_did_everything_is_one_sentence(world: World, tmp_path: Path) -> None:
    """What it asked, changed and held, and what failed; in both languages."""
    a_run(world, "a", sp_api_snapshots=asked(1204, 3), base_updates=pushed(targets=14, pushed=12, held=1, failed=1))
    (line,) = kept_runs(world.tools, home=tmp_path).lines
    assert "Amazonに1,204件を確認（回答なし3件）、12件を変更、確認待ち1件、失敗1件" == what_it_did(line, "ja")
    assert "asked Amazon about 1,204 (3 without an answer); changed 12; 1 wait for a person; 1 failed" == what_it_did(
        line, "en"
    )
    assert "3分12秒" in sentence(line, "ja")


def test_what_was_not_done_is_not_measured(world: World, tmp_path: Path) -> None:
    """A run that was broken off before it asked or sent: neither a zero nor a guess."""
    a_run(world, "a", start=StartReport("schedule"))
    assert ["Amazonの確認は測定なし、変更は測定なし"] == said(world, tmp_path)
    assert ["Amazon: not measured; changes: not measured"] == said(world, tmp_path, "en")


def test_what_is_not_part_of_the_job_is_not_spoken_of(world: World, tmp_path: Path) -> None:
    """A cache check sends nothing, an undoing asks nothing; a dry run says that nothing was sent."""
    a_run(world, "c", 3, "validate_cache", sp_api_snapshots=asked(5))
    undo = HandReport(RowCounts(targets=2, pushed=2), PushReport(base_calls=2), {"changed_since": 1})
    a_run(world, "b", 2, "rollback_run", start=StartReport("cli", fetch=False), by_hand=undo)
    a_run(world, "a", 1, dry_run=True, sp_api_snapshots=asked(5), base_updates=pushed(targets=2, pushed=2))
    assert [
        "Amazonに5件を確認、2件を変更する予定（未送信）、失敗なし",
        "2件を変更、1件は見送り、失敗なし",
        "Amazonに5件を確認",
    ] == said(world, tmp_path)
    heads = [headline(line, "ja") for line in kept_runs(world.tools, home=tmp_path).lines]
    assert ["在庫の同期（ドライラン）", "実行の取り消し", "キャッシュの確認（送信なし）"] == heads


def test_a_run_under_way_is_told_from_one_that_died(world: World, tmp_path: Path) -> None:
    """By its process; who was asked to end by whom is said, too."""
    a_run(world, "b", 5, ended=False, owner=new_owner())
    with world.state.write() as connection:
        run_book.ask_to_end(connection, "b", "店主")
    a_run(world, "a", 60, ended=False, owner=new_owner().replace("+", "+9"))
    under_way, dead = kept_runs(world.tools, home=tmp_path).lines
    assert ("running", "dead") == (under_way.end, dead.end)
    assert ("在庫の同期（実行中）", "在庫の同期（途中で落ちました）") == (
        headline(under_way, "ja"),
        headline(dead, "ja"),
    )
    assert what_it_did(under_way, "ja").endswith("店主 が中止")


def test_runs_are_chosen_by_job_and_by_what_came_of_them(world: World, tmp_path: Path) -> None:
    """Changed: something was set at a shop, no dry run; failed: an edit, a shop's reading, or the run itself."""
    a_run(world, "1", 9, base_updates=pushed(targets=1, unchanged=1))
    a_run(world, "2", 8, base_updates=pushed(targets=1, pushed=1))
    a_run(world, "3", 7, dry_run=True, base_updates=pushed(targets=1, pushed=1))
    a_run(world, "4", 6, "price_sync", base_updates=pushed(targets=1, failed=1))
    a_run(world, "5", 5, listings=ListingsReport(not_read={"shop_1": "access_denied"}))
    a_run(world, "6", 60 * 24, ended=False)

    def names(only: Only = "", job: str = "") -> list[str]:
        return [line.run_id for line in kept_runs(world.tools, home=tmp_path, only=only, job=job).lines]

    assert ["5", "4", "3", "2", "1", "6"] == names()
    assert ["2"] == names(only="changed")
    assert ["5", "4", "6"] == names(only="failed")
    assert ["4"] == names(job="price_sync")


def test_every_run_stands_on_one_page(world: World, tmp_path: Path) -> None:
    """Pages of any size, with runs that began in the same moment, and chosen or not: each run once, newest first."""
    for number in range(12):
        a_run(world, f"r{number:02d}", 100 - number // 3, base_updates=pushed(targets=1, pushed=number % 2))
    chosen: tuple[tuple[Only, int], ...] = (("", 12), ("changed", 6))
    for only, expected in chosen:
        seen: list[str] = []
        before = None
        while True:
            page = kept_runs(world.tools, home=tmp_path, limit=5, before=before, only=only)
            seen += [line.run_id for line in page.lines]
            if not page.more:
                break
            before = page.lines[-1].cursor
        assert (expected, expected) == (len(seen), len(set(seen)))


def test_a_run_of_history_says_no_more_than_was_measured(world: World, tmp_path: Path) -> None:
    """The line of a run's row of run_metrics is the line of its record: a count of 0 where no step measured it is no
    measured zero."""
    a_run(world, "a", 3, sp_api_snapshots=asked(7, 1), base_updates=pushed(targets=2, pushed=1, failed=1))
    a_run(world, "b", 2, start=StartReport("schedule"))
    for run_id in "ab":
        row = run_row(world.tools, run_id)
        with world.state.read() as connection:
            record = read_record(connection, run_id)
        assert row is not None
        assert record is not None
        kept, past = line_of(world.tools, row, tmp_path), past_line(metrics_row(record), "")
        assert what_it_did(kept, "ja") == what_it_did(past, "ja")
        assert (kept.started_at, kept.ended_at, kept.job) == (past.started_at, past.ended_at, past.job)


def test_older_runs_come_from_history(world: World, tmp_path: Path) -> None:
    """What state.db has dropped is found there by its time, newest first, and no more of it than asked for."""
    rows = []
    for number in range(3):
        a_run(world, f"old-{number}", 60 * 24 * (40 + number), base_updates=pushed(targets=1, pushed=number))
        with world.state.read() as connection:
            record = read_record(connection, f"old-{number}")
        assert record is not None
        rows.append(metrics_row(record))
    tools = replace(world.tools, history=HistoryStore(tmp_path / "history", tmp_path / "history.duckdb", world.clock))
    for row in rows:
        tools.history.write("run_metrics", str(row["run_id"]), [row], world.clock.now())
    with world.state.write() as connection:
        connection.execute(runs_table.delete())
    page = older_runs(tools, world.clock.now() - timedelta(days=30), limit=2)
    assert (["old-0", "old-1"], True) == ([line.run_id for line in page.lines], page.more)
    page = older_runs(tools, world.clock.now(), only="changed")
    assert ["old-1", "old-2"] == [line.run_id for line in page.lines]


def test_a_name_that_fits_several_runs_names_none(world: World) -> None:
    """The beginning of an id is enough where it is one run's."""
    a_run(world, "aa")
    a_run(world, "ab")
    row = run_row(world.tools, "aa")
    assert row is not None
    assert "aa" == row.run_id
    assert run_row(world.tools, "b") is None
    with pytest.raises(NotOnRecord, match="2 runs"):
        run_row(world.tools, "a")
