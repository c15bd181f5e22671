"""Silence is news: nothing ran, no daemon, no room; told by the next thing that runs, once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.alerts.announce import announce, firing_now, told_at_terminal
from ecauto_pipeline.alerts.rules.silence import GIB, SILENCE, daemon_down, disk_low, nothing_ran
from ecauto_pipeline.cli.silence import say_what_was_silent
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.doctor.silence import silences
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.pages import ROOT

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = [rule.name for rule in SILENCE]


def live(folder: Path, alerts: Mapping[str, object] | None = None) -> Settings:
    return parse({"mode": "live", "alerts": {"min_free_gb": 0.0, "language": "en", **(alerts or {})}}, folder)


def ran(tools: Tools, at: datetime, job: str = "stock_sync", dry_run: bool = False) -> None:
    with tools.state.write() as connection:
        run_id = f"{job} {at} {dry_run}"
        run_book.begin(connection, run_id, job, "", at, dry_run)
        run_book.end(connection, run_id, at)


@pytest.mark.parametrize(
    ("hours", "passed"),
    [(0.0, True), (1.9, True), (2.0, True), (2.1, False), (24, False), (24 * 30, False), (-5, True)],
)
def test_twice_the_period_without_a_run_is_news(hours: float, passed: bool) -> None:
    """An hour, a day, a month; a clock that was set back is no silence."""
    verdict = nothing_ran(NOW - timedelta(hours=hours), HOUR, NOW)
    assert (True, passed) == (verdict.judged, verdict.passed)


def test_what_never_was_is_not_judged() -> None:
    """A new installation is not silent, and who never started the daemon does not miss it."""
    assert not nothing_ran(None, HOUR, NOW).judged
    assert not daemon_down(None, HOUR, NOW).judged


def test_a_daemon_that_was_up_and_a_disk_that_had_room_are_missed() -> None:
    """The limits are inclusive: exactly enough is enough."""
    assert [True, False] == [daemon_down(NOW - ago, HOUR, NOW).passed for ago in (HOUR, HOUR * 1.1)]
    assert [True, False] == [disk_low(free, 2.0).passed for free in (2 * GIB, 2 * GIB - 1)]


def test_it_is_told_once_and_so_is_its_end(tmp_path: Path) -> None:
    """Whoever types a command reads it once; when something ran again, that too; a dry run is no run."""
    clock = ManualClock(NOW)
    with open_tools(live(tmp_path), offline=True, clock=clock) as tools:
        ran(tools, NOW)

        def said() -> list[str]:
            announce(tools, silences(tools, clock.now()))
            return [line.partition(":")[0] for line in told_at_terminal(tools, RULES)]

        assert [] == said()
        clock.advance(24 * 3600)
        ran(tools, clock.now(), dry_run=True)
        assert [["[ecauto ERROR] nothing ran"], [], []] == [said() for _ in range(3)]
        ran(tools, clock.now())
        assert [["[ecauto RECOVERED] nothing ran"], [], []] == [said() for _ in range(3)]


def test_a_full_disk_is_news_in_every_mode_and_the_rest_in_live_mode_alone(tmp_path: Path) -> None:
    """A demo that nobody looks at for a month has nothing to tell."""
    clock = ManualClock(NOW)
    for mode, fires in (("live", ["daemon_down", "disk_low", "nothing_ran"]), ("emulated", ["disk_low"])):
        folder = tmp_path / mode
        folder.mkdir()
        settings = parse({"mode": mode, "alerts": {"min_free_gb": 1e9}}, folder)
        with open_tools(settings, offline=True, clock=clock) as tools:
            ran(tools, NOW - 30 * timedelta(days=1))
            announce(tools, silences(tools, NOW - HOUR))
            assert fires == sorted(key for key, _ in firing_now(tools))


def test_the_next_command_begins_with_it(tmp_path: Path) -> None:
    """A real command, whichever it is: one line on stderr at the first, none at the second; its output is its own."""
    (tmp_path / "ecauto.toml").write_text(
        'mode = "live"\n[alerts]\nmin_free_gb = 0.0\n[[base.accounts]]\nid = "shop_1"\n', encoding="utf-8"
    )
    for name in ("workspace.yaml", "dagster.yaml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    with open_tools(live(tmp_path), offline=True) as tools:
        ran(tools, datetime.now(UTC) - timedelta(days=3))
    command = [sys.executable, "-c", "from ecauto_pipeline.cli import main; main()", "status", "--json"]
    environ = {"ECAUTO_CONFIG": str(tmp_path / "ecauto.toml"), "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    first, second = (
        subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, encoding="utf-8", check=False)
        for _ in range(2)
    )
    assert ["【ecauto 異常】 実行なし"] == [line.partition(":")[0] for line in first.stderr.splitlines()]
    assert "" == second.stderr
    assert "live" == json.loads(first.stdout)["mode"]


def test_a_state_that_cannot_be_used_is_the_commands_own_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first line never stands in the way of the command that says what is wrong and what to do."""
    (tmp_path / "ecauto.toml").write_text('mode = "live"\n', encoding="utf-8")
    monkeypatch.setenv("ECAUTO_CONFIG", str(tmp_path / "ecauto.toml"))
    monkeypatch.delenv("ECAUTO_DATA_DIR", raising=False)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "state.db").write_bytes(b"this is no database" * 300)
    say_what_was_silent()
    assert "" == capsys.readouterr().err
