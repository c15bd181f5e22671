"""Every code and sentence that a person meets is there in Japanese and in English."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

import click
import pytest
from rich.text import Text

from ecauto_pipeline import errors
from ecauto_pipeline.cli import main
from ecauto_pipeline.cli.commands import COMMANDS, NamedCommand, command_line
from ecauto_pipeline.domain import reasons, words
from ecauto_pipeline.domain.model import Decision, Kind, Outcome, Status, Tier
from ecauto_pipeline.domain.selling.hidden_by import OURS, OWNER_SCRIPTS, PERSON
from ecauto_pipeline.domain.transitions import DecisionState, EditState
from ecauto_pipeline_tests.languages import JAPANESE, half_english, half_japanese
from ecauto_pipeline_tests.pages import ROOT

PACKAGE = ROOT / "ecauto_pipeline"
CODES: dict[str, list[str]] = {
    "KINDS": list(Kind),
    "STATUSES": list(Status),
    "DECISIONS": list(Decision),
    "DECISION_STATES": list(get_args(DecisionState)),
    "OUTCOMES": [*Outcome, *get_args(EditState)],
    "HIDDEN_BY": [OURS, OWNER_SCRIPTS, PERSON, "blocklist", "shop"],
    "BREAKERS": ["access_denied", "token", "hour_api_limit", "day_api_limit", "not_read", "shop_unreachable"],
    "TIERS": list(Tier),
}
SPEAKING = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.EcautoError) and not issubclass(kind, errors.CallError)
} - {"Stopped", "LeaseHeld"} | {"HistoryError", "DatabaseHeld", "DatabaseTorn", "DiskFull"}
"""Errors whose sentence a person reads, history's own among them. What one call to an API came to is a row, and has a
reason in words."""


@pytest.mark.parametrize("table", CODES)
def test_every_code_has_words_in_both_languages(table: str) -> None:
    """None is forgotten when one is added; the Japanese are Japanese, the English are not."""
    found = getattr(words, table)
    assert {str(code) for code in CODES[table]} == set(found)
    assert [] == [code for code, (ja, en) in found.items() if not JAPANESE.search(ja) or JAPANESE.search(en)]


def test_every_reason_has_words_in_both_languages() -> None:
    """As above."""
    wrong = [code for code, (ja, en) in reasons.WORDS.items() if not JAPANESE.search(ja) or JAPANESE.search(en)]
    assert [] == wrong


BUILTIN = {name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, Exception)} - {
    "NotImplementedError"
}
NEVER_LEAVE = {
    "clock.py": "a mistake of ours",
    "history/casting.py": "RowRefused, when it is told",
    "history/database.py": "a missing right: doctor/disk_errors.py says it with the next step",
    "defs/resources.py": "a mistake of ours",
    "defs/metadata.py": "a mistake of ours",
    "settings/values.py": "pydantic makes a problem of it, and settings/problems.py its words",
    "settings/amazon.py": "as settings/values.py",
    "settings/shops.py": "as settings/values.py",
    "settings/selling.py": "as settings/values.py",
    "settings/ecauto_toml.py": "as settings/values.py",
    "migrate/cache_files.py": "cli/cache.py says it",
    "migrate/find.py": "cli/import_legacy.py says it",
    "cli/console.py": "a stream without a file number",
    "shops/base/client.py": "unreachable",
    "sync/run_record.py": "a mistake of ours",
    "sync/room_for_threads.py": "the machine has no memory left: as any other MemoryError",
    "reports/capacity.py": "cli/capacity.py says it",
    "domain/freshness/capacity.py": "cli/capacity.py says it",
    "domain/freshness/cadence.py": "a mistake of ours",
    "domain/spreadsheets.py": "whoever reads the file says it",
    "domain/freshness/views_file.py": "a line of the views file, in the log",
    "domain/selling/diffs.py": "a mistake of ours",
    "domain/selling/fees.py": "a mistake of ours: settings leave something of a price",
    "amazon/credentials.py": "a mistake of ours",
    "amazon/registry.py": "a mistake of ours",
}
"""Where Python's own errors are raised, and why no person reads their text."""


def _modules(names: Iterable[str]) -> Iterator[tuple[str, ast.Module]]:
    """(path, tree) of the program's modules in whose text one of these names stands: no other is worth a walk. The
    emulator speaks to developers."""
    named = re.compile(rf"\b(?:{'|'.join(names)})\b")
    for path in sorted(PACKAGE.rglob("*.py")):
        place, text = path.relative_to(PACKAGE), path.read_text(encoding="utf-8")
        if "emulator" not in place.parts and named.search(text):
            yield place.as_posix(), ast.parse(text)


def _calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """(place, call) of every call of these plain names."""
    for place, module in _modules(names):
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield f"{place}:{node.lineno}", node


def _mute(call: ast.Call) -> bool:
    """Whether a Japanese reader would be told in English: no `ja`, and no Japanese in what is written there."""
    written = "".join(str(part.value) for part in ast.walk(call) if isinstance(part, ast.Constant))
    return not any(keyword.arg == "ja" for keyword in call.keywords) and not JAPANESE.search(written)


