"""What NiceGUI wants to know of each element is known before."""

from __future__ import annotations

import inspect

import pytest
from nicegui import Client, ui
from nicegui.page import page

from ecauto_pipeline.desk.element_signatures import write_down_signatures


def test_an_element_is_made_without_a_look_at_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page has hundreds, each with classes, style and attributes whose changes are heard as before."""
    write_down_signatures()
    monkeypatch.setattr(inspect, "_signature_from_function", None)
    with Client(page("/"), request=None):
        label = ui.label("said").classes("loud").style("color: red").props("outlined")
        label.classes.append("clear")
    assert (["loud", "clear"], "red", True) == (label.classes, label.style["color"], label.props["outlined"])
