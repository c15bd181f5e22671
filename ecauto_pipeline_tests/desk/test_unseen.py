"""Pages that nobody looks at fill no memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from nicegui import Client

from ecauto_pipeline.desk.unseen import MOST_UNSEEN
from ecauto_pipeline_tests.desk.test_attacks import connected
from ecauto_pipeline_tests.desk.visitor import a_project, served


def test_of_pages_that_no_browser_opened_a_few_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest; one that a browser has opened stays, however many are asked for after it."""
    a_project(tmp_path, monkeypatch)
    with served() as desk:
        session, opened, _ = connected(desk, "/ja/runs")
        with session as socket:
            assert socket.receive_text().startswith("0{")
            socket.send_text("40")
            assert socket.receive_text().startswith("40")
            for _ in range(MOST_UNSEEN + 3):
                newest = desk.get("/ja/runs").text
            assert MOST_UNSEEN == len(Client.instances) - 1
            assert opened in Client.instances
            assert any(name in newest for name in Client.instances)
