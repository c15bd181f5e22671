"""What an alert rule is: one declaration that holds everything said and done about it.

Its name is the law it states; checks, messages and the runbook take law, label, asset, severity and remedy from here.
Not for: the rules themselves (rules/) or telling anybody (announce.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from ecauto_pipeline.alerts.verdicts import WORST_ROWS, Row, Severity, Verdict
from ecauto_pipeline.settings import WHOLE_LANE, Alerts
from ecauto_pipeline.state.amazon_shapes import ShapeMet
from ecauto_pipeline.sync.run_record import RunRecord


@dataclass(frozen=True, slots=True)
class Words:
    """The same in Japanese and in English."""

    ja: str
    en: str


@dataclass(frozen=True, slots=True)
class AlertSetup:
    """What rules go by besides the run: [alerts], and what is kept.

    `broken_channels` refused the last message sent through them. `held`: rows that wait for a person, by shop and by
    the name of what is held, oldest first. `waiting`: by shop that can't be worked on, the first few changes that can't
    reach it. `shapes`: those of Amazon's answers that stand and that nobody knows, as at `now`; `samples`: the file
    with an example, by operation and shape.
    """

    alerts: Alerts
    broken_channels: tuple[str, ...] = ()
    held: Mapping[str, Mapping[str, Row]] = field(default_factory=dict)
    waiting: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    shapes: tuple[ShapeMet, ...] = ()
    samples: Mapping[tuple[str, str], str] = field(default_factory=dict)
    now: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule finds. `judged` False: reported only, nothing was measured or too little.

    `severity`, `done` where they are not the rule's own; `remedy` where it names what was found. `members`: what a set
    consists of, by name, where its growing is news.
    """

    said: Words
    passed: bool = True
    judged: bool = True
    value: float | None = None
    threshold: float | None = None
    worst: tuple[Row, ...] = ()
    severity: Severity | None = None
    remedy: str = ""
    members: Mapping[str, Row] = field(default_factory=dict)
    done: Words | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`law`: what must hold; `label`: what people call it; `remedy`: the command to run next when it fires.

    `desk`: the page of the owner's desk on which it is settled, or seen ("/holds"); `done`: what the program did about
    it by then; `page`: where in Dagster's UI a person acts ("/runs/ID").
    """

    name: str
    law: Words
    label: Words
    severity: Severity
    remedy: str
    desk: str
    done: Words = Words("", "")
    page: str = ""

    def verdict(self, found: Finding, subject: str = "") -> Verdict:
        """What is said about it. What is not judged passes; `subject` tells verdicts of one rule apart."""
        passed = found.passed or not found.judged
        return Verdict(
            rule=self.name,
            passed=passed,
            judged=found.judged,
            value=found.value,
            threshold=found.threshold,
            severity=found.severity or self.severity,
            message_ja=found.said.ja,
            message_en=found.said.en,
            worst=found.worst[:WORST_ROWS],
            remedy="" if passed else found.remedy or self.remedy,
            subject=subject,
            members={} if passed else found.members,
            done_ja="" if passed else (found.done or self.done).ja,
            done_en="" if passed else (found.done or self.done).en,
            page=self.page,
            desk=self.desk,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRule(Rule):
    """A rule that judges the record of a run. `asset`: which one shows it as its check; both finders are pure.

    `find`: the run as a whole; `each`: by shop or operation, which `subject` says, those alone that the run measured.
    `of_lane`: a run of a lane speaks of its lane, so that another lane's run ends nothing that it found; False: what is
    judged is the same whichever lane looks.
    """

    asset: str
    find: Callable[[RunRecord, AlertSetup], Finding]
    each: Callable[[RunRecord, AlertSetup], Mapping[str, Finding]] | None = None
    subject: Literal["", "shop", "operation"] = ""
    of_lane: bool = True

    def judge(self, record: RunRecord, setup: AlertSetup) -> Verdict:
        """What this rule says of the run; a step that the run did not do leaves its rules unjudged."""
        return self.verdict(self.find(record, setup))

    def verdicts(self, record: RunRecord, setup: AlertSetup) -> tuple[Verdict, ...]:
        """What people are told about: one verdict a subject, and one for the whole unless its subjects say it already.

        Whatever is wrong with the whole and with no subject of it (each had too few attempts) is told as the whole's.
        A dry run changes nothing and so neither fires nor ends anything.
        """
        found = self.each(record, setup) if self.each is not None else {}
        each = tuple(self.verdict(found[subject], subject) for subject in sorted(found))
        whole = self.judge(record, setup)
        told_already = bool(each) and (any(not one.passed for one in each) or all(one.judged for one in each))
        said = each if told_already and not whole.passed else (*each, whole)
        said = tuple(replace(one, subject=self.told_under(one.subject, record.lane)) for one in said)
        return tuple(map(_not_judged, said)) if record.dry_run else said

    def told_under(self, subject: str, lane: str) -> str:
        """The subject of what a run of this lane finds; a shop is of one lane alone and needs no more than its name."""
        alone = not self.of_lane or (self.subject == "shop" and subject)
        return subject if alone else in_lane(subject, lane)


def _not_judged(verdict: Verdict) -> Verdict:
    return replace(verdict, passed=True, judged=False, remedy="", members={}, done_ja="", done_en="")


def in_lane(subject: str, lane: str) -> str:
    """`subject@lane`; the subject itself where there is one lane with everything."""
    return subject if lane == WHOLE_LANE else f"{subject}@{lane}"


def unmeasured(ja: str, en: str, threshold: float | None = None) -> Finding:
    """What a rule says of a run that did not look."""
    return Finding(said=Words(ja, en), judged=False, threshold=threshold)
