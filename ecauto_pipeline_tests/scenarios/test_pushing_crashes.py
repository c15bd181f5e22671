"""kill -9 and company: what is pushed is pushed once, whoever dies and whoever else is at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.scenarios.killing import Pushing


@pytest.fixture
def pushing(tmp_path: Path) -> Iterator[Pushing]:
    with EmulatorServer(seed=7, listings=120, accounts=3, speed=1000.0) as emulator:
        yield Pushing(tmp_path, emulator, seed=11)


def test_killed_at_random_moments_every_diff_is_sent_once(pushing: Pushing) -> None:
    """Four kills in the pushing of some seventy edits, then one whole run: nothing twice, nothing forgotten."""
    worker = pushing.worker()
    killed = [worker.kill_after_edits(pushing, pushing.chance.randrange(1, 15)) for _ in range(4)]
    worker.begin(pushing.next_run())
    assert 0 == worker.ended()
    worker.begin(pushing.next_run())
    assert 0 == worker.ended()
    worker.close()
    assert [-9] * 4 == killed
    pushing.verify()


def test_two_processes_push_one_account_once_and_refresh_one_token(pushing: Pushing) -> None:
    """Both decide the same: each diff is sent once, and each shop's expired token is refreshed once."""
    pushing.control.expire_tokens(api="base")
    before = len(pushing.control.calls(api="base"))
    one, two = pushing.worker(), pushing.worker()
    one.begin(pushing.next_run())
    two.begin(pushing.next_run())
    assert (0, 0) == (one.ended(), two.ended())
    refreshed = len(pushing.control.calls(api="base"))
    one.begin(pushing.next_run())
    assert 0 == one.ended()
    one.close()
    two.close()
    pushing.verify()
    calls = pushing.control.calls(api="base")[before:refreshed]
    refreshes = [call for call in calls if "token" in call["operation"]]
    assert sum(account.active for account in pushing.settings.base.accounts) == len(refreshes)
