"""What is answered where there is no page, and where the desk itself failed: words and a way back, no stack trace.

Plain HTML: nothing of what was asked for stands in it, and nothing of it stays in memory.
Not for: what can't be known within a page (frame.py, parts/cards.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from ecauto_pipeline.desk.visit import LANGUAGES, Language

LOG = logging.getLogger("ecauto_pipeline")
_WORDS: dict[int, dict[Language, str]] = {
    404: {"ja": "このページはありません。", "en": "There is no such page."},
    500: {
        "ja": "画面を作れませんでした。開き直しても同じなら、data/logs の desk のログを見てください。",
        "en": "The page could not be made. If it stays so after a reload, see the desk's log in data/logs.",
    },
}
_BACK: dict[Language, str] = {"ja": "「今日」へ戻る", "en": "Back to Today"}
_PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>ecauto</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="/desk.css"></head><body class="desk-login"><main><h1>ecauto</h1>
<p role="alert">{said}</p><p><a href="/{lang}">{back}</a></p></main></body></html>"""


def add_error_pages(app: FastAPI, owners: Callable[[], Language]) -> None:
    """`owners`: the language of an address that names none."""

    def answer(request: Request, code: int) -> Response:
        first = request.url.path.strip("/").partition("/")[0]
        language = next((one for one in LANGUAGES if one == first), None) or owners()
        said = _WORDS[code][language]
        if "text/html" not in request.headers.get("accept", "text/html").replace("*/*", "text/html"):
            return PlainTextResponse(said, code)
        return HTMLResponse(_PAGE.format(lang=language, said=said, back=_BACK[language]), code)

    @app.exception_handler(404)
    async def _no_page(request: Request, _: Exception) -> Response:
        return answer(request, 404)

    @app.exception_handler(Exception)
    async def _failed(request: Request, error: Exception) -> Response:
        LOG.error("the desk could not answer %s", request.url.path[:200], exc_info=error)
        return answer(request, 500)
