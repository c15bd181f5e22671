"""Dead man's switch: a sign after each live sync to a service that calls when signs stay away (healthchecks.io).

What can't tell anybody any more, because the machine is off or the daemon has gone, is noticed elsewhere. A good run
asks the secret address, a bad one the same with `/fail` behind its path; one try, a few seconds, and whatever goes
wrong with it is a line in the log and one of the doctor, never a run's.
Not for: telling people what is wrong (announce.py).
Source: healthchecks.io, "Pinging API" (success, and /fail), read November 2026.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

import requests

from ecauto_pipeline.alerts.channels.sending import innermost, redacted, secret_parts
from ecauto_pipeline.alerts.verdicts import Verdict
from ecauto_pipeline.state.notices import read_book, save_book
from ecauto_pipeline.sync.context import Tools

JOBS = frozenset({"stock_sync", "price_sync", "full_sync"})
"""Jobs that keep the shops in step; questions and work by hand give no sign."""
TIMEOUT_S = (2.0, 3.0)
"""(connect, read)"""
_BOOK = "heartbeat"  # where the last failure stands in the book of notices


def beat(
    tools: Tools,
    job: str,
    verdicts: Sequence[Verdict],
    *,
    failed: bool,
    dry_run: bool,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Give the sign that is due after this run, if one is. Never raises for what the other side does.

    Bad is a run that failed, and one in which a rule of severity ERROR fires.
    """
    variable = tools.settings.alerts.heartbeat_url_env
    if not variable or dry_run or job not in JOBS:
        return
    good = not failed and all(one.passed or one.severity != "ERROR" for one in verdicts)
    url = environ.get(variable, "").strip()
    trouble = _ask(url if good else _with_fail(url)) if url else missing(variable)
    if trouble:
        tools.log.warning("heartbeat: %s", trouble)
    _remember(tools, trouble)


def missing(variable: str) -> str:
    """What is said of a variable that holds nothing."""
    return f"environment variable {variable} is empty"


def last_trouble(book: Mapping[str, object]) -> str:
    """Why the last sign did not arrive, from the book of notices; "" where it did, or none was due."""
    return str(book.get(_BOOK, ""))


def _with_fail(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/fail"))


def _ask(url: str) -> str:
    """Why the address did not take it, without a secret; "" where it did."""
    try:
        answer = requests.get(url, timeout=TIMEOUT_S, allow_redirects=False)
    except requests.Timeout:
        return "no answer in time"
    except (requests.RequestException, OSError, ValueError) as error:
        return redacted(f"{type(error).__name__}: {innermost(error)}", (url, *secret_parts(url)))
    return "" if 200 <= answer.status_code < 300 else f"HTTP {answer.status_code}"


def _remember(tools: Tools, trouble: str) -> None:
    """For the doctor."""
    with tools.state.write() as connection:
        book = read_book(connection)
        rest = {name: value for name, value in book.items() if name != _BOOK}
        kept = rest | ({_BOOK: trouble} if trouble else {})
        if kept != book:
            save_book(connection, kept, tools.clock.now())
