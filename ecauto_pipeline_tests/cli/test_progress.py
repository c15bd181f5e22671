"""What people are told of long work: bars on a terminal; lines in a log file or a scheduler's output."""

from __future__ import annotations

import os
import re
import select
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from ecauto_pipeline.cli.progress import LABEL_CELLS, LEAST_BAR, TIME_CELLS, progress_shown, step_name, widths
from ecauto_pipeline.sync.context import Progress
from ecauto_pipeline.sync.line import LINE
from ecauto_pipeline_tests.cli import terminal
from ecauto_pipeline_tests.defs.installation import installed

pytestmark = pytest.mark.long


def test_work_that_grows_goes_on_being_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The end is said once; when more is planned then, its end is said too, and nothing twice."""
    with progress_shown() as tell:
        for done, total in ((1, 100), (100, 100), (100, 100), (101, 300), (300, 300), (300, 300)):
            tell(Progress("sp_api_snapshots", done, total))
    said = [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()]
    assert ["1/100", "100/100", "300/300"] == said


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo terminal of this kind")
def test_progress_reaches_the_terminal_while_dagster_captures_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster points a step's standard error at a file; the bars are drawn where the person looks all the same."""
    import pty

    ours, theirs = pty.openpty()
    monkeypatch.setattr(sys, "stderr", os.fdopen(theirs, "w", encoding="utf-8"))
    captured = os.open(tmp_path / "captured", os.O_CREAT | os.O_WRONLY)
    with progress_shown() as tell:
        os.dup2(captured, theirs)
        tell(Progress("sp_api_snapshots", 3, 100))
        tell(Progress("sp_api_snapshots", 7, 100))
    drawn = ""
    while "7/100" not in drawn and select.select([ours], [], [], 30)[0]:  # a terminal hands out what it has
        drawn += os.read(ours, 65_536).decode("utf-8", "replace")
    os.close(ours)
    assert "7/100" in drawn
    assert "" == (tmp_path / "captured").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with installed(tmp_path_factory.mktemp("terminal")) as here, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(here.folder / "instance"))
        yield here.folder


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo terminal of this kind")
def test_a_line_of_work_fits_the_terminal(shop: Path) -> None:
    """Label, bar, n/N and time stand on one line; a dry run says what it would do, not that it does.

    Both are typed in one process: what they load is the same.
    """
    seen = terminal.shown(shop, 60, IN_TURN, "sync --dry-run", "sync")
    over = seen.lines.index(OVER)
    for lines, dry in ((seen.lines[:over], True), (seen.lines[over:], False)):
        assert_lines_fit(lines, 60, dry)
        assert [dry] == ["更新する予定" in line for line in lines if "pushed" in line]


OVER = "-- over --"
IN_TURN = f"""
import sys
from ecauto_pipeline.cli import main

for words in sys.argv[1:]:
    sys.argv = ["ecauto", *words.split()]
    try:
        main()
    except SystemExit:
        print("{OVER}", flush=True)
"""


DRAWN = f"""
import sys
from ecauto_pipeline.cli.progress import DETAILS, progress_shown
from ecauto_pipeline.sync.context import Progress

for dry in (True, False):
    with progress_shown(dry_run=dry) as tell:
        for step in sys.argv[1:]:
            for done in (0, 7, 1_234_567):
                tell(Progress(step, done, 1_234_567, details=dict.fromkeys(DETAILS, done)))
    print("{OVER}", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo terminal of this kind")
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_line_of_much_work_fits_the_terminal(tmp_path: Path, columns: int) -> None:
    """A million of everything, in each step, with every count there is beside it; in a dry run and in another."""
    seen = terminal.shown(tmp_path, columns, DRAWN, *(step.name for step in LINE))
    over = seen.lines.index(OVER)
    assert OVER == seen.lines[-1]
    for lines, dry in ((seen.lines[:over], True), (seen.lines[over + 1 : -1], False)):
        assert_lines_fit(lines, columns, dry)
        assert "1,234,567/1,234,567" in lines[-1]


def assert_lines_fit(lines: Sequence[str], columns: int, dry: bool) -> None:
    """Every line of a step is whole on a terminal so wide, and the last step is called what it does."""
    labels = [step_name(step.name, "ja", dry) for step in LINE]
    working = [line for line in lines if line.startswith(tuple(labels))]
    sending = [line for line in working if line.startswith("BASEを更新する")]
    assert sending, lines
    for line in working:
        assert cell_len(line) <= columns, line
        assert re.search(r"[━╸╺]+ +[\d,]+/[\d,]+ +(残り|完了) ", line), line
    assert {dry} == {line.startswith("BASEを更新する予定") for line in sending}


@given(columns=st.integers(60, 180), total=st.integers(1, 1_000_000))
def test_nothing_pushes_count_and_time_out(columns: int, total: int) -> None:
    """At every width from 60 to 180 the parts of the line are no wider than the terminal, and the bar can be seen."""
    count = len(f"{total:,}/{total:,}")
    cells = widths(columns, count)
    parts = [LABEL_CELLS, cells.bar, count, TIME_CELLS, *([cells.note] if cells.note else [])]
    assert columns >= sum(parts) + len(parts) - 1
    assert cells.bar >= LEAST_BAR


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_step_has_a_name_that_fits(language: str) -> None:
    """Each step of the line is told in both languages, in the cells that a label has."""
    names = [step_name(step.name, language, dry_run) for step in LINE for dry_run in (False, True)]
    assert set(names).isdisjoint(step.name for step in LINE)
    assert all(cell_len(name) <= LABEL_CELLS for name in names)
