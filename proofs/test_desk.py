"""A walk over the owner's desk in a real browser, desktop and phone, Japanese and English, light and dark.

The screenshots of docs/desk.md are taken on the way. Every page: no request leaves loopback, the browser complains of
nothing, nothing is wider than the screen, axe-core finds no serious fault.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from ecauto_pipeline.desk.pages import PAGES
from ecauto_pipeline_tests.pages import ROOT
from proofs.desk_walk import PATIENCE_S, WIDTHS, Desk, a_desk, browsing, faults_of, settle
from proofs.screens import browser_path, draws_japanese

IMAGES = ROOT / "docs" / "images"
expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    assert browser_path() is not None, "install Chromium first (Debian: apt-get install chromium)"
    assert draws_japanese(), "install a Japanese font first (Debian: apt-get install fonts-noto-cjk)"
    with a_desk(tmp_path_factory.mktemp("desk")) as served:
        yield served


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_whole(desk: Desk, width: str, language: str, dark: bool) -> None:
    """Each page in each width, language and scheme; one picture each of the light Japanese ones is kept."""
    wrong: dict[str, list[str]] = {}
    with browsing(WIDTHS[width], language, dark=dark) as (view, noted):
        for page in PAGES:
            path = page.path.replace("{named}", _named(desk, page.path)).rstrip("/")
            view.goto(f"{desk.url}/{language}{path}")
            settle(view)
            found = faults_of(view)
            wide = view.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if wide > 0:
                found.append(f"{wide} px wider than the screen")
            found += noted.complaints + noted.outside
            noted.complaints.clear()
            noted.outside.clear()
            if found:
                wrong[page.path] = found
            if not dark and language == "ja":
                view.screenshot(path=IMAGES / f"desk-{_name(page.path)}-{width}.png", full_page=width == "desktop")
    assert {} == wrong


def _name(path: str) -> str:
    first, _, rest = path.strip("/").partition("/")
    return f"{first[:-1]}" if rest else first or "today"


def _named(desk: Desk, path: str) -> str:
    """What an address of this page names: a run of the demo's, or an item."""
    return _a_run(desk) if path.startswith("/runs/") else _an_item(desk)


def _a_run(desk: Desk) -> str:
    """The run of the demo that changed the most."""
    import json

    runs = json.loads(desk.ecauto("runs", "list", "--json").stdout)
    return str(max(runs, key=lambda run: run["changed"] or 0)["run_id"])


def _an_item(desk: Desk) -> str:
    """An item of the demo that was re-priced."""
    import json

    held = json.loads(desk.ecauto("holds", "list", "--json").stdout)
    return str(held[0]["item_id"])
