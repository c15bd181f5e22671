"""A walk over the owner's desk in a real browser, desktop and phone, Japanese and English, light and dark.

The screenshots of docs/desk.md are taken on the way. Every page: no request leaves loopback, the browser complains of
nothing, nothing is wider than the screen, axe-core finds no serious fault.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from ecauto_pipeline.desk.pages import PAGES
from ecauto_pipeline_tests.pages import ROOT
from proofs.desk_shop import BusyShop, made_busy
from proofs.desk_walk import PATIENCE_S, WIDTHS, Desk, a_desk, browsing, faults_of, keep_picture, settle
from proofs.screens import browser_path, draws_japanese

IMAGES = ROOT / "docs" / "images"
ON_A_PHONE = ("today", "hold", "items")
"""Of these docs/desk.md shows the phone too."""
expect.set_options(timeout=PATIENCE_S * 1000)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    assert browser_path() is not None, "install Chromium first (Debian: apt-get install chromium)"
    assert draws_japanese(), "install a Japanese font first (Debian: apt-get install fonts-noto-cjk)"
    with a_desk(tmp_path_factory.mktemp("desk")) as served:
        yield served


@pytest.fixture(scope="module")
def shop(desk: Desk) -> BusyShop:
    """The demo's shop once something has happened in it."""
    return made_busy(desk)


@pytest.fixture(scope="module")
def addresses(desk: Desk, shop: BusyShop) -> dict[str, str]:
    """Name of a page -> its address behind the language: every page, and a held change opened by its link."""
    runs = json.loads(desk.ecauto("runs", "list", "--json").stdout)
    held = json.loads(desk.ecauto("holds", "list", "--json").stdout)
    named = {
        "/items/{named}": str(held[1]["item_id"]),
        "/runs/{named}": str(max(runs, key=lambda run: run["changed"] or 0)["run_id"]),
    }
    found = {_name(one.path): one.path.replace("{named}", named.get(one.path, "")).rstrip("/") for one in PAGES}
    return found | {"hold": f"/holds?id={held[1]['diff_id'][:12]}"}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_whole(desk: Desk, addresses: dict[str, str], width: str, language: str, dark: bool) -> None:
    """Each page in each width, language and scheme; one picture each of the light Japanese ones is kept."""
    wrong: dict[str, list[str]] = {}
    with browsing(WIDTHS[width], language, dark=dark) as (view, noted):
        for name, address in addresses.items():
            view.goto(f"{desk.url}/{language}{address}")
            settle(view)
            found = faults_of(view)
            wide = view.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if wide > 0:
                found.append(f"{wide} px wider than the screen")
            found += noted.complaints + noted.outside
            noted.complaints.clear()
            noted.outside.clear()
            if found:
                wrong[name] = found
            if (
                not dark
                and language == "ja"
                and name in (ON_A_PHONE if width == "phone" else set(addresses) - {"hold"})
            ):
                keep_picture(view, IMAGES / f"desk-{name}{'-phone' if width == 'phone' else ''}.png")
    assert {} == wrong


def _name(path: str) -> str:
    first, _, rest = path.strip("/").partition("/")
    return f"{first[:-1]}" if rest else first or "today"
