"""What docs/desk.md promises of the desk beside what other tests show: the names on it, its numbers, its commands."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

import ecauto_pipeline.desk
from ecauto_pipeline.desk import sessions
from ecauto_pipeline.desk.commands import Commands
from ecauto_pipeline.desk.office import Office
from ecauto_pipeline.desk.pages import items_address
from ecauto_pipeline.settings import Desk
from ecauto_pipeline.sync.listings import rules_history
from ecauto_pipeline.views import changes, rules_table
from ecauto_pipeline_tests.desk.visitor import a_project
from ecauto_pipeline_tests.pages import ROOT

PAPERS = {"en": ROOT / "docs" / "desk.md", "ja": ROOT / "docs" / "ja" / "desk.md"}
NO_NAMES = {"Tab", "Enter", "and everybody else who has an account on it", "この機械にアカウントを持つほかの人も全員"}
"""In bold, and no name of anything on the desk."""


def spoken(text: str) -> str:
    """Without what a number, or the reader's own words, take the place of."""
    return re.sub(r"\{[^{}]*\}|[…\d,\s]", "", text)


@pytest.mark.parametrize("language", PAPERS)
def test_every_name_in_the_paper_stands_on_the_desk(language: str) -> None:
    """A button or a link that is named there is called so here; each row of the table of buttons too."""
    paper = PAPERS[language].read_text(encoding="utf-8")
    files = Path(str(ecauto_pipeline.desk.__file__)).parent.rglob("*.py")
    desk = spoken("".join(file.read_text(encoding="utf-8") for file in files))
    bold = set(re.findall(r"\*\*([^*\n]+)\*\*", paper)) - NO_NAMES
    buttons = {row.partition("(")[0].strip() for row in re.findall(r"^\| ([^|`-]+) \| `ecauto", paper, re.MULTILINE)}
    shown = {"what it shows", "表示しているもの"}
    assert len(bold) > 5 < len(buttons)
    assert [] == sorted(name for name in bold | (buttons - shown) if spoken(name) not in desk)


def test_the_numbers_in_the_paper_are_those_of_the_desk() -> None:
    """In both languages: rows of a page, days of changes, files kept, passwords, the port."""
    assert (50, 50, 30, 100) == (items_address.PAGE_ROWS, rules_table.PAGE_ROWS, changes.KEPT_DAYS, rules_history.KEPT)
    assert (12 * 3600, 12, 5, 60.0) == (
        *(sessions.LIFE_S, sessions.LEAST_CHARACTERS, sessions.FREE_TRIES, sessions.LONGEST_WAIT_S),
    )
    assert 3001 == Desk().port
    said = {
        "en": (
            "50 a page",
            "50 lines a page",
            "last 30 days",
            "hundred files",
            "12 hours",
            "12 characters",
            "a minute",
        ),
        "ja": ("1ページ50件", "1ページ50行", "30日前まで", "ファイル100個", "12時間", "12文字以上", "最長1分"),
    }
    for language, numbers in said.items():
        paper = PAPERS[language].read_text(encoding="utf-8")
        assert [] == [one for one in (*numbers, "http://127.0.0.1:3001") if one not in paper]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a pipe with a name: POSIX")
def test_what_was_started_goes_on_when_the_desk_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a process of its own in a session of its own: a Ctrl-C for the desk is none for it."""
    a_project(tmp_path, monkeypatch)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    desk = Office()
    desk.commands = Commands(
        tmp_path / "desk", [sys.executable, "-S", "-c", "import sys; print(open(sys.argv[1]).read())"]
    )
    command = desk.commands.start(str(pipe))
    assert os.getsid(0) != os.getsid(command.process.pid)
    desk.close()
    assert command.code is None
    pipe.write_text("17", encoding="utf-8")
    assert (0, 17) == (command.process.wait(30), command.document())
