"""One SP-API account as something to ask: exactly one answer per asked ASIN, in asked order, whatever happens.

The only place that retries: at most three tries a call, with backoff and jitter, never past the deadline; an expired
token is refreshed once. Every try waits for its slot in the account's bucket and leaves a row in the ledger.
Amazon's library is loaded by the first call: a run that has nothing to ask does without.
Not for: which ASINs to ask (sync/), what an answer means (operations/), or the pace itself (limiter.py).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ecauto_pipeline.amazon.credentials import Credentials
from ecauto_pipeline.amazon.fields import is_asin
from ecauto_pipeline.amazon.odd_shapes import OddShapes
from ecauto_pipeline.amazon.operation import Failure, Operation, Reading, ShapelessAnswer
from ecauto_pipeline.amazon.ports import Ledger, Pace
from ecauto_pipeline.amazon.samples import Example
from ecauto_pipeline.clock import Clock
from ecauto_pipeline.errors import CallError, Stopped, Throttled, TokenRefused, Transport

if TYPE_CHECKING:
    from ecauto_pipeline.amazon.library import Line

T = TypeVar("T")

TRIES = 3
BACKOFF_S = 1.0  # before the second try; doubled before the third; times 0.5 to 1.5 by chance
TOKEN_CALL = "lwaToken"  # how calls to Login with Amazon stand in the ledger
NOT_ASKED = "not_asked"  # the reason of an ASIN for which no call was begun before the deadline


class SpApiClient:
    """One selling account and application. Safe to share between threads; one connection pool, one object an API."""

    def __init__(
        self,
        account_id: str,
        credentials: Credentials,
        endpoint: str,
        lwa_endpoint: str,
        marketplace_id: str,
        clock: Clock,
        pace: Pace,
        ledger: Ledger,
        timeout_s: float = 30.0,
        stop: threading.Event | None = None,
        chance: Callable[[], float] = random.random,
        may_send: Callable[[], None] = lambda: None,
    ) -> None:
        """`may_send` is called right before a call leaves, and raises where it must not."""
        self.account_id, self.marketplace_id, self.pace, self.ledger = account_id, marketplace_id, pace, ledger
        self._clock, self._stop, self._chance, self._may_send = clock, stop, chance, may_send
        self._open = partial(
            _open_line, credentials, endpoint, lwa_endpoint, marketplace_id, timeout_s, clock.monotonic
        )
        self._opened: Line | None = None
        self._opening = threading.Lock()
        self.odd = OddShapes()

    def __repr__(self) -> str:
        return f"SpApiClient({self.account_id!r})"

    def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            self._opened.close()

    def check(self, run_id: str = "") -> None:
        """Prove the credentials: ask LWA for a token unless one is at hand. Raises TokenRefused or Transport."""
        self._line.forget()
        self._token_in_ledger(run_id)

    def call(
        self,
        operation: Operation[T],
        asins: Sequence[str],
        run_id: str,
        deadline: float | None = None,
        tries: int = TRIES,
    ) -> list[T]:
        """Exactly one answer per asked ASIN, in asked order. Raises Stopped and nothing else.

        `deadline` (monotonic): no try begins after it; ASINs for which none began answer `not_asked`. Malformed ASINs
        answer `malformed_asin` without a call; one asked twice is asked once. More than a batch makes several calls.
        `tries`: at most so many a call.
        """
        wanted = list(dict.fromkeys(asin for asin in asins if is_asin(asin)))
        got: dict[str, T] = {}
        for start in range(0, len(wanted), operation.batch):
            got |= self._batch(operation, wanted[start : start + operation.batch], run_id, deadline, tries)
        return [got[asin] if asin in got else operation.fail(str(asin), Failure("malformed_asin")) for asin in asins]

    def _batch(
        self, operation: Operation[T], asins: list[str], run_id: str, deadline: float | None, most: int
    ) -> dict[str, T]:
        failure = Failure(NOT_ASKED, of_call=True)
        refreshed = at_once = False
        for tries in range(most):
            if tries and not at_once and not self._back_off(tries, deadline):
                break
            at_once = False
            try:
                reading = self._try(operation, asins, run_id, deadline)
            except TokenRefused as error:
                failure = _failure(error, of_call=True)
                if refreshed or error.reason.startswith("lwa_"):
                    break
                refreshed = at_once = True  # the token was forgotten: ask for a new one, once
                continue
            except (Throttled, Transport) as error:
                failure = _failure(error, of_call=True)
                continue
            except CallError as error:
                failure = _failure(error, of_call=operation.batch > 1)  # a single call is refused for its ASIN
                break
            if reading is None:
                break
            missing = Failure("no_answer_for_item", 200, self._line.wire.last.request_id)
            return {
                asin: reading.answers[asin] if asin in reading.answers else operation.fail(asin, missing)
                for asin in asins
            }
        return {asin: operation.fail(asin, failure) for asin in asins}

    def _try(self, operation: Operation[T], asins: list[str], run_id: str, deadline: float | None) -> Reading[T] | None:
        """One try, in the ledger. None when no slot comes before the deadline."""
        if self._stop is not None and self._stop.is_set():
            raise Stopped("asked to end")
        if deadline is not None and self._clock.monotonic() > deadline:
            return None
        self._line.forget()
        token = self._token_in_ledger(run_id)
        api = self._line.api(operation.api)
        account, limit = self.account_id, operation.limit
        permit = self.pace.take(account, operation.name, limit, until_s=deadline, stop=self._stop)
        if permit is None:
            return None
        self._may_send()
        started_at, started = self._clock.now(), self._clock.monotonic()
        error: CallError | None = None
        remark = ""
        try:
            reading = self._exchange(operation, api, asins)
            remark = f"strangers_{len(reading.strangers)}" if reading.strangers else ""
            return reading
        except CallError as raised:
            error = raised
            raise
        finally:
            seen = self._line.wire.last
            self.ledger.record(
                api="sp_api",
                operation=operation.name,
                account=account,
                started_at=started_at,
                duration_ms=round((self._clock.monotonic() - started) * 1000),
                items=len(asins),
                http_status=seen.http_status,
                outcome="ok" if error is None else _outcome(error),
                error=remark if error is None else error.reason,
                request_id=seen.request_id,
                rate_limit=seen.rate_per_s,
                run_id=run_id,
            )
            if isinstance(error, Throttled):
                self.pace.refused(account, operation.name, limit, permit)
            elif isinstance(error, TokenRefused):
                self._line.token.forget(token)
            elif error is None or seen.rate_per_s is not None:
                told = seen.rate_per_s
                self.pace.answered(account, operation.name, limit, told, permit, seen.sent_s, seen.received_s)

    def _exchange(self, operation: Operation[T], api: Any, asins: list[str]) -> Reading[T]:
        """The answer read. Whatever the library or a strange body throws becomes a CallError with a word."""
        try:
            response = operation.send(api, asins, self.marketplace_id)
            self._note_shape(operation, response.payload, asins)
            return operation.read(response.payload, asins, self._line.wire.last.request_id)
        except CallError as error:
            seen = self._line.wire.last
            if type(error) is CallError and len(asins) == 1 and seen.http_status is not None:
                told = operation.refused(asins[0], seen.http_status, seen.errors, seen.request_id)
                if told is not None:
                    return Reading({asins[0]: told})
            raise
        except ShapelessAnswer as error:
            raise self._transport_error(error.reason) from None
        except Exception:
            # The library trips over bodies it does not expect (AttributeError, KeyError, TypeError ...); what it
            # raises may quote headers, so nothing of it is kept but the fact.
            raise self._transport_error("wrong_shape") from None

    def _note_shape(self, operation: Operation[T], payload: object, asins: list[str]) -> None:
        with suppress(Exception):  # what is only counted never costs an answer
            odd = {asin: shapes for asin, shapes in operation.odd(payload, asins).items() if shapes}
            if odd:
                seen, now = self._line.wire.last, self._clock.now().isoformat(timespec="seconds")
                answer = Example(
                    *(operation.name, "", "", payload, self.account_id, now, seen.http_status, seen.request_id)
                )
                self.odd.add(operation.name, odd, answer)

    def _transport_error(self, reason: str) -> Transport:
        seen = self._line.wire.last
        return Transport(reason, http_status=seen.http_status, request_id=seen.request_id)

    def _token_in_ledger(self, run_id: str) -> str:
        """The token, fetched before a slot is taken; a call to LWA is a row in the ledger too."""
        started_at, started = self._clock.now(), self._clock.monotonic()
        error: CallError | None = None
        try:
            return self._fetch_token()
        except CallError as raised:
            error = raised
            raise
        finally:
            seen = self._line.lwa_wire.last
            if error is not None or seen.http_status is not None:
                self.ledger.record(
                    api="sp_api",
                    operation=TOKEN_CALL,
                    account=self.account_id,
                    started_at=started_at,
                    duration_ms=round((self._clock.monotonic() - started) * 1000),
                    items=None,
                    http_status=seen.http_status,
                    outcome="ok" if error is None else _outcome(error),
                    error="" if error is None else error.reason,
                    request_id=seen.request_id,
                    rate_limit=None,
                    run_id=run_id,
                )

    def _fetch_token(self) -> str:
        try:
            return self._line.token.touch()
        except CallError:
            raise
        except Exception:
            raise Transport("lwa_wrong_shape") from None  # the original may quote the token form

    @property
    def _line(self) -> Line:
        with self._opening:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _back_off(self, tries: int, deadline: float | None) -> bool:
        """Wait before the next try. False when that would be past the deadline."""
        wait_s = BACKOFF_S * 2 ** (tries - 1) * (0.5 + self._chance())
        if deadline is not None and self._clock.monotonic() + wait_s > deadline:
            return False
        if self._clock.sleep(wait_s, self._stop):
            raise Stopped("asked to end")
        return True


def _open_line(*values: Any) -> Line:
    from ecauto_pipeline.amazon.library import Line

    return Line(*values)


def _failure(error: CallError, *, of_call: bool) -> Failure:
    return Failure(error.reason, error.http_status, error.request_id, of_call)


def _outcome(error: CallError) -> str:
    return "failed" if isinstance(error, Transport | Throttled | TokenRefused) else "refused"
