"""From evaluated to decisions: shops that can't be written to, masses that wait, and what people said of holds.

Every target judged ends as one decision, counted; all but UNCHANGED are stored, a skip where it differs from the last
one, and what earlier runs decided of the same target is superseded or settled. Not for: the evaluated (evaluate.py) or
sending (sync/base_updates/push.py).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime
from functools import reduce
from operator import add

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import AccountKey, Decision, Diff, Kind, ListingKey
from ecauto_pipeline.domain.selling.diffs import EXCLUDED
from ecauto_pipeline.domain.selling.guards import ACCOUNT_FALL, hold_account_fall, hold_mass_delist, hold_mass_hides
from ecauto_pipeline.domain.selling.row_counts import RowCounts, count_rows
from ecauto_pipeline.state import decisions, locks
from ecauto_pipeline.state.decisions import Decided, Target
from ecauto_pipeline.state.early_edits import edited
from ecauto_pipeline.state.judged import KINDS, JudgingStep
from ecauto_pipeline.state.repeated_skips import without_repeated
from ecauto_pipeline.state.shop_listings import count_by_hand
from ecauto_pipeline.sync.context import Context, Tools
from ecauto_pipeline.sync.diff_section import NO_CALLS, DiffReport
from ecauto_pipeline.sync.diffs.changed import remember
from ecauto_pipeline.sync.diffs.evaluate import EvaluationInput, Rules, collector_paused, load_input
from ecauto_pipeline.sync.diffs.portions import AT_ONCE, in_portions

APPROVED, REJECTED = "approved", "rejected"
NO_SUCH_EDIT = "no_such_edit"
_MASS = ("mass_hide", "mass_delist", ACCOUNT_FALL)
_CHANGES = (Decision.PUSH, Decision.HELD)


class EvaluatedDiffs:
    """The evaluated of one step: UNCHANGED ones only counted, so that 100,000 listings stay small."""

    def __init__(self, inputs: EvaluationInput, standing: Mapping[Target, list[Decided]]) -> None:
        self.found: list[Diff] = []
        self.standing = standing
        self._inputs = inputs
        self._unchanged: Counter[tuple[AccountKey, Kind]] = Counter()
        self._settled: list[Diff] = []  # unchanged, and something of an earlier run stands
        self._counted_before: set[Target] = set()  # judged again, and what this run has sent stands for it
        self._carried = Counter(inputs.chosen.carried if inputs.chosen is not None else {})

    def add(self, verdict: Diff) -> None:
        """Take one verdict; a change that its shop can't take, now or at all, is skipped there and then.

        A target that this run has edited already counts as it did then, unless another change is wanted now.
        """
        edited = self._inputs.edited.get((verdict.key, verdict.kind), ())
        if edited and verdict.decision in (Decision.UNCHANGED, Decision.SKIPPED):
            self._counted_before.add((verdict.key, verdict.kind))
        elif any((verdict.wanted, verdict.snapshot_id) == (one.diff.wanted, one.diff.snapshot_id) for one in edited):
            return  # it did not take: the next run tries again
        if verdict.decision is Decision.UNCHANGED:
            if not edited:
                self._unchanged[verdict.key.account, verdict.kind] += 1
            if (verdict.key, verdict.kind) in self.standing:
                self._settled.append(verdict)
            return
        account = verdict.key.account
        if verdict.decision in _CHANGES:
            closed = self._inputs.closed.get(account, "")
            why = NO_SUCH_EDIT if verdict.kind in self._inputs.fixed.get(account, ()) else closed
            verdict = replace(verdict, decision=Decision.SKIPPED, reason=why) if why else verdict
        self.found.append(verdict)

    def hear(self, standing: Mapping[Target, list[Decided]]) -> None:
        """What people have said since this was judged counts as what they had said before."""
        heard = {one: rows for one, rows in standing.items() if _words(rows) - _words(self.standing.get(one, ()))}
        self.standing = {**self.standing, **heard}
        self.found = [as_said(diff, heard.get((diff.key, diff.kind), ())) for diff in self.found]

    def judged(self) -> Iterable[Diff]:
        """Everything of interest to what stands: the found, and the unchanged that something stands of."""
        return [*self.found, *self._settled]

    def with_tiers(self, tools: Tools, diffs: Iterable[Diff]) -> list[Diff]:
        """The same, each with how well its ASIN sold at that moment: only what is stored needs it."""
        rules, inputs = Rules(tools.settings), self._inputs
        return [replace(diff, tier=rules.tier(inputs.known.get(diff.asin), inputs.now)) for diff in diffs]

    def narrowed(self, targets: Set[Target]) -> EvaluatedDiffs:
        """The evaluated about these targets alone, as they were judged among all."""
        narrow = EvaluatedDiffs(self._inputs, self.standing)
        narrow.found = [diff for diff in self.found if (diff.key, diff.kind) in targets]
        narrow._settled = [diff for diff in self._settled if (diff.key, diff.kind) in targets]
        narrow._unchanged = Counter((diff.key.account, diff.kind) for diff in narrow._settled)
        return narrow

    def report(self, context: Context, *, kept: int, new: int, settled: int) -> DiffReport:
        by_account: dict[AccountKey, RowCounts] = defaultdict(RowCounts)
        by_kind: dict[str, RowCounts] = defaultdict(RowCounts)
        for (account, kind), count in self._unchanged.items():
            by_account[account] += RowCounts(targets=count, unchanged=count)
            by_kind[kind] += RowCounts(targets=count, unchanged=count)
        for (account, kind, word), count in self._carried.items():
            ended = RowCounts(count, skipped=count) if word else RowCounts(count, unchanged=count)
            by_account[account] += ended
            by_kind[kind] += ended
        counted = [diff for diff in self.found if (diff.key, diff.kind) not in self._counted_before]
        counted += [one.diff for made in self._inputs.edited.values() for one in made]
        grouped: dict[tuple[AccountKey, Kind], list[Diff]] = defaultdict(list)
        for diff in counted:
            grouped[diff.key.account, diff.kind].append(diff)
        for (account, kind), group in grouped.items():
            by_account[account] += count_rows(group)
            by_kind[kind] += count_rows(group)
        reasons = Counter(f"{diff.decision}:{diff.reason}" for diff in counted)
        closed = set(self._inputs.closed.values())
        waiting = sum(diff.decision is Decision.SKIPPED and diff.reason in closed for diff in counted)
        skipped = [diff for diff in counted if diff.decision is Decision.SKIPPED]
        out = Counter(context.name_of(diff.key.account) for diff in skipped if diff.reason in NO_CALLS)
        for (account, _, word), count in self._carried.items():
            if word:
                reasons[f"{Decision.SKIPPED}:{word}"] += count
                waiting += count if word in closed else 0
                out[context.name_of(account)] += count if word in NO_CALLS else 0
        return DiffReport(
            account=sum(by_account.values(), RowCounts()),
            by_account={context.name_of(account): one for account, one in sorted(by_account.items())},
            by_kind=dict(sorted(by_kind.items())),
            reasons=dict(sorted(reasons.items())),
            waiting=waiting,
            holds_new=new,
            holds_kept=kept,
            holds_settled=settled,
            by_hand=sum(listing.price_by_hand for listing in self._inputs.listings.values()),
            judged=len(self._inputs.listings),
            out_of_calls=dict(sorted((+out).items())),
        )


Evaluation = Callable[[Context, EvaluationInput, Mapping[Target, list[Decided]]], EvaluatedDiffs]
"""What one step thinks of a run's listings, given what earlier runs left standing; nothing is written."""


