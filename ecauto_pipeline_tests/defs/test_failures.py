"""What a person reads first where a run has failed."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from ecauto_pipeline.defs.build import build_defs
from ecauto_pipeline.defs.failures import in_words, place_of, sentence
from ecauto_pipeline.errors import RegisterError, Stopped
from ecauto_pipeline.settings import Settings, parse


@dg.op
@in_words
def opens_the_register() -> None:
    raise RegisterError("master.db: no table 'listings'", ja="master.db に表 'listings' がありません")


@dg.job
def a_day_without_a_register() -> None:
    opens_the_register()


def test_a_failed_step_begins_with_the_sentence_for_people() -> None:
    """The error's first line is the sentence, its class is in the metadata, the trace is its cause."""
    result = a_day_without_a_register.execute_in_process(raise_on_error=False)
    data = next(event.step_failure_data for event in result.all_events if event.is_step_failure)
    sentence_for_people = "master.db に表 'listings' がありません"
    assert data.error is not None
    assert data.error.message.splitlines()[0].endswith(f"Failure: {sentence_for_people}")
    assert data.user_failure_data is not None
    assert sentence_for_people == data.user_failure_data.description
    assert "RegisterError" == data.user_failure_data.metadata["error"].value
    assert data.error.cause is not None
    assert any("opens_the_register" in line for line in data.error.cause.stack)


def test_every_asset_and_op_of_ours_fails_in_words() -> None:
    """None is forgotten: what stands between Dagster and a step is `in_words`."""
    repository = build_defs(Settings()).get_repository_def()
    nodes = [node.definition for job in repository.get_all_jobs() for node in job.graph.nodes]
    ops = [node for node in nodes if isinstance(node, dg.OpDefinition)]
    bodies = {op.name: getattr(op.compute_fn, "decorated_fn", None) for op in ops}
    assert {"listings", "base_updates", "capacity", "explain_op", "rollback_run_op"} <= set(bodies)
    assert [] == [name for name, body in bodies.items() if not hasattr(body, "__wrapped__")]


def test_an_error_nobody_foresaw_is_told_with_its_place() -> None:
    """Class, word and line of the program come first, in the person's language; the original is the cause."""

    @in_words
    def body() -> None:
        raise KeyError("asin")

    with pytest.raises(dg.Failure) as failed:
        body()
    assert isinstance(failed.value.__cause__, KeyError)
    said = str(failed.value.description)
    assert said.startswith("想定していないエラーで止まりました: KeyError: 'asin'（test_failures.py:")
    assert "stopped by an error nobody foresaw: KeyError: 'asin'" in sentence(KeyError("asin"), "en")


def test_the_place_is_a_line_of_ours_where_there_is_one() -> None:
    """A library's own line says nothing to whoever looks for the fault."""
    with pytest.raises(TypeError, match="not a mapping") as raised:
        parse("a text is no mapping", Path("."))  # type: ignore[arg-type]  # what the types forbid is what is tried
    assert place_of(raised.value).startswith("settings.py:")


@pytest.mark.parametrize("wish", [Stopped("asked to end"), dg.Failure("told already"), dg.RetryRequested()])
def test_what_is_told_already_or_wished_for_passes_as_it_is(wish: Exception) -> None:
    """Neither a person's Terminate nor a sentence of a launchpad becomes a fault of the program."""

    @in_words
    def body() -> None:
        raise wish

    with pytest.raises(type(wish)) as raised:
        body()
    assert wish is raised.value


def test_our_own_errors_speak_for_themselves() -> None:
    """One line, as written."""
    assert "master.db: no table listings" == sentence(RegisterError("master.db:\n  no table listings"))
