"""What was approved and is still to be sent, at `/holds?state=approved`: each yes can be taken back here.

Not for: taking it back (sync/people/take_back.py), or what waits for a word (hold_board.py).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from nicegui import ui

from ecauto_pipeline.desk.pages.hold_acts import revoke, revoke_button, tell_revoked
from ecauto_pipeline.desk.pages.hold_card import amazon_link, draw_card, title_of
from ecauto_pipeline.desk.pages.hold_words import became, if_taken_back, meanwhile
from ecauto_pipeline.desk.parts.asking import sure, tell_refused
from ecauto_pipeline.desk.parts.cards import cannot_know, nothing
from ecauto_pipeline.desk.parts.text import note
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.views.holds import Asked, HeldPage, HeldRow, held_page


def approved_link(visit: Visit, page: HeldPage) -> None:
    """The way to them from what waits, where there are any."""
    if page.approved:
        words = f"承認済みで送信前の {page.approved:,}件を見る", f"{page.approved:,} approved, not sent yet"
        ui.link(visit.told(*words), visit.link("/holds", state="approved")).classes("desk-apart")


class Approved:
    """A page of them, oldest first."""

    def __init__(self, visit: Visit, asked: Asked) -> None:
        self._visit = visit
        self._asked = Asked(page=asked.page, state="approved")
        self._outcome = ui.element("div")
        self._list = ui.element("div")

    async def show(self) -> None:
        """Draw them as they are now."""
        visit, asked = self._visit, self._asked
        page = await visit.read(lambda tools: held_page(tools, asked))
        self._list.clear()
        with self._list:
            if isinstance(page, Unknown):
                cannot_know(visit, page)
                return
            if not page.rows:
                nothing(visit.told("承認済みで送信前のものはありません。", "Nothing approved is still to be sent."))
            else:
                words = f"承認済みで送信前: {page.total:,}件", f"{page.total:,} approved, not sent yet"
                ui.label(visit.told(*words)).props('role="status"')
            for row in page.rows:
                draw_card(visit, row, partial(self._buttons, row))
            if page.pages > 1:
                self._pager(page)

    def _buttons(self, row: HeldRow) -> None:
        visit = self._visit
        note(became(visit, row))
        with ui.element("div").classes("desk-buttons desk-hold-buttons"):
            if row.revocable:
                made = revoke_button(visit, partial(self._revoke, row))
                made._props["aria-label"] = f"{made.text}: {title_of(visit, row)}"
            amazon_link(visit, row)
            ui.link(visit.told("くわしく", "Details"), visit.link("/holds", id=row.hold.diff_id[:12]))

    def _pager(self, page: HeldPage) -> None:
        visit = self._visit
        with ui.element("nav").classes("desk-pages") as made:
            made._props["aria-label"] = visit.told("ページ", "Pages")
            for words, number in ((("前へ", "Previous"), page.page - 1), (("次へ", "Next"), page.page + 1)):
                if 1 <= number <= page.pages:
                    ui.link(visit.told(*words), visit.link("/holds", state="approved", page=number))
            ui.label(f"{page.page:,} / {page.pages:,}")

    async def _revoke(self, row: HeldRow) -> None:
        visit = self._visit
        question = visit.told("承認を取り消しますか", "Take the approval back?")
        effects = [title_of(visit, row), if_taken_back(visit, row), meanwhile(visit, row)]
        if not await sure(visit, question, effects, visit.told("はい、取り消します", "Yes, take it back"), danger=True):
            return
        said = await revoke(visit, [row.hold.diff_id])
        self._outcome.clear()
        if isinstance(said, Unknown):
            tell_refused(visit, said)
            return
        with self._outcome:
            await tell_revoked(visit, said)
        self._asked = replace(self._asked, page=1)
        await self.show()
