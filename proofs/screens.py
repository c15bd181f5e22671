"""A browser for the proofs: headless Chromium of the machine, driven by playwright.

Not for: what is looked at (test_ui.py).
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, sync_playwright

QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def browser_path() -> str | None:
    """The machine's Chromium, None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def draws_japanese() -> bool:
    """Whether the machine has a font for Japanese: without one a picture of the UI is full of boxes."""
    return _has_font(":lang=ja")


def draws_emoji() -> bool:
    """Whether it has one for emoji too: titles of goods hold some."""
    return _has_font(":charset=1f600")


def _has_font(wanted: str) -> bool:
    lister = shutil.which("fc-list")
    if lister is None:
        return True  # no fontconfig: the system's own way, which can't be asked
    found = subprocess.run([lister, wanted], capture_output=True, text=True, check=False, encoding="utf-8")
    return bool(found.stdout.strip())


@contextmanager
def page(width: int = 1400, height: int = 900, **context_options: Any) -> Iterator[Page]:
    """An empty page of a fresh profile; `context_options`: playwright's own (locale, color_scheme ...)."""
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=browser_path(),
            args=QUIET,
            viewport={"width": width, "height": height},
            **{"timezone_id": "Asia/Tokyo", **context_options},  # Dagster leaves out what is still to come by its clock
        )
        try:
            yield context.pages[0] if context.pages else context.new_page()
        finally:
            context.close()
