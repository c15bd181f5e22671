"""Somebody at the desk, in this process: opens pages through the gate, clicks, reads what is shown. No browser.

`with_visitor(project, scene)` serves the project's desk and plays `scene(visitor)`. Not for: how it looks
(proofs/test_desk.py does that in Chromium).
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from nicegui import Client, ui
from nicegui import app as nicegui_app
from nicegui.functions.download import download
from nicegui.functions.navigate import Navigate
from nicegui.functions.notify import notify
from nicegui.slot import Slot
from nicegui.testing import User
from nicegui.testing.general import nicegui_reset_globals
from starlette.testclient import TestClient

from ecauto_pipeline.desk.commands import Commands
from ecauto_pipeline.desk.office import BUSY_TIMEOUT_S, Office
from ecauto_pipeline.desk.server import application

HOST = "127.0.0.1:3001"


def a_project(folder: Path, patch: pytest.MonkeyPatch, document: str = 'mode = "emulated"\n') -> Path:
    """An empty project of ecauto.toml alone, which this process works on from now."""
    config = folder / "ecauto.toml"
    config.write_text(document, encoding="utf-8")
    patch.setenv("ECAUTO_CONFIG", str(config))
    patch.delenv("ECAUTO_DATA_DIR", raising=False)
    return folder


def with_visitor(
    scene: Callable[[User], Awaitable[None]], program: Sequence[str] = (), busy_timeout_s: float = BUSY_TIMEOUT_S
) -> None:
    """Serve the desk of the project in force and play the scene; everything of NiceGUI is as before afterwards.

    `program`: what the desk starts instead of `ecauto`. `busy_timeout_s`: as for `served`.
    """
    asyncio.run(_played(scene, program, busy_timeout_s))


@contextmanager
def _nothing_served_before() -> Iterator[None]:
    """NiceGUI as if nothing had been served. It collects twice: only what comes in here is worth a look, so what stood
    here before is put out of sight, and nobody holds what was served when it does so again."""
    gc.freeze()
    with nicegui_reset_globals():
        try:
            yield
        finally:
            Client.instances.clear()
            Slot.stacks.clear()


async def _played(scene: Callable[[User], Awaitable[None]], program: Sequence[str], busy_timeout_s: float) -> None:
    with _nothing_served_before():
        office = Office(busy_timeout_s=busy_timeout_s)
        if program:
            office.commands = Commands(office.settings.data_dir / "desk", program)
        try:
            served = application(office)
            async with (
                nicegui_app.router.lifespan_context(nicegui_app),
                httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url=f"http://{HOST}") as client,
            ):
                await scene(User(client))
        finally:
            office.close()
            Client.page_routes.clear()  # whose modules would be forgotten, and ours with them
            ui.navigate, ui.notify, ui.download = Navigate(), notify, download


@contextmanager
def served(busy_timeout_s: float = BUSY_TIMEOUT_S) -> Iterator[TestClient]:
    """The desk of the project in force for whoever speaks HTTP and sockets; redirects are not followed.

    `busy_timeout_s`: so long a page waits for a state.db that somebody holds."""
    with _nothing_served_before():
        office = Office(busy_timeout_s=busy_timeout_s)
        try:
            with TestClient(application(office), base_url=f"http://{HOST}", follow_redirects=False) as client:
                yield client
        finally:
            office.close()
            Client.page_routes.clear()