def decide(context: Context, step: JudgingStep, evaluation: Evaluation, at_once: int = AT_ONCE) -> DiffReport:
    """Judge what has changed of a run's listings as they stand in state now, and store what should change.

    What the run has sent of the step's kinds while it asked is counted in. `at_once`: listings of the shops that are
    judged as a whole together, each portion in a transaction of its own. Raises Stopped.
    """
    reports = [_decide(portion, step, evaluation) for portion in in_portions(context, step, at_once)]
    by_hand = sum(report.by_hand or 0 for report in reports)
    return replace(reduce(add, reports), by_hand=by_hand)


def _decide(context: Context, step: JudgingStep, evaluation: Evaluation) -> DiffReport:
    context.go_on()
    with collector_paused(), context.state.read() as connection:
        standing = standing_of(context, connection)
        made = {} if context.run.dry_run else edited(connection, context.run.run_id, context.accounts, KINDS[step])
        inputs = load_input(context, connection, context.clock.now(), step, {*standing, *made})
        inputs = replace(inputs, edited=made)
        evaluated = evaluation(context, inputs, standing)
        by_hand = count_by_hand(connection, context.accounts) if inputs.chosen is not None else None
        until, settles = _settling(context, inputs, standing)
    context.go_on()
    with context.state.write(locks.shops(context.accounts)) as connection:
        report = keep(context, connection, evaluated)
        if inputs.chosen is None:
            return report
        others = remember(context, connection, inputs.chosen, evaluated.found, inputs.listings, until, settles)
    if others:
        context.log.error("%s: %d verdicts had changed without a mark; they are right now", step, others)
    return replace(report, by_hand=by_hand)


def _settling(
    context: Context, inputs: EvaluationInput, standing: Mapping[Target, list[Decided]]
) -> tuple[Mapping[ListingKey, datetime | None], Sequence[ListingKey]]:
    """How long each verdict holds; and of which listings it may: nothing stands, this run has sent nothing while it
    asked (what did not take is tried again), no answer of Amazon's is doubted."""
    if inputs.chosen is None:
        return {}, ()
    rules, until, settles = Rules(context.settings), dict[ListingKey, datetime | None](), list[ListingKey]()
    stands = {key for key, _kind in (*standing, *inputs.edited)}
    for key, listing in inputs.listings.items():
        known = inputs.known.get(listing.asin)
        if key not in stands and (known is None or not known.facts.doubt):
            settles.append(key)
            until[key] = rules.holds_until(listing, known, inputs)
    return until, settles


