"""How a worker ends when it is asked to (SIGTERM by systemd, Docker or Kubernetes, Ctrl-C): it takes no more runs, goes
on answering for those it has, and goes when the last of them has ended.

Celery's own warm shutdown waits for them too, and answers nobody meanwhile: Dagster's monitoring, which asks every
worker (launcher.py), took such runs for dead, and began each a second time beside the first. Asked a second time it
does what Celery does. Not for: a worker that dies unasked, or what is asked of the others.
Source: celery/apps/worker.py, celery/worker/consumer/consumer.py, celery/worker/state.py (5.7).
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from celery.signals import worker_ready
from celery.worker import state

LOOKS_EVERY_S = 0.5
ASKED_BY = (signal.SIGTERM, signal.SIGINT)
Handler = Callable[[int, FrameType | None], Any]


def end_after_its_runs() -> None:
    """Of the worker that this process is about to become."""
    worker_ready.connect(_listen, weak=False)


def _listen(sender: Any, **_: object) -> None:
    """`sender`: the consumer, in whose thread this runs once Celery has set its own handlers."""
    celerys = {number: signal.getsignal(number) for number in ASKED_BY}
    for number in ASKED_BY:
        signal.signal(number, _asked(sender, celerys))


def _asked(consumer: Any, celerys: dict[signal.Signals, Any]) -> Handler:
    def handle(number: int, _: FrameType | None) -> None:
        for one, before in celerys.items():
            signal.signal(one, before)
        for queue in list(consumer.app.amqp.queues.consume_from):
            consumer.call_soon(consumer.cancel_task_queue, queue)
        threading.Thread(target=_end_when_idle, args=(number,), name="ends", daemon=True).start()

    return handle


def _end_when_idle(number: int) -> None:
    """Whatever was taken counts, also what waits for a free process."""
    time.sleep(LOOKS_EVERY_S)  # the queues are canceled by the consumer's own thread
    while state.reserved_requests or state.active_requests:
        time.sleep(LOOKS_EVERY_S)
    os.kill(os.getpid(), number)
