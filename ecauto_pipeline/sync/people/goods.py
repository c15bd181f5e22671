"""What people call the goods they decide about, and whether a shop sells them at this moment.

Not for: deciding (holds.py, rollback.py) or the story of one item (explain/).
"""

from __future__ import annotations

from collections.abc import Iterable

from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.errors import RegisterError
from ecauto_pipeline.state.catalogue import titles_told
from ecauto_pipeline.state.listing_lookup import listings_about
from ecauto_pipeline.sync.context import Tools


def titles_of(tools: Tools, asins: Iterable[str]) -> dict[str, str]:
    """The titles in master.db, else as Amazon's catalogue told them, by ASIN, on one line; those without one left out.

    Where master.db is out of reach the catalogue's alone.
    """
    return {asin: title for asin, title in known_titles(tools, asins).items() if title}


def known_titles(tools: Tools, asins: Iterable[str]) -> dict[str, str | None]:
    """The same for each of these ASINs: "" where nobody has one, None where master.db can't be asked whether it has."""
    wanted = list(asins)
    nothing: str | None = ""
    try:
        found = dict(tools.register.titles(wanted))
    except RegisterError:
        found, nothing = {}, None
    missing = [asin for asin in wanted if asin not in found]
    if missing:
        with tools.state.read() as connection:
            found |= titles_told(connection, missing)
    return {asin: " ".join(found[asin].split()) if asin in found else nothing for asin in wanted}


def on_sale(tools: Tools, keys: Iterable[ListingKey]) -> dict[ListingKey, bool]:
    """Whether each listing is shown and has stock, as last read; one that was never read is left out."""
    found = {}
    with tools.state.read() as connection:
        for key in set(keys):
            for seen in listings_about(connection, key.item_id):
                if seen.key == key and seen.shown_visible is not None:
                    found[key] = seen.shown_visible == 1 and seen.shown_stock != 0 and not seen.delist
    return found
