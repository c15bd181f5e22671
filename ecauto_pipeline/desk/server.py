"""The desk as a server: its pages behind its door, served by uvicorn until somebody ends it.

Not for: what pages show (pages/) or the command line (cli/desk.py).
"""

from __future__ import annotations

import secrets
import threading
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from nicegui import app as nicegui_app
from nicegui import ui
from starlette.middleware.base import RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.types import ASGIApp

from ecauto_pipeline.desk.element_signatures import write_down_signatures
from ecauto_pipeline.desk.error_pages import add_error_pages
from ecauto_pipeline.desk.frame import framed
from ecauto_pipeline.desk.gate import MOST_MESSAGE_BYTES, Gate, hosts_of
from ecauto_pipeline.desk.item_file import answer as answer_item_file
from ecauto_pipeline.desk.login import Login
from ecauto_pipeline.desk.memory import keep_small
from ecauto_pipeline.desk.metrics_answer import PATH as METRICS
from ecauto_pipeline.desk.metrics_answer import answer as answer_metrics
from ecauto_pipeline.desk.metrics_answer import token_of
from ecauto_pipeline.desk.office import Office
from ecauto_pipeline.desk.page import Page
from ecauto_pipeline.desk.pages import PAGES
from ecauto_pipeline.desk.picture_answers import answer as answer_picture
from ecauto_pipeline.desk.unseen import UnseenPages
from ecauto_pipeline.desk.visit import LANGUAGES, Language, Visit
from ecauto_pipeline.wiring.parent import EVERY_S, wait_until_gone

_STYLE = Path(__file__).with_name("style.css")
BUILD_TIMEOUT_S = 60.0
"""A page is built for so long at most; the limits that people feel are those of docs/performance.md."""


def application(office: Office) -> ASGIApp:
    """Every page, in both languages, behind the gate. Once a process: NiceGUI keeps its pages in the module."""
    write_down_signatures()
    api = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    unseen = UnseenPages()
    for language in LANGUAGES:
        for page in PAGES:
            _add_page(office, page, language, unseen)
    _add_files(office)
    nicegui_app.config.socket_io_js_transports = ["websocket"]
    ui.run_with(
        api,
        title="ecauto",
        favicon=_STYLE.with_name("favicon.svg"),
        dark=None,
        tailwind=False,
        reconnect_timeout=10.0,
        show_welcome_message=False,
        binding_refresh_interval=None,
    )
    _add_ways_in(api, office)
    add_error_pages(nicegui_app, lambda: office.language)
    settings = office.settings
    url = settings.desk.url
    token, secure = token_of(settings.desk), url.startswith("https:")
    within = Login(api, office.sessions, settings.alerts.language, secure=secure, metrics_token=token)
    return Gate(within, hosts_of(office.host, office.port, url))


def serve(office: Office, parent_pid: int = 0) -> None:
    """Serve until SIGINT or SIGTERM, or until the process `parent_pid` has gone (0 = there is none to look at)."""
    keep_small()
    server = server_of(application(office), office.host, office.port)
    if parent_pid:
        threading.Thread(target=end_with, args=(parent_pid, server), daemon=True).start()
    server.run()


def server_of(app: ASGIApp, host: str, port: int) -> uvicorn.Server:
    """One that reads no message of a socket further than the gate would let it pass."""
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", server_header=False, ws_max_size=MOST_MESSAGE_BYTES,
        timeout_graceful_shutdown=3,
    )  # fmt: skip
    return uvicorn.Server(config)


def end_with(parent_pid: int, server: uvicorn.Server, every_s: float = EVERY_S) -> None:
    """A killed `ecauto dev` can't end the desk: nobody would know that it is still there."""
    wait_until_gone(parent_pid, every_s)
    server.should_exit = True


def _add_page(office: Office, page: Page, language: Language, unseen: UnseenPages) -> None:
    title = f"{page.title[language == 'en']} - ecauto"

    async def show(request: Request) -> None:
        named = request.path_params.get("named", "")
        await framed(Visit(office, language, dict(request.query_params), named), page)
        unseen.built(ui.context.client)

    ui.page(
        f"/{language}{page.path}".rstrip("/") or "/",
        title=title,
        language="ja" if language == "ja" else "en-US",
        response_timeout=BUILD_TIMEOUT_S,
    )(show)


def _add_files(office: Office) -> None:
    version = secrets.token_hex(4)  # another one after every start: no stale copy in a browser

    @nicegui_app.get("/desk.css")
    def _style() -> Response:
        return FileResponse(_STYLE, media_type="text/css", headers={"Cache-Control": "no-cache", "ETag": version})

    @nicegui_app.get("/picture/{asin}")
    async def _picture(asin: str, initial: str = "") -> Response:
        return await answer_picture(office, asin, initial)

    @nicegui_app.get(METRICS)
    async def _metrics() -> Response:
        return await answer_metrics(office)

    @nicegui_app.get("/{language}/items.csv")
    async def _items(language: Language, request: Request) -> Response:
        return await answer_item_file(Visit(office, language, dict(request.query_params)))


def _add_ways_in(api: FastAPI, office: Office) -> None:
    """Addresses without a language lead to the owner's."""
    paths = {page.path.partition("{")[0].rstrip("/") for page in PAGES}

    @nicegui_app.middleware("http")
    async def _to_a_language(request: Request, go_on: RequestResponseEndpoint) -> Response:
        path = request.url.path.rstrip("/")
        first = "/" + path.lstrip("/").partition("/")[0] if path else ""
        if first in paths or path in paths:
            asked = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"/{office.language}{path}{asked}", 307)
        return await go_on(request)
