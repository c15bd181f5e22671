"""A history.duckdb that is damaged among its rows: whoever meets it, it is built anew from its files, nothing missing.

Not for: one that can't be opened at all (test_crashes.py).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline_tests.history.rows import NOON, ids, snapshot, snapshots, store_in


@pytest.fixture
def torn(tmp_path: Path) -> HistoryStore:
    """5,000 answers, loaded; a block of them every now and then no longer matches its checksum."""
    store = store_in(tmp_path)
    rows = [snapshot(n, offers_json=f"{random.Random(n).random()}" * 20) for n in range(5_000)]
    store.write("snapshots", "r1", rows, NOON)
    store.load()
    content = bytearray(store.database.read_bytes())
    for place in range(12_288 + 20_000, len(content), 50_000):
        content[place : place + 8] = b"\xde\xad\xbe\xef" * 2
    store.database.write_bytes(content)
    return store


def test_damage_deep_in_the_rows_is_found_when_they_are_asked_for(torn: HistoryStore) -> None:
    """A block of rows that no longer matches its checksum makes the load that meets it rebuild; nothing is missing."""
    torn.write("snapshots", "r2", snapshots([2, 9_999]), NOON)
    assert torn.load().rebuilt
    assert 5_001 == len(ids(torn))
    assert torn.verify().ok


def _verify(store: HistoryStore) -> None:
    assert store.verify().damage


def _ask_about_one(store: HistoryStore) -> None:
    day = timedelta(days=1)
    assert 500 == len(HistoryReader(store).snapshots_of("B000000001", NOON - day, NOON + day))


@pytest.mark.parametrize("ask", [_verify, _ask_about_one])
def test_damage_that_no_load_comes_to_is_mended_once_somebody_met_it(
    torn: HistoryStore, ask: Callable[[HistoryStore], None]
) -> None:
    """Who asks has the answer from the files; the next load rebuilds, though nothing is new and it would read no such
    block. What was said of a file that was replaced since is of no consequence."""
    ask(torn)
    assert torn.load().rebuilt
    assert 5_000 == len(ids(torn))
    assert torn.verify().ok
    assert not torn.load().rebuilt
