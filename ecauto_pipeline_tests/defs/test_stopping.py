"""The jobs that stop all pushing and let it go on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ecauto_pipeline.defs.build import build_defs
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state import stops
from ecauto_pipeline.state.database import Database
from ecauto_pipeline_tests.defs.installation import Installation, installed


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("stopping"), answers=False) as installation:
        yield installation


def form(job: str, *accounts: str) -> dict[str, object]:
    return {f"{job}_op": {"config": {"accounts": list(accounts), "who": "owner"}}}


def standing(here: Installation) -> list[tuple[AccountKey | None, str]]:
    database = Database(here.settings.state_url())
    with database.read() as connection:
        found = [(one.account, one.who) for one in stops.standing(connection)]
    database.close()
    return found


def test_the_forms_stop_and_resume_what_they_name(here: Installation) -> None:
    """One shop, every shop, and back; no run of ours is written, no emulator starts; refused where nothing stands."""
    one = AccountKey("base", "base_account_1")
    assert here.run("stop_pushing", ops=form("stop_pushing", "base_account_1"), partition=None).success
    assert [(one, "owner")] == standing(here)
    assert here.run("stop_pushing", ops=form("stop_pushing"), partition=None).success
    assert [(None, "owner"), (one, "owner")] == standing(here)
    assert here.run("resume_pushing", ops=form("resume_pushing"), partition=None).success
    again = here.run("resume_pushing", ops=form("resume_pushing"), partition=None, raise_on_error=False)
    assert ([], False, 0) == (standing(here), again.success, here.runs_kept())
    assert not (here.data / "emulator").exists()


def test_a_shop_that_is_not_there_is_refused_by_name(here: Installation) -> None:
    """Nothing is stopped then."""
    ended = here.run("stop_pushing", ops=form("stop_pushing", "typo"), partition=None, raise_on_error=False)
    assert (False, []) == (ended.success, standing(here))
    said = " ".join(str(event.event_specific_data) for event in ended.all_events if event.is_failure)
    assert ("'typo'" in said, "base_account_1" in said) == (True, True)


def test_they_go_before_everything_else_in_the_queue() -> None:
    """A stop that waits behind the runs it is meant for stops nothing."""
    jobs = build_defs().get_repository_def()
    assert ["100", "100"] == [
        jobs.get_job(name).tags["dagster/priority"] for name in ("stop_pushing", "resume_pushing")
    ]


@pytest.mark.parametrize(
    ("runs", "since", "word"), [([], "", "target_run_ids"), ([], "yesterday", "since"), (["zz"], "", "zz")]
)
def test_a_rollback_without_anything_to_take_back_is_refused(
    here: Installation, runs: list[str], since: str, word: str
) -> None:
    """The field, or what was typed into it, is named; no edit is made."""
    ops = {"rollback_run_op": {"config": {"target_run_ids": runs, "since": since}}}
    ended = here.run("rollback_run", ops=ops, partition=None, raise_on_error=False)
    said = " ".join(str(event.event_specific_data) for event in ended.all_events if event.is_failure)
    assert (False, True) == (ended.success, word in said)
