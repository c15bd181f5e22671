"""The desk over a data folder that nobody can write to: a disk that the system has mounted read-only, and a folder
whose rights are taken away while the desk runs.

Both are played in a namespace of their own (util-linux: unshare, mount): as root of that alone, who may mount; as a
user without any right beside those of the files.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from nicegui.testing import User

from ecauto_pipeline.state.item_rules import rules_in_force
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.pages import ROOT

MOUNTS = 'set -e; mount -t tmpfs none "$1"; exec "$2" -m proofs.test_desk_read_only "$1"'


def test_every_page_opens_on_a_read_only_disk_and_says_so(tmp_path: Path) -> None:
    """Each page in both languages, with the cause and the next step; no page fails, nothing is changed."""
    place = tmp_path / "disk"
    place.mkdir()
    apart = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNTS, "sh", str(place), sys.executable]
    played = subprocess.run(apart, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert (0, "every page says so\n") == (played.returncode, played.stdout), played.stderr


def test_a_folder_that_becomes_read_only_while_the_desk_runs_costs_nothing_but_the_click(tmp_path: Path) -> None:
    """Each page opens; what is clicked then is done and on record, or the page says that nothing was changed."""
    apart = ["unshare", "--user", "--map-user=1000", sys.executable, "-m", "proofs.test_desk_read_only", "--later"]
    played = subprocess.run([*apart, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert (0, "every click is told\n") == (played.returncode, played.stdout), played.stderr


def _play_later(place: Path) -> None:
    from ecauto_pipeline_tests.desk.shop import a_filled_shop
    from ecauto_pipeline_tests.desk.test_holds import held, only_held
    from ecauto_pipeline_tests.desk.test_item import WAITED, fill, open_the_form
    from ecauto_pipeline_tests.desk.visitor import with_visitor

    shop = a_filled_shop(place, pytest.MonkeyPatch())
    name, data = only_held(shop), shop.folder / "data"

    async def scene(visitor: User) -> None:
        await visitor.open(f"/ja/items/{shop.dearer[1]}")
        for path in (data, *data.rglob("*")):
            path.chmod(path.stat().st_mode & ~0o222)
        open_the_form(visitor)
        fill(visitor, "固定価格", "4321")
        visitor.find("効果を見て保存").click()
        await visitor.should_see("保存する", retries=WAITED)
        visitor.find("保存する").click()
        await visitor.should_see("何も変えていません", retries=WAITED)
        for page in ("", "/holds", "/items", "/runs", "/rules", "/money", "/setup"):
            assert 200 == (await visitor.http_client.get(f"/ja{page}")).status_code
        await visitor.open(f"/ja/holds?id={name}")
        visitor.notify.messages.clear()  # that of the form, which the page said before
        visitor.find("承認").click()
        said = await _told(visitor, {"1件を承認しました": "approved", "何も変えていません": "open"}, WAITED)
        for path in (data, *data.rglob("*")):
            path.chmod(path.stat().st_mode | 0o200)
        assert said == held(shop)[name].state

    with_visitor(scene)
    with open_tools(shop.settings, offline=True) as tools, tools.state.read() as connection:
        assert ({}, False) == (rules_in_force(connection), shop.settings.rules.exists())
    sys.stdout.write("every click is told\n")


async def _told(visitor: User, by_words: Mapping[str, str], times: int) -> str:
    """What the first of these words that the page says stands for; one of them it has to say."""
    for _ in range(times):
        for words, meaning in by_words.items():
            with suppress(AssertionError):
                await visitor.should_see(words, retries=1)
                return meaning
    raise AssertionError(f"the page says none of {list(by_words)}")


def _play(place: Path) -> None:
    from ecauto_pipeline_tests.desk.shop import a_filled_shop
    from ecauto_pipeline_tests.desk.test_unknowns import UNKNOWN, look_at_every_page
    from ecauto_pipeline_tests.desk.visitor import served

    patch = pytest.MonkeyPatch()
    shop = a_filled_shop(place, patch)
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    said = {
        "ja": "読み取り専用の場所です。書き込める場所に data を移してください",
        "en": "the place is read-only; move data to",
    }
    with served() as desk:
        for language in ("ja", "en"):
            pages = look_at_every_page(desk, shop, language)
            silent = [path for path, text in pages.items() if said[language] not in text]
            assert [] == silent, silent
            assert all(UNKNOWN[language] in text for text in pages.values())
        assert said["ja"] in desk.get("/ja/items.csv").text
    sys.stdout.write("every page says so\n")


if __name__ == "__main__":
    _play_later(Path(sys.argv[2])) if sys.argv[1] == "--later" else _play(Path(sys.argv[1]))
