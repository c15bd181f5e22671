"""The UI as a person sees it: the graph, an asset's page with its checks and pictures, a run. Writes docs/images/."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.emulator import process
from proofs.screens import browser_path, page
from proofs.webserver import ROOT, Webserver, webserver

IMAGES = ROOT / "docs" / "images"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webserver]:
    assert browser_path() is not None, "install Chromium first (Debian: apt-get install chromium)"
    folder = tmp_path_factory.mktemp("ui")
    with webserver(folder) as running:
        yield running
    process.stop(folder / "data" / "emulator")


@pytest.fixture(scope="module")
def run_id(server: Webserver) -> str:
    run_id = server.launch("full_sync", hour_key(datetime.now(UTC)))
    assert server.wait_for_run(run_id) == "SUCCESS"
    return run_id


def test_the_graph_is_shown(server: Webserver, run_id: str) -> None:
    """All six assets, green, in the order of the flow."""
    with page() as view:
        view.goto(f"{server.url}/asset-groups")
        view.get_by_text("base_updates").first.wait_for(timeout=60_000)
        view.wait_for_timeout(3000)
        view.screenshot(path=IMAGES / "asset-graph.png")
        text = view.content()
    for asset in ("listings", "stale_asins", "sp_api_snapshots", "price_diffs", "visibility_diffs", "base_updates"):
        assert asset in text


def test_an_asset_page_shows_its_numbers_and_checks(server: Webserver, run_id: str) -> None:
    """base_updates: what was pushed, and the laws it is held to."""
    with page() as view:
        view.goto(f"{server.url}/assets/base_updates?view=overview")
        view.get_by_text("edits").first.wait_for(timeout=60_000)
        view.wait_for_timeout(3000)
        view.screenshot(path=IMAGES / "asset-page.png")
        view.goto(f"{server.url}/assets/base_updates?view=checks")
        view.get_by_text("numbers_add_up").first.wait_for(timeout=60_000)
        view.wait_for_timeout(2000)
        view.screenshot(path=IMAGES / "asset-checks.png")


def test_a_run_is_shown_step_by_step(server: Webserver, run_id: str) -> None:
    """The run's page: its steps, and the log lines of the long one."""
    with page() as view:
        view.goto(f"{server.url}/runs/{run_id}")
        view.get_by_text("sp_api_snapshots").first.wait_for(timeout=60_000)
        view.wait_for_timeout(3000)
        view.screenshot(path=IMAGES / "run.png")
