"""How a failed step looks in the UI: the sentence for people first, Python's trace below it.

Dagster shows an uncaught error as "Error occurred while executing op ..." and the sentence somewhere under it; raised
as a Failure *from* the error, its description comes first and the trace stays as its cause. Metadata name the error's
class and place, so that nobody has to tell errors apart by their words. Not for: what is done about errors (errors.py).
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import dagster as dg

from ecauto_pipeline.clock import JST
from ecauto_pipeline.doctor.disk_errors import told
from ecauto_pipeline.errors import EcautoError, Stopped
from ecauto_pipeline.settings import load

P = ParamSpec("P")
R = TypeVar("R")
_PACKAGE = Path(__file__).parents[1]
_UNFORESEEN = {
    "ja": "想定していないエラーで止まりました: {what}（{where}）。"
    "保存済みの結果は残っており、次の実行が続きから始めます。",
    "en": "stopped by an error nobody foresaw: {what} ({where}). What was kept stays; the next run goes on from there.",
}


class Refused(dg.Failure):
    """A form that a person filled in wrongly: the step fails with the sentence, and nobody else is called."""


def refused(ja: str, en: str) -> Refused:
    """What is wrong with a form, in the language of the messages."""
    return Refused(description=en if _language() == "en" else ja)


def moment_of(field: str, text: str) -> datetime:
    """A time that somebody typed into a form, Japanese unless it says otherwise. Raises Refused."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise refused(
            f'{field}: {text!r} は日時ではありません。例: "2026-11-23 18:00"',
            f'{field}: {text!r} is no time; one looks like "2026-11-23 18:00"',
        ) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=JST)


def in_words(body: Callable[P, R]) -> Callable[P, R]:
    """The body of an asset or op; what it raises fails the step with its sentence first."""

    @wraps(body)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with failing_in_words():
            return body(*args, **kwargs)

    return wrapper


@contextmanager
def failing_in_words() -> Iterator[None]:
    """What is raised in the block becomes a Failure with its sentence first."""
    try:
        yield
    except (dg.Failure, dg.RetryRequested, dg.DagsterError, Stopped):
        raise  # told already, or somebody's wish
    except Exception as error:
        metadata = {"error": type(error).__name__, "where": place_of(error)}
        raise dg.Failure(sentence(error, _language()), metadata) from error


def sentence(error: Exception, language: str = "ja") -> str:
    """One line for people: our own errors speak for themselves, faults of the disk are told with the next step, of
    others class, word and place.
    """
    if line := told(error, language):
        return line
    what = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}".rstrip(": ")
    return _UNFORESEEN[language].format(what=what, where=place_of(error))


def place_of(error: BaseException) -> str:
    """'sync/listings/read.py:88', the innermost line of ours; where there is none, the innermost of all."""
    frames = traceback.extract_tb(error.__traceback__)
    paths = [Path(frame.filename) for frame in frames]
    ours = [
        f for f, path in zip(frames, paths, strict=True) if path.is_relative_to(_PACKAGE) and path != Path(__file__)
    ]
    if ours:
        return f"{Path(ours[-1].filename).relative_to(_PACKAGE).as_posix()}:{ours[-1].lineno}"
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def _language() -> str:
    try:
        return load().alerts.language
    except EcautoError:
        return "ja"
