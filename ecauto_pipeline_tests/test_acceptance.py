"""The page of acceptance cases is complete, and every test that it names exists."""

from __future__ import annotations

import re

from ecauto_pipeline_tests.pages import ROOT, read

_TEST = re.compile(r"`((?:proofs/|benchmarks/)?[\w/]+\.py)(?:::(\w+))?`")


def test_every_case_of_the_old_system_is_on_the_page() -> None:
    """A1 to A25, each with at least one test, and the formats C1 to C7."""
    page = read("docs/acceptance.md")
    for number in range(1, 26):
        rows = [line for line in page.splitlines() if line.startswith(f"| A{number} |")]
        assert rows, f"A{number}"
        assert all(_TEST.search(row) for row in rows)
    assert all(f"(C{number})" in page for number in range(1, 8))


def test_every_test_that_the_page_names_exists() -> None:
    """A renamed test is renamed on the page too."""
    named = _TEST.findall(read("docs/acceptance.md"))
    assert len(named) > 40
    for path, test in named:
        root = ROOT if path.startswith(("proofs/", "benchmarks/")) else ROOT / "ecauto_pipeline_tests"
        assert (root / path).is_file(), path
        if test:
            assert f"\ndef {test}(" in (root / path).read_text(encoding="utf-8"), f"{path}::{test}"
