"""What the desk answers at /picture/{asin}: the picture that is kept, or a drawn placeholder until there is one.

Not for: fetching and keeping (pictures.py).
"""

from __future__ import annotations

import asyncio
import re
from html import escape

from starlette.responses import PlainTextResponse, Response

from ecauto_pipeline.desk.office import Office
from ecauto_pipeline.desk.pictures import EMULATED, LIVE, media_type
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.views.goods_picture import picture_address

WAITS_S = 1.5
"""An answer waits so long for a picture that is being fetched: it is seen at the first visit, and no page waits."""
_ASIN = re.compile(r"[A-Z0-9]{10}")
_PLACEHOLDER = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><style>rect{{fill:#e3e8e5}}text{{fill:#55605b}}'
    "@media(prefers-color-scheme:dark){{rect{{fill:#2c3531}}text{{fill:#a5b0aa}}}}</style>"
    '<rect width="64" height="64"/><text x="32" y="42" font-size="28" text-anchor="middle" '
    'font-family="sans-serif">{initial}</text></svg>'
)


async def answer(office: Office, asin: str, initial: str = "") -> Response:
    """A picture, a placeholder with `initial`, or 404 for what is none of our goods."""
    if not _ASIN.fullmatch(asin):
        return PlainTextResponse("none of ours", 404)
    address = await Visit(office, "en").read(lambda tools: picture_address(tools, asin))
    if address is None:
        return PlainTextResponse("none of ours", 404)
    if isinstance(address, Unknown) or not address:
        return _placeholder(initial)
    pictures = office.pictures
    if pictures.kept(asin, address) is None:
        future = pictures.fetch(asin, address, LIVE if office.settings.mode == "live" else EMULATED)
        if future is not None:
            await asyncio.wait([asyncio.wrap_future(future)], timeout=WAITS_S)
    path = pictures.kept(asin, address)
    try:
        content = path.read_bytes() if path is not None else b""
    except OSError:  # it was the oldest, and went
        content = b""
    kind = media_type(content[:16])
    if not kind:
        return _placeholder(initial)
    return Response(content, media_type=kind, headers={"Cache-Control": "private, max-age=86400"})


def _placeholder(initial: str) -> Response:
    drawn = _PLACEHOLDER.format(initial=escape(initial) if len(initial) == 1 and initial.isalnum() else "")
    return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})
