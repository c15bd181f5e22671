"""Tells people what the alert rules say: one message a rule, subject, channel and change of state; recovery told once.

The table `notices` remembers what each channel was last told, so a hundred failing runs make one message, a channel
that was down hears of it later, and quiet hours only delay. Nothing here fails a run: what went wrong is in the report.
Not for: the rules (alerts/rules.py), the texts (notices.py), the services (channels/).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from ecauto_pipeline.alerts.channels import SendResult, channel_names, send
from ecauto_pipeline.alerts.goods import with_titles
from ecauto_pipeline.alerts.messages import Notice, closed_notice, digest_notice, notice_of, trial_notice
from ecauto_pipeline.alerts.notices import Standing, after, digest_due, grown_by, overtaken, quiet_until
from ecauto_pipeline.alerts.verdicts import WORST_ROWS, Verdict
from ecauto_pipeline.alerts.watched import Watched, watched_by
from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.settings import Channel
from ecauto_pipeline.state.notices import Remembered, read_book, read_notices, save_book, save_notice
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.run_record import RunRecord

LONGEST_TALK = timedelta(minutes=2)
TERMINAL = "terminal"


@dataclass(frozen=True, slots=True)
class NotifyReport:
    """What came of it. `held_back_until`: end of the quiet hours, None outside of them; `overtaken`: rules of which
    something later was known already."""

    changed: tuple[str, ...] = ()
    firing: tuple[str, ...] = ()
    sent: int = 0
    failures: tuple[SendResult, ...] = ()
    channels: int = 0
    held_back_until: datetime | None = None
    overtaken: tuple[str, ...] = ()


def announce(
    tools: Tools,
    verdicts: Sequence[Verdict] = (),
    record: RunRecord | None = None,
    environ: Mapping[str, str] = os.environ,
) -> NotifyReport:
    """Take the verdicts of one run (or none: what is still owed) to every channel that has not heard yet."""
    policy, now = tools.settings.alerts, tools.clock.now()
    names = channel_names(policy.channels)
    with tools.state.write() as connection:
        watched = watched_by(tools)
        seen_to = [verdict for verdict in verdicts if watched.why_not(verdict.key) is None]
        late = _overtaken(connection, seen_to, now)
        changed = (*_record(tools, connection, seen_to, record, now), *_close(tools, connection, watched, now))
        standings = _standings(connection)
        book = read_book(connection)
        quiet = quiet_until(policy.quiet_hours, now)
        ours = quiet is None and bool(names) and _claim(connection, book, now)
    firing = tuple(key for key, (standing, _) in standings.items() if standing.state == "firing")
    results: list[SendResult] = []
    if ours:
        for name, channel in names.items():
            results += _catch_up(tools, name, channel, standings, environ, now)
        results += _digest(tools, names, standings, book, environ, now)
        _remember(tools, results, now)
    failures = tuple(result for result in results if not result.ok)
    for failure in failures:
        tools.log.warning("alert channel %s: %s", failure.channel, failure.error)
    sent = len(results) - len(failures)
    return NotifyReport(changed, firing, sent, failures, len(names), quiet, late)


def told_at_terminal(tools: Tools, rules: Sequence[str]) -> tuple[str, ...]:
    """What whoever types a command has not heard yet of these rules: title and first line of each, and now he has.

    The terminal is one more channel: it hears of every change of state once, whatever the other channels were told.
    """
    now, said = tools.clock.now(), []
    with tools.state.write() as connection:
        for key, (standing, document) in _standings(connection).items():
            if key.partition(":")[0] in rules and standing.owed(TERMINAL):
                notice = Notice(**document)
                said.append(f"{notice.title}: {notice.body.splitlines()[0]}")
                told = {**standing.told, TERMINAL: standing.state}
                _save(connection, replace(standing, told=told), document, now, said=True)
    return tuple(said)


def try_channels(tools: Tools, environ: Mapping[str, str] = os.environ) -> tuple[SendResult, ...]:
    """One trial message through each channel, in the order of ecauto.toml."""
    notice = trial_notice(tools.clock.now(), tools.settings.alerts.language)
    results = tuple(
        replace(send(channel, notice.message(), environ), channel=name)
        for name, channel in channel_names(tools.settings.alerts.channels).items()
    )
    _remember(tools, results, tools.clock.now())
    return results


def broken_channels(tools: Tools) -> tuple[str, ...]:
    """Channels that refused the last message sent through them, in the order in which they refused."""
    configured = channel_names(tools.settings.alerts.channels)
    with tools.state.read() as connection:
        return tuple(name for name in read_book(connection).get("broken", {}) if name in configured)


def firing_now(tools: Tools) -> tuple[tuple[str, datetime], ...]:
    """Rules that fire, and since when, oldest first."""
    with tools.state.read() as connection:
        rows = [(key, one.since) for key, (one, _) in _standings(connection).items() if one.state == "firing"]
    return tuple(sorted(rows, key=lambda row: (row[1], row[0])))


def _overtaken(connection: Connection, verdicts: Sequence[Verdict], now: datetime) -> tuple[str, ...]:
    if all(one.at is None for one in verdicts):
        return ()
    known = _standings(connection)
    return tuple(one.key for one in verdicts if one.key in known and overtaken(known[one.key][0], one, now))


def _record(
    tools: Tools, connection: Connection, verdicts: Sequence[Verdict], record: RunRecord | None, now: datetime
) -> tuple[str, ...]:
    """New standings, each with the text of its last change. Returns the keys whose state changed."""
    before, changed, policy = _standings(connection), [], tools.settings.alerts
    desk_url = tools.settings.desk.address
    for verdict in verdicts:
        known = before.get(verdict.key)
        standing = after(known[0] if known else None, verdict, now)
        if known and standing == known[0]:
            continue
        grown = grown_by(known[0] if known else None, verdict)
        if known and standing.state == known[0].state and not grown:
            _save(connection, standing, known[1], now)  # the set has shrunk, or it is so again: no news
            before[verdict.key] = (standing, known[1])
            continue
        if not known and standing.state == "ok":
            if standing.at is not None:  # never fired, and nothing earlier is to fire
                _save(connection, standing, {}, now)
                before[verdict.key] = (standing, {})
            continue
        changed.append(verdict.key)
        shown = [verdict.members[name] for name in grown[:WORST_ROWS]] if grown else verdict.worst
        rows = with_titles(tools, connection, {str(number): row for number, row in enumerate(shown)})
        told = replace(verdict, worst=tuple(rows.values()))
        notice = notice_of(told, record, policy.language, standing.since, grown, policy.ui_url, desk_url)
        _save(connection, standing, asdict(notice), now)
        before[verdict.key] = (standing, asdict(notice))
    _count_changes(connection, len(changed), now)
    return tuple(changed)


def _close(tools: Tools, connection: Connection, watched: Watched, now: datetime) -> tuple[str, ...]:
    """End what fires about something that nobody looks at any more. Returns the keys."""
    closed = []
    for key, (standing, _) in _standings(connection).items():
        why = watched.why_not(key)
        if standing.state == "firing" and why is not None:
            notice = closed_notice(key, why, standing.since, now, tools.settings.alerts.language)
            ended = replace(standing, state="ok", since=now, members=frozenset())
            _save(connection, ended, asdict(notice), now)
            closed.append(key)
    _count_changes(connection, len(closed), now)
    return tuple(closed)


def _count_changes(connection: Connection, count: int, now: datetime) -> None:
    """For the day's summary."""
    if count:
        book = read_book(connection)
        save_book(connection, {**book, "changes": int(book.get("changes", 0)) + count}, now)


