"""Several writers at once, each with state.db opened for itself; the laws are those that PostgreSQL has to keep too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.state.database import Database
from ecauto_pipeline_tests.state import races


def _threads(worker: Callable[..., Any], *given: Sequence[object]) -> list[Any]:
    with ThreadPoolExecutor(len(given)) as pool:
        return [future.result() for future in [pool.submit(worker, *one) for one in given]]


@pytest.mark.parametrize(
    "law",
    [
        races.no_lease_twice,
        races.a_window_grants_what_it_holds,
        races.a_window_stays_closed,
        races.no_note_is_lost,
        races.no_two_wait_for_each_other,
    ],
)
def test_what_must_hold_when_several_write(tmp_path: Path, law: Callable[..., None]) -> None:
    """The law's own docstring says what."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    Database(url).close()
    law(url, _threads)
