"""Stopping all pushing, and letting it go on, on the first page. Not for: what a stop is (sync/people/stop.py)."""

from __future__ import annotations

import logging

from nicegui import ui

from ecauto_pipeline.desk.parts.asking import sure, tell_refused
from ecauto_pipeline.desk.parts.cards import banner, cannot_know, card
from ecauto_pipeline.desk.parts.text import note
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.doctor.health import StopSeen
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.stop import resume_pushing, stop_pushing
from ecauto_pipeline.wiring.accounts import shop_accounts

LOG = logging.getLogger("ecauto_pipeline")
SAID = {
    "stopped": (
        "送信を止めました。再開するまで、ショップには何も送りません。",
        "Pushing is stopped until it is resumed.",
    ),
    "resumed": (
        "送信を再開しました。待っていた変更は、次の実行が改めて判断して送ります。",
        "Pushing goes on; the next run judges anew what waited, and sends it.",
    ),
}
"""What became of the click, by the word in the page's address."""


def push_card(visit: Visit, stopped: tuple[StopSeen, ...] | Unknown) -> None:
    """Whether anything is sent, and the button for the other."""
    ui.link_target("push")
    with card(visit.told("ショップへの送信", "Sending to the shops")):
        if isinstance(stopped, Unknown):
            cannot_know(visit, stopped)
            return
        said = SAID.get(visit.query.get("said", ""))
        if said is not None:
            banner(visit.told(*said), "plain")
        with ui.element("div").classes("desk-buttons"):
            if not all(one.shop == "" for one in stopped) or not stopped:
                stop = ui.button(
                    visit.told("すべての送信を止める", "Stop all pushing"),
                    icon="pause_circle",
                    on_click=lambda: _stop(visit),
                    color="negative",
                )
                stop.props("no-caps outline")
            if stopped:
                go_on = ui.button(
                    visit.told("送信を再開する", "Resume pushing"), icon="play_circle", on_click=lambda: _resume(visit)
                )
                go_on.props("no-caps unelevated")
        if not stopped:
            note(visit.told("今は送信できます。", "Changes are sent now."))


async def _stop(visit: Visit) -> None:
    effects = (
        visit.told(
            "価格・公開・非公開・在庫の変更を、今この瞬間から1件も送りません（実行中のものも含みます）",
            "no price, no hide, no show, no stock leaves from this moment on, of runs under way neither",
        ),
        visit.told(
            "在庫切れの商品も公開されたままになります",
            "what is sold out at Amazon stays on sale meanwhile",
        ),
        visit.told("再起動しても、再開するまで続きます", "it stands until it is resumed, over restarts"),
        visit.told("「実行の取り消し」だけは送れます", "undoing a run is still sent"),
    )
    question = visit.told("すべてのショップへの送信を止めますか", "Stop all pushing?")
    if await sure(visit, question, effects, visit.told("はい、止めます", "Yes, stop it"), danger=True):
        who = visit.office.who
        LOG.info("desk: %s stops all pushing", who)
        done = await visit.do(lambda tools: stop_pushing(tools, (), who))
        _after(visit, done, "stopped")


async def _resume(visit: Visit) -> None:
    effects = (
        visit.told(
            "待っていた変更は、次の実行が改めて判断してから送ります（すぐには送りません）",
            "what waited is judged anew by the next run, and sent then, not at once",
        ),
        visit.told(
            "止めた原因（設定など）を、先に直してください。「試しに実行」で送るものを確かめられます",
            "mend first what it was stopped for; a dry run shows what would be sent",
        ),
    )
    question = visit.told("送信を再開しますか", "Resume pushing?")
    if await sure(visit, question, effects, visit.told("はい、再開します", "Yes, resume it")):
        who = visit.office.who
        LOG.info("desk: %s resumes pushing", who)
        done = await visit.do(lambda tools: _lift(tools, who))
        _after(visit, done, "resumed")


def _lift(tools: Tools, who: str) -> None:
    if not resume_pushing(tools, (), tuple(shop_accounts(tools.settings)), who):
        raise NotOnRecord("pushing is not stopped any more", ja="送信はもう止まっていません")


def _after(visit: Visit, done: object, said: str) -> None:
    if isinstance(done, Unknown):
        tell_refused(visit, done)
    else:
        ui.navigate.to(visit.link("/", said=said))  # the line on every page changes too
