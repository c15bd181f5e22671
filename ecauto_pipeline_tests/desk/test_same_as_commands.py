"""Whatever is done at the desk can be done by a command, and both leave the same behind.

Those that others compare: approve, keep (test_holds), a rule set (test_item), stop, resume (test_today), the end of a
run (test_runs). What the desk starts as a command of its own is that command.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from nicegui import ui
from nicegui.testing import User

import ecauto_pipeline.cli
import ecauto_pipeline.desk
from ecauto_pipeline.cli.commands import COMMANDS
from ecauto_pipeline.state.rule_changes import changes
from ecauto_pipeline.sync.people.rule_edits import set_rule
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.desk.shop import FilledShop, a_filled_shop
from ecauto_pipeline_tests.desk.test_holds import held, only_held, signed
from ecauto_pipeline_tests.desk.visitor import with_visitor

DESK, CLI = (Path(str(one.__file__)).parent for one in (ecauto_pipeline.desk, ecauto_pipeline.cli))
IN_PLACE = {
    "decide": ("holds", "approve", "reject"),
    "take_back": ("holds", "take-back"),
    "keep_price": ("holds", "keep"),
    "set_rule": ("rules", "set"),
    "unset_rule": ("rules", "unset"),
    "stop_pushing": ("stop",),
    "resume_pushing": ("resume",),
    "stop_run": ("runs", "stop"),
    "try_channels": ("alerts", "test"),
}
"""What a click does in the desk's own process: the function, and the command that calls it too."""
THROUGH = {"_lift": "resume_pushing"}
"""Functions of a page that call the one that counts."""
STARTED = {
    ("sync_start.py", "sync"),
    ("rules_upload.py", "rules check"),
    ("rules_upload.py", "rules import"),
    ("run_undo.py", "rollback"),
    ("hold_acts.py", "holds send"),
    ("setup_checkup.py", "doctor"),
}
"""What a click starts as a command of its own."""


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for file in sorted(DESK.rglob("*.py")):
        yield file, ast.parse(file.read_text(encoding="utf-8"))


