"""The page about the emulator leaves nothing out."""

from __future__ import annotations

from pathlib import Path

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.control import Control
from ecauto_pipeline.emulator.control_http import routes
from ecauto_pipeline.emulator.faults import KINDS
from ecauto_pipeline.emulator.state import Emulation
from ecauto_pipeline_tests.emulator.conftest import START

PAGE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")


def test_every_fault_kind_is_on_the_page() -> None:
    """A kind nobody reads about is a kind nobody uses."""
    assert [] == [kind for kind in KINDS if f"`{kind}`" not in PAGE]


def test_every_control_call_is_on_the_page() -> None:
    """Each route and each method of the control object is named."""
    control = Control(Emulation(ManualClock(START), listings=1, accounts=1))
    assert [] == [route.path for route in routes(control) if route.path not in PAGE]
    powers = [name for name in vars(Control) if not name.startswith("_")]
    assert [] == [name for name in powers if f"{name}" not in PAGE]
