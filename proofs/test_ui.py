"""A walk through the UI as a person takes it, by clicks alone: the screenshots of docs/images/ are taken on the way.

In order: a first fill is started and terminated, started again to its end, looked at (graph, figures, pictures,
checks), a night is backfilled, a run fails and its lineage is opened, a price is explained from the launchpad. What
the clicks did is judged by Dagster's own records and the emulator's list of calls.
"""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.emulator import process
from ecauto_pipeline.settings import parse
from ecauto_pipeline_tests.defs.installation import worked_since
from ecauto_pipeline_tests.register.taken_away import taken_away
from ecauto_pipeline_tests.scenarios.webserver import ROOT, Webserver, webserver
from proofs.screens import browser_path, draws_japanese, page

IMAGES = ROOT / "docs" / "images"
ASSETS = ("listings", "stale_asins", "sp_api_snapshots", "price_diffs", "visibility_diffs", "base_updates")
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


class Walk:
    """The UI of one installation, and the world behind it."""

    def __init__(self, server: Webserver, folder: Path) -> None:
        self.server, self.folder = server, folder

    def rate(self, factor: float) -> None:
        """How fast Amazon answers, in units of what its papers say."""
        url = process.running(self.folder / "data" / "emulator")
        for operation, rate in (("getItemOffersBatch", 0.1), ("getItemOffers", 0.5)):
            body = {"operation": operation, "rate_per_s": rate * factor, "burst": 1}
            request = urllib.request.Request(f"{url}/emulator/rates", json.dumps(body).encode("utf-8"))
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
                answer.read()

    def open_dialog(self, view: Page, job: str) -> Locator:
        """What "Materialize all" of a job opens."""
        view.goto(f"{self.server.url}/locations/ecauto_pipeline/jobs/{job}")
        view.get_by_role("button", name="Materialize all").click()
        return view.get_by_role("dialog")

    def materialize(self, view: Page, job: str, partitions: str, picture: str = "") -> None:
        """Click through "Materialize all" of a job; `partitions` as people type them."""
        dialog = self.open_dialog(view, job)
        dialog.get_by_role("button", name="Latest").click()
        choose(dialog, partitions)
        launch = dialog.get_by_role("button", name="Launch").last
        expect(launch).to_be_enabled()
        if picture:
            shoot(view, picture)
        launch.click()
        expect(view.get_by_role("dialog")).to_have_count(0)

    def newest_run(self, than: set[str], job: str = "") -> str:
        """The run that began since those, of this job: a failed one is begun again by the daemon meanwhile."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            new = [run["runId"] for run in self.runs() if run["runId"] not in than and job in ("", run["jobName"])]
            if new:
                return str(new[0])
            time.sleep(0.5)
        raise TimeoutError("no run began")

    def runs(self) -> list[dict[str, Any]]:
        query = "{ runsOrError(limit: 50) { ... on Runs { results { runId jobName status tags { key value } } } } }"
        return list(self.server.ask(query)["runsOrError"]["results"])

    def known(self) -> set[str]:
        return {run["runId"] for run in self.runs()}

    def failed_steps(self, run_id: str) -> list[str]:
        query = "query($id: ID!) { runOrError(runId: $id) { ... on Run { stepStats { stepKey status } } } }"
        steps = self.server.ask(query, {"id": run_id})["runOrError"]["stepStats"]
        return [step["stepKey"] for step in steps if step["status"] == "FAILURE"]


def choose(dialog: Locator, partitions: str) -> None:
    """Type hours where the dialog asks for them."""
    box = dialog.get_by_role("textbox").first
    box.fill(partitions)
    box.press("Enter")


def shoot(view: Page, name: str, height: int = 900) -> None:
    """Wait until the page has settled, then keep what its upper `height` pixels look like."""
    view.wait_for_timeout(2500)
    size = view.viewport_size or {"width": 1400}
    view.screenshot(path=IMAGES / f"{name}.png", clip={"x": 0, "y": 0, "width": size["width"], "height": height})


def show_picture(view: Page, title: str) -> None:
    """Open a picture of the metadata table, and prove that it is drawn."""
    row = view.get_by_role("row").filter(has_text=title)
    row.get_by_text("[Show Markdown]").click()
    image = view.get_by_role("dialog").locator("img").first
    expect(image).to_be_visible()
    width = image.evaluate("one => one.complete ? one.naturalWidth : 0")
    assert width > 400, f"{title}: {width} pixels wide"


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    assert browser_path() is not None, "install Chromium first (Debian: apt-get install chromium)"
    assert draws_japanese(), "install a Japanese font first (Debian: apt-get install fonts-noto-cjk)"
    folder = tmp_path_factory.mktemp("ui")
    process.ensure(folder / "data" / "emulator", seed=1, listings=1000, accounts=3, speed=60.0)
    worked_since(parse({}, folder), datetime.now(UTC) - timedelta(hours=12))
    with webserver(folder) as running:
        yield Walk(running, folder)
    process.stop(folder / "data" / "emulator")


@pytest.fixture
def view() -> Iterator[Page]:
    with page() as one:
        one.set_default_timeout(PATIENCE_MS)
        yield one


def test_a_run_is_terminated(walk: Walk, view: Page) -> None:
    """The first fill at Amazon's slow pace: started by clicks, ended by the Terminate button, canceled and no worse."""
    walk.rate(5.0)
    walk.materialize(view, "full_sync", hour_key(datetime.now(UTC)), "materialize")
    run_id = walk.newest_run(set())
    view.goto(f"{walk.server.url}/runs/{run_id}")
    expect(view.get_by_text(re.compile(r"sp_api_snapshots: \d+/\d+")).first).to_be_visible()  # a line of progress
    view.get_by_role("button", name="Terminate").click()
    view.get_by_role("dialog").get_by_role("button", name="Terminate").click()
    assert "CANCELED" == walk.server.wait_for_run(run_id, 60)
    view.goto(f"{walk.server.url}/runs/{run_id}")
    expect(view.get_by_text("Canceled").first).to_be_visible()
    shoot(view, "run-terminated", 420)


