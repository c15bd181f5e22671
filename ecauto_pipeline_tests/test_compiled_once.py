"""How pytest's workers share the compiling of what each of them loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecauto_pipeline_tests.compiled_once import share, turned

FILES = [Path(f"{number}.py") for number in range(10)]


@pytest.mark.parametrize("workers", [1, 2, 3, 16])
def test_each_file_is_compiled_by_one_worker(workers: int) -> None:
    """None by two, none by nobody, also where there are more workers than files."""
    compiled = [file for number in range(workers) for file in share(FILES, number, workers)]
    assert FILES == sorted(compiled)


@pytest.mark.parametrize("workers", [1, 2, 3, 16])
def test_each_worker_loads_every_file_and_begins_at_another(workers: int) -> None:
    """What lies ahead of one is what another has begun with."""
    loaded = [turned(FILES, number, workers) for number in range(workers)]
    assert [FILES] * workers == [sorted(files) for files in loaded]
    assert min(workers, len(FILES)) == len({files[0] for files in loaded})
