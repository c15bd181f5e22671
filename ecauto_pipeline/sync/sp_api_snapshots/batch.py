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
from ecauto_pipeline.domain.offers.learning import AsinRow, LearnRules, got_worse, learn
from ecauto_pipeline.state import asins, leases, locks, observations
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.sp_api_snapshots.audits import to_check
from ecauto_pipeline.sync.sp_api_snapshots.batch_results import Asked, Claimed, shut_out
from ecauto_pipeline.sync.sp_api_snapshots.health_watch import PROBE_TRIES, HealthWatch, try_out
from ecauto_pipeline.sync.sp_api_snapshots.mass_zeros import REASON, Zeros, zeros_of
from ecauto_pipeline.sync.sp_api_snapshots.odd_shapes import note_shapes
from ecauto_pipeline.sync.sp_api_snapshots.opinions import Claim, Opinions
from ecauto_pipeline.sync.sp_api_snapshots.queues import Work
from ecauto_pipeline.sync.sp_api_snapshots.refused_calls import RefusedCalls
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
            todo = [asin for asin in mine if self._refused.is_trial(asin) or not self._settled(rows[asin], role)]
            asked = [rows[asin] for asin in todo if role is Role.DETAIL]
            standing = standing_doubts(connection, asked, self._since, self._context.operations)
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
        put = [asin for asin in others if role is Role.DETAIL and _since(rows[asin].detail_at, self._since)]
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
        on_trial = operation.batch == 1 and self._refused.is_trial(claimed[0])
        if on_trial:  # what is said of an ASIN known to be good is said of the call
            given = [replace(answer, of_call=not answer.status.authoritative) for answer in given]
        now = self._context.clock.now()
        reach = self._locks(account, zeros_of(operation, role), claimed, given, on_trial)
        with self._context.state.write(reach) as connection:
            before = asins.read(connection, [answer.asin for answer in given])
            numbered = [(self._ids.next(now), answer, before[answer.asin]) for answer in given]
            kept, lost = self.zeros.judge(zeros_of(operation, role), numbered)
            after = self._learned(before, kept, role, now)
            observations.insert_answers(
                connection,
                kept,
                run_id=self._context.run.run_id,
                partition_key=self._context.run.partition_key,
                sp_account=account.account_id,
                observed_at=now,
            )
            asins.write(connection, after.values())
            taken_back = self._disbelieve(connection, operation, role, lost, now)
            refused = [answer.asin for _, answer in kept if _refused_whole(answer)] if operation.batch > 1 else []
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
        self._worse(asin for asin, row in after.items() if got_worse(before[asin], row))
        doubted = [answer.asin for _, answer in kept if answer.reason == REASON]
        prices = taken_back | {asin: before[asin].price_jpy for asin in doubted}
        self._tally.disbelieved(operation.name, prices)
        self._tally.count(role, [(answer, before[answer.asin]) for _, answer in kept], self._rules)
        given_back = [(answer, before[answer.asin]) for _, answer in kept if answer.reason != REASON]
        self._tally.answered(operation.name, given_back)
        if any(answer.status.authoritative for _, answer in kept):
            self._refused.answered(operation.name)
        said = {answer.asin: Claim(sid, answer, answer.asin in doubted) for sid, answer, _ in numbered}
        self._follow_up(role, after, doubts, list(prices), said)
        triples = [(answer, before[answer.asin], after[answer.asin]) for _, answer in kept]
        self._check(to_check(role, triples, now, self._context.settings.sp_api.audit_share, self._rules))
        if refused and role is Role.DETAIL and not to_others:
            trials = self._refused.refused(operation.name, refused, before, known_good)
            self._refused_by |= dict.fromkeys(trials, (account.account_id, operation))
            self._work.look_again(trials)
        if on_trial and given:
            self._work.look_again(freed)
        return Asked(unasked, shut_out(given), to_others)

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
            for name, one in ((whose, refused), (account, operation)):
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

    def _learned(
        self, before: dict[str, AsinRow], kept: list[tuple[str, Answer]], role: Role, now: datetime
    ) -> dict[str, AsinRow]:
        after: dict[str, AsinRow] = {}
        for snapshot_id, answer in kept:
            row = after.get(answer.asin, before[answer.asin])
            after[answer.asin] = learn(row, answer, role, snapshot_id, now, self._rules)
        return after

    def _disbelieve(
        self, connection: Connection, operation: Operation[Answer], role: Role, lost: dict[str, str], now: datetime
    ) -> dict[str, int | None]:
        """Take back what zeros that lost their credit had set in motion. Returns the ASINs with the price believed.

        What a second opinion has borne out meanwhile is believed on its own account; what it denied stays a
        contradiction, and is not asked again.
        """
        if not lost:
            return {}
        self._context.log.warning("%s: too many zeros at once, none is believed in this run", operation.name)
        rows = asins.read(connection, list(lost.values()))
        lost = {
            sid: asin for sid, asin in lost.items() if rows[asin].snapshot_id != sid and not self.opinions.denied(sid)
        }
        observations.disbelieve(connection, self._context.run.run_id, operation.name, list(lost), REASON)
        taken_back = []
        for snapshot_id, asin in lost.items():
            row = rows[asin]
            if role is Role.SWEEP and row.wants_detail == "zero":
                row = replace(row, wants_detail="")
            elif row.doubt == "zero" and row.doubt_snapshot_id == snapshot_id:
                row = replace(
                    row,
                    doubt="",
                    doubt_price_jpy=None,
                    doubt_at=None,
                    doubt_operation="",
                    doubt_snapshot_id="",
                )
            else:
                continue  # another operation has spoken since
            taken_back.append(replace(row, error_count=row.error_count + 1, error_at=now, error_reason=REASON))
        asins.write(connection, taken_back)
        return {asin: rows[asin].price_jpy for asin in lost.values()}

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

    def _settled(self, row: AsinRow, role: Role) -> bool:
        """Whether it was answered since the plan was made, so that asking again would be waste."""
        since = self._since
        detailed = _since(row.detail_at, since)
        erred = _since(row.error_at, since) and not self.watch.handed_over(row.asin)
        if role is Role.SWEEP:
            return detailed or erred or _since(row.stock_at, since) or _since(row.probe_at, since)
        if role is Role.DETAIL:
            waits = self._put_doubts and bool(row.doubt)  # of a run that died: something may be owed of it
            return (detailed and not waits) or (erred and not row.wants_detail)
        if role is Role.OPINION:
            return not self.opinions.awaited(row)
        return detailed and not row.doubt


def _refused_whole(answer: Answer) -> bool:
    return answer.of_call and answer.reason.startswith(_REFUSED_WHOLE)


def _since(stamp: datetime | None, moment: datetime) -> bool:
    return stamp is not None and stamp >= moment.replace(microsecond=moment.microsecond // 1000 * 1000)


_PREFIX = "fetch/"


def _name(asin: str) -> str:
    return _PREFIX + asin
