"""What the desk says while something it reads can't be read: every page opens, in both languages, and says so."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from starlette.testclient import TestClient

from ecauto_pipeline.desk.pages import PAGES
from ecauto_pipeline.desk.visit import LANGUAGES, Language
from ecauto_pipeline_tests.desk.shop import FilledShop, a_filled_shop
from ecauto_pipeline_tests.desk.visitor import served

GARBAGE = bytes(range(7, 256)) * 400
LEAKS = ("Traceback", "sqlalchemy", "sqlite3.", 'File "', "Server error", "s3cret", "最後まで作れません", "to its end")
"""Nothing of these stands in a page."""
UNKNOWN = {"ja": "今はわかりません", "en": "can't be known now"}
Broken = Callable[[FilledShop], object]


def look_at_every_page(desk: TestClient, shop: FilledShop, language: Language) -> dict[str, str]:
    """Each page's texts, by its path."""
    found = {}
    for page in PAGES:
        answer = desk.get(f"/{language}{page.path.replace('{named}', shop.dearer[1])}".rstrip("/"))
        assert (200, True) == (answer.status_code, page.title[language == "en"] in answer.text), page.path
        assert [] == [leak for leak in LEAKS if leak in answer.text], page.path
        found[page.path] = "\n".join(re.findall(r'"text":"((?:[^"\\]|\\.)*)"', answer.text))
    return found


def _state(shop: FilledShop) -> Path:
    return shop.folder / "data" / "state.db"


def state_locked(shop: FilledShop) -> object:
    held = sqlite3.connect(_state(shop), isolation_level=None, check_same_thread=False)
    held.execute("PRAGMA journal_mode = DELETE")
    held.execute("BEGIN EXCLUSIVE")
    return held


def state_damaged(shop: FilledShop) -> object:
    for end in ("-wal", "-shm"):
        _state(shop).with_name(f"state.db{end}").unlink(missing_ok=True)
    return _state(shop).write_bytes(GARBAGE)


def data_is_no_folder(shop: FilledShop) -> object:
    (shop.folder / "data").rename(shop.folder / "data-before")
    return (shop.folder / "data").write_bytes(b"")


def history_torn(shop: FilledShop) -> object:
    for file in (shop.folder / "data" / "history").rglob("*.parquet"):
        file.write_bytes(GARBAGE)
    return (shop.folder / "data" / "history.duckdb").write_bytes(GARBAGE)


def history_held(shop: FilledShop) -> object:
    return duckdb.connect(str(shop.folder / "data" / "history.duckdb"))


def register_gone(shop: FilledShop) -> object:
    return shop.settings.master_db.rename(shop.folder / "elsewhere.db")


def register_damaged(shop: FilledShop) -> object:
    return shop.settings.master_db.write_bytes(GARBAGE)


def register_held(shop: FilledShop) -> object:
    held = sqlite3.connect(shop.settings.master_db, isolation_level=None, check_same_thread=False)
    held.execute("PRAGMA journal_mode = DELETE")
    held.execute("BEGIN EXCLUSIVE")
    return held


def rules_malformed(shop: FilledShop) -> object:
    return shop.settings.rules.write_bytes(b'asin,foo\n\x00\xff\xfe,"`${}\n')


def rules_no_file(shop: FilledShop) -> object:
    shop.settings.rules.mkdir()
    return None


BEFORE: tuple[tuple[Broken, frozenset[str]], ...] = (
    (state_locked, frozenset(page.path for page in PAGES)),
    (state_damaged, frozenset(page.path for page in PAGES)),
    (data_is_no_folder, frozenset(page.path for page in PAGES)),
    (history_torn, frozenset({"/items/{named}"})),
    (history_held, frozenset()),
    (register_gone, frozenset()),
    (register_damaged, frozenset()),
    (register_held, frozenset()),
    (rules_malformed, frozenset()),
    (rules_no_file, frozenset()),
)
"""What is broken, and the pages that then say that something can't be known."""


@contextmanager
def silent(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.CRITICAL):
        yield


@pytest.mark.parametrize(("broken", "unknown"), BEFORE, ids=[one[0].__name__ for one in BEFORE])
def test_every_page_opens_and_says_what_it_cannot_know(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    broken: Broken,
    unknown: frozenset[str],
) -> None:
    """What is broken is said on each page that needs it; nothing of how it failed, and the rest is shown."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    held = broken(shop)
    with silent(caplog), served(busy_timeout_s=0.05) as desk:
        pages = {language: look_at_every_page(desk, shop, language) for language in LANGUAGES}
    if isinstance(held, sqlite3.Connection | duckdb.DuckDBPyConnection):
        held.close()
    for language, seen in pages.items():
        assert frozenset() == unknown - {path for path, text in seen.items() if UNKNOWN[language] in text}


@pytest.mark.parametrize("broken", ["not_toml", "gone", "of_another_kind"])
def test_while_ecauto_toml_is_broken_every_page_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    """Also addresses without a language lead on; when it is mended, all is as before without a new start."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    config = shop.folder / "ecauto.toml"
    good = config.read_text(encoding="utf-8")
    with silent(caplog), served() as desk:
        assert 200 == desk.get("/ja/holds").status_code
        if broken == "gone":
            config.unlink()
        else:
            config.write_text('mode = [[["s3cret"' if broken == "not_toml" else "[desk]\nport = 'many'\n")
        for language in LANGUAGES:
            pages = look_at_every_page(desk, shop, language)
            assert [] == [path for path, text in pages.items() if UNKNOWN[language] not in text]
        assert (307, "/ja/holds") == (desk.get("/holds").status_code, desk.get("/holds").headers["location"])
        config.write_text(good, encoding="utf-8")
        for language in LANGUAGES:
            assert UNKNOWN[language] not in desk.get(f"/{language}/holds").text


def test_a_state_that_is_damaged_while_the_desk_runs_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that was readable a moment ago is believed no longer than it can be read."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    with silent(caplog), served(busy_timeout_s=0.05) as desk:
        assert 200 == desk.get("/ja/runs").status_code
        state_damaged(shop)
        assert UNKNOWN["ja"] in look_at_every_page(desk, shop, "ja")["/runs"]
