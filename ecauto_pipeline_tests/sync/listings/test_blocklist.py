"""Laws of the blocklist file: broken, it is neither empty nor the end of a run; what is not known is not concluded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecauto_pipeline.alerts.rule import AlertSetup
from ecauto_pipeline.alerts.rules import RULES
from ecauto_pipeline.alerts.verdicts import Verdict
from ecauto_pipeline.settings import Alerts
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.listings.blocklist import Blocklist, current_blocklist
from ecauto_pipeline.sync.run_record import RunRecord
from ecauto_pipeline.sync.sections import ListingsReport
from ecauto_pipeline_tests.examples import examples
from ecauto_pipeline_tests.sync.diffs.selling import NOW, World

LISTED = frozenset({"B000000001", "B000000002"})
WHOLE = json.dumps(sorted(LISTED))
BROKEN = {
    "bad JSON": b'["B000000001", ]',
    "half-written": WHOLE[:-9].encode(),
    "empty": b"",
    "a number": b"3",
    "no list in it": b'{"a": 1}',
    "an entry that is none": b'["B000000001", 7]',
    "UTF-16": WHOLE.encode("utf-16"),
    "UTF-16 without a mark": WHOLE.encode("utf-16-le"),
    "no text": b"\x80\x81\xff",
    "deep": b"[" * 100_000,
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.settings.blocklist.parent.mkdir(parents=True)
    yield world
    world.state.close()


def checked(found: Blocklist) -> Verdict:
    """What the check on `listings` says."""
    listings = ListingsReport(blocklist=found.trouble)
    record = RunRecord(run_id="r", job="j", partition_key="", started_at=NOW, listings=listings)
    return RULES["blocklist_read"].judge(record, AlertSetup(Alerts()))


@pytest.mark.parametrize("how", BROKEN)
def test_while_the_file_is_broken_the_last_good_list_holds(world: World, how: str) -> None:
    """The check names the file, since when, and what to do; a mended file counts at once."""
    path = world.settings.blocklist
    path.write_text(WHOLE, encoding="utf-8")
    assert Blocklist(LISTED) == current_blocklist(world.tools)
    assert checked(Blocklist(LISTED)).passed
    path.write_bytes(BROKEN[how])
    world.later(hours=1)
    first = current_blocklist(world.tools)
    world.later(hours=5)
    found = current_blocklist(world.tools)
    assert (LISTED, LISTED) == (first.asins, found.asins)
    verdict = checked(found)
    assert (False, "WARN", True) == (verdict.passed, verdict.severity, verdict.judged)
    for text in ("blocked_asins.json", "2026-06-01 13:00 JST"):
        assert text in verdict.message_ja
        assert text in verdict.message_en
    assert "2件" in verdict.message_ja
    assert verdict.remedy
    path.write_text('["B000000009"]', encoding="utf-8")
    assert Blocklist(frozenset({"B000000009"})) == current_blocklist(world.tools)


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.integers(0, len(WHOLE) - 1).map(lambda end: WHOLE[:end].encode()))
def test_whatever_bytes_stand_there_no_run_ends_and_nothing_is_freed(world: World, content: bytes) -> None:
    """The list is what the file says, or what it said last; bytes that are no list are told."""
    path = world.settings.blocklist
    path.write_text(WHOLE, encoding="utf-8")
    current_blocklist(world.tools)
    path.write_bytes(content)
    found = current_blocklist(world.tools)
    assert (found.asins == LISTED) == (found.trouble is not None)


def gone(path: Path) -> None:
    path.unlink()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("how", [gone, a_folder])
def test_a_list_that_has_vanished_still_holds(world: World, how: Callable[[Path], None]) -> None:
    """Deleted, or its drive is not there: to empty it one writes an empty list."""
    path = world.settings.blocklist
    path.write_text(WHOLE, encoding="utf-8")
    current_blocklist(world.tools)
    how(path)
    found = current_blocklist(world.tools)
    assert (LISTED, False) == (found.asins, checked(found).passed)


def test_no_file_at_all_is_an_empty_list(world: World) -> None:
    """Most owners have none; so is one that says so."""
    assert Blocklist(frozenset()) == current_blocklist(world.tools)
    world.settings.blocklist.write_text("[]", encoding="utf-8")
    assert Blocklist(frozenset()) == current_blocklist(world.tools)


def test_without_any_good_list_nothing_is_concluded(world: World) -> None:
    """Nothing that is hidden is shown again; hides go on; an error says why; with a list it goes on as ever."""
    world.list_item("1", 2600, cost_jpy=2000, visible=False, hidden_by="owner_scripts")
    world.amazon(world.list_item("2", 2600), None, "out_of_stock")
    world.settings.blocklist.write_text("[", encoding="utf-8")
    found = current_blocklist(world.tools)
    assert (None, "ERROR") == (found.asins, checked(found).severity)
    world.decide(world.run())
    assert {("1", "skipped", "blocklist_unknown"), ("2", "push", "out_of_stock")} <= {
        (item, decision, reason) for item, kind, decision, reason in world.decisions() if kind == "visibility"
    }
    world.settings.blocklist.write_text("[]", encoding="utf-8")
    current_blocklist(world.tools)
    world.decide(run := world.run())
    assert ("1", "visibility", "push", "in_stock") in world.decisions(run_id=run.run_id)


def test_a_show_that_waits_is_not_sent_once_the_list_is_unknown(world: World) -> None:
    """The last look before an edit sees it too."""
    world.list_item("1", 2600, cost_jpy=2000, visible=False, hidden_by="ours")
    run = world.run()
    world.decide(run)
    assert ("1", "visibility", "push", "in_stock") in world.decisions()
    world.settings.blocklist.write_text("[", encoding="utf-8")
    current_blocklist(world.tools)
    push.run(world.tools.for_run(run))
    assert [] == world.shop.edits
