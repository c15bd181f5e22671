"""Examples of unexpected answers: one file a shape, private, short, without secrets; never a reason to fail."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecauto_pipeline.amazon.odd_shapes import OddShapes
from ecauto_pipeline.amazon.samples import LONGEST_BYTES, Example, SampleFolder, as_text, part_about, sample_name
from ecauto_pipeline_tests.examples import examples

_ITEM = {"request": {"Asin": "B000000002"}, "body": {"payload": {"ASIN": "B000000002", "OfferList": [{"Price": 1}]}}}
_ANSWER = {"responses": [{"request": {"Asin": "B000000001"}, "body": {}}, _ITEM]}


def _example(shape: str = "missing Offers", body: object = _ITEM, asin: str = "B000000002") -> Example:
    return Example("getItemOffersBatch", shape, asin, body, "sp_1", "2026-01-05T03:00:00+00:00", 200, "request-1")


def test_the_example_is_the_part_that_is_about_the_asin() -> None:
    """Of twenty items the one that is odd; where none names the ASIN, the whole answer."""
    assert _ITEM == part_about(_ANSWER, "B000000002")
    assert _ANSWER == part_about(_ANSWER, "B000000009")


def test_one_example_a_shape_is_handed_out_once() -> None:
    """The first answer that has it, however many follow, in this run or the next of the same process."""
    odd = OddShapes()
    for asin in ("B000000002", "B000000001"):
        odd.add("getItemOffersBatch", {asin: {"missing Offers"}}, _example(shape="", body=_ANSWER, asin=""))
    (example,) = odd.examples()
    assert (_ITEM, "missing Offers", "B000000002") == (example.body, example.shape, example.asin)
    assert ((), 2) == (odd.examples(), len(odd.taken()[("getItemOffersBatch", "missing Offers")]))


def test_a_file_says_what_a_bug_report_needs(tmp_path: Path) -> None:
    """Operation, shape, when, HTTP status and request id, the body; readable by its owner alone, whole or not there."""
    folder = SampleFolder(tmp_path / "samples")
    assert "" == folder.keep(_example())
    name = sample_name("getItemOffersBatch", "missing Offers")
    assert {name} == folder.names()
    found = folder.read(name)
    assert found is not None
    assert ("missing Offers", 200, "request-1", _ITEM) == (
        found["shape"], found["http_status"], found["request_id"], found["body"],
    )  # fmt: skip
    assert [f"{name}.json"] == [file.name for file in folder.folder.iterdir()]
    if os.name != "nt":
        assert 0o600 == stat.S_IMODE(folder.path(name).stat().st_mode)


def test_names_tell_shapes_apart_and_are_names_of_files() -> None:
    """Two shapes that differ in one letter have two names, and no name leaves the folder."""
    names = {sample_name("op", shape) for shape in ("missing Offers", "missing offers", "../../x", "a/b", "価格", "")}
    assert 6 == len(names)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in names)


@pytest.mark.parametrize(
    "body",
    [
        {"access_token": "Atza|hidden"},
        {"headers": {"x-amz-access-token": "hidden"}},
        {"note": "see Atzr|hidden"},
        {"note": ["Bearer hidden"]},
        {"client_secret": "hidden", "refreshToken": ["hidden"]},
        {"buyer": "hidden@example.jp"},
    ],
)
def test_no_secret_and_no_address_gets_into_a_file(body: dict[str, Any]) -> None:
    """By the name of its field or by the form of its text, at any depth."""
    assert "hidden" not in as_text(_example(body={"a": [body]}))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=900),
    lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(max_size=8), inner, max_size=8),
    max_leaves=60,
)


@settings(max_examples=examples(12))
@given(_JSON)
def test_whatever_came_the_example_is_short_json(body: object) -> None:
    """Of any size and depth, with any characters."""
    text = as_text(_example(body=[body] * 30))
    assert len(text.encode("utf-8", "replace")) <= LONGEST_BYTES + 1
    assert "missing Offers" == json.loads(text)["shape"]


def test_the_oldest_leave(tmp_path: Path) -> None:
    """At most so many files are there, whatever Amazon thinks of; what a killed writer left goes as well."""
    folder = SampleFolder(tmp_path, most=3)
    (tmp_path / ".left.json.abc.tmp").write_text("{}", encoding="utf-8")
    os.utime(tmp_path / ".left.json.abc.tmp", (1, 1))
    for number in range(5):
        assert "" == folder.keep(_example(f"shape {number}"))
        os.utime(folder.path(_example(f"shape {number}").name), (10 + number, 10 + number))
    assert {_example(f"shape {number}").name for number in (2, 3, 4)} == folder.names()
    assert 3 == len(list(tmp_path.iterdir()))


def test_where_nothing_can_be_written_it_says_so_and_goes_on(tmp_path: Path) -> None:
    """A full disk, no rights, a file where the folder should be: a word, no error, and no half file."""
    (tmp_path / "samples").write_text("in the way", encoding="utf-8")
    folder = SampleFolder(tmp_path / "samples")
    assert "" != folder.keep(_example())
    assert (frozenset(), None) == (folder.names(), folder.read(_example().name))
