"""The first line of `ecauto status` says on each bad day what is wrong and what to type, and is quiet on good ones."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.cli.status import _titled
from ecauto_pipeline.domain.cron import longest_gap
from ecauto_pipeline_tests.cli.prepared_days import (
    BAD_DAYS,
    GOOD_DAYS,
    UNKNOWN_DAYS,
    Day,
    block,
    dagster_home,
    hold,
    kept_elsewhere,
    with_day,
)
from ecauto_pipeline_tests.doctor.house import remove, without_rights
from ecauto_pipeline_tests.pages import read, table

HEAD = ("what happened", "first line of `ecauto status`")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dagster_home(tmp_path_factory.mktemp("dagster") / "home")


def _timeless(line: str) -> str:
    """Without times, room, names of runs and folders, which are another each day."""
    line = re.sub(r"\d\d-\d\d \d\d:\d\d", "01-05 12:00", line.replace("data/", ""))
    line = re.sub(r"空き [\d.]+ GiB（下限 [\de.+]+ GiB）", "空き 1.4 GiB（下限 2 GiB）", line)
    return re.sub(r"run [0-9a-f]{8}\b", "run 4f1c2a90", re.sub(r"(/[\w.-]+)+/(\w+\.db)", r"\2", line))


def _documented(page: str = "docs/runbook.md") -> dict[str, str]:
    rows = re.findall(r"^\| ([^|]+) \| ((?:正常|要対応|不明)[^|]*) \|$", read(page), re.M)
    return {happened: line for happened, line in rows}


@pytest.mark.parametrize("happened", BAD_DAYS)
def test_a_bad_day_is_said_in_the_first_line(tmp_path: Path, template: Path, happened: str) -> None:
    """要対応, the cause in words, the next command: as the runbook's table has it; in English likewise."""

    def look(day: Day) -> Any:
        BAD_DAYS[happened](day)
        return day.status()["health"]

    japanese = with_day(tmp_path / "ja", template, look)
    assert not japanese["ok"]
    assert _documented()[happened] == _timeless(japanese["line"])
    english = with_day(tmp_path / "en", template, look, language="en")
    assert re.fullmatch(r"needs attention: [ -~]+ \(next: ecauto [ -~]+\)", english["line"])


@pytest.mark.parametrize("happened", GOOD_DAYS)
def test_what_goes_by_itself_is_no_trouble(tmp_path: Path, template: Path, happened: str) -> None:
    """Nobody is called for an hour's limit, for ASINs that never answer, a dry run, or what a later run made good."""

    def look(day: Day) -> Any:
        GOOD_DAYS[happened](day)
        return day.status()["health"]

    health = with_day(tmp_path / "ja", template, look)
    assert (True, []) == (health["ok"], health["troubles"])
    assert health["line"].startswith("正常: 対応は不要です。最後の実行 01-05 1")
    assert with_day(tmp_path / "en", template, look, language="en")["line"].startswith("OK: ")


@pytest.mark.parametrize("happened", UNKNOWN_DAYS)
@pytest.mark.parametrize("mode", ["live", "emulated"])
def test_what_could_not_be_looked_at_is_unknown(tmp_path: Path, template: Path, happened: str, mode: str) -> None:
    """Neither well nor a daemon that never ran: 不明, which, and where a person can look; runs have no end."""

    def look(day: Day) -> Any:
        day.tools = replace(day.tools, settings=day.tools.settings.model_copy(update={"mode": mode}))
        UNKNOWN_DAYS[happened](day)
        return day.status()

    japanese = with_day(tmp_path / "ja", template, look)
    health = japanese["health"]
    assert (False, [], ["dagster"]) == (health["ok"], health["troubles"], [one["code"] for one in health["unknown"]])
    assert _documented()[happened] == _timeless(health["line"])
    assert ["UNKNOWN"] == [run["end"] for run in japanese["runs"]]
    english = with_day(tmp_path / "en", template, look, language="en")["health"]
    assert re.fullmatch(r"unknown: [ -~]+ \(next: ecauto dev\)", english["line"])


