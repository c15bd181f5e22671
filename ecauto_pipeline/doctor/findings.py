"""What a checkup writes down: findings with what is, and what to do about it, in the language of the house."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

State = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `what_to_do` is "" where nothing is to be done."""

    name: str
    state: State
    what_is: str
    what_to_do: str = ""


@dataclass(slots=True)
class Chart:
    """Findings in the order in which they were made; each text is said as (Japanese, English)."""

    language: str = "ja"
    findings: list[Finding] = field(default_factory=list)

    def ok(self, name: str, ja: str, en: str) -> None:
        """All is well."""
        self.findings.append(Finding(name, "ok", self._say(ja, en)))

    def warn(self, name: str, ja: str, en: str, do_ja: str, do_en: str) -> None:
        """It works, and wants attention."""
        self.findings.append(Finding(name, "warn", self._say(ja, en), self._say(do_ja, do_en)))

    def bad(self, name: str, ja: str, en: str, do_ja: str, do_en: str) -> None:
        """It does not work."""
        self.findings.append(Finding(name, "bad", self._say(ja, en), self._say(do_ja, do_en)))

    def _say(self, ja: str, en: str) -> str:
        return en if self.language == "en" else ja
