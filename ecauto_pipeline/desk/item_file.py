"""What the desk answers at /{language}/items.csv: all rows that the list of items would show, as they are read.

Not for: the lines of it (views/items_csv.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from ecauto_pipeline.desk.pages.items_address import Asked
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.views.items import every_item
from ecauto_pipeline.views.items_csv import csv_lines
from ecauto_pipeline.wiring.accounts import shop_accounts

_PORTION_CHARACTERS = 64 * 1024


async def answer(visit: Visit) -> Response:
    """The file; 503 and the reason where the state can't be read."""

    def look(tools: Tools) -> Iterator[str]:
        wanted = Asked.of(visit.query).wanted(dict.fromkeys(shop_accounts(tools.settings), ""))
        return csv_lines(every_item(tools, wanted)[1], visit.language)

    lines = await visit.read(look)
    if isinstance(lines, Unknown):
        return PlainTextResponse(visit.told(lines.ja, lines.en), 503)
    headers = {"Content-Disposition": 'attachment; filename="items.csv"'}
    return StreamingResponse(_portions(lines), media_type="text/csv; charset=utf-8", headers=headers)


def _portions(lines: Iterator[str]) -> Iterator[bytes]:
    """Each is sent by a thread: a line a time would cost more than the lines."""
    portion: list[str] = []
    size = 0
    for line in lines:
        portion.append(line)
        size += len(line)
        if size > _PORTION_CHARACTERS:
            yield "".join(portion).encode("utf-8")
            portion, size = [], 0
    yield "".join(portion).encode("utf-8")
