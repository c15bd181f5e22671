"""Every asset killed (-9) in turn, and taken up in every way there is: it leaves what one undisturbed run leaves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ecauto_pipeline_tests.scenarios.broken_runs import ASSETS, Left, Trials, trials

WAYS = ("retry by the daemon", "from failure", "whole", "one by one")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    with trials(tmp_path_factory.mktemp("broken")) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(trial: Trials) -> Left:
    trial.begin()
    trial.run()
    return trial.left()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("asset", ASSETS)
def test_whatever_was_killed_is_taken_up(trial: Trials, undisturbed: Left, asset: str, way: str) -> None:
    """Shop, state and history equal an undisturbed run's, and no answered ASIN is asked again."""
    trial.begin()
    run_id, last = trial.killed_in(asset, retry=way == "retry by the daemon")
    answered = trial.answered()
    if way == "retry by the daemon":
        assert trial.wait_for_retry(run_id) == "SUCCESS"
    elif way == "one by one":
        assert ["SUCCESS"] * len(ASSETS) == trial.one_by_one()
    else:
        again = trial.server.re_execute(run_id, "FROM_FAILURE" if way == "from failure" else "ALL_STEPS")
        assert trial.server.wait_for_run(again) == "SUCCESS"
    assert not answered & set(trial.asked_since(last))
    assert undisturbed == trial.left()


def test_assets_one_by_one_on_the_first_day(trial: Trials, undisturbed: Left) -> None:
    """No run before: each asset alone, in order, leaves what one run leaves; a second time it has nothing to do."""
    trial.begin()
    assert ["SUCCESS"] * len(ASSETS) == trial.one_by_one()
    assert undisturbed == trial.left()
    last, known = max(call["seq"] for call in trial.control.calls()), {row[0] for row in undisturbed.snapshots}
    assert ["SUCCESS"] * len(ASSETS) == trial.one_by_one()
    assert not known & set(trial.asked_since(last))
    assert undisturbed == trial.left()
