"""A run that died before it opened its record is begun again, under a key that Dagster does not pass over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.tags import RUN_KEY_TAG
from sqlalchemy import insert

from ecauto_pipeline.cli.dagster_run import job_origin
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.defs.next_slice import TOO_EARLY, look
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.defs.run_keys import died, free_key
from ecauto_pipeline.domain.lanes import WHOLE_LANE
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.wiring.lanes import lanes_of
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.defs.installation import SMALL, Installation, installed
from ecauto_pipeline_tests.two_lanes import LANES

HOUR = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
KEY = f"{hour_key(HOUR)}:2:the run before"


@pytest.fixture(params=["", LANES], ids=["one_lane", "two_lanes"])
def here(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Installation]:
    """Two articles of which nothing is known, in two shops."""
    with installed(tmp_path, SMALL + request.param, answers=False) as opened:
        with open_tools(opened.settings, offline=True) as tools, tools.state.write() as connection:
            row = {"platform": "base", "item_id": "1", "listed": 1}
            shops = [{**row, "account_id": f"base_account_{one}", "asin": f"B00000000{one}"} for one in (1, 2)]
            connection.execute(insert(listings), shops)
        yield opened


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def begun(instance: dg.DagsterInstance, key: str) -> str:
    """What the daemon makes of a request, by its id."""
    run = dg.DagsterRun("stock_sync", tags={RUN_KEY_TAG: key}, remote_job_origin=job_origin("stock_sync"))
    return instance.add_run(run).run_id


def ended(instance: dg.DagsterInstance, run_id: str, minute: float, how: str = "PIPELINE_FAILURE") -> None:
    at = HOUR + timedelta(minutes=minute)
    instance.report_dagster_event(dg.DagsterEvent(how, "stock_sync"), run_id, timestamp=at.timestamp())


def dies_twice(instance: dg.DagsterInstance, key: str, minute: float) -> None:
    """It and Dagster's one retry, before either has opened its record; the retry has its tags."""
    for _ in range(2):
        ended(instance, begun(instance, key), minute)


def asked(here: Installation, minute: float) -> tuple[list[str], set[str]]:
    """The keys that a look at this minute of the hour asks for, and why it asks for no more."""
    clock = ManualClock(HOUR + timedelta(minutes=minute))
    with open_tools(here.settings, offline=True, clock=clock) as tools:
        requests, why_not, _ = look(here.instance, tools, lanes_of(here.settings))
    assert all(one.partition_key == hour_key(HOUR) for one in requests)
    return [str(one.run_key) for one in requests], set(why_not.values())


def suffixes(here: Installation) -> list[str]:
    return ["" if lane.whole else f":{lane.id}" for lane in lanes_of(here.settings)]


def test_the_next_try_has_a_key_of_its_own_and_comes_ten_minutes_later(instance: dg.DagsterInstance) -> None:
    """As many tries as it takes, whoever ended them."""

    def free(minute: float) -> str | None:
        return free_key(instance, KEY, HOUR + timedelta(minutes=minute))

    assert KEY == free(20)
    dies_twice(instance, KEY, 20)
    assert [None, None, f"{KEY}:2"] == [free(minute) for minute in (20, 29.9, 30)]
    ended(instance, begun(instance, f"{KEY}:2"), 31, "PIPELINE_CANCELED")
    assert [None, None, f"{KEY}:3"] == [free(minute) for minute in (31, 40.9, 41)]


@pytest.mark.parametrize("well", [True, False], ids=["went_well", "queued"])
def test_what_works_or_went_well_keeps_its_key(instance: dg.DagsterInstance, well: bool) -> None:
    """So Dagster begins it once, however often it is asked for; a retry under way is one that works."""
    key, later = f"{KEY}:{well}", HOUR + timedelta(minutes=30)
    ended(instance, begun(instance, key), 10)
    assert died(instance, key, later)
    retry = begun(instance, key)
    if well:
        ended(instance, retry, 11, "PIPELINE_SUCCESS")
    assert (False, key) == (died(instance, key, later), free_key(instance, key, later))


def test_a_slice_that_died_unrecorded_is_asked_for_again(here: Installation) -> None:
    """Every later look asked for the same key, and Dagster began nothing for the rest of the hour."""
    with open_tools(here.settings, offline=True) as tools, tools.state.write() as connection:
        run_book.begin(connection, "R1", "price_sync", hour_key(HOUR), HOUR, False, "", WHOLE_LANE)
    keys = [f"{hour_key(HOUR)}:2:R1{suffix}" for suffix in suffixes(here)]
    assert (keys, set()) == asked(here, 20)
    dies_twice(here.instance, keys[0], 20)
    assert (keys[1:], {TOO_EARLY}) == asked(here, 21)
    assert ([f"{keys[0]}:2", *keys[1:]], set()) == asked(here, 30)


def test_the_hours_run_that_died_unrecorded_is_begun_again(here: Installation) -> None:
    """All hour a look waited for the run of the tick; where there was no tick, it still does."""
    waits = {"この時間の最初の実行を待っています / waiting for the hour's first run"}
    assert ([], waits) == asked(here, 20)
    first, *others = suffixes(here)
    dies_twice(here.instance, f"stock_sync:{hour_key(HOUR)}{first}", 2)
    assert ([], waits) == asked(here, 11)
    again = f"{hour_key(HOUR)}:1:{first}"
    assert ([again], waits if others else set()) == asked(here, 12)
    dies_twice(here.instance, again, 13)
    assert ([], {TOO_EARLY, *(waits if others else ())}) == asked(here, 14)
    assert [f"{again}:2"] == asked(here, 23)[0]
    with open_tools(here.settings, offline=True) as tools, tools.state.write() as connection:
        run_book.begin(connection, "begun", "stock_sync", hour_key(HOUR), HOUR + timedelta(minutes=24), False)
        run_book.end(connection, "begun", HOUR + timedelta(minutes=25))
    assert ([], {"last_run_failed"}) == asked(here, 26)
