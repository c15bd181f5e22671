"""What a click on the page of held changes does: a word about one row or many, and what is said about it afterwards.

Not for: giving the word (sync/people/holds.py) or what stands on the page (holds.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

from nicegui import ui

from ecauto_pipeline.desk.commands import Command
from ecauto_pipeline.desk.pages.hold_words import became, reason_words
from ecauto_pipeline.desk.pages.run_commands import draw_command
from ecauto_pipeline.desk.parts.asking import tell_refused
from ecauto_pipeline.desk.parts.cards import banner
from ecauto_pipeline.desk.parts.text import note, yen
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.sync.people.holds import Hold, Said, Word, consequence_of_rejecting, decide
from ecauto_pipeline.sync.people.keep_price import keep_price
from ecauto_pipeline.sync.people.take_back import take_back
from ecauto_pipeline.views.hold_effects import effect_lines, effect_of
from ecauto_pipeline.views.holds import HeldRow, held_row

LOG = logging.getLogger("ecauto_pipeline")
WORDS: dict[Word, tuple[str, str]] = {"approve": ("承認", "Approve"), "reject": ("却下", "Reject")}
LOOK_AGAIN_S = 2.0
MOST_SENT = 500
"""More rows than this are left to the next sync: that is what it is for."""
MOST_LATE = 5
"""So many rows that somebody else decided are named; the rest is counted."""


def word_button(visit: Visit, word: Word, on_click: Callable[[], object], text: str = "") -> ui.button:
    """承認 or 却下; `text` where it is about more than one row."""
    colour = "primary" if word == "approve" else "negative"
    made = ui.button(text or visit.told(*WORDS[word]), on_click=on_click, color=colour).props("no-caps")
    return made.props("unelevated") if word == "approve" else made.props("outline")


async def effects_before(visit: Visit, word: Word, ids: Sequence[str]) -> list[str] | Unknown:
    """What a word about these rows would do, a line each."""
    effect = await visit.read(lambda tools: effect_of(tools, ids))
    if isinstance(effect, Unknown):
        return effect
    return [visit.told(*line) for line in effect_lines(effect, word)]


async def give(visit: Visit, word: Word, ids: Sequence[str]) -> Said | Unknown:
    """The word about these rows, in the name of whoever sits here; kept in the log too."""
    who = visit.office.who
    said = await visit.do(lambda tools: decide(tools, word, ids, who=who))
    if not isinstance(said, Unknown):
        done = ", ".join(hold.diff_id[:12] for hold in said.done[:50])
        LOG.info(
            "desk: %s by %s: %d held rows (%s), %d were decided before", word, who, len(said.done), done, len(said.late)
        )
    return said


async def keep(visit: Visit, row: HeldRow) -> Said | Unknown:
    """The price shown of this row is fixed by a rule, in the name of whoever sits here, and the row rejected."""
    who = visit.office.who
    said = await visit.do(lambda tools: keep_price(tools, row.hold.diff_id, who))
    if not isinstance(said, Unknown):
        LOG.info(
            "desk: price of %s kept by %s: %s", row.hold.key.item_id, who, "done" if said.done else "decided before"
        )
    return said


async def revoke(visit: Visit, ids: Sequence[str]) -> Said | Unknown:
    """The yes to these rows is taken back, in the name of whoever sits here, as long as nothing was sent for it."""
    who = visit.office.who
    said = await visit.do(lambda tools: take_back(tools, ids, who))
    if not isinstance(said, Unknown):
        LOG.info("desk: yes to %d held rows taken back by %s, %d too late", len(said.done), who, len(said.late))
    return said


def revoke_button(visit: Visit, on_click: Callable[[], object]) -> ui.button:
    """承認を取り消す."""
    made = ui.button(visit.told("承認を取り消す", "Take the approval back"), on_click=on_click, color="negative")
    return made.props("no-caps outline")


async def tell_revoked(visit: Visit, said: Said) -> None:
    """What became of it, to stay until the next click."""
    if said.done:
        count = len(said.done)
        words = f"{count:,}件の承認を取り消し、却下しました。", f"{count:,} taken back and rejected."
        banner(visit.told(*words), "good")
        consequence = consequence_of_rejecting(said.done)
        if consequence:
            note(visit.told(*consequence))
    if said.late:
        count = len(said.late)
        words = (
            f"{count:,}件は、すでに送ったか、承認されていないため、取り消せませんでした。",
            f"{count:,} could not be taken back: sent already, or not approved.",
        )
        banner(visit.told(*words), "doubtful")
    for hold in said.late[:MOST_LATE]:
        note(_late_line(visit, hold, await visit.read(partial(held_row, prefix=hold.diff_id))))


def keep_button(visit: Visit, on_click: Callable[[], object]) -> ui.button:
    """この価格のままにする."""
    made = ui.button(visit.told("この価格のままにする", "Keep this price"), on_click=on_click)
    return made.props("no-caps flat")


class _Sending:
    """What the button under "approved" starts: `ecauto holds send`, and how it stands."""

    def __init__(self, visit: Visit, ids: Sequence[str]) -> None:
        self._visit, self._ids = visit, ids
        self._command: Command | None = None
        self._ended = False

    @ui.refreshable_method
    def draw(self) -> None:
        visit = self._visit
        if self._command is not None:
            self._ended = self._command.code is not None
            with ui.element("div").classes("desk-command").props('role="status"'):
                draw_command(visit, self._command)
            return
        words = visit.told("次の同期を待たずに今すぐ送る", "Send now, without waiting for the next sync")
        ui.button(words, on_click=self._start).props("no-caps outline")

    def look_again(self) -> None:
        if self._command is not None and not self._ended:
            self.draw.refresh()

    def _start(self) -> None:
        words = ("holds", "send", *self._ids, "--json")
        LOG.info("desk: %s starts ecauto %s", self._visit.office.who, " ".join(words[:20]))
        started = self._visit.start(*words)
        if isinstance(started, Unknown):
            tell_refused(self._visit, started)
            return
        self._command = started
        self.draw.refresh()


def offer_sending(visit: Visit, ids: Sequence[str]) -> None:
    """The button that sends these approved rows now, where they are few enough to be named."""
    if 0 < len(ids) <= MOST_SENT:
        sending = _Sending(visit, ids)
        with ui.element("div").classes("desk-sending"):
            sending.draw()
        ui.timer(LOOK_AGAIN_S, sending.look_again)


async def tell_said(visit: Visit, word: Word, said: Said, *, kept: bool = False) -> None:
    """What became of it, to stay until the next click; the loser of two people learns who was faster.

    `kept`: the price of the rejected row is fixed now.
    """
    count = len(said.done)
    if count and word == "approve":
        banner(
            visit.told(
                f"{count:,}件を承認しました。次の同期で送ります。", f"{count:,} approved; the next sync sends them."
            ),
            "good",
        )
        offer_sending(visit, [hold.diff_id for hold in said.done])
        ui.link(visit.told("承認を取り消すには", "To take an approval back"), visit.link("/holds", state="approved"))
    elif count and kept:
        price = yen(said.done[0].shown, visit.language)
        banner(visit.told(f"売価を {price} に固定しました。", f"The price is fixed at {price}."), "good")
    elif count:
        banner(visit.told(f"{count:,}件を却下しました。", f"{count:,} rejected."), "good")
        consequence = consequence_of_rejecting(said.done)
        if consequence:
            note(visit.told(*consequence))
    if not said.late:
        return
    banner(
        visit.told(
            f"{len(said.late):,}件は、すでに決まっていたため変えていません。",
            f"{len(said.late):,} had been decided before, and stay as they were.",
        ),
        "doubtful",
    )
    for hold in said.late[:MOST_LATE]:
        note(_late_line(visit, hold, await visit.read(partial(held_row, prefix=hold.diff_id))))


def _late_line(visit: Visit, hold: Hold, row: HeldRow | Unknown) -> str:
    name = f"{hold.key.account_id} {hold.key.item_id} {hold.asin}"
    return f"{name}: {reason_words(visit, hold.reason) if isinstance(row, Unknown) else became(visit, row)}"
