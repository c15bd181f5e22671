"""An emulator on a clock moved by hand, and clients that speak plain HTTP to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.emulator.callers import AmazonCaller, BaseCaller

START = datetime(2026, 3, 2, 3, 20, tzinfo=UTC)  # 12:20 in Japan


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def emulator(clock: ManualClock) -> Iterator[EmulatorServer]:
    with EmulatorServer(clock=clock, seed=1, listings=60, accounts=3) as running:
        yield running


@pytest.fixture
def http(emulator: EmulatorServer) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=emulator.url, trust_env=False, verify=False, timeout=60
    ) as client:  # certificates: 20 ms
        yield client


@pytest.fixture
def amazon(http: httpx.Client) -> AmazonCaller:
    return AmazonCaller(http)


@pytest.fixture
def shop(http: httpx.Client, emulator: EmulatorServer) -> BaseCaller:
    return BaseCaller(http, "base_account_1", emulator.control.issue_base_tokens("base_account_1"))
