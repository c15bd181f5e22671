"""Amazon: what the last run's calls met, or, when the person wants it asked, what it answers right now.

Without `--ask` nothing is called. With it every SP-API account fetches a real token and asks about one ASIN, within
the account's rate and in the ledger like any call; our own emulator is started where it plays Amazon. A second opinion
that was refused of late is asked too: whoever has added the role need not wait until it is tried again.
Not for: whether the hosts answer at all (machine.py), or the words of a failure (domain/call_failures.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory

from ecauto_pipeline.amazon.client import NOT_ASKED, SpApiClient
from ecauto_pipeline.amazon.operation import Operation
from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.doctor.findings import Chart
from ecauto_pipeline.doctor.installation import Installation
from ecauto_pipeline.doctor.state_book import kept
from ecauto_pipeline.domain.call_failures import failure_of
from ecauto_pipeline.domain.model import Answer, Role, Status
from ecauto_pipeline.domain.operation_health import FailedCall
from ecauto_pipeline.domain.reasons import said
from ecauto_pipeline.domain.words import STATUSES, worded
from ecauto_pipeline.errors import CallError, RegisterError, SettingsError
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.known_asins import any_asin
from ecauto_pipeline.state.operation_health import note_call, read_health
from ecauto_pipeline.sync.operations_now import operations_now
from ecauto_pipeline.sync.run_record import last_asking
from ecauto_pipeline.sync.sp_api_snapshots.opinions import note_answers, refused_since
from ecauto_pipeline.sync.sp_api_snapshots.queues import ASKING
from ecauto_pipeline.wiring.clients import sp_api_clients
from ecauto_pipeline.wiring.register_place import register_of

LONGEST_ASKING_S = 20.0
"""No try begins later than this after the first: a slot of the rate comes sooner, unless a run uses them all."""
RUN_ID = "doctor"
"""How calls of the doctor stand in the ledger."""


def calls(chart: Chart, here: Installation) -> None:
    """Each account asked, where the person wants that; else what the last run that asked met. Then what is down."""
    if here.ask:
        _ask_now(chart, here)
    else:
        _last_met(chart, here)
    _missing(chart, here)


def _missing(chart: Chart, here: Installation) -> None:
    """Operations that are down or switched off, and what that leaves."""
    ids = [account.id for account in here.settings.sp_api.accounts]
    with kept(here) as connection:
        if connection is None:
            return
        present = operations_now(connection, registered(), here.settings, ids, here.clock.now())
    for one in (*present.down, *present.switched_off):
        name, do = f"SP-API {one.operation}", "ecauto capacity"
        if one.since is None and (one.instead or one.role is Role.CATALOGUE):
            chart.ok(name, one.sentence("ja"), one.sentence("en"))
        elif one.instead or one.role not in (Role.SWEEP, Role.DETAIL):
            chart.warn(name, one.sentence("ja"), one.sentence("en"), do, do)
        else:
            chart.bad(name, one.sentence("ja"), one.sentence("en"), do, do)


def _last_met(chart: Chart, here: Installation) -> None:
    with kept(here) as connection:
        asked = last_asking(connection) if connection is not None else None
    if asked is None:
        return
    met = asked.calls_met()
    if met is None:
        made = f"{asked.sp_api_calls:,}"
        chart.ok(
            "SP-API", f"前回の実行の呼び出し {made}回に問題なし", f"the last run's {made} calls met no such failure"
        )
        return
    why = met.failure
    what = f"{met.counted('ja')} {why.what('ja')}", f"{met.counted('en')} {why.what('en')}"
    if met.all_failed:
        chart.bad("SP-API", *what, why.do_ja, why.do_en)
    elif met.share > here.settings.alerts.sp_api_error_rate:
        chart.warn("SP-API", *what, why.do_ja, why.do_en)
    else:
        chart.ok("SP-API", *what)


def _ask_now(chart: Chart, here: Installation) -> None:
    with _state(here) as state:
        with state.read() as connection:
            asin = any_asin(connection)
        with suppress(RegisterError):  # said by its own line
            asin = asin or register_of(here.settings).an_asin()
        try:
            with sp_api_clients(here.settings, here.environ, state, here.clock, RUN_ID) as clients:
                for client in clients:
                    if _ask(chart, here, client, asin, state):
                        _ask_what_is_down(chart, here, client, asin, state)
                    client.ledger.flush()
        except SettingsError as error:
            do = "ecauto doctor"
            chart.bad("SP-API", error.said("ja"), error.said("en"), do, do)


def _ask(chart: Chart, here: Installation, client: SpApiClient, asin: str, state: Database) -> bool:
    """Whether the account was answered about this ASIN."""
    name = f"SP-API {client.account_id}"
    question = _question(here, client, state)
    if not asin or question is None:
        try:
            client.check(RUN_ID)
        except CallError as error:
            _failed(chart, name, error.reason)
        else:
            nothing = (
                ("ASINはまだありません", "ASIN yet") if question is not None else ("操作がありません", "operation left")
            )
            chart.ok(
                name,
                f"トークンを取得できました。問い合わせる{nothing[0]}",
                f"gave us a token; there is no {nothing[1]} to ask about",
            )
        return False
    deadline = here.clock.monotonic() + LONGEST_ASKING_S
    answer = client.call(question, [asin], RUN_ID, deadline)[0]
    if answer.reason == NOT_ASKED:
        _no_slot(chart, name)
    elif answer.status is Status.API_ERROR and (answer.of_call or failure_of(answer.reason) is not None):
        _failed(chart, name, answer.reason)
    else:
        with state.write() as connection:
            note_call(connection, client.account_id, question.name, None, here.clock.now())
        heard = worded(STATUSES, str(answer.status), "ja"), worded(STATUSES, str(answer.status), "en")
        chart.ok(
            name, f"トークンと {asin} の回答を受け取りました({heard[0]})", f"token and answer for {asin} ({heard[1]})"
        )
        return True
    return False


def _ask_what_is_down(chart: Chart, here: Installation, client: SpApiClient, asin: str, state: Database) -> None:
    """Does this account get now what is down for it, or a second opinion that was refused? Its answer counts for the
    runs too."""
    with state.read() as connection:
        refused = refused_since(connection)
        health = read_health(connection).items()
        down = {name for (whose, name), one in health if whose == client.account_id and one.down_since is not None}
    for operation in registered().under(here.settings).of(*ASKING):
        is_opinion = operation.role is Role.OPINION
        if operation.name not in down and not (is_opinion and refused is not None):
            continue
        name = f"SP-API {client.account_id} {operation.name}"
        answers = client.call(operation, [asin], RUN_ID, here.clock.monotonic() + LONGEST_ASKING_S)
        if answers[0].reason == NOT_ASKED:
            _no_slot(chart, name)
            continue
        refusal = answers[0].of_call or (answers[0].http_status == 404 and not answers[0].status.authoritative)
        failed = FailedCall(answers[0].reason, answers[0].http_status) if refusal else None
        with state.write() as connection:
            still = note_answers(connection, answers, here.clock.now()) if is_opinion else failed is not None
            note_call(connection, client.account_id, operation.name, failed, here.clock.now())
        why = failure_of(answers[0].reason) if still else None
        if why is not None:
            chart.warn(name, why.what("ja"), why.what("en"), why.do_ja, why.do_en)
        elif still:
            ja, en = said(answers[0].reason, "ja"), said(answers[0].reason, "en")
            off = f'[sp_api] without = ["{operation.name}"]'
            chart.warn(name, f"Amazonが拒否: {ja}", f"Amazon refuses it: {en}", off, off)
        elif failed is None:
            chart.ok(name, "回答があります。次の実行から使います", "answers again; the next run uses it")


def _no_slot(chart: Chart, name: str) -> None:
    ja, en = "呼び出しの順番が来ませんでした(実行中の処理が使っています)", "no slot of the rate came: a run uses them"
    chart.warn(name, ja, en, "実行が終わってから、もう一度", "again when that run is over")


def _failed(chart: Chart, name: str, reason: str) -> None:
    why = failure_of(reason)
    if why is not None:
        chart.bad(name, why.what("ja"), why.what("en"), why.do_ja, why.do_en)
        return
    do_ja, do_en = (
        "続くときは data/logs の sp_api_calls を見てください",
        "if this stays, look at sp_api_calls in data/logs",
    )
    chart.bad(name, f"使える回答なし: {said(reason, 'ja')}", f"no usable answer: {said(reason, 'en')}", do_ja, do_en)


def _question(here: Installation, client: SpApiClient, state: Database) -> Operation[Answer] | None:
    """The operation that asks about a single ASIN; one that is down only where all are. None: none is left."""
    with state.read() as connection:
        ids = [client.account_id]
        present = operations_now(connection, registered(), here.settings, ids, here.clock.now())
    left = present.operations.of(Role.CONFIRM, Role.DETAIL) or present.operations.of(Role.OPINION)
    up = [one for one in left if present.is_up(client.account_id, one.name)]
    return min(up or left, key=lambda one: one.batch, default=None)


@contextmanager
def _state(here: Installation) -> Iterator[Database]:
    """state.db, which holds the rates and the ledger; before the first run one that goes again."""
    with kept(here) as connection:
        there = connection is not None
    with TemporaryDirectory(prefix="ecauto_doctor_") as folder:
        state = Database(here.settings.state_url() if there else f"sqlite:///{folder}/state.db")
        try:
            yield state
        finally:
            state.close()
