"""What the goods in a message are called: their titles, short, and nothing in them that a channel takes for markup.

Not for: the messages themselves (messages.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from ecauto_pipeline.alerts.verdicts import Row
from ecauto_pipeline.state.listing_lookup import asin_of_item
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.goods import titles_of

LONGEST = 40  # characters
_PLAIN = str.maketrans("[]<>*_~`|@#", "［］＜＞＊＿～｀｜＠＃")


def with_titles(tools: Tools, connection: Connection, rows: Mapping[str, Row]) -> dict[str, Row]:
    """The same rows, each that names an ASIN or an item with its title first, where the register has one."""
    asins = {name: str(row.get("asin") or _asin(connection, row)) for name, row in rows.items()}
    wanted = sorted({asin for asin in asins.values() if asin})
    titles = titles_of(tools, wanted) if wanted else {}
    return {
        name: {"title": plain(titles[asins[name]]), **row} if asins[name] in titles else row
        for name, row in rows.items()
    }


def plain(title: str) -> str:
    """On one line, cut to LONGEST characters; signs of markup become their full-width likes."""
    text = " ".join("".join(c if c.isprintable() else " " for c in title).translate(_PLAIN).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _asin(connection: Connection, row: Row) -> str:
    item = str(row.get("item_id") or "")
    return asin_of_item(connection, item) if item else ""
