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


def test_the_daemon_s_retry_of_a_killed_run_asks_what_is_left(trial: Trials, undisturbed: Left) -> None:
    """Killed while it asks Amazon: the retry asks the rest, no answered ASIN again, and pushes it all."""
    trial.begin()
    run_id, last = trial.killed_in("sp_api_snapshots", retry=True)
    answered = trial.answered()
    assert trial.wait_for_retry(run_id) == "SUCCESS"
    assert answered
    assert not answered & set(trial.asked_since(last))
    assert undisturbed == trial.left()


def test_re_executed_from_its_failure_a_killed_push_sends_the_rest(trial: Trials, undisturbed: Left) -> None:
    """Killed while it edits the shops: no edit is lost, none is sent twice."""
    trial.begin()
    run_id, _ = trial.killed_in("base_updates", retry=False)
    again = trial.server.re_execute(run_id)
    assert trial.server.wait_for_run(again) == "SUCCESS"
    assert undisturbed == trial.left()


def test_each_asset_alone_in_order_is_the_same_as_one_run(trial: Trials, undisturbed: Left) -> None:
    """Killed while it judges; then the six assets are materialized one by one, each in a run of its own.

    Those six begin in this process, as Dagster begins them in theirs; the proofs start them from the webserver.
    """
    trial.begin()
    _, last = trial.killed_in("price_diffs", retry=False)
    answered = trial.answered()
    assert [True] * 6 == trial.one_by_one_here()
    assert not answered & set(trial.asked_since(last))
    assert undisturbed == trial.left()
