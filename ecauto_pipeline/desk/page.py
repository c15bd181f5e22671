"""What a page of the desk is: an address, a title, an icon, and whoever draws it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ecauto_pipeline.desk.visit import Visit


@dataclass(frozen=True, slots=True)
class Page:
    """`path`: behind the language, "/" = the first one; "{named}" in it is given as `Visit.named`. `title`: ja, en.

    `icon`: a name of Material Icons; "" = not in the menu. `draw`: called within the page's main part.
    """

    path: str
    title: tuple[str, str]
    icon: str
    draw: Callable[[Visit], Awaitable[None]]
