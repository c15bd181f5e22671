"""Words and figures as the desk writes them: yen with separators, times in Japanese time, unknown as unknown.

Whatever comes from Amazon or BASE is drawn as text, cut to a length that a page can bear.
Not for: sentences (they stand beside what they are about).
"""

from __future__ import annotations

from datetime import datetime

from nicegui import ui
from nicegui.element import Element

from ecauto_pipeline.clock import jst

MOST_CHARACTERS = 300
UNKNOWN = "—"


def yen(amount: int | None, language: str) -> str:
    """ "1,980円"; a dash where it is unknown."""
    if amount is None:
        return UNKNOWN
    if language == "en":
        return f"-¥{-amount:,}" if amount < 0 else f"¥{amount:,}"
    return f"{amount:,}円"


def count(number: int | None) -> str:
    """With separators; a dash where it is unknown."""
    return UNKNOWN if number is None else f"{number:,}"


def moment(at: datetime | str | None, *, seconds: bool = False) -> str:
    """ "11-23 18:05" in Japanese time; of an ISO text of our own as well. A dash where it is unknown."""
    if at is None or at == "":
        return UNKNOWN
    known = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{jst(known):%m-%d %H:%M:%S}" if seconds else f"{jst(known):%m-%d %H:%M}"


def ago(seconds: float | None, language: str) -> str:
    """ "12分前", "3.4時間前", "2.1日前"; a dash where it is unknown."""
    if seconds is None:
        return UNKNOWN
    if seconds < 5400:
        return f"{seconds / 60:.0f} min ago" if language == "en" else f"{seconds / 60:.0f}分前"
    if seconds < 129_600:
        return f"{seconds / 3600:.1f} h ago" if language == "en" else f"{seconds / 3600:.1f}時間前"
    return f"{seconds / 86_400:.1f} days ago" if language == "en" else f"{seconds / 86_400:.1f}日前"


def short(text: str | None, most: int = MOST_CHARACTERS) -> str:
    """Text from outside, in one line and no longer than `most` characters."""
    one_line = " ".join((text or "")[: most * 4].split())
    return one_line if len(one_line) <= most else one_line[: most - 1] + "…"


def heading(text: str, level: int = 2) -> Element:
    """A heading that a screen reader finds; level 1 is the page's own."""
    made = ui.label(text).classes(f"desk-h{level}")
    made._props.update({"role": "heading", "aria-level": str(level)})
    return made


def note(text: str) -> Element:
    """A quiet line beneath something."""
    return ui.label(text).classes("desk-note")
