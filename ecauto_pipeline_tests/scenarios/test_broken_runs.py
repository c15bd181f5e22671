"""Whatever can be started can be taken up: a killed run goes on by the daemon, by a person, asset by asset.

One of each kind; the whole matrix (six assets by four ways, each a process) is in proofs/test_broken_runs.py.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ecauto_pipeline_tests.scenarios.broken_runs import Left, Trials, trials

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    with trials(tmp_path_factory.mktemp("broken")) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(trial: Trials) -> Left:
    """What one run leaves that nobody disturbs."""
    trial.begin()
    trial.run_here()
    return trial.left()


def test_a_run_killed_twice_is_taken_up_by_the_daemon_and_then_by_a_person(trial: Trials, undisturbed: Left) -> None:
    """Killed while it asks Amazon, its retry while that edits the shops; re-executed from its failure it ends.

    The retry asks the rest and no answered ASIN again; no edit is lost, none is sent twice.
    """
    trial.begin()
    run_id, last = trial.killed_in("sp_api_snapshots", retry=True)
    answered = trial.answered()
    retry = trial.retried(run_id)
    trial.kill(retry, "base_updates")
    again = trial.server.re_execute(retry)
    assert trial.server.wait_for_run(again) == "SUCCESS"
    assert answered
    assert not answered & set(trial.asked_since(last))
    assert undisturbed == trial.left()


def test_each_asset_alone_in_order_is_the_same_as_one_run(trial: Trials, undisturbed: Left) -> None:
    """Killed while it judges; then the six assets are materialized one by one, each in a run of its own.

    The runs begin in this process and one beside it, as `ecauto sync` begins its own; the proofs start them from the
    webserver.
    """
    trial.begin()
    last = trial.killed_beside("price_diffs")
    answered = trial.answered()
    assert [True] * 6 == trial.one_by_one_here()
    assert not answered & set(trial.asked_since(last))
    assert undisturbed == trial.left()
