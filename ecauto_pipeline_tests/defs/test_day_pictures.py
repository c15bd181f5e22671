"""The pictures of the last day are drawn once an hour and when somebody has to look; between, a run links to them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.defs.day_pictures import DRAWN_AT, LINK, day_pictures
from ecauto_pipeline.reports.asset_pictures import GOOD_FOR, TITLES
from ecauto_pipeline.settings import parse
from ecauto_pipeline.sync.context import Context, Tools
from ecauto_pipeline.sync.diff_section import DiffReport
from ecauto_pipeline.sync.run_record import begin_run, keep
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run

NOON = datetime(2026, 6, 1, 3, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tools]:
    """A shop of which nothing is known, whose clock stands still."""
    settings = parse({"paths": {"data": str(tmp_path_factory.mktemp("data"))}}, Path.cwd())
    with open_tools(settings, offline=True, clock=ManualClock(NOON)) as opened:
        yield opened


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def shown(
    instance: dg.DagsterInstance, tools: Tools, name: str, at: datetime, found: DiffReport | None = None
) -> dict[str, Any]:
    """What the page of base_updates shows after a run at `at` that found this."""
    clock = ManualClock(at)
    work = Context(**{one: getattr(tools, one) for one in Tools.__slots__} | {"clock": clock}, run=a_run(name, at))
    begin_run(work)
    if found is not None:
        with tools.state.write() as connection:
            keep(connection, name, "price_diffs", found)

    @dg.asset(name="base_updates")
    def asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster refuses MaterializeResult[None] here
        return dg.MaterializeResult(metadata=day_pictures(context.instance, work))

    result = dg.materialize([asset], instance=instance)
    return {name: one.value for name, one in result.asset_materializations_for_node("base_updates")[0].metadata.items()}


def test_within_the_hour_a_run_says_where_they_are_and_stores_none(instance: dg.DagsterInstance, tools: Tools) -> None:
    """One link for every run of the hour, to the materialization that has them, with the time they were drawn."""
    drawn = shown(instance, tools, "first", NOON)
    latest = instance.get_latest_materialization_event(dg.AssetKey("base_updates"))
    between = [shown(instance, tools, f"run {minutes}", NOON + timedelta(minutes=minutes)) for minutes in (1, 30, 59)]
    assert latest is not None
    assert {*TITLES, DRAWN_AT} == set(drawn)
    assert all("data:image/png;base64," in drawn[title] for title in TITLES)
    page = f"/assets/base_updates?view=events&asOf={int(latest.timestamp * 1000) + 1}"
    assert [{LINK: f"[12:05 JST に描いた図]({page})", DRAWN_AT: NOON.timestamp()}] * 3 == between


def test_after_an_hour_they_are_drawn_anew(instance: dg.DagsterInstance, tools: Tools) -> None:
    """Its end counts from when they were drawn, not from the last link; so too where the clock was set back."""
    shown(instance, tools, "one", NOON)
    shown(instance, tools, "link", NOON + timedelta(minutes=40))
    assert set(TITLES) < set(shown(instance, tools, "later", NOON + GOOD_FOR))
    assert set(TITLES) < set(shown(instance, tools, "earlier", NOON - timedelta(minutes=1)))


@pytest.mark.parametrize(("found", "drawn"), [(DiffReport(holds_new=1), True), (DiffReport(holds_kept=3), False)])
def test_what_a_person_has_to_see_is_drawn_at_once(
    instance: dg.DagsterInstance, tools: Tools, found: DiffReport, drawn: bool
) -> None:
    """Rows newly held; what was held before and is on the pictures already can wait."""
    shown(instance, tools, "first", NOON)
    assert drawn == (LINK not in shown(instance, tools, f"second {drawn}", NOON + timedelta(minutes=1), found))


def test_where_one_could_not_be_drawn_the_next_run_tries_again(
    instance: dg.DagsterInstance, tools: Tools, tmp_path: Path
) -> None:
    """No time is kept for what is not there, nor for pictures of a version that kept none."""

    @dg.asset(name="base_updates")
    def some() -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster refuses MaterializeResult[None] here
        return dg.MaterializeResult(metadata={title: dg.MetadataValue.md("![]()") for title in TITLES[:4]})

    dg.materialize([some], instance=instance)
    assert set(TITLES) < set(shown(instance, tools, "again", NOON))
