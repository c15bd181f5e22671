"""The installation's own secrets in a fleet, on SQLite (on PostgreSQL: proofs/fleet/test_tokens.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ecauto_pipeline.fleet.seal import new_key
from ecauto_pipeline.fleet.sealed_salts import SealedAtRest
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.salts import IN_CLEAR
from ecauto_pipeline.wiring.shop_tokens import at_rest
from ecauto_pipeline_tests.fleet.salt_laws import LAWS


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    state = Database(f"sqlite:///{tmp_path / 'state.db'}")
    yield state
    state.close()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_law_of_own_secrets_holds_on_sqlite(law: Callable[[Database], None], database: Database) -> None:
    """Each is stated where it stands."""
    law(database)


def test_only_a_fleet_seals_its_own_secrets(tmp_path: Path) -> None:
    """One machine's lie in its private state.db, without a key."""
    assert at_rest(parse({}, tmp_path), {}) is IN_CLEAR
    fleet = parse({"fleet": {"on": True, "key_env": "KEY"}}, tmp_path)
    assert isinstance(at_rest(fleet, {"KEY": new_key()}), SealedAtRest)
