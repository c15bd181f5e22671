"""`/metrics` of the desk, for Prometheus: the figures of views/metrics.py behind the desk's own door.

Where the desk asks for a password, Prometheus, which can't log in, gives a token (`[desk] metrics_token_env`).
Not for: which figures there are (views/metrics.py).
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import Scope

from ecauto_pipeline.desk.office import Office
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings.running import Desk
from ecauto_pipeline.state.database import UNUSABLE
from ecauto_pipeline.views.metrics import CONTENT_TYPE, prometheus

PATH = "/metrics"


async def answer(office: Office) -> Response:
    """The figures as they are now; 503 while state can't be read, so that Prometheus notes a gap."""

    def look() -> str:
        with office.tools() as tools:
            return prometheus(tools)

    try:
        text = await run_in_threadpool(office.looks.take, PATH, look)
    except (SettingsError, UNUSABLE) as error:
        return PlainTextResponse(f"state can't be read now ({type(error).__name__})\n", 503)
    return Response(text, media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})


def token_of(desk: Desk, environ: Mapping[str, str] = os.environ) -> str:
    """What Prometheus has to send, "" where there is none: then the figures are given to whoever may see the pages."""
    return environ.get(desk.metrics_token_env, "").strip() if desk.metrics_token_env else ""


def has_token(scope: Scope, token: str) -> bool:
    """Whether a request for the figures brings the token, as `Authorization: Bearer ...`."""
    if scope["path"] != PATH or not token:
        return False
    given = HTTPConnection(scope).headers.get("authorization", "")
    return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