def test_a_partition_is_materialized(walk: Walk, view: Page) -> None:
    """The same hour again, at the demo's pace: to its end, step by step."""
    walk.rate(60.0)
    before = walk.known()
    walk.materialize(view, "full_sync", hour_key(datetime.now(UTC)))
    run_id = walk.newest_run(before)
    assert "SUCCESS" == walk.server.wait_for_run(run_id)
    view.goto(f"{walk.server.url}/runs/{run_id}")
    expect(view.get_by_text("base_updates").first).to_be_visible()
    shoot(view, "run")


def test_where_the_date_is_behind_japans_the_hour_is_a_click_away(walk: Walk) -> None:
    """Dagster leaves out what is after today in the browser's timezone: one click brings it, a setting for good."""
    hour = hour_key(datetime.now(UTC))
    with page(timezone_id="Europe/Paris") as abroad:
        abroad.set_default_timeout(PATIENCE_MS)
        abroad.clock.set_system_time(datetime.fromisoformat(f"{hour[:10]}T00:30+09:00"))
        dialog = walk.open_dialog(abroad, "full_sync")
        choose(dialog, hour)
        expect(abroad.get_by_text(f"Could not find partition: {hour}")).to_be_visible()
        abroad.get_by_role("button", name="OK").click()
        dialog.get_by_text("Show all partitions").click()
        choose(dialog, hour)
        expect(dialog.get_by_role("button", name="Launch 1 run")).to_be_enabled()
        dialog.get_by_role("button", name="Cancel", exact=True).click()
        abroad.get_by_text("Settings", exact=True).click()
        abroad.get_by_role("button", name="Local timezone").click()
        abroad.get_by_placeholder("Filter").fill("Tokyo")
        abroad.get_by_text("Asia/Tokyo").last.click()
        abroad.get_by_role("button", name="Done").click()
        choose(walk.open_dialog(abroad, "full_sync"), hour)
        expect(abroad.get_by_role("button", name="Launch 1 run")).to_be_enabled()


def test_the_graph_is_shown(walk: Walk, view: Page) -> None:
    """All six assets, materialized, in the order of the flow."""
    view.set_viewport_size({"width": 2400, "height": 900})
    view.goto(f"{walk.server.url}/assets/listings?view=lineage&lineageScope=downstream&lineageDepth=5")
    for asset in ASSETS:
        expect(view.get_by_text(asset, exact=True).first).to_be_visible()
    expect(view.get_by_text("Loading...")).to_have_count(0)
    shoot(view, "asset-graph")


def test_figures_and_pictures_are_on_the_asset_page(walk: Walk, view: Page) -> None:
    """base_updates: pictures first, then what was pushed; the pictures are drawn, the columns described."""
    view.goto(f"{walk.server.url}/assets/base_updates?view=overview")
    expect(view.get_by_text("pushed").first).to_be_visible()
    expect(view.get_by_role("link", name="release_holds").first).to_be_visible()
    shoot(view, "asset-page")
    for title in ("updates by kind", "answers by hour", "budget by hour", "freshness by tier", "held rows"):
        show_picture(view, title)
        if title == "updates by kind":
            shoot(view, "asset-picture")
        view.keyboard.press("Escape")
        expect(view.get_by_role("dialog")).to_have_count(0)
    expect(view.get_by_text("idempotency key")).to_be_visible()


