"""What a checkup writes down: findings with what is, and what to do about it, in the language of the house.

Not for: looking (credentials.py, machine.py, files.py, state_book.py) or the order of the lines (lines.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ecauto_pipeline.doctor.disk_errors import NEXT, WORDS, Fault

State = Literal["ok", "warn", "bad", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `what_to_do` is "" where nothing is to be done.

    "unknown": not judged, because what it rests on is bad. `line`: the declared line (lines.py) that it belongs to.
    """

    name: str
    state: State
    what_is: str
    what_to_do: str = ""
    line: str = ""


@dataclass(slots=True)
class Chart:
    """Findings in the order in which they were made; each text is said as (Japanese, English).

    `line`: the declared line that is being looked at.
    """

    language: str = "ja"
    findings: list[Finding] = field(default_factory=list)
    line: str = ""
    _causes: dict[str, str] = field(default_factory=dict)

    def ok(self, name: str, ja: str, en: str) -> None:
        """All is well."""
        self._add(name, "ok", self._say(ja, en))

    def warn(self, name: str, ja: str, en: str, do_ja: str, do_en: str) -> None:
        """It works, and wants attention."""
        self._add(name, "warn", self._say(ja, en), self._say(do_ja, do_en))

    def bad(self, name: str, ja: str, en: str, do_ja: str, do_en: str) -> None:
        """It does not work."""
        self._add(name, "bad", self._say(ja, en), self._say(do_ja, do_en))

    def fault(self, name: str, fault: Fault, place: str = "", state: Literal["warn", "bad"] = "bad") -> None:
        """A file or folder that can't be used; `place`: which of them, where `name` does not say it."""
        (ja, en), (do_ja, do_en) = WORDS[fault], NEXT[fault]
        where = f"{place}: " if place else ""
        self._add(name, state, where + self._say(ja, en), self._say(do_ja, do_en))

    def not_judged(self, cause: str) -> None:
        """The line rests on `cause`, which is bad: whatever it showed now would be a symptom, its advice false."""
        root = self._causes.get(cause, cause)
        self._causes[self.line] = root
        self._add(
            self.line,
            "unknown",
            self._say("判定していません", "not judged"),
            self._say(f"先に「{root}」を直してください", f'mend "{root}" first'),
        )

    def not_checked(self, error: Exception, place: str) -> None:
        """Looking itself failed, and nobody foresaw how; `place`: `module:line`. The message may hold anything."""
        what = f"{type(error).__name__}, {place}" if place else type(error).__name__
        self.bad(
            self.line,
            f"調べられませんでした ({what})",
            f"could not be checked ({what})",
            "不具合です。この行をそのまま開発元に知らせてください",
            "a defect: report this line as it is",
        )

    def failed(self, line: str) -> bool:
        """Whether a line that was looked at is bad, or could not be judged."""
        return any(one.line == line and one.state in ("bad", "unknown") for one in self.findings)

    def _add(self, name: str, state: State, what_is: str, what_to_do: str = "") -> None:
        self.findings.append(Finding(name, state, what_is, what_to_do, self.line))

    def _say(self, ja: str, en: str) -> str:
        return en if self.language == "en" else ja