def _english(call: ast.Call) -> str:
    """What is written in the English sentence of an error or a refusal: its first argument."""
    parts = ast.walk(call.args[0]) if call.args else ()
    return "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))


def test_every_sentence_of_an_error_is_there_in_japanese() -> None:
    """A session in Japanese never ends with an English sentence, and neither language holds a piece of the other."""
    places = dict(_calls(*SPEAKING))
    assert len(places) > 30
    assert [] == [place for place, call in places.items() if _mute(call)]
    assert [] == [place for place, call in places.items() if half_japanese(_english(call))]


def test_every_refusal_of_the_command_line_is_there_in_japanese() -> None:
    """As above, for what commands say themselves."""
    refusals = dict(_calls("fail"))
    refusals.pop(next(place for place in refusals if place.startswith("cli/__init__.py")))  # the error's own sentence
    assert len(refusals) > 10
    assert [] == [place for place, call in refusals.items() if _mute(call) or half_japanese(_english(call))]


def test_what_a_person_brings_about_is_an_error_of_ours() -> None:
    """Python's own errors have one language; where one is raised, somebody has thought about who reads it."""
    raising = _modules(BUILTIN)
    assert set(NEVER_LEAVE) == {place for place, module in raising if any(map(_raises_builtin, ast.walk(module)))}


def _raises_builtin(node: ast.AST) -> bool:
    call = node.exc if isinstance(node, ast.Raise) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in BUILTIN


SAYING = ("told", "fail", "said")
"""Calls that take a text in both languages."""


def _lone_japanese(path: Path) -> Iterator[str]:
    """Japanese texts of a command that have no English beside them; helps hold both languages themselves."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    paired: set[ast.AST] = set()
    for node in ast.walk(tree):
        beside: list[ast.AST] = []
        if isinstance(node, ast.IfExp):
            beside = [node.body, node.orelse]
        elif isinstance(node, ast.Tuple | ast.List):
            beside = list(node.elts)
        elif isinstance(node, ast.Dict):
            beside = list(node.values)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in (*SPEAKING, *SAYING):
            beside = [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.keyword) and node.arg == "help":
            paired.update(ast.walk(node.value))
        elif isinstance(node, ast.Assign | ast.Expr) and isinstance(node.value, ast.Constant):
            paired.add(node.value)  # a docstring, or a constant that stands beside its English likeness
        if any(_written(one) and not half_japanese(_written(one)) for one in beside):
            paired.update(part for one in beside for part in ast.walk(one))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node not in paired and half_japanese(str(node.value)):
            yield f"{path.name}:{node.lineno}"


def _written(node: ast.AST) -> str:
    return "".join(str(part.value) for part in ast.walk(node) if isinstance(part, ast.Constant))


@pytest.mark.parametrize(
    "path",
    [path for room in ("cli", "reports", "explain") for path in sorted((PACKAGE / room).glob("*.py"))],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_what_a_command_says_or_draws_is_there_in_english(path: Path) -> None:
    """A session in English is not told half of it in Japanese, nor is the weekly page or a picture."""
    if path.name != "commands.py":  # lines of help, in both languages
        assert [] == list(_lone_japanese(path))


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(
    "words",
    [
        "status",
        "holds list",
        "unwatched",
        "capacity",
        "validate --dry-run",
        "history verify",
        "history compact",
        "report -o weekly.html",
        "alerts test",
        "cache export old",
        "cache import old",
        "import-legacy old --dry-run",
        "explain B000000000",
        "holds show 0000",
        "holds approve --asin B000000000",
        "capacity --tiers x",
        "sync --partition yesterday",
        "sync --account nobody",
        "apply nothing.json",
    ],
)
def test_a_session_is_in_one_language(
    words: str, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is typed is answered in the language of ecauto.toml, refusals included."""
    config = tmp_path / "ecauto.toml"
    config.write_text(f'[alerts]\nlanguage = "{language}"\n', encoding="utf-8")
    (tmp_path / "old").mkdir()
    monkeypatch.setenv("ECAUTO_CONFIG", str(config))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.delenv("ECAUTO_DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["ecauto", *words.split()])
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    lines = [line for line in (said.out + said.err).replace(str(tmp_path), "/").splitlines() if line.strip()]
    assert lines
    mixed = half_japanese if language == "en" else half_english
    assert [] == [line for line in lines if mixed(line)]


def _commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    loaded = command.load() if isinstance(command, NamedCommand) else command
    yield path, loaded
    for name, child in getattr(loaded, "commands", {}).items():
        yield from _commands(child, f"{path} {name}")


def test_no_help_is_eaten_by_markup() -> None:
    """What is typed in brackets is shown in brackets."""
    eaten = [
        (path, text)
        for path, command in _commands(command_line(), "ecauto")
        for text in (command.help or "", *(str(getattr(one, "help", "") or "") for one in command.params))
        if Text.from_markup(text).plain != text
    ]
    assert [] == eaten


@pytest.mark.parametrize("wrong", ["sinc", "holds lst", "history verifi"])
def test_a_slip_is_answered_once(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One guess, said once."""
    assert COMMANDS
    with pytest.raises(SystemExit):
        command_line()(wrong.split(), prog_name="ecauto", standalone_mode=True)
    assert 1 == " ".join(capsys.readouterr().err.split()).count("Did you mean")
