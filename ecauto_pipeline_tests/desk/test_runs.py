"""The page of the runs and the page of one run."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nicegui import ui
from nicegui.testing import User

from ecauto_pipeline.cli.exit_codes import MEANING
from ecauto_pipeline.cli.interrupts import INTERRUPTED
from ecauto_pipeline.defs.jobs import POLICIES
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.sync.people.stop_run import stop_run
from ecauto_pipeline.views.run_words import EXITS, JOBS, NEVER_SEND, command_words, exit_words
from ecauto_pipeline.views.runs import RunLine, kept_runs
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.desk.shop import FilledShop, a_filled_shop
from ecauto_pipeline_tests.desk.visitor import with_visitor
from ecauto_pipeline_tests.sync.people.test_stop_run import a_worker

SAYS_ITS_WORDS = """
import json, pathlib, sys
pathlib.Path(sys.argv[1]).write_text(json.dumps(sys.argv[3:]))
print(json.dumps({"run_id": sys.argv[2], "error": "", "alerts": [["x", "WARN", "\\u8981\\u78ba\\u8a8d"]]}))
sys.exit(1)
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FilledShop:
    return a_filled_shop(tmp_path, monkeypatch)


def lines(shop: FilledShop) -> Sequence[RunLine]:
    with open_tools(shop.settings, offline=True) as tools:
        return kept_runs(tools).lines


def begun(shop: FilledShop, run_id: str, owner: str) -> None:
    with open_tools(shop.settings, offline=True) as tools, tools.state.write() as connection:
        run_book.begin(connection, run_id, "stock_sync", "", datetime.now(UTC), False, owner)


def test_every_job_every_exit_and_every_silent_job_has_its_words() -> None:
    """What a command line or Dagster can bring is told in words, and no job that sends is taken for one that does
    not."""
    assert set(POLICIES) == set(JOBS)
    assert {name for name, policy in POLICIES.items() if not policy.push} == NEVER_SEND
    assert set(MEANING) == set(EXITS)
    assert exit_words(INTERRUPTED, "ja") == exit_words(-signal.SIGINT, "ja")
    assert "強制終了されました" == exit_words(-9, "ja")
    words = command_words(["sync", "--dry-run"], "ja"), command_words(["orders", "list"], "en")
    assert ("同期（ドライラン）", "ecauto orders list") == words


def test_the_list_says_what_each_run_did_and_leads_to_it(shop: FilledShop) -> None:
    """A line of words each; an address with a filter shows those alone; what an address can't mean is left out."""
    newest, first = lines(shop)

    async def scene(visitor: User) -> None:
        await visitor.open("/ja/runs")
        await visitor.should_see(f"{newest.changed:,}件を変更")
        await visitor.should_see(f"Amazonに{first.asked:,}件を確認")
        await visitor.open("/en/runs?only=failed&job=order_watch")
        await visitor.should_see("No such run is on record.")
        await visitor.open("/ja/runs?only=x&job=y&before=z")
        await visitor.should_see(f"{newest.changed:,}件を変更")
        await visitor.open("/ja/runs?kept=history")
        await visitor.should_see(f"{newest.changed:,}件を変更")

    with_visitor(scene)


def test_a_run_opens_for_its_edits(shop: FilledShop) -> None:
    """Which item, from what to what, how it ended and why; with a way to Dagster's page. A name that fits none says
    so."""
    newest, _ = lines(shop)

    async def scene(visitor: User) -> None:
        await visitor.open(f"/ja/runs/{newest.run_id[:12]}")
        await visitor.should_see("送った変更")
        await visitor.should_see("公開 → 非公開")
        await visitor.should_see("Amazonで在庫切れ")
        await visitor.should_see("Dagsterで見る（別画面）")
        await visitor.open("/en/runs/nobody")
        await visitor.should_see("no run 'nobody' is on record")

    with_visitor(scene)


def test_before_a_run_is_undone_it_is_said_what_would_not_go_back(shop: FilledShop, tmp_path: Path) -> None:
    """What a person changed since is named; nothing but a yes starts `ecauto rollback RUN_ID --json`, and what came of
    it is told in words, what was not put back by name."""
    newest, _ = lines(shop)
    with open_tools(shop.settings, offline=True) as tools, tools.state.write() as connection:
        item = listings.c.item_id == shop.dearer[1]
        connection.execute(listings.update().where(item).values(shown_price_jpy=123_456))
    started = tmp_path / "started"

    async def scene(visitor: User) -> None:
        await visitor.open(f"/ja/runs/{newest.run_id}")
        visitor.find("元に戻すとどうなるか見る").click()
        await visitor.should_see("そのまま（人がショップで変更）")
        await visitor.should_see("件を変更前に戻します")
        visitor.find(kind=ui.button, content="元に戻す").click()
        await visitor.should_see("この実行を元に戻しますか")
        assert not started.exists()
        visitor.find("はい、元に戻す").click()
        await visitor.should_see("確認が必要なものがあります", retries=60)
        await visitor.should_see("件を元に戻しました")
        await visitor.should_see("戻していないもの")
        await visitor.open("/ja/runs")
        await visitor.should_see("この画面から始めたもの")
        await visitor.should_see("要確認")

    with_visitor(scene, [sys.executable, "-S", "-c", SAYS_ITS_WORDS, str(started), newest.run_id])
    assert f'["rollback", "{newest.run_id}", "--json"]' == started.read_text(encoding="utf-8")


def test_the_page_and_the_command_end_a_run_alike(
    shop: FilledShop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run's process is interrupted, and what is left is the same: who wanted it, and nothing else. A run on another
    host is left alone."""

    def kept(run_id: str) -> tuple[bool, bool]:
        with open_tools(shop.settings, offline=True) as tools, tools.state.read() as connection:
            row = run_book.read(connection, run_id)
        assert row is not None
        return row.stop_by != "", row.ended_at is not None

    def ended(worker: subprocess.Popen[str]) -> int:
        return worker.wait(10)

    async def by_the_page(visitor: User) -> None:
        await visitor.open("/ja/runs/by-page")
        visitor.find(kind=ui.button, content="中止").click()
        await visitor.should_see("「在庫の同期」を中止しますか")
        visitor.find("中止する").click()
        await visitor.should_see("中止を伝えました")

    with a_worker() as (worker, owner):
        begun(shop, "by-page", owner)
        with_visitor(by_the_page)
        assert -signal.SIGINT == ended(worker)
    with a_worker() as (worker, owner):
        begun(shop, "by-command", owner)
        with open_tools(shop.settings, offline=True) as tools:
            stop_run(tools, "by-command", "somebody")  # what `ecauto runs stop` calls
        assert -signal.SIGINT == ended(worker)
    assert kept("by-command") == kept("by-page")
    begun(shop, "elsewhere", "shop-server|7|1+1|x")
    assert 2 == type_command(monkeypatch, capsys, "runs", "stop", "elsewhere")[0]
    assert (True, False) == kept("by-page")
    assert (False, False) == kept("elsewhere")
