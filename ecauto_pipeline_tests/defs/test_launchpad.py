"""The launchpad: a wrong word is refused by name before anything starts; what a job may do stands beside the job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from ecauto_pipeline.defs.build import build_defs
from ecauto_pipeline.defs.history_upkeep import HISTORY_UPKEEP
from ecauto_pipeline.defs.jobs import MATERIALIZE, POLICIES, STOCK_ASSETS, JobPolicy, policy_of, pushes_in_the_end
from ecauto_pipeline.defs.launchpad import PriceChoice, SpendChoice
from ecauto_pipeline.defs.questions import QUESTIONS
from ecauto_pipeline.defs.stopping import STOPPING
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline_tests.defs.installation import Installation, installed


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("launchpad"), answers=False) as installation:
        yield installation


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("include_price", value) for value in ("flor", "", 1)),
        *(("spend", value) for value in ("bugdet", True)),
        ("trigger", "somebody"),
        ("max_items", "ten"),
    ],
)
@pytest.mark.parametrize("job", ["full_sync", "release_holds"])
def test_a_wrong_word_is_refused_by_dagster_itself(here: Installation, job: str, field: str, value: object) -> None:
    """The field and the word are named; no run exists, nothing is written, nobody is asked."""
    ops = {"release_holds_op": {"config": {"diff_ids": ["x"], "who": ""}}} if job == "release_holds" else None
    with pytest.raises(dg.DagsterInvalidConfigError) as refused:
        here.run(job, {field: value}, ops, partition=None if ops else "")
    assert f"config:{field}" in str(refused.value)
    if isinstance(value, str) and value:
        assert value in str(refused.value)
    assert 0 == here.instance.get_runs_count()
    assert not here.data.exists()


@pytest.mark.parametrize(("account", "why"), [("typo", "unknown account"), ("base_account_2", "is switched off")])
def test_an_account_that_is_not_there_ends_the_run_before_anything_starts(
    here: Installation, account: str, why: str
) -> None:
    """A sentence in both languages names the shops there are; no emulator, no state.db, no step."""
    result = here.run("full_sync", {"accounts": ["base_account_1", account]}, raise_on_error=False)
    said = " ".join(str(event.event_specific_data) for event in result.all_events if event.is_failure)
    said += " ".join(str(e.event_specific_data) for e in result.all_events if "INIT_FAILURE" in e.event_type_value)
    assert not result.success
    assert [] == [event for event in result.all_events if event.is_step_start or event.is_step_success]
    for words in (why, repr(account), "known: base_account_1", "base_account_1"):
        assert words in said
    assert not here.data.exists()


def test_the_choices_are_what_a_step_reads() -> None:
    """Every word of the launchpad but "nothing chosen" is a word of the run, and the default leaves it to the job."""
    assert ["floor", "never", "floor", "all"] == [choice.or_else("floor") for choice in PriceChoice]
    assert ["budget", "due", "budget"] == [choice.or_else("budget") for choice in SpendChoice]


def test_every_job_has_a_policy_of_its_own_unless_it_opens_no_run() -> None:
    """A job without one would silently do what a person's materialization may; questions, stops and
    what looks after history open none."""
    jobs = {job.name for job in build_defs(Settings()).get_repository_def().get_all_jobs()}
    ours = {name for name in jobs if not name.startswith("__")}
    assert ours - {job.name for job in (*QUESTIONS, *STOPPING, *HISTORY_UPKEEP)} == set(POLICIES)
    assert MATERIALIZE is policy_of("__ASSET_JOB")


def test_what_the_jobs_may_do() -> None:
    """The price run judges no visibility; the hourly one treats prices as ecauto.toml says; three send nothing."""
    settings = parse({"schedules": {"include_price": "never"}}, Path("."))
    assert {"stock_sync": "never"} == {
        name: found for name, one in POLICIES.items() if (found := one.include_price(settings)) != "all"
    }
    assert ["price_sync"] == [name for name, one in POLICIES.items() if not one.visibility]
    assert ["validate_cache", "catalog_refresh", "order_watch"] == [
        name for name, one in POLICIES.items() if not one.push
    ]
    assert ["release_holds", "rollback_run", "apply_plan"] == [name for name, one in POLICIES.items() if not one.fetch]
    assert JobPolicy() == MATERIALIZE


@pytest.mark.parametrize(
    ("chosen", "visibility", "pushes"),
    [
        (None, True, True),
        (STOCK_ASSETS, True, True),
        (("sp_api_snapshots",), True, False),
        (STOCK_ASSETS[:-1], True, False),
        (("sp_api_snapshots", "price_diffs", "base_updates"), True, False),
        (("sp_api_snapshots", "price_diffs", "base_updates"), False, True),
    ],
    ids=["job", "all", "asking", "no_push", "prices_of_all", "prices"],
)
@pytest.mark.parametrize("how", ["assets", "steps"])
def test_only_a_run_that_goes_on_to_the_push_may_push_while_it_asks(
    chosen: tuple[str, ...] | None, visibility: bool, pushes: bool, how: str
) -> None:
    """Chosen as assets or taken up from a failure by its steps: who chose the asking alone has asked for no edit."""
    run = dg.DagsterRun(
        job_name="stock_sync",
        asset_selection=frozenset(map(dg.AssetKey, chosen)) if chosen and how == "assets" else None,
        step_keys_to_execute=list(chosen) if chosen and how == "steps" else None,
    )
    assert pushes is pushes_in_the_end(run, visibility)
