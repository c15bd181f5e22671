"""Lanes on the first page: where there are several, each with who works on it; where there is one, no word of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from nicegui.testing import User

from ecauto_pipeline_tests.desk.visitor import a_project, with_visitor
from ecauto_pipeline_tests.two_lanes import LANES

SHOPS = """mode = "emulated"
[[base.accounts]]
id = "base_account_1"
[[base.accounts]]
id = "base_account_2"
"""
TWO = SHOPS + LANES


def test_each_lane_has_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody works on them yet, and when a run ended is unknown."""
    a_project(tmp_path, monkeypatch, TWO)

    async def scene(visitor: User) -> None:
        await visitor.open("/en")
        for words in ("Lanes", "east", "west", "nobody"):
            await visitor.should_see(words)

    with_visitor(scene)


def test_one_lane_is_not_spoken_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One machine's page is as it was."""
    a_project(tmp_path, monkeypatch)

    async def scene(visitor: User) -> None:
        await visitor.open("/en")
        await visitor.should_see("Shops")
        await visitor.should_not_see("Lanes")

    with_visitor(scene)
