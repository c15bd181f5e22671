"""Laws of a history in object storage, held here by a folder that pyarrow opens as one (S3: proofs/fleet)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.fs as pafs
import pytest

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.history.errors import HistoryError
from ecauto_pipeline.history.objects import ObjectMark, ObjectStorageAway, check_url
from ecauto_pipeline.history.past_runs import PastRuns
from ecauto_pipeline_tests.history.object_laws import LAWS, OCTOBER, Place, Watched, away, named, seen_by, write
from ecauto_pipeline_tests.history.rows import ids


class InFolder(Watched):
    """A folder in the part of a bucket: its files need folders, objects don't."""

    def put(self, source: Path, name: str) -> ObjectMark:
        Path(self._path(name)).parent.mkdir(parents=True, exist_ok=True)
        return super().put(source, name)


def in_folder(folder: Path) -> InFolder:
    """Object storage in `folder`."""
    return InFolder(pafs.LocalFileSystem(), (folder / "bucket").as_posix())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(lambda: in_folder(tmp_path), tmp_path)


@pytest.mark.parametrize("law", LAWS, ids=[law.__name__ for law in LAWS])
def test_law(place: Place, law: Callable[[Place], None]) -> None:
    """As its own words say."""
    law(place)


class Away(InFolder):
    """Nobody answers."""

    def listing(self) -> dict[str, ObjectMark]:
        raise self._gone()

    def put(self, source: Path, name: str) -> ObjectMark:
        raise self._gone()

    def _gone(self) -> HistoryError:
        return ObjectStorageAway("object storage can't list: NETWORK_CONNECTION during ListObjectsV2")


def test_while_object_storage_is_away_nothing_is_written_and_questions_are_answered_from_the_copy(place: Place) -> None:
    """A machine that never had a whole copy says so instead of answering "nothing"."""
    one = place.machine("one")
    write(one, 1, [1])
    one.load()
    apart = Away(pafs.LocalFileSystem(), (place.folder / "bucket").as_posix())
    cut_off = place.machine("one", lambda: apart)
    assert away(lambda: write(cut_off, 2, [2]))
    found = cut_off.load()
    assert (True, 0) == (found.deferred, found.rows)
    assert (False, "NETWORK_CONNECTION") == (cut_off.verify().checked, found.reason.split(": ")[1].split(" ")[0])
    assert cut_off.compact(OCTOBER.date()).deferred
    assert cut_off.rebuild().deferred
    assert named(1) == seen_by(cut_off) == ids(cut_off)
    with pytest.raises(HistoryError, match="no copy"):
        PastRuns(place.machine("new", lambda: apart)).runs(1)
    write(one, 2, [2])
    assert named(1, 2) == seen_by(place.machine("one"))


@pytest.mark.parametrize(
    "url",
    [
        "data/history",
        "http://bucket/x",
        "s3://",
        "s3://AKIA:secret@bucket/x",
        "s3://bucket/x?secret=y",
        "file://host/x",
    ],
)
def test_an_address_that_is_none_is_refused_without_being_repeated(url: str) -> None:
    """Somebody may have written a key into it."""
    with pytest.raises(SettingsError) as refused:
        check_url(url)
    assert "secret" not in str(refused.value).replace("AWS_SECRET_ACCESS_KEY", "")
    assert url.removeprefix("s3://") not in refused.value.ja or url == "s3://"
