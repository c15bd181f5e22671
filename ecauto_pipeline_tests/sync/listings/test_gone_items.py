"""An item that was deleted at BASE: what explain, the list of the unwatched, status and the weekly page say of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.clock import JST, ManualClock
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.words import unwatched_line
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.explain.story import explain
from ecauto_pipeline.explain.words import as_markdown
from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.reports.weekly import WeekFacts, page
from ecauto_pipeline.state import shop_listings
from ecauto_pipeline.state.unwatched import Unwatched, count_unwatched, unwatched
from ecauto_pipeline.views.status import gather
from ecauto_pipeline_tests.sync.listings.shop_bench import NOON, ShopBench

SHOP = AccountKey("base", "base_account_1")


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[EmulatorServer, ManualClock]]:
    clock = ManualClock(NOON)
    with EmulatorServer(clock=clock, seed=1, listings=60, accounts=1) as emulator:
        yield emulator, clock


@pytest.fixture
def bench(server: tuple[EmulatorServer, ManualClock], tmp_path: Path) -> ShopBench:
    emulator, clock = server
    clock.set(NOON)
    emulator.control.reset(seed=1)
    return ShopBench.at(tmp_path, emulator, clock, (SHOP.account_id,))


def on_show(bench: ShopBench) -> str:
    bench.read()
    return next(str(row.item_id) for row in bench.rows() if row.listed and row.shown_visible)


def deleted(bench: ShopBench) -> str:
    """An item on show that is deleted at BASE, which the next whole reading finds."""
    number = on_show(bench)
    bench.emulator.control.delete_item(SHOP.account_id, int(number))
    bench.clock.advance(25 * 3600)
    bench.read()
    return number


def listed_as(bench: ShopBench, number: str) -> Unwatched | None:
    with bench.tools.state.read() as connection:
        return next(
            (one for one in unwatched(connection, [SHOP], bench.tools.clock.now()) if one.key.item_id == number), None
        )


def told(bench: ShopBench, number: str, language: str = "en", as_of: datetime | None = None) -> list[str]:
    """What explain's markdown says of the listing: its rows up to the note about Amazon's answers."""
    store = HistoryStore(bench.folder / "history", bench.folder / "history.duckdb", bench.clock)
    tools = bench.tools
    story = explain(HistoryReader(store), tools.settings, number, tools.clock.now(), as_of=as_of, state=tools.state)
    return as_markdown(story, language).splitlines()


def test_explain_says_since_when_a_deleted_item_is_gone(bench: ShopBench) -> None:
    """After the next whole reading it is not called public any more; what it showed last is said to be that."""
    number = deleted(bench)
    since = f"{bench.clock.now().astimezone(JST):%Y-%m-%d %H:%M:%S}"
    bench.clock.advance(3600)
    english, japanese = told(bench, number), told(bench, number, "ja")
    assert f"| state | gone from BASE (since {since}) |" in english
    assert f"| 状態 | BASEから消えている (確認した時刻 {since}) |" in japanese
    assert ["| visibility | shown last: public"] == [line[:33] for line in english if line.startswith("| visibility")]
    assert ["| 公開状態 | 最後の表示: 公開"] == [line[:18] for line in japanese if line.startswith("| 公開状態")]


def test_what_is_gone_from_one_side_or_both_is_listed(bench: ShopBench) -> None:
    """Deleted at BASE: in the list with its moment; out of master.db as well: still there; forgotten by state: not."""
    number = deleted(bench)
    found = listed_as(bench, number)
    assert found is not None
    assert ("orphan_no_item", bench.clock.now()) == (found.reason, found.gone_at)
    bench.owner_writes("DELETE FROM listings WHERE platform_item_id = ?", number)
    bench.clock.advance(3600)
    bench.read()
    found = listed_as(bench, number)
    assert "gone_both_sides" == (found and found.reason)
    with bench.tools.state.write() as connection:
        shop_listings.forget(connection, bench.clock.now() + timedelta(days=1))
    assert listed_as(bench, number) is None


def test_an_item_that_is_back_is_gone_no_more(bench: ShopBench) -> None:
    """Found again by a reading: the moment is forgotten, nothing lists it, explain shows what it shows."""
    number = on_show(bench)
    with bench.tools.state.write() as connection:
        shop_listings.mark_absent(connection, SHOP.platform, SHOP.account_id, [number], bench.clock.now())
    bench.clock.advance(25 * 3600)
    bench.read()
    row = bench.listing(int(number))
    assert (1, None, None) == (row.present, row.gone_at, listed_as(bench, number))
    assert not [line for line in told(bench, number) if "gone" in line or "shown last" in line]


def test_status_and_the_weekly_page_count_the_unwatched(bench: ShopBench) -> None:
    """One line each, in both languages, the same figures as the list; before any reading nothing is known."""
    assert gather(bench.tools)["unwatched"] is None
    deleted(bench)
    with bench.tools.state.read() as connection:
        counts, rows = (
            count_unwatched(connection, [SHOP], bench.tools.clock.now()),
            unwatched(connection, [SHOP], bench.tools.clock.now()),
        )
    assert counts is not None
    assert (counts, len(rows)) == (gather(bench.tools)["unwatched"], sum(counts.values()))
    begins = {"ja": f"同期されていない商品 {len(rows)}件: ", "en": f"{len(rows)} items are not watched: "}
    for language, words in begins.items():
        line = unwatched_line(counts, language)
        assert line.startswith(words)
        assert f"<p>{line}</p>" in page(WeekFacts(NOON, NOON, unwatched=counts), language)
