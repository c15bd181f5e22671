"""Slack: an incoming webhook, whose address is the secret.

Field: url_env. Source: docs.slack.dev, "Sending messages using incoming webhooks" (2026-11).
"""

from __future__ import annotations

from ecauto_pipeline.alerts.channels.message import Message
from ecauto_pipeline.alerts.channels.transport import Post, address

MOST_CHARACTERS = 30_000


def request(message: Message, *, url: str, token: str, room_id: str, to: str, endpoint: str) -> Post:
    """Bold title, then the text; `&`, `<`, `>` escaped as Slack asks."""
    title, body = (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for text in (message.title, message.body)
    )
    return Post(address(url, endpoint), (url,), json={"text": f"*{title}*\n{body[:MOST_CHARACTERS]}"})


NEEDS = ("url",)
