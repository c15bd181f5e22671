"""A run meets answers in a shape that nobody expected: counted, kept as an example, told; ended by one that looked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecauto_pipeline.alerts.announce import announce
from ecauto_pipeline.alerts.rules import RULES
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.alerts.shapes_heard import shapes_heard
from ecauto_pipeline.alerts.verdicts import Verdict
from ecauto_pipeline.amazon.operations.item_offers_batch import OPERATION
from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.state.amazon_shapes import shapes_met
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.run_record import record_of
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.sync.sp_api_snapshots.batch import Asking
from ecauto_pipeline.sync.sp_api_snapshots.queues import Work
from ecauto_pipeline.sync.sp_api_snapshots.tally import Tally
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, plan, tools_at

_START = datetime(2026, 1, 5, 3, tzinfo=UTC)
_RENAMED = {"kind": "renamed", "operation": OPERATION.name, "names": {"ShippingTime": "shippingTime"}}
_SHAPE = "missing Offers.ShippingTime"


@pytest.fixture(scope="module")
def world() -> Iterator[EmulatorServer]:
    with EmulatorServer(clock=ManualClock(_START), seed=3, listings=80, accounts=1, speed=1.0) as server:
        for operation in registered():
            server.control.set_rate(operation.name, 1000.0, 1000)
        for asin in server.control.asins():
            server.control.set_truth(asin, price_jpy=2000)
        yield server


@pytest.fixture
def tools(world: EmulatorServer, tmp_path: Path) -> Iterator[Tools]:
    world.control.clear_faults()
    tools = tools_at(tmp_path, world.url, ManualClock(_START))
    yield tools
    tools.state.close()


def _asked(tools: Tools, run_id: str, asins: list[str]) -> Verdict:
    """What the rule says after one run about these ASINs."""
    assert isinstance(tools.clock, ManualClock)
    tools.clock.advance(60)
    run = tools.for_run(a_run(run_id, tools.clock.now()))
    plan(run, detail=asins)
    fetch.run(run)
    found = RULES["amazon_shape"].judge(record_of(run, run_id), alert_setup(tools))
    announce(tools, [found], None, {})
    return found


def test_a_renamed_field_is_told_at_twenty_asins_and_ended_by_a_run_that_measured_it(
    world: EmulatorServer, tools: Tools
) -> None:
    """19 ASINs are no alarm, the 20th is; a run about others leaves it standing, one about its own ends it."""
    listed = world.control.asins()
    world.control.add_faults(_RENAMED)
    assert _asked(tools, "nineteen", listed[:19]).passed
    twenty = _asked(tools, "twenty", listed[19:20])
    assert (False, True) == (twenty.passed, _SHAPE in twenty.message_en)
    world.control.clear_faults()
    assert not _asked(tools, "others", listed[20:40]).passed
    assert _asked(tools, "measured", listed[:20]).passed


def test_an_example_is_kept_that_shows_the_new_name(world: EmulatorServer, tools: Tools) -> None:
    """The item of one ASIN as it came, named by the alarm."""
    world.control.add_faults(_RENAMED)
    found = _asked(tools, "renamed", world.control.asins()[:20])
    (file,) = (tools.settings.data_dir / "samples").iterdir()
    assert f"data/samples/{file.name}" in found.message_en
    example = json.loads(file.read_text(encoding="utf-8"))
    assert (OPERATION.name, _SHAPE, "sp_1", 200) == tuple(
        example[name] for name in ("operation", "shape", "sp_account", "http_status")
    )
    assert "shippingTime" in example["body"]["body"]["payload"]["Offers"][0]
    assert example["asin"] == example["body"]["request"]["Asin"]


def test_it_is_heard_before_the_run_has_ended(world: EmulatorServer, tools: Tools) -> None:
    """As soon as a batch is committed; while nothing is odd nothing is said, so that no alarm ends by it."""
    (account,), asins = tools.sp_accounts, world.control.asins()[:20]
    run = tools.for_run(a_run("renamed", _START))
    rules, deadline = fetch.learn_rules(tools.settings), tools.clock.monotonic() + 600
    asking = Asking(run, Work((), (), ()), Tally(), rules, deadline, since=_START)
    assert () == shapes_heard(tools)
    world.control.add_faults(_RENAMED)
    asking.ask(account, OPERATION, Role.DETAIL, asking.claim(Role.DETAIL, asins).asins)
    (heard,) = shapes_heard(tools)
    assert ("amazon_shape", False) == (heard.rule, heard.passed)


def test_that_no_example_can_be_kept_fails_no_run(world: EmulatorServer, tools: Tools) -> None:
    """The disk takes nothing: answers, counts and alarm are as ever, the message names no file."""
    tools.settings.data_dir.mkdir(parents=True, exist_ok=True)
    (tools.settings.data_dir / "samples").write_text("in the way", encoding="utf-8")
    world.control.add_faults(_RENAMED)
    found = _asked(tools, "renamed", world.control.asins()[:20])
    assert not found.passed
    assert "samples/" not in found.message_en
    with tools.state.read() as connection:
        assert [_SHAPE] == [one.shape for one in shapes_met(connection)]
