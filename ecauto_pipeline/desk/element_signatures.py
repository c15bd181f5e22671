"""The parameters of what hears of a change of an element, written down once: a fifth of drawing a page.

NiceGUI 3.18 asks for them three times an element, of its classes, style and attributes, and Python reads the function
each time unless they stand in its `__signature__`. Not for: elements of our own (parts/).
Source: nicegui/observables.py, ObservableCollection; inspect.signature.
"""

from __future__ import annotations

import inspect
from typing import Any

from nicegui.classes import Classes
from nicegui.props import Props
from nicegui.style import Style


def write_down_signatures() -> None:
    """For all elements that are made in this process from now on."""
    hearers: tuple[Any, ...] = (Classes._update, Props._update, Style._update)
    for hearer in hearers:
        hearer.__signature__ = inspect.signature(hearer)
