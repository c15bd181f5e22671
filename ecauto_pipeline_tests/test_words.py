"""Every code and sentence that a person meets is there in Japanese and in English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import get_args

import click
import pytest
from rich.text import Text

from ecauto_pipeline import errors
from ecauto_pipeline.cli.commands import COMMANDS, NamedCommand, command_line
from ecauto_pipeline.domain import reasons, words
from ecauto_pipeline.domain.model import Decision, Kind, Outcome, Status, Tier
from ecauto_pipeline.domain.selling.hidden_by import OURS, OWNER_SCRIPTS, PERSON
from ecauto_pipeline.domain.transitions import DecisionState, EditState
from ecauto_pipeline_tests.pages import ROOT

PACKAGE = ROOT / "ecauto_pipeline"
JAPANESE = re.compile(r"[぀-ヿ一-鿿]")
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
} - {"Stopped", "LeaseHeld"}
"""Errors whose sentence a person reads. What one call to an API came to is a row, and has a reason in words."""


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


def _calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """(place, call) of every call of these names in the program; the emulator speaks to developers."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if "emulator" in path.relative_to(PACKAGE).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield f"{path.relative_to(PACKAGE).as_posix()}:{node.lineno}", node


def _mute(call: ast.Call) -> bool:
    """Whether a Japanese reader would be told in English: no `ja`, and no Japanese in what is written there."""
    written = "".join(str(part.value) for part in ast.walk(call) if isinstance(part, ast.Constant))
    return not any(keyword.arg == "ja" for keyword in call.keywords) and not JAPANESE.search(written)


def test_every_sentence_of_an_error_is_there_in_japanese() -> None:
    """A session in Japanese never ends with an English sentence."""
    places = {place: _mute(call) for place, call in _calls(*SPEAKING)}
    assert len(places) > 30
    assert [] == [place for place, mute in places.items() if mute]


def test_every_refusal_of_the_command_line_is_there_in_japanese() -> None:
    """As above, for what commands say themselves; what they pass on is an error's own sentence."""
    refusals = [(place, call) for place, call in _calls("fail") if not isinstance(call.args[0], ast.Call | ast.Name)]
    assert len(refusals) > 10
    assert [] == [place for place, call in refusals if _mute(call)]


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
