"""Laws of who hid a listing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.selling.hidden_by import SeenBefore, who_hid

MAYBE = st.sampled_from([None, True, False])
HIDERS = st.sampled_from(["", "ours", "owner_scripts", "person", "blocklist", "shop"])
BEFORE = st.none() | st.builds(SeenBefore, MAYBE, HIDERS)


@pytest.mark.parametrize(
    ("before", "visible", "register", "own_edit", "hider"),
    [
        (None, False, False, None, "owner_scripts"),
        (None, False, True, None, "person"),
        (None, False, None, None, "person"),
        (SeenBefore(True, ""), False, False, None, "person"),
        (SeenBefore(True, ""), False, True, 0, "ours"),
        (SeenBefore(True, ""), False, True, 1, "person"),
        (SeenBefore(False, "ours"), False, True, None, "ours"),
        (SeenBefore(False, "owner_scripts"), False, True, None, "owner_scripts"),
        (SeenBefore(False, "ours"), True, False, None, ""),
        (SeenBefore(False, "person"), None, False, None, "person"),
    ],
)
def test_each_case(
    before: SeenBefore | None, visible: bool | None, register: bool | None, own_edit: int | None, hider: str
) -> None:
    """First sight, a person's hand, ours, what stays, and what can't be seen."""
    assert hider == who_hid(before, visible, register, own_edit)


def test_at_first_sight_nobody_is_named_before_the_register_could_be_asked() -> None:
    """A person's hide is left alone for good: said too early, what the owner's scripts hid would never be shown."""
    assert "" == who_hid(None, False, None, None, register_known=False)
    assert "owner_scripts" == who_hid(SeenBefore(False, ""), False, False, None)
    assert "person" == who_hid(SeenBefore(True, ""), False, None, None, register_known=False)


@given(before=BEFORE, visible=MAYBE, register=MAYBE, own_edit=st.sampled_from([None, 0, 1]))
def test_nothing_becomes_ours_without_an_edit_or_a_past(
    before: SeenBefore | None, visible: bool | None, register: bool | None, own_edit: int | None
) -> None:
    """Whatever is read: `ours` needs our own hide or having been ours; what is public was hidden by nobody."""
    hider = who_hid(before, visible, register, own_edit)
    if hider == "ours":
        assert own_edit == 0 or (before is not None and before.hidden_by == "ours")
    if visible:
        assert "" == hider
    if visible is False:
        assert "" != hider
