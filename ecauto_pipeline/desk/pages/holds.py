"""確認待ち / Holds: changes that looked wrong and wait for a person; each can be judged, approved and rejected here.

`/holds?id=` shows one of them alone, as a message links it: there a click acts at once, with its effect beside it.
Not for: finding the rows (views/holds.py), drawing one (hold_card.py) or what a click does (hold_acts.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from nicegui import ui

from ecauto_pipeline.desk.page import Page
from ecauto_pipeline.desk.pages.hold_acts import (
    give,
    keep,
    keep_button,
    revoke,
    revoke_button,
    tell_revoked,
    tell_said,
    word_button,
)
from ecauto_pipeline.desk.pages.hold_approved import Approved
from ecauto_pipeline.desk.pages.hold_board import Board
from ecauto_pipeline.desk.pages.hold_card import amazon_link, draw_card, evidence_lines
from ecauto_pipeline.desk.pages.hold_words import (
    FALLING,
    became,
    if_approved,
    if_kept,
    if_rejected,
    if_taken_back,
)
from ecauto_pipeline.desk.parts.asking import tell_refused
from ecauto_pipeline.desk.parts.cards import banner, cannot_know, card
from ecauto_pipeline.desk.parts.text import note
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.sync.people.holds import Said, Word
from ecauto_pipeline.views.holds import SORTS, Asked, HeldRow, held_row


async def draw(visit: Visit) -> None:
    if visit.query.get("id"):
        await _Alone(visit, visit.query["id"]).show()
        ui.link(visit.told("すべての確認待ちを見る", "All held changes"), visit.link("/holds"))
        return
    asked = asked_in(visit.query)
    if asked.state == "approved":
        await Approved(visit, asked).show()
        ui.link(visit.told("確認待ちへ戻る", "Back to what waits"), visit.link("/holds"))
        return
    await Board(visit, asked).show()


def asked_in(query: Mapping[str, str]) -> Asked:
    """What an address asks for; what it can't mean is left out."""
    sort = next((one for one in SORTS if one == query.get("sort")), SORTS[0])
    page = query.get("page", "1")
    return Asked(
        shop=query.get("shop", ""),
        kind=query.get("kind", ""),
        reason=query.get("reason", ""),
        text=query.get("q", ""),
        sort=sort,
        descending=sort in FALLING,
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
        state="approved" if query.get("state") == "approved" else "open",
    )


class _Alone:
    """One hold, opened by its link."""

    def __init__(self, visit: Visit, name: str) -> None:
        self._visit, self._name = visit, name
        self._said = ui.element("div")
        self._place = ui.element("div")
        self._told = False

    async def show(self) -> None:
        row = await self._visit.read(lambda tools: held_row(tools, self._name))
        self._place.clear()
        with self._place:
            if isinstance(row, Unknown):
                cannot_know(self._visit, row)
            else:
                self._draw(row)

    def _draw(self, row: HeldRow) -> None:
        visit = self._visit
        if row.hold.state != "open" and not self._told:
            banner(became(visit, row), "good" if row.said is not None else "plain")
        draw_card(visit, row, lambda: self._buttons(row))
        lines = evidence_lines(row)
        if lines:
            with card(visit.told("保留の根拠", "What it was held on")):
                for name, value in lines:
                    ui.label(f"{name}: {value}").classes("desk-note")

    def _buttons(self, row: HeldRow) -> None:
        amazon_link(self._visit, row)
        if row.revocable:
            with ui.element("div").classes("desk-hold-choices"), ui.element("div").classes("desk-hold-choice"):
                revoke_button(self._visit, partial(self._revoke, row))
                note(if_taken_back(self._visit, row))
        if row.hold.state != "open":
            return
        with ui.element("div").classes("desk-hold-choices"):
            effects: tuple[tuple[Word, Callable[[Visit, HeldRow], str]], ...]
            effects = (("approve", if_approved), ("reject", if_rejected))
            for word, effect in effects:
                with ui.element("div").classes("desk-hold-choice"):
                    word_button(self._visit, word, partial(self._give, word, row))
                    note(effect(self._visit, row))
            if row.keepable:
                with ui.element("div").classes("desk-hold-choice"):
                    keep_button(self._visit, partial(self._keep, row))
                    note(if_kept(self._visit, row))

    async def _keep(self, row: HeldRow) -> None:
        await self._tell("reject", await keep(self._visit, row), kept=True)

    async def _revoke(self, row: HeldRow) -> None:
        said = await revoke(self._visit, [row.hold.diff_id])
        self._said.clear()
        if isinstance(said, Unknown):
            tell_refused(self._visit, said)
            return
        with self._said:
            await tell_revoked(self._visit, said)
        self._told = True
        await self.show()

    async def _give(self, word: Word, row: HeldRow) -> None:
        await self._tell(word, await give(self._visit, word, [row.hold.diff_id]))

    async def _tell(self, word: Word, said: Said | Unknown, *, kept: bool = False) -> None:
        self._said.clear()
        if isinstance(said, Unknown):
            tell_refused(self._visit, said)
            return
        with self._said:
            await tell_said(self._visit, word, said, kept=kept)
        self._told = True
        await self.show()


PAGE = Page("/holds", ("確認待ち", "Holds"), "fact_check", draw)
