"""The dated logs: one writer a file, nothing but UTF-8, old ones swept, JSON beside plain text."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.sync.log_files import SYNC, log_to_files

NIGHT = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)  # already the 24th in Japan


def test_a_line_stands_in_both_files_under_the_japanese_date(tmp_path: Path) -> None:
    """Plain for people, JSON for programs; emoji and ㎥ survive."""
    logger = logging.getLogger("logbook-test-both")
    logger.setLevel(logging.INFO)
    with log_to_files(logger, tmp_path, SYNC, ManualClock(NIGHT), 30):
        logger.info("%s", "更新 🎁 ㎥", extra={"figures": {"edits": 3}})
    plain = (tmp_path / "sync_inventory_20261124.log").read_text(encoding="utf-8")
    entry = json.loads((tmp_path / "sync_inventory_20261124.jsonl").read_text(encoding="utf-8"))
    assert plain.rstrip().endswith("更新 🎁 ㎥")
    assert ("更新 🎁 ㎥", 3) == (entry["message"], entry["edits"])


def test_a_second_writer_takes_a_file_of_its_own(tmp_path: Path) -> None:
    """Two handlers on one file once stopped the logs for good."""
    clock = ManualClock(NIGHT)
    one, two = logging.getLogger("logbook-test-one"), logging.getLogger("logbook-test-two")
    for logger in (one, two):
        logger.setLevel(logging.INFO)
    with log_to_files(one, tmp_path, SYNC, clock, 30), log_to_files(two, tmp_path, SYNC, clock, 30):
        one.info("first")
        two.info("second")
    said = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.log")}
    assert len(said) == 2
    assert "second" not in said["sync_inventory_20261124.log"]


def test_old_files_go_and_others_stay(tmp_path: Path) -> None:
    """Only our dated files older than the days kept are swept."""
    of_the_desk = ("desk_20260901.log", "desk-server_20260901.log")
    for name in ("sync_inventory_20260901.log", "sp_api_calls_20261120.jsonl", "notes.log", *of_the_desk):
        (tmp_path / name).write_text("x", encoding="utf-8")
    with log_to_files(logging.getLogger("logbook-test-sweep"), tmp_path, SYNC, ManualClock(NIGHT), 30):
        pass
    assert not (tmp_path / "sync_inventory_20260901.log").exists()
    assert [] == [name for name in of_the_desk if (tmp_path / name).exists()]
    assert (tmp_path / "sp_api_calls_20261120.jsonl").exists()
    assert (tmp_path / "notes.log").exists()


def test_a_file_that_can_not_be_made_costs_no_work(tmp_path: Path) -> None:
    """It is made at the first line: in a folder that nobody can write to any more the line goes nowhere."""
    logger = logging.getLogger("logbook-test-refused")
    logger.setLevel(logging.INFO)
    with log_to_files(logger, tmp_path, SYNC, ManualClock(NIGHT), 30):
        refused = tmp_path / "sync_inventory_20261124.log"
        refused.mkdir()  # whoever has every right can't write into a folder either
        logger.info("first")
        refused.rmdir()
        logger.info("second")
    assert "second" in refused.read_text(encoding="utf-8")
