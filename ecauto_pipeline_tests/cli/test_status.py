"""What `ecauto status` says of the shops' budgets, and how it ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from ecauto_pipeline.cli.status import status
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import Decision, Diff, Kind, ListingKey
from ecauto_pipeline.domain.words import unwatched_line
from ecauto_pipeline.settings import load, parse
from ecauto_pipeline.state import decisions
from ecauto_pipeline.state.windows import ShopWindows
from ecauto_pipeline.sync.people.stop import stop_pushing
from ecauto_pipeline.views.status import gather
from ecauto_pipeline.wiring.open import open_tools


def test_the_calls_of_an_hour_that_is_over_are_not_this_hours(tmp_path: Path) -> None:
    """BASE counts by the clock hour: at :00 nothing is used yet, whatever the hour before cost."""
    clock = ManualClock(datetime(2026, 11, 10, 13, 50, tzinfo=UTC))
    with open_tools(parse({}, tmp_path), clock=clock, offline=True) as tools:
        windows = ShopWindows(tools.state, clock, "base", "base_account_1", per_hour=5000, per_day=100_000)
        for _ in range(3):
            windows.reserve("read")
        assert [3, 0, 0] == [shop["calls_this_hour"] for shop in gather(tools)["accounts"]]
        assert {500} == {shop["kept_per_hour"] for shop in gather(tools)["accounts"]}
        clock.advance(600)
        assert [0, 0, 0] == [shop["calls_this_hour"] for shop in gather(tools)["accounts"]]


@pytest.mark.parametrize("json_output", [False, True])
def test_the_first_line_and_the_exit_code_say_whether_a_person_has_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], json_output: bool
) -> None:
    """正常 and 0 on a good day, 要対応 and 1 once a change waits; and what nothing keeps in step has its line."""
    (tmp_path / "ecauto.toml").write_text("[alerts]\nmin_free_gb = 0.0\n", encoding="utf-8")
    monkeypatch.setenv("ECAUTO_CONFIG", str(tmp_path / "ecauto.toml"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.delenv("ECAUTO_DATA_DIR", raising=False)

    def seen() -> tuple[int, str, bool]:
        with pytest.raises(typer.Exit) as ended:
            status(json_output=json_output)
        said = capsys.readouterr().out
        line = json.loads(said)["health"]["line"] if json_output else said.splitlines()[0]
        return ended.value.exit_code, line.partition(":")[0], json_output or unwatched_line(None) in said.splitlines()

    good = seen()
    key = ListingKey("base", "base_account_1", "101")
    held = Diff(key, "B000000001", Kind.PRICE, 1000, 9000, Decision.HELD, "move", snapshot_id="s")
    with open_tools(load(), offline=True) as tools, tools.state.write() as connection:
        decisions.store(connection, "run", "", [held], tools.clock.now(), closed=False)
    assert [(0, "正常", True), (1, "要対応", True)] == [good, seen()]


def test_what_is_to_be_done_is_told_in_the_language_that_is_asked_for(tmp_path: Path) -> None:
    """Whoever reads the desk in English has no Japanese sentence in it, whatever the language of the messages; and a
    shop says by whom and since when nothing is sent to it."""
    clock = ManualClock(datetime(2026, 11, 10, 13, 50, tzinfo=UTC))
    with open_tools(parse({"alerts": {"min_free_gb": 0.0}}, tmp_path), clock=clock, offline=True) as tools:
        assert {None} == {shop["stopped"] for shop in gather(tools)["accounts"]}
        stop_pushing(tools, (), "tanaka")
        found = {language: gather(tools, language=language) for language in ("", "ja", "en")}
    said = {language: one["health"]["troubles"][0]["said"] for language, one in found.items()}
    assert said[""] == said["ja"] != said["en"]
    assert "pushing is stopped: every shop, since 11-10 22:50 by tanaka" == said["en"]
    assert found["en"]["health"]["line"].startswith("needs attention: pushing is stopped")
    shops = [shop["stopped"] for shop in found["en"]["accounts"]]
    assert [{"who": "tanaka", "since": "2026-11-10T22:50:00+09:00"}] * 3 == shops
