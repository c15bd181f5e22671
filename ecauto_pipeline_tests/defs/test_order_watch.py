"""The sensor that looks for orders, and the job it starts: through Dagster, with a real channel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.defs.build import build_defs
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.alerts.receivers import HttpReceiver, http_receiver
from ecauto_pipeline_tests.defs.installation import Installation, installed, one_shop

SHOP = "base_account_1"


@pytest.fixture(scope="module")
def hook() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorServer]:
    with EmulatorServer(clock=SystemClock(), seed=4, listings=12, accounts=2, speed=1000.0) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, emulator: EmulatorServer, hook: HttpReceiver
) -> Iterator[Installation]:
    text = f'{one_shop(emulator.url, SHOP)}[[alerts.channels]]\nkind = "webhook"\nendpoint = "{hook.url}"\n'
    with installed(tmp_path_factory.mktemp("watch"), text) as installation:
        tick(installation)  # the watch begins
        yield installation


def tick(installation: Installation) -> Any:
    """What one look of the sensor comes to."""
    repository = build_defs().get_repository_def()
    with dg.build_sensor_context(instance=installation.instance, repository_def=repository) as context:
        return repository.get_sensor_def("new_orders")(context)


def test_a_look_without_orders_is_no_run_and_asks_each_shop_once(
    installation: Installation, emulator: EmulatorServer
) -> None:
    """Seven hundred times a day: one list call a shop, nothing else, at no other place."""
    before = max(call["seq"] for call in emulator.control.calls())
    assert isinstance(tick(installation), dg.SkipReason)
    calls = [(call["api"], call["operation"], call["account"]) for call in emulator.control.calls(since=before)]
    assert [("base", "orders", SHOP)] == calls


def test_an_order_starts_one_run_that_tells_of_it(
    installation: Installation, emulator: EmulatorServer, hook: HttpReceiver
) -> None:
    """The request is one that the job takes; when it is done, the next look is quiet."""
    sold = next(item for item in emulator.control.items(SHOP) if item["stock"])
    emulator.control.sell(SHOP, sold["item_id"])
    request = tick(installation)
    assert isinstance(request, dg.RunRequest)
    job = build_defs().resolve_job_def("order_watch")
    assert dg.validate_run_config(job, request.run_config)
    queued = installation.instance.create_run_for_job(job, run_config=request.run_config)
    assert isinstance(tick(installation), dg.SkipReason)  # one at a time
    installation.instance.report_run_canceled(queued)
    assert installation.run("order_watch", partition=None).success
    assert [[str(sold["item_id"])]] == [[row["item_id"] for row in one.json["orders"]] for one in hook.received]
    assert isinstance(tick(installation), dg.SkipReason)
    assert 1 == len(hook.received)


def test_after_a_run_that_failed_the_next_one_waits(installation: Installation, emulator: EmulatorServer) -> None:
    """An order that can't be worked on makes a failed run in ten minutes, not one in two; people hear of the first."""
    sold = next(item for item in emulator.control.items(SHOP) if item["stock"])
    emulator.control.sell(SHOP, sold["item_id"])
    job = build_defs().resolve_job_def("order_watch")
    failed = installation.instance.create_run_for_job(job)
    installation.instance.report_run_failed(failed)
    assert "the last run failed" in str(tick(installation).skip_message)
