"""One visit to one page: in which language, what was asked for, and how a page reads what it shows.

What can't be read (the state locked, the history torn, a file in the wrong hands) is an answer too: `Unknown`, with
the reason in words. Not for: drawing (parts/, pages/) or who may come in (gate.py).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import quote, urlencode

from nicegui.elements.upload_files import FileUpload

from ecauto_pipeline.atomic_file import on_read_only_disk
from ecauto_pipeline.desk.commands import Command
from ecauto_pipeline.desk.office import Office
from ecauto_pipeline.doctor.disk_errors import NEXT, WORDS, fault_of, told
from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state.database import UNUSABLE
from ecauto_pipeline.sync.context import Tools

Language = Literal["ja", "en"]
LANGUAGES: tuple[Language, ...] = ("ja", "en")
T = TypeVar("T")
LOG = logging.getLogger("ecauto_pipeline")


@dataclass(frozen=True, slots=True)
class Unknown:
    """What can't be known now, and why, in both languages."""

    ja: str
    en: str


@dataclass(frozen=True, slots=True)
class Visit:
    """What a page is drawn for. `query`: what stands behind the "?" of its address; `named`: what its path names."""

    office: Office
    language: Language
    query: Mapping[str, str] = field(default_factory=dict)
    named: str = ""

    @property
    def settings(self) -> Settings:
        return self.office.settings

    def told(self, ja: str, en: str) -> str:
        """The text in the language of this visit."""
        return en if self.language == "en" else ja

    def link(self, path: str, **query: object) -> str:
        """The address of another page, in the same language. `path` begins with "/"."""
        asked = {name: str(value) for name, value in query.items() if value not in (None, "")}
        return f"/{self.language}{quote(path)}".rstrip("/") + (f"?{urlencode(asked)}" if asked else "")

    async def read(self, look: Callable[[Tools], T]) -> T | Unknown:
        """What `look` says, in a thread of its own. `look` only reads."""
        return await asyncio.to_thread(self._look, look)

    async def do(self, act: Callable[[Tools], T]) -> T | Unknown:
        """What became of an action, in a thread of its own; `Unknown` = it was refused or could not be done, and why.

        What changed meanwhile is told by the action itself (NotOnRecord): the loser of two people learns it.
        """
        return await asyncio.to_thread(self._look, act, writes=True)

    def start(self, *words: str) -> Command | Unknown:
        """Start `ecauto WORDS`; `Unknown` = it could not be started, and why."""
        try:
            return self.office.commands.start(*words)
        except OSError as error:
            return self._failed(error, writes=True)

    async def keep(self, content: FileUpload, path: Path) -> Unknown | None:
        """Put a file that somebody chose where commands find it; `Unknown` = it could not be written, and why."""
        try:
            await content.save(path)
        except OSError as error:
            return self._failed(error, writes=True)
        return None

    def _look(self, look: Callable[[Tools], T], *, writes: bool = False) -> T | Unknown:
        try:
            with self.office.tools() as tools:
                return look(tools)
        except EcautoError as error:
            return Unknown(told(error, "ja"), told(error, "en"))
        except UNUSABLE as error:
            LOG.warning("the desk could not use the state: %s", type(error).__name__)
            return self._failed(error, writes=writes)
        except OSError as error:
            return self._failed(error, writes=writes)

    def _failed(self, error: Exception, *, writes: bool) -> Unknown:
        """What the disk or the state refused, and what to do."""
        of_state, fault = isinstance(error, UNUSABLE), fault_of(error)
        if of_state and not writes and fault in (None, "busy"):
            return Unknown(
                "state.db を読めません（ほかの処理が使用中か、ディスクの問題です。少し待って開き直してください）",
                "state.db can't be read: another process holds it, or the disk is in trouble; wait, then reload",
            )
        with suppress(EcautoError, OSError):
            if fault == "forbidden" and on_read_only_disk(self.settings.data_dir):
                fault = "read_only"  # SQLite does not tell these two apart
        strange = str(getattr(error, "strerror", None) or type(error).__name__)
        why_ja, why_en = WORDS[fault] if fault else (strange, strange)
        next_ja, next_en = (
            NEXT[fault] if fault else ("少し待ってもう一度お試しください", "wait a little, then try again")
        )
        what = "state.db" if of_state else "ファイル", "state.db" if of_state else "a file"
        if writes:
            return Unknown(
                f"{what[0]} に書き込めないため、何も変えていません: {why_ja}。{next_ja}",
                f"{what[1]} can't be written, so nothing was changed: {why_en}; {next_en}",
            )
        return Unknown(f"{what[0]} を読めません: {why_ja}。{next_ja}", f"{what[1]} can't be read: {why_en}; {next_en}")