def calls_of(tree: ast.AST, method: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
            yield node


def called(argument: ast.expr) -> str:
    body = argument.body if isinstance(argument, ast.Lambda) else argument
    return ast.unparse(body.func if isinstance(body, ast.Call) else body)


def first_words(call: ast.Call, tree: ast.AST) -> str:
    """ "rules check": the words of a command that are no options or values, wherever they are put together."""
    words = list(call.args)
    if len(words) == 1 and isinstance(words[0], ast.Starred) and isinstance(words[0].value, ast.Name):
        name = words[0].value.id
        scopes = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
        inside = [one for scope in scopes if call in list(ast.walk(scope)) for one in ast.walk(scope)]
        made = [one for one in inside if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == name]
        [words] = [one.value.elts for one in made if isinstance(one.value, ast.Tuple)]
    found = []
    for word in words:
        if not isinstance(word, ast.Constant) or str(word.value).startswith("-"):
            break
        found.append(str(word.value))
    return " ".join(found)


def test_every_action_of_the_desk_has_its_command() -> None:
    """A click acts through `visit.do` or starts a command: each is named here with its command, which calls the same
    function; nothing else of the desk writes to the state."""
    done = {called(call.args[0]) for _, tree in trees() for call in calls_of(tree, "do")}
    functions = {THROUGH.get(name, name) for name in done} - {"start_sync"}  # which starts a command
    assert set(IN_PLACE) == functions
    for function, (name, *subcommands) in IN_PLACE.items():
        assert name in COMMANDS
        module = (CLI / f"{name}.py").read_text(encoding="utf-8")
        beside = "".join(file.read_text(encoding="utf-8") for file in CLI.glob(f"{name.rstrip('s')}*.py"))
        assert [] == [word for word in subcommands if f'"{word}"' not in module + beside], function
        words = {"decide": ("approve", "reject", "decide")}.get(function, (function,))
        assert any(f"{word}(" in module + beside for word in words), function
    started = {
        (file.name, first_words(call, tree))
        for file, tree in trees()
        for call in calls_of(tree, "start")
        if ast.unparse(call.func).endswith(("commands.start", "visit.start")) and file.name != "visit.py"
    }
    assert started == STARTED
    assert {words.split()[0] for _, words in started} <= set(COMMANDS)
    assert [] == [
        file.name for file, tree in trees() for call in calls_of(tree, "write") if "state" in ast.unparse(call)
    ]


def test_a_rejected_row_is_the_one_that_the_command_rejects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same row in the same state with the same evidence, but for who and when."""
    left = []
    for place in ("page", "command"):
        (tmp_path / place).mkdir()
        shop = a_filled_shop(tmp_path / place, monkeypatch)
        name = only_held(shop)
        if place == "page":

            async def scene(visitor: User, name: str = name) -> None:
                await visitor.open(f"/en/holds?id={name}")
                visitor.find("Reject").click()
                await visitor.should_see("1 rejected")

            with_visitor(scene)
        else:
            assert 0 == type_command(monkeypatch, capsys, "holds", "reject", name[:12])[0]
        row = held(shop)[name]
        evidence = {key: value for key, value in signed(row).items() if key not in ("rejected_by", "rejected_at")}
        left.append((row.state, row.run_id, row.diff.shown, row.diff.wanted, evidence, set(signed(row))))
    assert left[1] == left[0]


def test_a_yes_taken_back_is_the_one_that_the_command_takes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same row in the same state with the same evidence, but for who and when."""
    left = []
    for place in ("page", "command"):
        (tmp_path / place).mkdir()
        shop = a_filled_shop(tmp_path / place, monkeypatch)
        name = only_held(shop)
        assert 0 == type_command(monkeypatch, capsys, "holds", "approve", name)[0]
        if place == "page":

            async def scene(visitor: User, name: str = name) -> None:
                await visitor.open(f"/en/holds?id={name}")
                visitor.find("Take the approval back").click()
                await visitor.should_see("1 taken back and rejected.")

            with_visitor(scene)
        else:
            assert 0 == type_command(monkeypatch, capsys, "holds", "take-back", name[:12])[0]
        row = held(shop)[name]
        evidence = {key: value for key, value in signed(row).items() if not key.endswith(("_by", "_at"))}
        left.append((row.state, row.run_id, row.diff.shown, row.diff.wanted, evidence, set(signed(row))))
    assert left[1] == left[0]


def without_its_rule(shop: FilledShop) -> tuple[bytes, list[tuple[str, int | None]]]:
    with open_tools(shop.settings, offline=True) as tools, tools.state.read() as connection:
        return shop.settings.rules.read_bytes(), [(one.how, one.rules) for one in changes(connection, 9)]


def test_a_rule_taken_away_is_the_one_that_the_command_takes_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same file and the same history of changes, but for who and when."""
    left = []
    for place in ("page", "command"):
        (tmp_path / place).mkdir()
        shop = a_filled_shop(tmp_path / place, monkeypatch)
        asin = shop.dearer[2]
        with open_tools(shop.settings, offline=True) as tools:
            set_rule(tools, asin, {"fixed_price_jpy": "9990"}, "hanako")
        if place == "page":

            async def scene(visitor: User, item: str = shop.dearer[1]) -> None:
                await visitor.open(f"/en/items/{item}")
                (fold,) = visitor.find(kind=ui.expansion, content="Change the rules").elements
                fold.set_value(True)
                await visitor.should_see("Take this rule away", retries=100)
                visitor.find("Take this rule away").click()
                await visitor.should_see("Take this rule away?", retries=100)
                visitor.find(kind=ui.button, content="Take away").click()
                await visitor.should_see("The rule is gone", retries=100)

            with_visitor(scene)
        else:
            assert 0 == type_command(monkeypatch, capsys, "rules", "unset", asin)[0]
        left.append(without_its_rule(shop))
    assert left[1] == left[0]
