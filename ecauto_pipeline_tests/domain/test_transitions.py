"""The two tables of allowed moves: closed, drawn as they are, used whole, and the only thing that state writes."""

from __future__ import annotations

import ast
import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain import transitions
from ecauto_pipeline.domain.transitions import DECISIONS, EDITS, NEW, MoveNotAllowed, Table, moves_of, next_state
from ecauto_pipeline_tests.pages import ROOT

TABLES = {"decision": DECISIONS, "edit": EDITS}
NAMES = {
    "decision": (transitions.DecisionState, transitions.DecisionEvent),
    "edit": (transitions.EditState, transitions.EditEvent),
}
_MOVE = re.compile(r"^ {4}(\w+) +--(\w+)-*> (\w+)", re.MULTILINE)


def _moves(table: Table) -> list[tuple[str, str, str]]:
    return sorted((state, event, after) for state, moves in table.items() for event, after in moves.items())


def _drawn(text: str) -> dict[str, list[tuple[str, str, str]]]:
    decision, edit = text.split("\nAn edit", 1)
    return {"decision": sorted(_MOVE.findall(decision)), "edit": sorted(_MOVE.findall(edit))}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_closed_and_every_state_can_be_reached(name: str) -> None:
    """Moves lead to states of the table alone, nothing leads back to `new`, and no state is an island."""
    states, events = map(get_args, NAMES[name])
    table = TABLES[name]
    after = {to for moves in table.values() for to in moves.values()}
    assert {NEW, *states} == set(table)
    assert set(states) == after
    assert set(events) == {event for moves in table.values() for event in moves}


@pytest.mark.parametrize("name", TABLES)
def test_an_event_means_one_thing(name: str) -> None:
    """From wherever an event happens to a row that is there, it leads to the same state: one UPDATE can say it."""
    table = TABLES[name]
    for event in {event for state, moves in table.items() if state != NEW for event in moves}:
        starts, after = moves_of(table, event)
        assert {after} == {next_state(table, state, event) for state in starts}
    with pytest.raises(MoveNotAllowed):
        moves_of(table, "nonsense")


@pytest.mark.parametrize("name", TABLES)
@given(data=st.data())
def test_whatever_happens_a_row_is_in_a_state_of_the_table(name: str, data: st.DataObject) -> None:
    """Any events in any order: an allowed one leads to a state of the table, another changes nothing and says so;
    a state without moves is never left."""
    table = TABLES[name]
    events = st.sampled_from([*get_args(NAMES[name][1]), "nonsense"])
    state = NEW
    for event in data.draw(st.lists(events, max_size=30)):
        before = state
        try:
            state = next_state(table, state, event)
        except MoveNotAllowed:
            assert event not in table[before]
        assert state in table
        assert table[before] or state == before


def test_both_drawings_are_the_table() -> None:
    """The module's docstring and docs/architecture.md draw exactly the moves that there are."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").split("\n## States\n")[1].split("\n## ")[0]
    expected = {name: _moves(table) for name, table in TABLES.items()}
    assert expected == _drawn(transitions.__doc__ or "")
    assert expected == _drawn(page)


def test_every_event_is_used_and_no_other_is_named() -> None:
    """A move nobody makes goes from the table; a move that is made stands in it."""
    named: dict[str, set[str]] = {"decision": set(), "edit": set()}
    words: set[str] = set()
    modules = [*(ROOT / "ecauto_pipeline/sync").rglob("*.py"), *(ROOT / "ecauto_pipeline/state").glob("*.py")]
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
                which = {("decisions", "move"): "decision", ("journal", "finish"): "edit"}.get((owner, node.func.attr))
                if which is not None:
                    found = [arg.value for arg in node.args[2:3] if isinstance(arg, ast.Constant)]
                    named[which] |= {str(event) for event in found}
    for name, (_, events) in NAMES.items():
        assert set() == set(get_args(events)) - words, name
        assert named[name], name
        assert set() == named[name] - set(get_args(events)), name
