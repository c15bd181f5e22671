"""A desk to walk through: a demo project with its emulator, `ecauto desk` over it, a browser that notes all complaints.

Not for: what is walked through (test_desk.py).
"""

from __future__ import annotations

import functools
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Page

from ecauto_pipeline.emulator import process
from ecauto_pipeline.wiring.ports import free_port
from ecauto_pipeline_tests.pages import ROOT
from proofs.screens import page

AXE = "axe-core@4.11.0"
WIDTHS = {"desktop": 1280, "phone": 390}
PATIENCE_S = 120
TALL = {1280: 1100, 390: 844}
"""Height of the window, and so of a picture, by its width."""
MOST_PICTURE_BYTES = 250_000


@dataclass(slots=True)
class Desk:
    """One desk over one demo project."""

    folder: Path
    url: str

    def ecauto(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command, as a person types it in the project's folder."""
        return self.python("from ecauto_pipeline.cli import main; main()", *words)

    def known(self, *words: str) -> Any:
        """What a command says with --json."""
        return json.loads(self.ecauto(*words, "--json").stdout)

    def python(self, code: str, *words: str) -> subprocess.CompletedProcess[str]:
        """The same of any code."""
        return subprocess.run(
            [sys.executable, "-c", code, *words],
            **_surroundings(self.folder),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE_S * 5,
            check=False,
        )


@dataclass(slots=True)
class Noted:
    """What a browser did or complained of that it should not."""

    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@contextmanager
def a_desk(folder: Path) -> Iterator[Desk]:
    """The demo has run once; the desk and the emulator are ended by their ids."""
    port = free_port()
    desk = Desk(folder, f"http://127.0.0.1:{port}")
    made = desk.ecauto("demo", "--here")
    assert 0 == made.returncode, made.stdout + made.stderr
    log = (folder / "desk.log").open("wb")
    command = [sys.executable, "-c", "from ecauto_pipeline.cli import main; main()", "desk", "--port", str(port)]
    server = subprocess.Popen(command, **_surroundings(folder), stdout=log, stderr=log)
    try:
        _wait_until_it_answers(server, desk.url)
        yield desk
    finally:
        server.terminate()
        server.wait(timeout=30)
        log.close()
        process.stop(folder / "data" / "emulator")


@contextmanager
def browsing(width: int, language: str, *, dark: bool = False) -> Iterator[tuple[Page, Noted]]:
    """An empty page of that width; everything that leaves loopback and every complaint is noted."""
    scheme = "dark" if dark else "light"
    locale = "en-US" if language == "en" else "ja-JP"
    with page(width, TALL[width], color_scheme=scheme, locale=locale, timezone_id="Asia/Tokyo") as view:
        noted = Noted()
        view.on("request", lambda one: _note_outside(noted, one.url))
        view.on("websocket", lambda one: _note_outside(noted, one.url))
        view.on("console", lambda one: noted.complaints.append(one.text) if one.type == "error" else None)
        view.on("pageerror", lambda error: noted.complaints.append(str(error)))
        yield view, noted


def faults_of(view: Page) -> list[str]:
    """What axe-core calls serious or critical on this page, each with the first place it is at."""
    view.evaluate(_axe())
    found = view.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']} at {one['nodes'][0]['target']} ({len(one['nodes'])})"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def keep_picture(view: Page, path: Path) -> None:
    """What the window shows, as a small PNG."""
    seen = Image.open(io.BytesIO(view.screenshot())).convert("RGB")
    seen.quantize(255, dither=Image.Dither.NONE).save(path, optimize=True)
    assert path.stat().st_size <= MOST_PICTURE_BYTES, path


def settle(view: Page) -> None:
    """Wait until the page has its socket and nothing more moves."""
    view.wait_for_function("window.socket && window.socket.connected", timeout=PATIENCE_S * 1000)
    with suppress(Exception):
        view.wait_for_load_state("networkidle", timeout=5_000)
    view.wait_for_timeout(300)
    view.wait_for_function("!document.querySelector('.q-loading-bar') || "
                           "getComputedStyle(document.querySelector('.q-loading-bar')).opacity === '0'")  # fmt: skip


@functools.cache
def _axe() -> str:
    """The text of axe-core, from the npm registry; in this proof alone."""
    npm = shutil.which("npm")
    assert npm is not None, "install npm first: axe-core comes from its registry"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([npm, "pack", "--silent", AXE], cwd=folder, check=True, capture_output=True, timeout=300)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as packed:
            text = packed.extractfile("package/axe.min.js")
            assert text is not None
            return text.read().decode("utf-8")


def _note_outside(noted: Noted, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
        noted.outside.append(url)


def _surroundings(folder: Path) -> dict[str, Any]:
    taken = {name: value for name, value in os.environ.items() if not name.startswith(("ECAUTO_", "DAGSTER_"))}
    paths = os.pathsep.join([str(ROOT), *filter(None, [taken.get("PYTHONPATH")])])
    return {"cwd": folder, "env": {**taken, "PYTHONPATH": paths, "PYTHONUTF8": "1"}}


def _wait_until_it_answers(server: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        assert server.poll() is None, "the desk ended at once"
        with suppress(OSError), opener.open(f"{url}/desk.css", timeout=2):
            return
        time.sleep(0.2)
    raise TimeoutError("the desk does not answer")
