"""Laws of a token file that another program wrote, or that can't be replaced: one shop's matter, never an error."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecauto_pipeline import atomic_file
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import AccountBlocked
from ecauto_pipeline.shops.base import tokens as writing
from ecauto_pipeline.shops.base.tokens import TokenFile, from_document, newest, to_document
from ecauto_pipeline_tests.examples import examples
from ecauto_pipeline_tests.shops.base.shops_at_hand import ACCOUNT, NOON, Hands, authorise, set_up

HOUR = timedelta(hours=1)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)
FIELDS = ("access_token", "refresh_token", "obtained_at", "expires_at", "expires_in", "scope", "replaces", "token_type")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[EmulatorServer, Hands, ManualClock]]:
    clock = ManualClock(NOON)
    with EmulatorServer(clock=clock, seed=1, listings=20, accounts=1) as emulator:
        hands = set_up(tmp_path, emulator.url, clock)
        authorise(hands, emulator, clock)
        yield emulator, hands, clock


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (1795644099348, datetime(2026, 11, 25, 22, 1, 39, 348000, UTC)),
        (1795644099, datetime(2026, 11, 25, 22, 1, 39, tzinfo=UTC)),
        ("1795644099348", datetime(2026, 11, 25, 22, 1, 39, 348000, UTC)),
        (1795644099348000000, datetime(2026, 11, 25, 22, 1, 39, 348000, UTC)),
        ("2026-11-26T07:01:39", datetime(2026, 11, 25, 22, 1, 39, tzinfo=UTC)),
    ],
)
def test_a_time_is_understood_in_the_units_that_programs_use(written: object, meant: datetime) -> None:
    """Seconds, milliseconds and nanoseconds since 1970, also as text, and ISO 8601 in Japanese time."""
    tokens = from_document(json.dumps({"refresh_token": "r", "obtained_at": written, "expires_at": written}))
    assert (meant, meant) == (tokens.obtained_at, tokens.expires_at)


@pytest.mark.parametrize("written", [float("nan"), float("inf"), -1e300, 10**400, -5, True, [], "soon", "0001-01-01"])
def test_a_time_that_can_not_be_one_is_unknown(written: object) -> None:
    """The file's own time stands in for when it was obtained; unknown expiry is over, so that a refresh mends it."""
    text = json.dumps({"access_token": "a", "refresh_token": "r", "obtained_at": written, "expires_at": written})
    tokens = from_document(text, NOON)
    assert (NOON, False) == (tokens.obtained_at, tokens.usable(NOON))


ANY_TIME = st.floats() | st.integers() | st.none() | st.text(max_size=10)
A_TOKEN_AND_ANY_TIMES = st.fixed_dictionaries(
    {"refresh_token": st.just("r")}, optional=dict.fromkeys(("obtained_at", "expires_at", "expires_in"), ANY_TIME)
)
"""What comes as far as its times: most documents of chance have no refresh token and are refused before."""


@given(A_TOKEN_AND_ANY_TIMES | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=3), ANY_JSON) | ANY_JSON)
def test_whatever_json_is_in_the_file_is_tokens_or_the_shops_trouble(document: object) -> None:
    """Nothing but AccountBlocked is raised, and what was read can be dated, compared and written again."""
    try:
        tokens = from_document(json.dumps(document), NOON)
    except AccountBlocked:
        return
    assert tokens.refresh_expires_at is None or tokens.refresh_expires_at > datetime(1970, 1, 1, tzinfo=UTC)
    again = from_document(to_document(tokens).encode("utf-8").decode("utf-8"))
    assert (tokens.refresh_token, tokens.access_token) == (again.refresh_token, again.access_token)
    assert newest(tokens, again) is not None


@given(st.binary(max_size=80))
def test_whatever_bytes_are_in_the_file_are_tokens_or_the_shops_trouble(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """Torn, empty, of another encoding: this shop asks a person."""
    path = tmp_path_factory.mktemp("tokens") / "t.json"
    path.write_bytes(content)
    with pytest.raises(AccountBlocked):
        TokenFile(path).read()


def test_a_file_that_can_not_be_replaced_stops_nobody(world: tuple[EmulatorServer, Hands, ManualClock]) -> None:
    """The shop goes on with the token in state and says so; the next run tries the file again, and then all is well."""
    emulator, hands, clock = world
    clock.advance(58 * 60)
    hands.token_path.unlink()
    authorise(hands, emulator, clock)
    hands.token_path.rename(hands.token_path.with_name("aside"))
    before = TokenFile(hands.token_path.with_name("aside")).read()
    assert before is not None
    hands.ahead.save(ACCOUNT, to_document(before), clock.now())
    hands.token_path.mkdir()
    (hands.token_path / "something").write_text("that is in the way", encoding="utf-8")
    clock.advance(58 * 60)
    assert hands.shop.check()["shop_id"]
    assert hands.token_path.name in hands.shop.token_file_problem()
    assert 1 == len(emulator.control.calls(operation="oauth/token"))
    (hands.token_path / "something").unlink()
    hands.token_path.rmdir()
    next_run = set_up(hands.token_path.parents[1], emulator.url, clock)
    assert next_run.shop.check()["shop_id"]
    assert "" == next_run.shop.token_file_problem()
    assert 1 == len(emulator.control.calls(operation="oauth/token"))
    found = TokenFile(hands.token_path).read()
    assert found is not None
    assert next_run.keeper.access_token() == found.access_token


STEPS: list[tuple[Any, str]] = [
    *((writing, name) for name in ("make_folder", "remove_leftovers", "replace_file")),
    *((atomic_file, name) for name in ("make_folder", "sync_file", "sync_folder")),
    (os, "replace"),
]


@settings(max_examples=examples(8), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(step=st.sampled_from(STEPS), number=st.sampled_from(sorted(errno.errorcode)))
def test_whatever_keeps_the_file_from_being_replaced_the_shop_goes_on(
    world: tuple[EmulatorServer, Hands, ManualClock], step: tuple[Any, str], number: int
) -> None:
    """At any step of the writing, with any error of the system: the tokens in state serve, the next run mends it."""
    emulator, hands, clock = world
    clock.advance(58 * 60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*step, Mock(side_effect=OSError(number, os.strerror(number))))
        assert hands.shop.check()["shop_id"]
    assert hands.token_path.name in hands.shop.token_file_problem()
    next_run = set_up(hands.token_path.parents[1], emulator.url, clock)
    assert next_run.shop.check()["shop_id"]
    found = TokenFile(hands.token_path).read()
    assert found is not None
    assert ("", found.access_token) == (next_run.shop.token_file_problem(), hands.keeper.access_token())


def test_a_folder_in_which_nothing_can_be_locked_is_the_shops_trouble(
    world: tuple[EmulatorServer, Hands, ManualClock],
) -> None:
    """Without the lock nobody may refresh; the message names the file."""
    emulator, hands, _ = world
    hands.token_path.with_name(hands.token_path.name + ".lock").mkdir()
    with pytest.raises(AccountBlocked, match=r"_token\.json\.lock"):
        hands.shop.check()
    assert [] == emulator.control.calls(api="base")
