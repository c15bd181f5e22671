"""What stands around every page: name, menu, language, and the one line that says whether all is well.

Not for: what is in a page (pages/).
"""

from __future__ import annotations

import logging
from urllib.parse import quote, urlencode

from nicegui import ui

from ecauto_pipeline.desk.page import Page
from ecauto_pipeline.desk.parts.cards import cannot_know
from ecauto_pipeline.desk.parts.text import heading, moment, short
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline.views.stopped import pushing_stopped

LOG = logging.getLogger("ecauto_pipeline")
OTHER = {"ja": ("en", "English"), "en": ("ja", "日本語")}


async def framed(visit: Visit, page: Page) -> None:
    """Draw the frame, and `page` in it."""
    from ecauto_pipeline.desk.pages import PAGES  # the menu is made of all of them

    ui.add_head_html('<link rel="stylesheet" href="/desk.css">')
    ui.colors(primary="#1f6f54", secondary="#3b4a54", accent="#8a5a00", positive="#1a7f37", negative="#b3261e",
              warning="#8a5a00", info="#0b5cad")  # fmt: skip
    with ui.header().classes("desk-head"):
        menu = ui.button(icon="menu").props("flat dense round color=white")
        menu.props(f'aria-label="{visit.told("メニュー", "Menu")}"')
        menu.classes("desk-menu-button")
        ui.link("ecauto", visit.link("/")).classes("desk-name")
        ui.label(visit.told(*page.title)).classes("desk-where")
        ui.space()
        code, name = OTHER[visit.language]
        here = quote(page.path.replace("{named}", visit.named)) + (f"?{urlencode(visit.query)}" if visit.query else "")
        ui.link(name, f"/{code}{here}").classes("desk-language").props(f'lang="{code}" hreflang="{code}"')
    drawer = ui.left_drawer(value=None, bordered=True).classes("desk-drawer").props("breakpoint=900 width=190")
    with drawer, ui.element("nav").props(f'aria-label="{visit.told("メニュー", "Menu")}"'):
        for one in PAGES:
            if one.icon:
                _menu_line(visit, one, here=one is page)
    menu.on_click(drawer.toggle)
    main = ui.element("main").classes("desk-main").props('tabindex="-1"')
    ui.skip_link(visit.told("本文へ移動", "Skip to the page"), target=main)  # also while the page is still being drawn
    with main:
        await _stopped_line(visit)
        heading(visit.told(*page.title), level=1)
        await _drawn(visit, page)


async def _drawn(visit: Visit, page: Page) -> None:
    """A page that fails leaves its frame, the menu and what it has drawn so far, and says why in words."""
    try:
        await page.draw(visit)
    except EcautoError as error:
        cannot_know(visit, Unknown(error.said("ja"), error.said("en")))
    except Exception:  # whatever it is, its stack trace is for the log
        LOG.exception("the desk could not draw %s", page.path)
        cannot_know(
            visit,
            Unknown(
                "画面を最後まで作れませんでした（data/logs の desk のログに記録しました）",
                "the page could not be drawn to its end; the desk's log in data/logs says why",
            ),
        )


def _menu_line(visit: Visit, page: Page, here: bool) -> None:
    with ui.link(target=visit.link(page.path)).classes("desk-menu" + (" desk-here" if here else "")) as line:
        if here:
            line.props('aria-current="page"')
        ui.icon(page.icon).props('aria-hidden="true"')
        ui.label(visit.told(*page.title))


async def _stopped_line(visit: Visit) -> None:
    """On every page: nothing reaches the shops, since when and by whose word. Where that can't be known, nothing: the
    page itself says so."""
    found = await visit.read(pushing_stopped)
    for one in () if isinstance(found, Unknown) else found:
        since = moment(one.since)
        with ui.element("div").classes("desk-stopped desk-bad").props('role="status"'):
            ui.icon("pause_circle").props('aria-hidden="true"')
            shop = visit.told(f"ショップ {one.shop}", f"shop {one.shop}") if one.shop else ""
            ui.label(
                visit.told(
                    f"送信停止中: {shop or 'すべてのショップ'}（{since} から、{short(one.who, 60)}）",
                    f"Pushing is stopped: {shop or 'every shop'}, since {since}, by {short(one.who, 60)}",
                )
            )
            ui.link(visit.told("再開する", "Resume"), visit.link("/") + "#push")
