"""Discord: a webhook, whose address is the secret.

Field: url_env. Source: discord.com/developers, Execute Webhook: content <= 2000 characters (2026-11).
"""

from __future__ import annotations

from ecauto_pipeline.alerts.channels.message import Message
from ecauto_pipeline.alerts.channels.transport import Post, address

MOST_CHARACTERS = 2000


def request(message: Message, *, url: str, token: str, room_id: str, to: str, endpoint: str) -> Post:
    """Bold title, then the text, cut to what Discord takes; nobody is mentioned, whatever the text holds."""
    content = f"**{message.title}**\n{message.body}"[:MOST_CHARACTERS]
    return Post(address(url, endpoint), (url,), json={"content": content, "allowed_mentions": {"parse": []}})


NEEDS = ("url",)
