"""One batch: claim the ASINs, ask, and keep everything it brought in one transaction before the next call.

For: the promise that an acknowledged batch is never asked again and nothing is lost or doubled. Not for: which batch
comes next (queues.py), retries (amazon/client.py), or what an answer changes (domain/offers/learning.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.amazon.client import NOT_ASKED, TRIES, SpApiClient
from ecauto_pipeline.amazon.operation import Operation
from ecauto_pipeline.domain.model import Answer, Role
from ecauto_pipeline.domain.offers.knowledge import within
from ecauto_pipeline.domain.offers.learning import AsinRow, LearnRules, got_worse, learn_all
from ecauto_pipeline.state import asins, leases, locks, observations
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.sp_api_snapshots.audits import to_check
from ecauto_pipeline.sync.sp_api_snapshots.batch_results import Asked, Claimed, Kept, shut_out
from ecauto_pipeline.sync.sp_api_snapshots.health_watch import PROBE_TRIES, HealthWatch, try_out
from ecauto_pipeline.sync.sp_api_snapshots.lost_credit import disbelieve
from ecauto_pipeline.sync.sp_api_snapshots.mass_zeros import REASON, Zeros, zeros_of
from ecauto_pipeline.sync.sp_api_snapshots.odd_shapes import note_shapes
from ecauto_pipeline.sync.sp_api_snapshots.opinions import Claim, Opinions
from ecauto_pipeline.sync.sp_api_snapshots.queues import Work
from ecauto_pipeline.sync.sp_api_snapshots.refused_calls import RefusedCalls
from ecauto_pipeline.sync.sp_api_snapshots.settled import reached, settled
from ecauto_pipeline.sync.sp_api_snapshots.standing_doubts import Standing, standing_doubts
from ecauto_pipeline.sync.sp_api_snapshots.tally import Tally

_REFUSED_WHOLE = "http_400"


class Asking:
    """The asking of one run in one process. What was answered `since` then (its plan was made) is not asked again.

    `worse`: told of ASINs that are gone or dearer by an answer that is committed.
    """

    def __init__(
        self,
        context: Context,
        work: Work,
        tally: Tally,
        rules: LearnRules,
        deadline: float,
        since: datetime,
        watch: HealthWatch | None = None,
        worse: Callable[[Iterable[str]], None] = lambda _asins: None,
    ) -> None:
        self._context, self._work, self._tally = context, work, tally
        self._rules, self._deadline, self._since = rules, deadline, since
        self._put_doubts = rules.opinion  # also once it is refused: whoever asks for one then gets a single look
        self.watch, self._worse = watch or HealthWatch({}), worse
        self.owner = leases.new_owner(context.state.fence)
        self.zeros = Zeros(context.settings.guards)
        self._confirms = [one.name for one in context.operations.under(context.settings).of(Role.CONFIRM)]
        self._refused = RefusedCalls()
        self._refused_by: dict[str, tuple[str, Operation[Answer]]] = {}  # trial -> whose call it decides about
        self.opinions = Opinions()
        self._ids = observations.SnapshotIds()

    def claim(self, role: Role, wanted: list[str]) -> Claimed:
        """Make these ASINs ours, but for those that others hold and those answered since the run was planned.

        `role`: whose work it is. What another run has asked in detail and still holds it is putting to another source.
        """
        now = self._context.clock.now()

        def claim(connection: Connection) -> tuple[list[str], set[str], set[str], dict[str, AsinRow], Standing]:
            names = leases.claim(connection, [_name(asin) for asin in wanted], self.owner, now)
            mine = [name.removeprefix(_PREFIX) for name in names]
            rows = asins.read(connection, wanted)
            todo = [asin for asin in mine if self._refused.is_trial(asin) or not self._settled(rows[asin], role, now)]
            asked = [rows[asin] for asin in todo if role is Role.DETAIL]
            standing = standing_doubts(connection, asked, self._since, now, self._context.operations)
            todo = [asin for asin in todo if asin not in standing.asins]
            needless = set(mine).difference(todo, standing.owed)
            leases.release(connection, self.owner, [_name(asin) for asin in needless])
            return todo, set(mine), needless, rows, standing

        todo, mine, needless, rows, standing = self._context.state.write_again(claim, locks.asins(wanted))
        if standing.owed:
            self.opinions.doubted(standing.to_opinion)
            self._work.ask_opinion(standing.to_opinion)
            self._work.look_again(standing.to_single_look)
        others = [asin for asin in wanted if asin not in mine]
        put = [asin for asin in others if role is Role.DETAIL and reached(rows[asin].detail_at, self._since, now)]
        settled = len(needless) + len(standing.owed) + len(put)
        return Claimed(todo, [asin for asin in others if asin not in put], settled)

    def ask(self, account: SpApiClient, operation: Operation[Answer], role: Role, claimed: list[str]) -> Asked:
        """Ask about ASINs that are ours and keep the answers. Raises Stopped: then nothing of this call is kept.

        `role`: whose work it is, the operation's own or that of one which it stands in for.
        """
        up = self.watch.is_up(account.account_id, operation.name)
        tries = TRIES if up else PROBE_TRIES
        answers = account.call(operation, claimed, self._context.run.run_id, self._deadline, tries)
        self._context.go_on()
        unasked = [answer.asin for answer in answers if answer.reason == NOT_ASKED]
        given = [within(answer, operation.knows) for answer in answers if answer.reason != NOT_ASKED]
        given = self.watch.blamed(account.account_id, operation, given)
        if role is Role.OPINION:
            return self._opinion(account, operation, claimed, given, unasked)
        on_trial = self._refused.is_trial_call(claimed, operation.batch)
        if on_trial:  # what is said of an ASIN known to be good is said of the call
            given = [replace(answer, of_call=not answer.status.authoritative) for answer in given]
        elif self._is_of_asin(operation, role, claimed, given):
            given = [replace(answer, of_call=False) for answer in given]
        kept = self._keep(account, operation, role, claimed, given, on_trial)
        self._tell(operation, role, kept)
        self._go_on_from(account, operation, role, kept)
        return Asked(unasked, shut_out(given), kept.to_others)

    def _keep(
        self,
        account: SpApiClient,
        operation: Operation[Answer],
        role: Role,
        claimed: list[str],
        given: list[Answer],
        on_trial: bool,
    ) -> Kept:
        """All that one call brought, in one transaction: killed before its end, the call was never made."""
        now = self._context.clock.now()
        freed: list[str] | None = None
        reach = self._locks(account, zeros_of(operation, role), claimed, given, on_trial)
        with self._context.state.write(reach) as connection:
            before = asins.read(connection, [answer.asin for answer in given])
            numbered = [(self._ids.next(now), answer, before[answer.asin]) for answer in given]
            kept, lost = self.zeros.judge(zeros_of(operation, role), numbered)
            after = learn_all(before, kept, role, now, self._rules)
            observations.insert_answers(
                connection,
                kept,
                run_id=self._context.run.run_id,
                partition_key=self._context.run.partition_key,
                sp_account=account.account_id,
                observed_at=now,
            )
            asins.write(connection, after.values())
            taken_back = disbelieve(self._context, connection, self.opinions, operation, role, lost, now)
            whole = operation.batch > 1 and not on_trial
            refused = [answer.asin for _, answer in kept if _refused_whole(answer)] if whole else []
            known_good = asins.known_good(connection) if refused else None
            to_others = self.watch.called(connection, account.account_id, operation, given, now, wanted=not on_trial)
            if on_trial and given:
                freed, in_vain = self._decided(connection, account.account_id, operation, given[0], now)
                to_others += in_vain
            account.ledger.flush(connection)
            if reach is None:
                note_shapes(connection, account, now)
            doubts = self._doubts(after, refused) if role is Role.DETAIL else []
            stay = set(doubts) if self._rules.opinion else set()
            leases.release(connection, self.owner, [_name(asin) for asin in claimed if asin not in stay])
        doubted = [answer.asin for _, answer in kept if answer.reason == REASON]
        unbelieved = taken_back | {asin: before[asin].price_jpy for asin in doubted}
        said = {answer.asin: Claim(sid, answer, answer.asin in doubted) for sid, answer, _ in numbered}
        return Kept(now, kept, before, after, unbelieved, doubts, said, refused, known_good, to_others, freed)

    def _tell(self, operation: Operation[Answer], role: Role, kept: Kept) -> None:
        """Count what is committed, and say what got worse."""
        self._worse(asin for asin, row in kept.after.items() if got_worse(kept.before[asin], row))
        answers = [(answer, kept.before[answer.asin]) for _, answer in kept.answers]
        self._tally.disbelieved(operation.name, kept.unbelieved)
        self._tally.count(role, answers, self._rules)
        self._tally.answered(operation.name, [(answer, row) for answer, row in answers if answer.reason != REASON])
        if any(answer.status.authoritative for answer, _ in answers):
            self._refused.answered(operation.name)

    def _go_on_from(self, account: SpApiClient, operation: Operation[Answer], role: Role, kept: Kept) -> None:
        """Put into the queues what these answers ask for."""
        self._follow_up(role, kept.after, kept.doubts, list(kept.unbelieved), kept.said)
        triples = [(answer, kept.before[answer.asin], kept.after[answer.asin]) for _, answer in kept.answers]
        self._check(to_check(role, triples, kept.at, self._context.settings.sp_api.audit_share, self._rules))
        if kept.refused and role is Role.DETAIL and not kept.to_others:
            refusal = (operation.name, kept.refused, kept.before, kept.known_good)
            if self._singles_are_taken():
                trials = self._refused.refused(*refusal)
                self._work.look_again(trials)
            else:
                trials, parts = self._refused.refused_with_nobody_else(*refusal)
                self._work.ask_in_parts(parts)
            self._refused_by |= dict.fromkeys(trials, (account.account_id, operation))
        if kept.freed and self._singles_are_taken():
            self._work.look_again(kept.freed)
        elif kept.freed:
            self._work.ask_in_parts(self._refused.in_parts(kept.freed))

    def _singles_are_taken(self) -> bool:
        """Whether anybody takes single looks now; a probe of an operation that is down is no promise."""
        accounts = [account.account_id for account in self._context.sp_accounts]
        return any(self.watch.is_up(account, name) for account in accounts for name in self._confirms)

    def _is_of_asin(self, operation: Operation[Answer], role: Role, claimed: list[str], given: list[Answer]) -> bool:
        """Whether a call of many that was about one alone, and was refused, was refused for this ASIN."""
        alone = operation.batch > 1 and len(claimed) == 1 and role is Role.DETAIL and not self._singles_are_taken()
        return alone and any(map(_refused_whole, given)) and self._refused.is_of_asin(operation.name, claimed[0])

    def try_out(self, account: SpApiClient, operation: Operation[Answer]) -> None:
        """See whether an operation that is down answers again, where nothing has to be asked of it."""
        try_out(self._context, self.watch, account, operation, self._deadline)

    def _locks(
        self, account: SpApiClient, zeros: str, claimed: list[str], given: list[Answer], on_trial: bool
    ) -> locks.Locks:
        """What keeping these answers touches: their ASINs and the account's health. None, the whole state, where it may
        be more: zeros of other ASINs taken back, a shape to be counted."""
        if account.odd.has_unnoted or self.zeros.may_lose_credit(zeros, given):
            return None
        blamed = self._refused_by.get(given[0].asin) if on_trial and given else None
        accounts = {account.account_id, *(blamed[:1] if blamed is not None else ())}
        return (*locks.asins(claimed), *map(locks.sp_account, sorted(accounts)))

    def _decided(
        self, connection: Connection, account: str, operation: Operation[Answer], said: Answer, now: datetime
    ) -> tuple[list[str], list[str]]:
        """The end of a trial. Where it is the calls that are to blame, both operations are down: neither can be asked
        about anything. Returns the ASINs that are to be asked one by one now, and those that were asked in vain."""
        in_vain: list[str] = []
        whose, refused = self._refused_by.pop(said.asin, (account, operation))
        before = self._refused.of_calls
        freed = self._refused.decided(said.asin, said.status.authoritative)
        if self._refused.of_calls > before and _refused_whole(said):
            both = {(whose, refused.name): refused, (account, operation.name): operation}
            for (name, _), one in both.items():
                in_vain += self.watch.found_down(connection, name, one, said, now)
        return freed, in_vain

    def _opinion(
        self,
        account: SpApiClient,
        operation: Operation[Answer],
        claimed: list[str],
        given: list[Answer],
        unasked: list[str],
    ) -> Asked:
        """What another source says of doubted answers: kept beside them, and never a fact of its own."""
        now = self._context.clock.now()
        with self._context.state.write() as connection:
            rows = asins.read(connection, [answer.asin for answer in given])
            found = self.opinions.judge(connection, given, rows, now, self._rules)
            observations.insert_answers(
                connection,
                [(self._ids.next(now), answer) for answer in given],
                run_id=self._context.run.run_id,
                partition_key=self._context.run.partition_key,
                sp_account=account.account_id,
                observed_at=now,
            )
            observations.believe_after_all(connection, [(one.snapshot_id, one.answer) for one in found.borne_out])
            asins.write(connection, found.rows.values())
            self.watch.called(connection, account.account_id, operation, given, now)
            account.ledger.flush(connection)
            note_shapes(connection, account, now)
            done = set(claimed).difference(found.undecided)  # a single look at those is owed, by this run
            leases.release(connection, self.owner, [_name(asin) for asin in claimed if asin in done])
        self._worse(asin for asin, row in found.rows.items() if got_worse(rows[asin], row))
        for one in found.borne_out:
            self._tally.borne_out(one.answer, REASON if one.unbelieved else "")
        for verdict in found.verdicts:
            self._tally.add(f"opinion_{verdict}")
        for verdict in found.audits:
            self._tally.add(f"audit_{verdict}")
        if self.opinions.refused:
            self._rules = replace(self._rules, opinion=False)
        self._work.look_again(found.undecided)
        return Asked(unasked, self.opinions.refused, [])

    def _settled(self, row: AsinRow, role: Role, now: datetime) -> bool:
        """Whether it was answered since the plan was made, so that asking again would be waste."""
        if role is Role.OPINION:
            return not self.opinions.awaited(row)
        waits = self._put_doubts and bool(row.doubt)  # of a run that died: something may be owed of it
        again = self.watch.handed_over(row.asin) or (role is Role.DETAIL and self._refused.is_in_parts(row.asin))
        return settled(row, role, self._since, now, waits=waits, handed_over=again)

    @staticmethod
    def _doubts(after: dict[str, AsinRow], refused: list[str]) -> list[str]:
        """Of a detail's answers those that another source, or a single look, has to bear out."""
        return [asin for asin, row in after.items() if row.doubt and not row.error_reason and asin not in refused]

    def _follow_up(
        self,
        role: Role,
        after: dict[str, AsinRow],
        doubts: list[str],
        unbelieved: list[str],
        said: dict[str, Claim],
    ) -> None:
        """What these answers ask for: detail after a sweep, a second opinion or look after a doubt."""
        if unbelieved and role is Role.SWEEP:
            self._work.forget(unbelieved)
        if role is Role.SWEEP:
            self._work.found(asin for asin, row in after.items() if row.wants_detail)
        elif role is Role.DETAIL:
            self.opinions.doubted({asin: said[asin] for asin in (*doubts, *unbelieved) if asin in said})
            self._work.ask_opinion(doubts)
            self._work.ask_opinion_of_mass(unbelieved)

    def _check(self, unchanged: list[str]) -> None:
        """Put these to the second opinion where it has a call to spare; what it says is only counted."""
        if self._rules.opinion and unchanged:
            self.opinions.unchanged(unchanged)
            self._work.check(unchanged)


def _refused_whole(answer: Answer) -> bool:
    return answer.of_call and answer.reason.startswith(_REFUSED_WHOLE)


_PREFIX = "fetch/"


def _name(asin: str) -> str:
    return _PREFIX + asin