def _catch_up(
    tools: Tools,
    name: str,
    channel: Channel,
    standings: Mapping[str, tuple[Standing, Mapping[str, Any]]],
    environ: Mapping[str, str],
    now: datetime,
) -> list[SendResult]:
    """Everything this channel has not heard of, oldest first; the first failure ends its turn."""
    results: list[SendResult] = []
    owed = [(standing, document) for standing, document in standings.values() if standing.owed(name)]
    for standing, document in sorted(owed, key=lambda pair: (pair[0].since, pair[0].key)):
        result = replace(send(channel, Notice(**document).message(), environ), channel=name)
        results.append(result)
        if not result.ok:
            break
        with tools.state.write() as connection:
            current = _standings(connection).get(standing.key)
            if current is not None:
                told = {**current[0].told, name: standing.state}
                _save(connection, replace(current[0], told=told), current[1], now, said=True)
    return results


def _digest(
    tools: Tools,
    names: Mapping[str, Channel],
    standings: Mapping[str, tuple[Standing, Mapping[str, Any]]],
    book: Mapping[str, Any],
    environ: Mapping[str, str],
    now: datetime,
) -> list[SendResult]:
    policy = tools.settings.alerts
    last = from_ms(book["digest_at"]) if "digest_at" in book else None
    if not names or not digest_due(policy.daily_digest, now, last):
        return []
    firing = sorted((one.since, key) for key, (one, _) in standings.items() if one.state == "firing")
    changes = int(book.get("changes", 0))
    notice = digest_notice([(key, since) for since, key in firing], changes, now, policy.language)
    results = [replace(send(one, notice.message(), environ), channel=name) for name, one in names.items()]
    if any(result.ok for result in results):
        with tools.state.write() as connection:
            fresh = read_book(connection)
            left = max(0, int(fresh.get("changes", 0)) - changes)
            save_book(connection, {**fresh, "digest_at": to_ms(now), "changes": left}, now)
    return results


def _claim(connection: Connection, book: Mapping[str, Any], now: datetime) -> bool:
    """Whether the talking is ours: two processes at once would tell everything twice. Ends by itself after a crash."""
    if int(book.get("talking_until", 0)) > to_ms(now):
        return False
    save_book(connection, {**book, "talking_until": to_ms(now + LONGEST_TALK)}, now)
    return True


def _remember(tools: Tools, results: Sequence[SendResult], now: datetime) -> None:
    """Which channels refused their last message; and that we are done talking."""
    with tools.state.write() as connection:
        book = read_book(connection)
        broken = dict(book.get("broken", {}))
        for result in results:
            broken.pop(result.channel, None)
            if not result.ok:
                broken[result.channel] = result.said(tools.settings.alerts.language)
        done = {key: value for key, value in book.items() if key != "talking_until"} | {"broken": broken}
        if done != book:
            save_book(connection, done, now)


def _standings(connection: Connection) -> dict[str, tuple[Standing, dict[str, Any]]]:
    return {
        row.rule: (
            Standing(
                row.rule,
                "firing" if row.state == "firing" else "ok",
                row.since,
                row.document.get("told", {}),
                frozenset(row.document.get("members", ())),
                from_ms(row.document["at"]) if "at" in row.document else None,
            ),
            row.document.get("notice", {}),
        )
        for row in read_notices(connection)
    }


def _save(
    connection: Connection, standing: Standing, notice: Mapping[str, Any], now: datetime, said: bool = False
) -> None:
    document: dict[str, Any] = {"told": standing.told, "notice": notice, "members": sorted(standing.members)}
    if standing.at is not None:
        document["at"] = to_ms(standing.at)
    save_notice(
        connection, Remembered(standing.key, standing.state, standing.since, document), said_at=now if said else None
    )
