"""`python -m proofs.audit`: what docs/security.md says is held by tests, and whether packages have known holes.

Ends with one line, and with 1 on a violation. Known holes are looked up by pip-audit over the pinned packages, where
that is installed and gets an answer; else the line says that nobody was asked, which is not "clean".
Not for: what is looked at (the tests themselves), or machines of a fleet (proofs/fleet).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOOKED_AT = (
    "proofs/test_audit.py",
    "ecauto_pipeline_tests/test_security.py",
    "ecauto_pipeline_tests/desk/test_attacks.py",
    "ecauto_pipeline_tests/desk/test_login.py",
    "ecauto_pipeline_tests/emulator/test_control_http.py",
    "ecauto_pipeline_tests/doctor/test_lines.py",
    "ecauto_pipeline_tests/test_architecture.py",
)
LOCK = "requirements.txt"
LONGEST_S = 300
Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True, slots=True)
class Holes:
    """What pip-audit said: `packages` looked up, `known` holes by package and name. `not_asked`: why, "" = it was."""

    packages: int = 0
    known: tuple[str, ...] = ()
    not_asked: str = ""

    def __str__(self) -> str:
        if self.not_asked:
            return f"known holes of packages not asked ({self.not_asked})"
        named = f": {', '.join(self.known)}" if self.known else ""
        return f"{len(self.known)} known holes in {self.packages} packages{named}"


def known_holes(lock: Path, run: Run | None) -> Holes:
    """Of every package that is pinned in `lock`. `run`: what runs a command; None = there is no pip-audit."""
    if run is None:
        return Holes(not_asked="pip-audit is not installed")
    options = ["-r", str(lock), "--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    try:
        done = run([sys.executable, "-m", "pip_audit", *options])
        packages = json.loads(done.stdout)["dependencies"]
        known = [f"{one['name']} {hole['id']}" for one in packages for hole in one.get("vulns", ())]
        asked = sum("vulns" in one for one in packages)
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        return Holes(not_asked=f"pip-audit gave no answer: {type(error).__name__}")
    if asked < len(packages) or not packages:
        return Holes(asked, tuple(known), "" if known else f"of {len(packages)} packages only {asked} were looked up")
    return Holes(asked, tuple(known))


def verdict(tests: Counter[str], holes: Holes, seconds: float) -> tuple[str, int]:
    """The line, and the exit code. A test that was skipped, or that is not there, has shown nothing: a violation."""
    wrong = tests["failed"] + tests["skipped"] + (not tests["passed"]) + len(holes.known)
    counts = f"{tests.total()} tests, {tests['failed']} failed, {tests['skipped']} skipped"
    return (
        f"audit: {counts}, {holes}, {wrong} violations, {seconds:.0f} s: {'VIOLATED' if wrong else 'all laws kept'}",
        1 if wrong else 0,
    )


class _Counts:
    """Counts how each test ended, for pytest; what fails around a test counts as one that failed."""

    def __init__(self) -> None:
        self.ended: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.ended[report.outcome] += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.ended["failed"] += report.outcome == "failed"


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_S)


def main() -> int:
    began, counts = time.monotonic(), _Counts()
    code = pytest.main(["--timeout", "900", *(str(ROOT / name) for name in LOOKED_AT)], plugins=[counts])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        counts.ended["failed"] += 1  # pytest itself did not come to its end
    holes = known_holes(ROOT / LOCK, _run if find_spec("pip_audit") is not None else None)
    line, exit_code = verdict(counts.ended, holes, time.monotonic() - began)
    sys.stdout.write(f"{line}\n")
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
