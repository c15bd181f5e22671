"""What changed at the shops on one day, by name, as page and command show it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.clock import jst
from ecauto_pipeline.state.day_edits import EditCounts
from ecauto_pipeline.views.changes import as_document, changes_of, counted, today
from ecauto_pipeline.views.run_edits import change
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.desk.shop import a_filled_shop
from ecauto_pipeline_tests.sync.diffs.selling import World


def test_a_day_begins_and_ends_at_midnight_in_japan(tmp_path: Path) -> None:
    """An edit belongs to the day that it was in Japan when it left; a dry run's belongs to none."""
    world = World(tmp_path)
    world.list_item("1", 2200, cost_jpy=1984)
    world.sync()
    day = jst(world.clock.now()).date()
    world.list_item("2", 2200, cost_jpy=1984)
    world.sync(dry_run=True)
    assert day == today(world.tools)
    per_day = [changes_of(world.tools, day + timedelta(days=number)).counts.total for number in (-1, 0, 1)]
    assert [0, 1, 0] == per_day


def test_each_change_is_told_by_name_from_what_to_what_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The newest first, a page of them, counted for the whole day; the command says the same."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    with open_tools(shop.settings, offline=True) as tools:
        days = (today(tools), today(tools) - timedelta(days=1))  # its last run was ten minutes ago
        day = next(day for day in days if changes_of(tools, day).counts.total)
        everything = changes_of(tools, day, limit=1_000)
        first = changes_of(tools, day, limit=2)
        rest = changes_of(tools, day, limit=1_000, offset=2)
    edits = everything.edits
    assert everything.counts.total == len(edits) == 2 + len(rest.edits)
    assert edits == (*first.edits, *rest.edits)
    assert sorted((edit.at for edit in edits), reverse=True) == [edit.at for edit in edits]
    told = {edit.key.item_id: change(edit, "ja") for edit in edits}
    assert "公開 → 非公開" == told[shop.hidden[1]]
    assert {True} == {edit.title != "" and edit.why not in (None, "") for edit in edits}
    code, out, err = type_command(monkeypatch, capsys, "changes", "--day", day.isoformat(), "--json", "--limit", "2")
    assert (0, "", as_document(first)) == (code, err, json.loads(out))
    code, out, _ = type_command(monkeypatch, capsys, "changes", "--day", day.isoformat(), "--limit", "2")
    lines = out.splitlines()
    assert (0, f"{day}  {counted(everything.counts, 'ja')}", 5 + bool(len(edits) > 2)) == (code, lines[0], len(lines))
    code, _, err = type_command(monkeypatch, capsys, "changes", "--day", "yesterday")
    assert (2, True) == (code, "日付ではありません" in err)


def test_what_there_was_is_one_line() -> None:
    """What there was none of is left out."""
    assert "非公開 1・値下げ 2,000" == counted(EditCounts(hidden=1, cheaper=2_000), "ja")
    assert "no changes" == counted(EditCounts(), "en")
