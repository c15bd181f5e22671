"""Where the picture of one of our goods is to be had: the address that Amazon's catalogue named, else the register's.

Not for: fetching it (desk/pictures.py).
"""

from __future__ import annotations

from ecauto_pipeline.errors import RegisterError
from ecauto_pipeline.state.catalogue import first_image
from ecauto_pipeline.state.listing_lookup import is_known
from ecauto_pipeline.sync.context import Tools


def picture_address(tools: Tools, asin: str) -> str | None:
    """The address, "" where none was ever named (or master.db is out of reach); None for an ASIN that is not ours."""
    with tools.state.read() as connection:
        told = first_image(connection, asin)
        if told:
            return told
        ours = told is not None or is_known(connection, asin)
    try:
        images = tools.register.images(asin)
    except RegisterError:
        return "" if ours else None
    if images is None:
        return "" if ours else None
    return images[0] if images else ""
