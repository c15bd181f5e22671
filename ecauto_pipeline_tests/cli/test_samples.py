"""`ecauto samples`: what is odd in Amazon's answers, an example for a bug report, a person's "I have seen it"."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.amazon.samples import Example, SampleFolder, sample_name
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.state import amazon_shapes
from ecauto_pipeline.state.database import Database
from ecauto_pipeline_tests.cli.typed import type_command

BATCH, SWEEP = "getItemOffersBatch", "getCompetitivePricing"
OFFERS, STATUS = (BATCH, "missing Offers"), (SWEEP, "status = Retired")
NAME, OTHER = sample_name(*OFFERS), sample_name(*STATUS)
NOW = SystemClock().now()
BODY = {"request": {"Asin": "B000000001"}, "body": {"payload": {"OfferList": []}}}


class Owner:
    """Types commands over a state with two shapes, of which one has an example."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capsys = monkeypatch, capsys
        (folder / "ecauto.toml").write_text('[alerts]\nlanguage = "en"\n', encoding="utf-8")
        monkeypatch.setenv("ECAUTO_CONFIG", str(folder / "ecauto.toml"))
        monkeypatch.delenv("ECAUTO_DATA_DIR", raising=False)
        (folder / "data").mkdir()
        state = Database(f"sqlite:///{folder}/data/state.db")
        with state.write() as connection:
            amazon_shapes.note(connection, {STATUS: ["B000000009"]}, NOW - timedelta(hours=2))
            amazon_shapes.note(connection, {OFFERS: ["B000000001", "B000000002"]}, NOW - timedelta(hours=1))
        state.close()
        at = datetime(2026, 1, 5, 3, tzinfo=UTC).isoformat()
        SampleFolder(folder / "data" / "samples").keep(Example(*OFFERS, "B000000001", BODY, "sp_1", at, 200, "r-1"))

    def types(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, what was said, what was said as an error."""
        return type_command(self._patch, self._capsys, *arguments)

    def standing(self) -> dict[str, str]:
        return {row["name"]: row["standing"] for row in json.loads(self.types("samples", "list", "--json")[1])}


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Owner:
    return Owner(tmp_path, monkeypatch, capsys)


def test_the_list_names_each_shape_and_the_newest_first(owner: Owner) -> None:
    """Name, operation, shape, how many and since when; which has no example; the same as JSON."""
    code, said, _ = owner.types("samples", "list")
    assert 0 == code
    assert [NAME, OTHER] == [line for line in said.splitlines() if not line.startswith(" ")]
    assert f"{BATCH}: missing Offers" in said
    assert ("2 answers since" in said, 1) == (True, said.count("no example is kept"))
    rows: list[dict[str, Any]] = json.loads(owner.types("samples", "list", "--json")[1])
    assert [(NAME, 2, "new"), (OTHER, 1, "new")] == [(row["name"], row["answers"], row["standing"]) for row in rows]
    assert [True, False] == [row["file"] is not None for row in rows]


def test_an_example_is_shown_whole(owner: Owner) -> None:
    """By the beginning of its name; as JSON in one document that can be sent. No such name, or two: exit 2."""
    code, said, _ = owner.types("samples", "show", NAME[:20])
    assert (0, True, True) == (code, "OfferList" in said, "B000000001, B000000002" in said)
    document = json.loads(owner.types("samples", "show", NAME, "--json")[1])
    assert (BODY, "r-1") == (document["example"]["body"], document["example"]["request_id"])
    assert json.loads(owner.types("samples", "show", OTHER, "--json")[1])["example"] is None
    for name, why in (("nothing", "no sample"), ("get", "fits 2 samples")):
        code, _, error = owner.types("samples", "show", name)
        assert (2, True) == (code, why in error)


def test_what_a_person_accepts_is_no_news(owner: Owner) -> None:
    """The named ones, or with --all every one that stands; without either: exit 2, nothing is accepted."""
    assert 2 == owner.types("samples", "accept")[0]
    assert {NAME: "new", OTHER: "new"} == owner.standing()
    assert 0 == owner.types("samples", "accept", NAME)[0]
    assert {NAME: "accepted", OTHER: "new"} == owner.standing()
    done = json.loads(owner.types("samples", "accept", "--all", "--json")[1])
    assert [OTHER] == [row["name"] for row in done]
    assert {NAME: "accepted", OTHER: "accepted"} == owner.standing()
