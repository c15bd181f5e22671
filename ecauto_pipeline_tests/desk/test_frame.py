"""What stands around every page of the desk, and what a page says that can't know."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
from nicegui import ui
from nicegui.testing import User

from ecauto_pipeline.desk import server
from ecauto_pipeline.desk.office import BUSY_TIMEOUT_S
from ecauto_pipeline.desk.pages import PAGES
from ecauto_pipeline.settings import load
from ecauto_pipeline.sync.people.stop import resume_pushing, stop_pushing
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.desk.visitor import a_project, with_visitor

STYLE = Path(server.__file__).with_name("style.css")


def test_every_page_opens_in_both_languages_in_a_project_that_never_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its title is the page's heading, and the menu leads to every other page; the switch leads to the same page in the
    other language, with what was asked for, and the first stop of a keyboard past the menu."""
    a_project(tmp_path, monkeypatch)

    async def scene(visitor: User) -> None:
        for page in PAGES:
            for number, language in enumerate(("ja", "en")):
                place = page.path.replace("{named}", "1001")
                answer = await visitor.http_client.get(f"/{language}{place}".rstrip("/") + "?q=a+b")
                text = answer.text
                assert (200, True) == (answer.status_code, page.title[number] in text), place
                switch = f'"href":"/{("en", "ja")[number]}{place}?q=a+b"'
                assert (True, True) == (switch in text, ("本文へ移動", "Skip to the page")[number] in text), place

    with_visitor(scene)


def test_the_menu_of_a_phone_has_a_button_and_a_line_for_every_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lies over the page up to the width at which the style gives the page more room; the button has a name for who
    can't see it. That it opens is the browser's doing (proofs/test_desk.py)."""
    a_project(tmp_path, monkeypatch)

    async def scene(visitor: User) -> None:
        await visitor.open("/en")
        (drawer,) = visitor.find(kind=ui.left_drawer).elements
        (button,) = [one for one in visitor.find(kind=ui.button).elements if one.props.get("aria-label") == "Menu"]
        assert f"max-width: {int(drawer.props['breakpoint']) - 1}px" in STYLE.read_text(encoding="utf-8")
        lines = [one for one in visitor.find(kind=ui.link).elements if "desk-menu" in one.classes]
        assert sum(bool(page.icon) for page in PAGES) == len(lines)
        assert drawer.value is None  # open where there is room: only the browser knows
        assert ["click"] == [listener.type for listener in button._event_listeners.values()]

    with_visitor(scene)


def test_an_address_without_a_language_leads_to_the_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what stands behind the address."""
    a_project(tmp_path, monkeypatch, 'mode = "emulated"\n[alerts]\nlanguage = "en"\n')

    async def scene(visitor: User) -> None:
        answer = await visitor.http_client.get("/?a=b")
        assert (307, "/en?a=b") == (answer.status_code, answer.headers["location"])

    with_visitor(scene)


def test_while_somebody_holds_the_state_every_page_opens_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page waits two seconds, once for all it asks, and says what it can't know; no error, no empty shop."""
    a_project(tmp_path, monkeypatch)
    (tmp_path / "data").mkdir()
    held = sqlite3.connect(tmp_path / "data" / "state.db", isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")

    async def scene(visitor: User) -> None:
        began = time.monotonic()
        await visitor.open("/ja")
        await visitor.should_see("今はわかりません")
        assert time.monotonic() - began < 3 * BUSY_TIMEOUT_S

    with_visitor(scene)
    held.close()


def test_every_page_says_that_pushing_is_stopped_since_when_and_by_whom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else a page shows, nothing of it reaches a shop; the line goes when somebody resumes."""
    a_project(tmp_path, monkeypatch)
    with open_tools(load(), offline=True) as tools:
        stop_pushing(tools, (), "tanaka")

    async def scene(visitor: User) -> None:
        for page in PAGES:
            answer = await visitor.http_client.get(f"/en{page.path.replace('{named}', '1001')}".rstrip("/"))
            assert "Pushing is stopped: every shop, since" in answer.text, page.path
            assert "by tanaka" in answer.text, page.path
        with open_tools(load(), offline=True) as tools:
            resume_pushing(tools, (), (), "tanaka")
        answer = await visitor.http_client.get("/en/money")
        assert "Pushing is stopped" not in answer.text

    with_visitor(scene)
