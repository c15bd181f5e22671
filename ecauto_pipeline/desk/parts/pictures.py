"""The picture of goods, from the desk's own address; a placeholder with the first letter of its title until it came.

Not for: getting it (desk/pictures.py).
"""

from __future__ import annotations

from urllib.parse import quote

from nicegui import ui
from nicegui.element import Element

from ecauto_pipeline.desk.visit import Visit


def picture(visit: Visit, asin: str, title: str = "", size: int = 64) -> Element:
    """A square of `size` pixels. With a `title`, which then stands beside it, a screen reader passes it over."""
    if not asin:
        return ui.element("span").classes("desk-picture").style(f"width:{size}px;height:{size}px")
    initial = next((one for one in title if one.isalnum()), "")
    made = ui.element("img").classes("desk-picture")
    made._props["src"] = f"/picture/{quote(asin, safe='')}" + (f"?initial={quote(initial)}" if initial else "")
    made._props["alt"] = "" if title else visit.told(f"商品の画像 {asin}", f"picture of {asin}")
    made._props.update({"width": str(size), "height": str(size), "loading": "lazy"})
    return made
