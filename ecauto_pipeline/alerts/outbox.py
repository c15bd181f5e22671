"""Takes kept messages to every channel that is owed them: the intent is committed before the call, the outcome after.

One process at a time sends a message. What a channel refuses is owed again and tried at the next turn; after a death in
mid-call nobody knows whether it arrived: then, and only then, it is sent once more and says so. Quiet hours only delay.
Not for: alert rules, whose state moves to and fro (announce.py), or the texts (orders.py).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from ecauto_pipeline.alerts.channels import Message, SendResult, channel_names, send
from ecauto_pipeline.alerts.notices import quiet_until
from ecauto_pipeline.settings import Channel
from ecauto_pipeline.state import leases, messages
from ecauto_pipeline.state.messages import KeptMessage, Told
from ecauto_pipeline.sync.context import Tools

LONGEST_TALK = timedelta(minutes=2)
"""One message through all channels takes no longer; whoever holds it so long is dead."""
PERHAPS_TWICE = {
    "ja": "（送信中に止まったため、もう届いているかもしれません）",
    "en": "(may have reached you already: its first sending was broken off)",
}


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of one turn."""

    sent: int = 0
    failures: tuple[SendResult, ...] = ()


def deliver(tools: Tools, environ: Mapping[str, str] = os.environ) -> Delivered:
    """Send whatever is owed, the oldest first. What goes wrong is in the report and tried again; nothing is raised."""
    policy, now = tools.settings.alerts, tools.clock.now()
    with tools.state.read() as connection:
        waiting = messages.open_messages(connection)
    if not waiting or quiet_until(policy.quiet_hours, now) is not None:
        return Delivered()
    channels, owner = channel_names(policy.channels), leases.new_owner()
    down: set[str] = set()
    results: list[SendResult] = []
    try:
        for message in waiting:
            results += _deliver_one(tools, message.message_id, channels, down, owner, environ)
    finally:
        with tools.state.write() as connection:
            leases.release(connection, owner)
    failures = tuple(result for result in results if not result.ok)
    for failure in failures:
        tools.log.warning("alert channel %s: %s", failure.channel, failure.error)
    return Delivered(len(results) - len(failures), failures)


def _deliver_one(
    tools: Tools,
    message_id: str,
    channels: Mapping[str, Channel],
    down: set[str],
    owner: str,
    environ: Mapping[str, str],
) -> list[SendResult]:
    """One message through its channels, one call after the other; `down`: refused something in this turn already."""
    name, results = f"message/{message_id}", []
    with tools.state.write() as connection:
        if not leases.claim(connection, [name], owner, tools.clock.now(), LONGEST_TALK):
            return []
        message = messages.read(connection, message_id)
    told: dict[str, Told] = dict(message.told) if message is not None else {}
    for channel_name, state in dict(told).items():
        channel = channels.get(channel_name)
        if message is None or state == "sent" or channel_name in down:
            continue
        if channel is None:  # taken out of ecauto.toml: nobody is there to be told
            told[channel_name] = "sent"
            _record(tools, message, told)
            continue
        told[channel_name] = "sending"
        _record(tools, message, told)
        text = _text(message, tools.settings.alerts.language, again=state == "sending")
        result = replace(send(channel, text, environ), channel=channel_name)
        results.append(result)
        if not result.ok:
            down.add(channel_name)
        told[channel_name] = "sent" if result.ok else "owed"
        _record(tools, message, told)
    return results


def _text(message: KeptMessage, language: str, *, again: bool) -> Message:
    document = dict(message.document)
    title, body = str(document.pop("title")), str(document.pop("body"))
    if again:
        body = f"{PERHAPS_TWICE['en' if language == 'en' else 'ja']}\n{body}"
    return Message(title, body, {**document, "message_id": message.message_id, "again": again})


def _record(tools: Tools, message: KeptMessage, told: Mapping[str, Told]) -> None:
    with tools.state.write() as connection:
        messages.record(connection, message.message_id, told, tools.clock.now())
