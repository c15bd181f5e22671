"""What the desk starts is the command that a person types, and both leave the same behind."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
import typer
from nicegui import ui
from nicegui.elements.upload_files import SmallFileUpload
from nicegui.testing import User
from pytest_httpserver import HTTPServer

from ecauto_pipeline.views.rule_words import DAY_0
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.desk.leavings import leavings
from ecauto_pipeline_tests.desk.shop import FilledShop, a_filled_shop
from ecauto_pipeline_tests.desk.test_holds import only_held
from ecauto_pipeline_tests.desk.test_runs import lines
from ecauto_pipeline_tests.desk.visitor import with_visitor

ONLY_A_PAGE_SAYS = {"json_output", "who", "instead_of", "lines_in"}
"""How it answers, whose word it is, which file the person saw, in which language: the rest is what is done."""
NOTES_ITS_WORDS = """
import json, pathlib, sys
with pathlib.Path(sys.argv[1]).open("a", encoding="utf-8") as noted:
    noted.write(json.dumps(sys.argv[2:]) + chr(10))
effect = {"now": EVERY, "what_if": EVERY}
print(json.dumps({"run_id": "", "problems": [], "rules": 1, "listings": 1, "selects": [], "idle": [], "over": [],
                  "instead_of": "as-it-stood", "effect": effect}))
