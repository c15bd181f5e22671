"""What undoing a run would do, and what it did, in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ecauto_pipeline.domain.model import Kind, ListingKey
from ecauto_pipeline.settings import parse
from ecauto_pipeline.sync.people.rollback import rollback_run
from ecauto_pipeline.views.run_edits import change, edits_of, why_words
from ecauto_pipeline.views.undoing import effects, undoing_of, undone_by
from ecauto_pipeline_tests.sync.diffs.selling import World


def a_world(folder: Path) -> World:
    """run-1 raised one price and hid one listing; the first can't go back any more."""
    world = World(folder)
    world.list_item("1", 2200, cost_jpy=1984)
    world.list_item("3", 2580)
    world.amazon("B000000003", None, "out_of_stock")
    world.sync()
    world.amazon("B000000001", 2150)  # the floor is 2,258 yen by now
    return world


def test_what_stays_is_told_with_its_reason_before_and_after(tmp_path: Path) -> None:
    """The sentence before the click has the numbers of what is then done; that pushing goes on is said too."""
    world = a_world(tmp_path)
    document = {"base": {"accounts": [{"id": "shop_1"}]}}
    tools = replace(world.tools, settings=parse(document, tmp_path))
    found = undoing_of(tools, "run-1")
    said = list(effects(found, "ja"))
    assert ["1件を変更前に戻します", "1件はそのままにします（仕入値に対して安すぎる 1件）"] == said[:2]
    assert any("送信は止まっていません" in line for line in said)
    run = world.run()
    rollback_run(world.tools.for_run(run), "run-1")
    done = undone_by(world.tools, run.run_id)
    assert (1, 0) == (done.back, done.waiting)
    (left,) = done.left
    assert ("1", ("価格 2,580円 → 2,200円", "price 2,580 -> 2,200")) == (left[0], left[2])
    assert "仕入値に対して安すぎる" == left[3][0]
    again = list(effects(undoing_of(tools, "run-1"), "en"))
    assert ["nothing goes back", "1 were put back before"] == [again[0], again[2]]


def test_the_edits_of_a_run_are_told_with_their_reasons(tmp_path: Path) -> None:
    """From what to what and why, as many as are asked for; how all of them ended is counted."""
    world = a_world(tmp_path)
    page = edits_of(world.tools, "run-1")
    assert {"done": 2} == dict(page.by_outcome)
    told = {edit.kind: (change(edit, "ja"), why_words(edit, "ja")) for edit in page.edits}
    assert ("公開 → 非公開", "Amazonで在庫切れ") == told[Kind.VISIBILITY]
    assert "価格 2,200 → 2,580円" == told[Kind.PRICE][0]
    one, two = (edits_of(world.tools, "run-1", limit=1, offset=number) for number in (0, 1))
    assert (2, 2) == (one.total, two.total)
    assert {ListingKey("base", "shop_1", item) for item in "13"} == {edit.key for edit in (*one.edits, *two.edits)}
