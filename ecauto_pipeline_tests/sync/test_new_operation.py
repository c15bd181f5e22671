"""The rehearsal of a new SP-API operation: its one file (amazon/made_up_offers.py) is registered, nothing else changes.

Not for: what is an operation at all (amazon/test_registry.py).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from werkzeug import Request, Response

from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.defs.metadata import figures
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.reports.capacity import capacity, rows
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state.schema_calls import api_calls, buckets
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.amazon.made_up_offers import NAME, OPERATION, PATH
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, kept, plan, rows_of, tools_at
from ecauto_pipeline_tests.sync.stale_asins.planner_bench import PlannerBench

_CLOCK = SystemClock()
_WITH_IT = registered([OPERATION])


class NewAmazon:
    """Amazon with one operation more: the emulator, and in front of it a server that answers PATH in its own shape."""

    def __init__(self, emulator: EmulatorServer, front: HTTPServer) -> None:
        self.emulator, self.url = emulator, front.url_for("").rstrip("/")
        self.calls: list[list[str]] = []
        self._behind = httpx.Client(base_url=emulator.url, trust_env=False)
        front.expect_request(PATH).respond_with_handler(self._answer)
        front.expect_request("/auth/o2/token").respond_with_handler(self._pass_on)
        front.expect_request("/batches/products/pricing/v0/itemOffers").respond_with_handler(self._pass_on)

    def close(self) -> None:
        self._behind.close()

    def _answer(self, request: Request) -> Response:
        asins = request.args["goods"].split("+")
        self.calls.append(asins)
        body = {"goods": {asin: {"asks": 4321, "sellers": 9} for asin in asins}}
        return Response(json.dumps(body), content_type="application/json", headers={"x-amzn-RequestId": "made-up"})

    def _pass_on(self, request: Request) -> Response:
        headers = {name: value for name, value in request.headers if name.lower() != "host"}
        said = self._behind.request(request.method, request.path, content=request.get_data(), headers=headers)
        return Response(said.content, said.status_code, list(said.headers.multi_items()))


@pytest.fixture
def amazon(httpserver: HTTPServer) -> Iterator[NewAmazon]:
    with EmulatorServer(clock=_CLOCK, seed=5, listings=200, accounts=1, speed=1.0) as emulator:
        new = NewAmazon(emulator, httpserver)
        yield new
        new.close()


def test_its_rate_raises_what_a_slice_plans(tmp_path: Path) -> None:
    """A minute of details by the batch alone: (20 + 2 x 60) x 1.2, whole calls; with 2 x 7 a second more: 1,220."""
    bench = PlannerBench(tmp_path)
    bench.list_asins(range(2_000))
    alone, _ = bench.plan(slice_s=60.0)
    bench.tools = replace(bench.tools, operations=_WITH_IT)
    together, planned = bench.plan(slice_s=60.0)
    bench.database.close()
    assert (180, 1_220) == (alone.detail_asins, together.detail_asins)
    assert {"detail": 1_220} == Counter(target.operation for target in planned)


def test_it_is_asked_beside_the_others_of_its_role(amazon: NewAmazon, tmp_path: Path) -> None:
    """Each ASIN is asked once by whichever is free, in that operation's own batches, from its own bucket; the report,
    the ledger and the answers say which it was, and it tells no more than it declares to know."""
    tools = replace(tools_at(tmp_path, amazon.url, _CLOCK), operations=_WITH_IT)
    control, run = amazon.emulator.control, a_run("run", _CLOCK.now(), slice_s=9.0)
    truths = ((asin, control.truth(asin)) for asin in control.asins())
    sound = [asin for asin, so in truths if so["known"] and so["status"] == "Success" and not so["failure"]]
    asked = sound[:60]
    for asin in asked:
        control.set_truth(asin, price_jpy=3000)  # in stock, whatever the hour
    plan(tools.for_run(run), detail=asked)
    report = fetch.run(tools.for_run(run))
    mine = [row for row in kept(tools) if row.operation == NAME]
    assert sorted(asked) == sorted(row.asin for row in kept(tools))
    assert {"getItemOffersBatch", NAME} == {row.operation for row in kept(tools)}
    assert len(mine) == sum(map(len, amazon.calls)) >= 40
    sizes = sorted(map(len, amazon.calls))
    assert {7} == set(sizes[2:])  # but for the last call, and one before the batch put back what it had no slot for
    assert len(amazon.calls) == report.calls[f"sp_1/{NAME}"] == figures(report)[f"calls/sp_1/{NAME}"]
    assert {(4321, 1, None)} == {(row.price_jpy, row.in_stock, row.offer_count) for row in mine}
    assert {4321} == {row.price_jpy for row in rows_of(tools, [row.asin for row in mine]).values()}
    with tools.state.read() as connection:
        bucket = connection.execute(select(buckets).where(buckets.c.operation == NAME)).one()
        ledger = connection.execute(select(api_calls.c["items"]).where(api_calls.c.operation == NAME)).scalars().all()
    assert ("sp_1", 2.0, 3.0) == (bucket.account, bucket.rate_per_s, bucket.burst)
    assert sizes == sorted(ledger)


def test_capacity_lists_it_and_counts_it(tmp_path: Path) -> None:
    """`ecauto capacity` shows its calls and ASINs an hour, and its role can keep that much more fresh."""
    settings = parse({}, tmp_path)
    with open_tools(settings, offline=True) as tools:
        without = capacity(tools, listings=100_000)
    with open_tools(settings, offline=True, operations=_WITH_IT) as tools:
        found = capacity(tools, listings=100_000)
    assert "7,200 回/時, 50,400 ASIN/h" == {name: figures for name, figures, _ in rows(found)}[NAME]
    assert pytest.approx(without.detail_load * 7_200 / 57_600) == found.detail_load


def test_the_owner_may_limit_it(tmp_path: Path) -> None:
    """[sp_api.limits] takes its name where it is registered, and nowhere else."""
    settings = parse({"sp_api": {"limits": {NAME: {"batch": 5}}}}, tmp_path)
    with open_tools(settings, offline=True, operations=_WITH_IT) as tools:
        assert 5 == tools.operations.under(settings).of(Role.DETAIL)[1].batch
    with (
        pytest.raises(SettingsError, match=f"unknown operation 'sp_api.limits.{NAME}'"),
        open_tools(settings, offline=True),
    ):
        pass