def test_checks_are_on_the_asset_page(walk: Walk, view: Page) -> None:
    """The laws that base_updates is held to, each with its numbers and what to do."""
    view.goto(f"{walk.server.url}/assets/base_updates?view=checks&checkDetail=numbers_add_up")
    for check in ("numbers_add_up", "held_rows", "base_error_rate", "run_duration", "oldest_pushed_data"):
        expect(view.get_by_text(check).first).to_be_visible()
    expect(view.get_by_text("Succeeded").first).to_be_visible()
    shoot(view, "asset-checks")


def test_a_night_is_backfilled_in_one_run(walk: Walk, view: Page) -> None:
    """A range typed into the dialog: one backfill, one run, every hour of it filled."""
    now = datetime.now(UTC)
    first, last = hour_key(now - timedelta(hours=9)), hour_key(now - timedelta(hours=2))
    before = walk.known()
    walk.materialize(view, "stock_sync", f"[{first}...{last}]", "backfill-dialog")
    run_id = walk.newest_run(before)
    assert "SUCCESS" == walk.server.wait_for_run(run_id)
    new = [run for run in walk.runs() if run["runId"] not in before]
    tags = {tag["key"]: tag["value"] for tag in new[0]["tags"]}
    assert 1 == len(new)
    assert (first, last) == (tags["dagster/asset_partition_range_start"], tags["dagster/asset_partition_range_end"])
    view.goto(f"{walk.server.url}/assets/sp_api_snapshots?view=partitions&partition={last}")
    expect(view.get_by_text(last).first).to_be_visible()
    shoot(view, "backfill")


def test_within_the_hour_the_pictures_are_a_click_away(walk: Walk, view: Page) -> None:
    """A run that leaves nothing new to be seen draws none: the asset's page leads to the last ones, drawn as before."""
    before = walk.known()
    walk.materialize(view, "full_sync", hour_key(datetime.now(UTC)))
    assert "SUCCESS" == walk.server.wait_for_run(walk.newest_run(before))
    view.goto(f"{walk.server.url}/assets/base_updates?view=overview")
    view.get_by_role("link", name=re.compile(r"\d\d:\d\d JST に描いた図")).click()
    show_picture(view, "updates by kind")


def test_after_a_failure_the_lineage_is_opened(walk: Walk, view: Page) -> None:
    """A register taken away: the run fails at its first step, the page says why, the lineage what hangs on it."""
    before = walk.known()
    with taken_away(walk.folder / "data" / "master.db"):
        walk.materialize(view, "full_sync", hour_key(datetime.now(UTC)))
        run_id = walk.newest_run(before)
        assert "FAILURE" == walk.server.wait_for_run(run_id)
    assert ["listings"] == walk.failed_steps(run_id)
    view.goto(f"{walk.server.url}/runs/{run_id}")
    expect(view.get_by_text("View full message").first).to_be_visible()
    shoot(view, "run-failed", 420)
    view.get_by_text("View full message").first.click()
    expect(view.get_by_text("no such register").first).to_be_visible()
    view.goto(f"{walk.server.url}/assets/listings?view=lineage&lineageScope=downstream&lineageDepth=5")
    for asset in ASSETS:
        expect(view.get_by_text(asset, exact=True).first).to_be_visible()
    shoot(view, "lineage-after-failure")


def test_a_price_is_explained_from_the_launchpad(walk: Walk, view: Page) -> None:
    """Job explain: the form is laid out, the answer is readable in the run's page."""
    asin = _some_asin(walk.folder)
    before = walk.known()
    view.goto(f"{walk.server.url}/locations/ecauto_pipeline/jobs/explain/playground")
    editor = view.locator(".CodeMirror").first
    expect(editor).to_be_visible()
    expect(editor).to_contain_text("as_of")
    form = editor.evaluate("one => one.CodeMirror.getValue()")
    filled = form.replace("key: ''", f"key: '{asin}'")
    assert filled != form
    editor.evaluate("(one, text) => one.CodeMirror.setValue(text)", filled)
    view.wait_for_timeout(1500)
    shoot(view, "launchpad")
    view.get_by_role("button", name="Launch Run").click()
    run_id = walk.newest_run(before, "explain")
    assert "SUCCESS" == walk.server.wait_for_run(run_id)
    view.goto(f"{walk.server.url}/runs/{run_id}")
    expect(view.get_by_text("[Show Markdown]").first).to_be_visible()
    view.wait_for_timeout(3000)  # until the last lines of the log have come in
    view.get_by_text("[Show Markdown]").first.click()
    expect(view.get_by_role("dialog").get_by_text(asin).first).to_be_visible()
    shoot(view, "explain")


def _some_asin(folder: Path) -> str:
    """An article whose price was sent."""
    import duckdb

    with duckdb.connect(str(folder / "data" / "history.duckdb"), read_only=True) as connection:
        row = connection.execute(
            "select asin from updates where kind = 'price' and outcome = 'done' order by 1 limit 1"
        ).fetchone()
    assert row is not None
    return str(row[0])
