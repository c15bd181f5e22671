"""Each line of the doctor finds the faults it is there for; causes come before symptoms, and no advice does harm."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ecauto_pipeline.doctor import machine
from ecauto_pipeline.doctor.examine import worst
from ecauto_pipeline.doctor.findings import Chart, Finding
from ecauto_pipeline.doctor.installation import Installation
from ecauto_pipeline.doctor.lines import LINES
from ecauto_pipeline_tests.doctor.house import House, build, house
from ecauto_pipeline_tests.doctor.made_faults import FAULTS, Made
from ecauto_pipeline_tests.languages import half_english, half_japanese
from ecauto_pipeline_tests.pages import read, table

NAMES = [line.name for line in LINES]
SETS_ASIDE = ("move it away", "退避")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX rights")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("built") / "house")


@pytest.fixture
def well(template: Path) -> Iterator[House]:
    with house(template) as made:
        yield made


def test_every_line_has_a_fault_that_is_made_for_it() -> None:
    """A line that nobody saw complain may be one that can't; and none is declared twice."""
    assert len(set(NAMES)) == len(NAMES)
    assert set(NAMES) == {fault.line for fault in FAULTS}


PAGES = (("docs/ja/runbook.md", ("行", "見るもの")), ("docs/runbook.md", ("line", "what is looked at")))


@pytest.mark.parametrize("language", [0, 1], ids=["ja", "en"])
def test_the_runbook_has_every_line(language: int) -> None:
    """In the order in which to repair things."""
    page, head = PAGES[language]
    assert table(head, [(line.name, line.about[language]) for line in LINES]) in read(page)


def test_a_house_in_which_all_is_well_has_no_complaint(well: House) -> None:
    """The faults below are made here, so what is found is what was made."""
    assert [] == [one for one in well.examined() if one.state != "ok" or one.what_to_do]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.line}: {fault.what}")
def test_a_fault_is_found_by_its_own_line_first(well: House, fault: Made) -> None:
    """The first line that complains names the cause; what rests on it is not judged, nothing else complains. What is
    to be done helps, in both languages, never two in one; state.db is set aside for damage alone."""
    fault.make(well)
    english, japanese = well.examined("en"), well.examined("ja")
    wrong = [one for one in english if one.state != "ok"]
    first = wrong[0]
    assert (fault.line, fault.state) == (first.line, first.state), wrong
    assert fault.do in first.what_to_do
    assert {"unknown"} >= {one.state for one in wrong if one.line != fault.line}, wrong
    assert [(one.name, one.state) for one in english] == [(one.name, one.state) for one in japanese]
    assert "" not in {one.what_to_do for one in japanese if one.state != "ok"}
    numbers = ("python", "packages")  # versions are the same in every language
    assert [] == [one for one in japanese if one.state != "ok" and one.line not in numbers and not _in_japanese(one)]
    assert [] == [one for one in english if _in_japanese(one)]
    aside = [one.line for one in (*english, *japanese) if any(words in one.what_to_do for words in SETS_ASIDE)]
    damaged = fault.line == "state.db" and fault.what in ("no database", "a page torn")
    assert (["state.db"] * 2 if damaged else []) == aside
    assert "secret" not in repr(english).replace("secrets", "")
    assert [] == [one for one in english if half_japanese(f"{one.what_is} {one.what_to_do}")]
    assert [] == [one for one in japanese if half_english(one.what_is) or half_english(one.what_to_do)]


def _in_japanese(one: Finding) -> bool:
    return re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", one.what_is) is not None


def test_what_rests_on_a_bad_line_says_which_to_mend_first(well: House) -> None:
    """Also at two removes: what waits in a state.db that can't be written to is a matter of its folder."""
    next(one for one in FAULTS if (one.line, one.what) == ("data folder", "read-only")).make(well)
    found = {one.line: one for one in well.examined("en") if one.state == "unknown"}
    resting = {"token", "master.db", "master.db rows", "rules", "state.db", "history"}
    resting |= {"SP-API", "holds", "journal", "budget", "stop", "shop", "master.db listings"}
    assert resting == set(found)
    assert {'mend "data folder" first'} == {one.what_to_do for one in found.values()}


def test_a_line_rests_on_lines_before_it_alone() -> None:
    """Causes are looked at first."""
    for place, line in enumerate(LINES):
        assert set(line.after) <= set(NAMES[:place])


def test_an_error_nobody_foresaw_is_that_lines_own(well: House) -> None:
    """Every line may break: it says that it could not be checked and where; the others are looked at all the same."""

    class Breaks(dict[str, str]):
        def get(self, *_: object) -> str:
            raise KeyError("secret-word")

    def breaks(chart: Chart, here: Installation) -> None:
        machine.dagster_home(chart, replace(here, environ=Breaks()))

    broken = [replace(line, look=breaks, after=(), file=lambda _: None) for line in LINES]
    told = well.examined("en", broken)
    assert NAMES == [one.line for one in told]
    words = "could not be checked (KeyError, doctor.machine:"
    assert {("bad", True)} == {(one.state, words in one.what_is) for one in told}
    assert "secret-word" not in repr(told)
    found = well.examined("en", [broken[0], *LINES[1:]])
    assert [(one.name, one.state) for one in well.examined("en")][1:] == [(one.name, one.state) for one in found][1:]
    assert ("bad", "bad") == (found[0].state, worst(found))


def test_a_fault_of_the_disk_in_the_midst_of_looking_is_told_as_what_it_is(well: House) -> None:
    """With the next step, not as a defect."""

    def breaks(chart: Chart, here: Installation) -> None:
        raise PermissionError(13, "no", "here.txt")

    found = well.examined("en", [replace(LINES[0], look=breaks)])
    assert ["here.txt: the right to read or write it is missing"] == [one.what_is for one in found]
    assert "the right to its folder" in found[0].what_to_do


def test_a_program_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch, well: House) -> None:
    """Started from its folder alone, nothing says which packages it wants."""
    monkeypatch.setattr(sys, "path", [])
    found = well.examined("en", [line for line in LINES if line.look in (machine.python, machine.packages)])
    assert [("python", "ok"), ("packages", "bad")] == [(one.name, one.state) for one in found]
