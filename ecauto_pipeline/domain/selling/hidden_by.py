"""Who hid a listing: us, the owner's old scripts, or a person. Only what we hid may be shown again by us.

Not for: whether it should be shown (visibility.py).
"""

from __future__ import annotations

from dataclasses import dataclass

OURS, OWNER_SCRIPTS, PERSON = "ours", "owner_scripts", "person"


@dataclass(frozen=True, slots=True)
class SeenBefore:
    """What was known of a listing before this reading: what it showed (None = never read) and who had hidden it."""

    visible: bool | None
    hidden_by: str


def who_hid(
    before: SeenBefore | None,
    visible: bool | None,
    register_visible: bool | None,
    own_edit: int | None,
    *,
    register_known: bool = True,
) -> str:
    """`""` (it is public) | `ours` | `owner_scripts` | `person`; what was known stands while nothing changes.

    `own_edit`: the value (0/1) of our newest edit of its visibility since the reading before, done or of unknown
    outcome; None when there was none. At first sight the register has the word: it calls the listing hidden, too ->
    the owner's scripts; it says public, or nothing -> a person. `register_known` False: nobody could ask it yet, and
    what a run says then it would never take back; "" until it can be asked.
    """
    known = before.hidden_by if before is not None else ""
    if visible is None:
        return known
    if visible:
        return ""
    if own_edit is not None:
        return OURS if own_edit == 0 else PERSON
    if before is None or not (known or before.visible):
        if not register_known:
            return ""
        return OWNER_SCRIPTS if register_visible is False else PERSON
    return PERSON if before.visible else known or PERSON
