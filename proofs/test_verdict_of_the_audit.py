"""Laws of `make audit`'s last line: nothing that was not looked at is called well."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from proofs.audit import LOOKED_AT, ROOT, Holes, known_holes, verdict

SOUND = Counter({"passed": 9})


def _says(*packages: dict[str, object]) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], 1, stdout=json.dumps({"dependencies": packages}))


def test_packages_that_nobody_looked_up_are_not_called_clean() -> None:
    """Without pip-audit the line says that nobody was asked."""
    line, code = verdict(SOUND, known_holes(Path(), None), 3.0)
    assert "audit: 9 tests, 0 failed, 0 skipped, known holes of packages not asked (pip-audit is not installed)" in line
    assert "clean" not in line
    assert 0 == code


@pytest.mark.parametrize("said", ["", "[]", "{}", '{"dependencies": 1}'], ids=["nothing", "list", "empty", "number"])
def test_an_auditor_without_an_answer_was_not_asked(said: str) -> None:
    """It needs a network to answer: an end without its list is none."""
    assert known_holes(Path(), lambda _: subprocess.CompletedProcess([], 1, stdout=said)).not_asked


def test_an_auditor_that_ends_in_an_error_was_not_asked() -> None:
    """Too slow, or not to be started."""

    def slow(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        raise subprocess.TimeoutExpired(command, 300)

    assert "TimeoutExpired" in known_holes(Path(), slow).not_asked


def test_a_package_that_was_passed_over_is_told() -> None:
    """The auditor names what it skips; then not all were looked up."""
    holes = known_holes(Path(), lambda _: _says({"name": "a", "vulns": []}, {"name": "b", "skip_reason": "?"}))
    assert "of 2 packages only 1 were looked up" == holes.not_asked


def test_a_known_hole_is_a_violation() -> None:
    """Named by package; the exit code is 1."""
    holes = known_holes(Path(), lambda _: _says({"name": "a", "vulns": [{"id": "X-1"}]}))
    line, code = verdict(SOUND, holes, 3.0)
    assert "1 known holes in 1 packages: a X-1, 1 violations" in line
    assert 1 == code


@pytest.mark.parametrize(
    "ended", [{"passed": 8, "failed": 1}, {"passed": 8, "skipped": 1}, {}], ids=["failed", "skipped", "none"]
)
def test_a_test_that_shows_nothing_is_a_violation(ended: dict[str, int]) -> None:
    """One that failed, one that was skipped, or none at all."""
    line, code = verdict(Counter(ended), Holes(9), 3.0)
    assert "VIOLATED" in line
    assert 1 == code


def test_what_the_audit_looks_at_is_there() -> None:
    """A file that has moved would be looked at no more."""
    assert [] == [name for name in LOOKED_AT if not (ROOT / name).is_file()]