@pytest.mark.skipif(os.name == "nt", reason="POSIX rights")
@pytest.mark.parametrize(("closed", "mode"), [("data/state.db", 0o444), ("data/logs", 0o555), ("data", 0o555)])
def test_what_can_not_be_written_is_no_good_day(template: Path, closed: str, mode: int) -> None:
    """Everything can be read, and the next run could keep nothing of what it learns."""

    def look(day: Day) -> Any:
        for one in (day.folder / "data").rglob("*"):
            one.chmod(0o777 if one.is_dir() else 0o666)
        (day.folder / "data").chmod(0o777)
        (day.folder / closed).chmod(mode)
        with without_rights():
            return day.status()["health"]

    outside = Path(tempfile.mkdtemp())  # pytest's own folders are closed to a user without rights
    outside.chmod(0o755)
    try:
        health = with_day(outside / "day", template, look)
    finally:
        remove(outside)
    word = "書き込み・読み取りが許可されていません"
    assert f"要対応: {Path(closed).name}: {word} (次: ecauto doctor)" == health["line"]


def test_a_trouble_that_is_known_comes_before_what_is_not(tmp_path: Path, template: Path) -> None:
    """What a person can mend is said first; what nobody looked at is not forgotten."""

    def look(day: Day) -> Any:
        kept_elsewhere(day)
        hold(day)
        return day.status()["health"]

    health = with_day(tmp_path / "one", template, look)
    assert ["held"] == [one["code"] for one in health["troubles"]]
    assert health["line"].startswith("要対応: 1件の変更")
    assert ["dagster"] == [one["code"] for one in health["unknown"]]


def test_the_runbook_has_every_bad_day_and_no_other() -> None:
    """The table is what the program says; a new trouble gets its row."""
    assert [*BAD_DAYS, *UNKNOWN_DAYS] == list(_documented())
    assert table(HEAD, list(_documented().items())) in read("docs/runbook.md")
    assert list(_documented().values()) == list(_documented("docs/ja/runbook.md").values())


def test_causes_come_before_symptoms(tmp_path: Path, template: Path) -> None:
    """With the daemon down for a day the missing runs are its consequence; every trouble is listed, the cause first."""

    def look(day: Day) -> list[str]:
        BAD_DAYS["no run for five hours"](day)
        BAD_DAYS["Dagster's daemon is down"](day)
        block(day, "token")
        hold(day)
        return [one["code"] for one in day.status()["health"]["troubles"]]

    assert ["daemon", "missing_runs", "shop", "held"] == with_day(tmp_path / "one", template, look)


def test_dry_runs_questions_and_failures_are_marked_in_the_list(tmp_path: Path, template: Path) -> None:
    """A figure of a run that sent nothing, or did not end well, is not taken for an hour's work."""

    def look(day: Day) -> list[str]:
        day.ran(0.3, "full_sync", dry_run=True)
        day.ran(0.2, "validate_cache")
        day.ran(0.1, "price_sync", ended=False)
        return [_titled(run) for run in day.status()["runs"]]

    expected = ["price_sync (実行中)", "validate_cache (確認のみ)", "full_sync (ドライラン)", "stock_sync"]
    assert expected == with_day(tmp_path / "one", template, look)


@pytest.mark.parametrize(
    ("cron", "hours"),
    [
        ("0 * * * *", 1),
        ("*/10 * * * *", 1 / 6),
        ("0 2 * * *", 24),
        ("0 9-18 * * *", 15),
        ("0 9 * * mon-fri", 72),
        ("0 9 * * 0,3", 96),
        ("0 3 1 * *", 31 * 24),
        ("@hourly", 24),
    ],
)
def test_the_longest_wait_of_a_cron_line(cron: str, hours: float) -> None:
    """What is silent for twice as long was missed; a line that is not understood is taken for a daily one."""
    assert timedelta(hours=hours) == longest_gap(cron)