"""
WAITED = 100


def parsed(words: Sequence[str]) -> tuple[str, dict[str, object]]:
    """The command that these words name, and what they tell it, as the command line reads them."""
    name, *rest = words
    command = typer.main.get_command(importlib.import_module(f"ecauto_pipeline.cli.{name}").COMMAND)
    if isinstance(command, click.Group):
        command, name, rest = command.commands[rest[0]], f"{name} {rest[0]}", rest[1:]
    told = command.make_context(name, rest).params
    return name, {key: value for key, value in told.items() if key not in ONLY_A_PAGE_SAYS}


class Recorder:
    """Starts nothing: notes what would be started."""

    def __init__(self, folder: Path) -> None:
        self._noted = folder / "noted"
        program = NOTES_ITS_WORDS.replace("EVERY", repr(dict.fromkeys(DAY_0, 0)))
        self.program = [sys.executable, "-S", "-c", program, str(self._noted)]

    def words(self) -> list[list[str]]:
        """Each command's, in the order in which they were started."""
        if not self._noted.exists():
            return []
        return [json.loads(line) for line in self._noted.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FilledShop:
    return a_filled_shop(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("button", "yes", "typed"),
    [("今すぐ同期", "同期する", ["sync"]), ("試しに実行", "試す", ["sync", "--dry-run"])],
    ids=["sync", "dry-run"],
)
def test_a_run_that_is_started_is_the_one_that_a_person_types(
    shop: FilledShop, tmp_path: Path, button: str, yes: str, typed: list[str]
) -> None:
    """Now, or without sending."""
    recorder = Recorder(tmp_path)

    async def scene(visitor: User) -> None:
        await visitor.open("/ja")
        visitor.find(kind=ui.button, content=button).click()
        await visitor.should_see(yes, retries=WAITED)
        visitor.find(kind=ui.button, content=yes).click()
        await visitor.should_see("完了しました", retries=WAITED)

    with_visitor(scene, recorder.program)
    assert [parsed(typed)] == [parsed(words) for words in recorder.words()]


def test_a_run_is_undone_as_by_whoever_types_it(shop: FilledShop, tmp_path: Path) -> None:
    """First tried without sending."""
    recorder, run = Recorder(tmp_path), lines(shop)[0].run_id

    async def scene(visitor: User) -> None:
        await visitor.open(f"/ja/runs/{run}")
        visitor.find("元に戻すとどうなるか見る").click()
        await visitor.should_see("ショップに聞いて試す", retries=WAITED)
        visitor.find("ショップに聞いて試す").click()
        await visitor.should_see("元に戻すとどうなるか見る", retries=WAITED)
        visitor.find("元に戻すとどうなるか見る").click()
        await visitor.should_see("ショップに聞いて試す", retries=WAITED)
        visitor.find(kind=ui.button, content="元に戻す").click()
        await visitor.should_see("はい、元に戻す", retries=WAITED)
        visitor.find("はい、元に戻す").click()
        await visitor.should_see("元に戻すとどうなるか見る", retries=WAITED)

    with_visitor(scene, recorder.program)
    typed = (["rollback", run, "--dry-run"], ["rollback", run])
    assert [parsed(words) for words in typed] == [parsed(words) for words in recorder.words()]


def test_what_is_started_about_rules_holds_and_the_setup_is_what_a_person_types(
    shop: FilledShop, tmp_path: Path
) -> None:
    """A file checked and taken in, an approved change sent at once, the checkup."""
    recorder, name = Recorder(tmp_path), only_held(shop)
    content = f"item_id,never_sell\n{shop.dearer[1]},yes\n".encode()

    async def scene(visitor: User) -> None:
        await visitor.open(f"/ja/holds?id={name}")
        visitor.find("承認").click()
        await visitor.should_see("今すぐ送る", retries=WAITED)
        visitor.find("今すぐ送る").click()
        await visitor.should_see("完了しました", retries=WAITED)
        await visitor.open("/ja/setup")
        await visitor.should_see("調べられませんでした", retries=WAITED)
        await visitor.open("/ja/rules")
        (chooser,) = visitor.find(kind=ui.upload).elements
        await chooser.handle_uploads([SmallFileUpload("new.csv", "text/csv", content)])
        await visitor.should_see("保存して使う", retries=WAITED)
        visitor.find("保存して使う").click()
        await visitor.should_see("採用する", retries=WAITED)
        visitor.find("採用する").click()
        await visitor.should_see("保存しました", retries=WAITED)

    with_visitor(scene, recorder.program)
    started = recorder.words()
    file = started[2][2]
    typed = (["holds", "send", name], ["doctor"], ["rules", "check", file, "--effect"], ["rules", "import", file])
    assert [parsed(words) for words in typed] == [parsed(words) for words in started]
    assert ["--instead-of", "as-it-stood", "--who"] == started[3][3:6]


def test_a_file_taken_in_at_the_desk_leaves_what_a_typed_import_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rules in force, what they select, the history of changes, the file itself; but for who and when."""
    file = tmp_path / "new.csv"
    left = []
    for more in ((), ("--instead-of", "", "--who", "hanako (desk)", "--json")):
        place = tmp_path / f"place-{len(more)}"
        place.mkdir()
        shop = a_filled_shop(place, monkeypatch)
        file.write_text(f"item_id,never_sell,note\n{shop.dearer[1]},yes,x\n", encoding="utf-8")
        assert 0 == type_command(monkeypatch, capsys, "rules", "import", str(file), *more)[0]
        left.append((leavings(shop.folder), shop.settings.rules.read_bytes()))
    assert left[0] == left[1]
    assert [("2",)] != left[0][0]["item_rules"] != []


def test_a_trial_of_the_alerts_leaves_what_the_command_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], httpserver: HTTPServer
) -> None:
    """The same message to the same channel, and the same rows; nothing but the message where all went well."""
    httpserver.expect_request("/hook").respond_with_data("ok")
    monkeypatch.setenv("HOOK", httpserver.url_for("/hook"))
    left, said = [], []
    for place in ("page", "command"):
        (tmp_path / place).mkdir()
        shop = a_filled_shop(tmp_path / place, monkeypatch)
        config = shop.folder / "ecauto.toml"
        channel = '[[alerts.channels]]\nkind = "webhook"\nurl_env = "HOOK"\n'
        config.write_text(config.read_text(encoding="utf-8") + channel, encoding="utf-8")
        before = leavings(shop.folder)
        if place == "page":

            async def scene(visitor: User) -> None:
                await visitor.open("/ja/setup")
                visitor.find("試しに送る").click()
                await visitor.should_see("はい、送ります", retries=WAITED)
                visitor.find("はい、送ります").click()
                await visitor.should_see("送りました", retries=WAITED)

            with_visitor(scene, Recorder(tmp_path).program)
        else:
            assert 0 == type_command(monkeypatch, capsys, "alerts", "test")[0]
        after = leavings(shop.folder)
        left.append({table: rows for table, rows in after.items() if rows != before[table]})
        said.append(httpserver.log[-1][0].get_json())
    assert 2 == len(httpserver.log)
    assert left[0] == left[1]
    assert said[0].keys() == said[1].keys()
    assert {key: said[0][key] for key in ("title", "text") if key in said[0]} == {
        key: said[1][key] for key in ("title", "text") if key in said[1]
    }
