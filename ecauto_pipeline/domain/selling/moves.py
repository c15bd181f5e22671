"""How far a price has moved in a while, by however many steps: two steps of -45% are a fall of 70%.

Not for: reading the steps from the journal (state/price_moves.py), or an account as a whole (guards.py).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from ecauto_pipeline.domain.model import PriceEdit, PriceMoves
from ecauto_pipeline.domain.selling.ratios import exact
from ecauto_pipeline.settings import Guards


def moves_of(edits: Sequence[PriceEdit]) -> PriceMoves | None:
    """What of one listing's edits of a window counts, oldest first; None = nothing.

    What a person asked for is a new beginning: it and what came before count no more. Where the price before the first
    edit is unknown, that edit's own is the first thing known.
    """
    since = -1
    for place, edit in enumerate(edits):
        if edit.asked:
            since = place
    steps = tuple(edits[since + 1 :])
    if not steps:
        return None
    first = edits[since].after_jpy if since >= 0 else steps[0].before_jpy
    return PriceMoves(steps[0].after_jpy if first is None else first, steps)


def most_move(from_jpy: int, wanted_jpy: int, guards: Guards) -> float:
    """The limit that holds for a move in this direction, as a share of where it begins."""
    own = guards.max_move_up_ratio if wanted_jpy > from_jpy else guards.max_move_down_ratio
    return guards.max_move_ratio if own is None else own


def too_far(from_jpy: int, wanted_jpy: int, guards: Guards) -> bool:
    """Whether a price would move by more than the guards allow; up and down may have a limit each. From 0 none is."""
    if from_jpy <= 0:
        return False
    share = exact(most_move(from_jpy, wanted_jpy, guards))
    return abs(wanted_jpy - from_jpy) * share.denominator > from_jpy * share.numerator


def moves_evidence(moves: PriceMoves, shown_jpy: int, wanted_jpy: int, guards: Guards) -> str:
    """The steps as a person reads them (JSON): from where, by which edits, to where."""
    document = {
        "from": moves.from_jpy,
        "shown": shown_jpy,
        "wanted": wanted_jpy,
        "max_move_ratio": str(most_move(moves.from_jpy, wanted_jpy, guards)),
        "move_window_h": round(guards.move_window.total_seconds() / 3600, 1),
        "steps": [
            f"{edit.at.isoformat(timespec='seconds')} {edit.before_jpy} -> {edit.after_jpy}" for edit in moves.steps
        ],
    }
    return json.dumps(document, ensure_ascii=False)