def standing_of(context: Context, connection: Connection) -> dict[Target, list[Decided]]:
    """What earlier runs left standing about this run's accounts."""
    return decisions.standing(connection, context.accounts)


def apply_guards_and_holds(tools: Tools, evaluated: EvaluatedDiffs, inputs: EvaluationInput) -> None:
    """Apply people's words and the guards of whole accounts to the evaluated, in place; nothing is written."""
    standing = evaluated.standing
    said = [as_said(diff, standing.get((diff.key, diff.kind), ())) for diff in evaluated.found]
    guarded: dict[AccountKey, list[int]] = defaultdict(list)
    for place, diff in enumerate(said):
        if diff.decision is Decision.PUSH and diff.reason != APPROVED:
            guarded[diff.key.account].append(place)
    for account, places in guarded.items():
        group = [said[place] for place in places]
        shown, lately = inputs.shown_public[account], inputs.hidden_lately.get(account, 0)
        group = hold_mass_hides(group, shown, tools.settings.guards, lately)
        listed = sum(key.account == account for key in inputs.listings) if group[0].kind is Kind.DELIST else 0
        group = hold_mass_delist(group, listed, tools.settings.guards)
        group = hold_account_fall(group, inputs.shop(account), tools.settings.guards, frozenset({APPROVED}))
        for place, diff in zip(places, group, strict=True):
            said[place] = _still_massed(diff, standing.get((diff.key, diff.kind), ()))
    evaluated.found = said


def keep(context: Context, connection: Connection, evaluated: EvaluatedDiffs) -> DiffReport:
    """Store the decisions; settle what stood of the same targets. A dry run stores its own rows and settles nothing."""
    now = context.clock.now()
    evaluated.hear(standing_of(context, connection))
    kept: set[int] = set()
    superseded: list[str] = []
    expired: list[str] = []
    for diff in evaluated.judged():
        for old in evaluated.standing.get((diff.key, diff.kind), ()):
            if old.diff_id == decisions.diff_id(context.run.run_id, diff):
                continue
            if old.diff.decision is Decision.PUSH:
                superseded.append(old.diff_id)
            elif not _still_open(old, diff):
                expired.append(old.diff_id)
            elif old.state == "open" and diff.decision is Decision.HELD:
                kept.add(id(diff))
    held = sum(diff.decision is Decision.HELD for diff in evaluated.found)
    fresh = [diff for diff in evaluated.found if id(diff) not in kept]
    if not context.run.dry_run:
        decisions.move(connection, superseded, "supersede", now)
        decisions.move(connection, expired, "expire", now)
    told = without_repeated(connection, context.run.run_id, evaluated.found if context.run.dry_run else fresh)
    stored = evaluated.with_tiers(context, told)
    decisions.store(connection, context.run.run_id, context.run.partition_key, stored, now, closed=context.run.dry_run)
    return evaluated.report(context, kept=len(kept), new=held - len(kept), settled=len(expired))


def as_said(diff: Diff, standing: Iterable[Decided]) -> Diff:
    """What a person said of exactly this change, the last word counting: approved goes, rejected stays."""
    if diff.decision not in _CHANGES:
        return diff
    words = [old for old in standing if old.state in (APPROVED, REJECTED) and old.diff.wanted == diff.wanted]
    if not words:
        return diff
    last = max(words, key=lambda old: (old.state_at or old.decided_at, old.diff_id))
    evidence = json.dumps({"hold": last.diff_id, "reason": last.diff.reason}, ensure_ascii=False)
    if last.state == APPROVED:
        return replace(diff, decision=Decision.PUSH, reason=APPROVED, evidence=evidence)
    return replace(diff, decision=Decision.SKIPPED, reason=REJECTED, evidence=evidence)


def _words(standing: Iterable[Decided]) -> frozenset[tuple[str, str]]:
    """What people have said: of which row what."""
    return frozenset((old.diff_id, old.state) for old in standing if old.state in (APPROVED, REJECTED))


def _still_massed(diff: Diff, standing: Iterable[Decided]) -> Diff:
    """One of a held mass stays held while nothing newer is known of it, though the mass has shrunk."""
    if diff.decision is not Decision.PUSH or diff.reason == APPROVED:
        return diff
    for old in standing:
        same = old.diff.wanted == diff.wanted and old.diff.snapshot_id == diff.snapshot_id
        if old.state == "open" and old.diff.reason in _MASS and same:
            return replace(diff, decision=Decision.HELD, reason=old.diff.reason, evidence=old.diff.evidence)
    return diff


def _still_open(old: Decided, diff: Diff) -> bool:
    """Whether a held row, or a person's word on it, outlives this verdict: nothing newer settled the matter."""
    if diff.decision is Decision.SKIPPED:
        if diff.reason == EXCLUDED:
            return False  # the owner's rules have taken the matter out of our hands
        return diff.wanted is None or diff.wanted == old.diff.wanted
    if diff.wanted != old.diff.wanted:
        return False
    return diff.decision is Decision.HELD or (old.state in (APPROVED, REJECTED) and diff.decision is Decision.PUSH)
