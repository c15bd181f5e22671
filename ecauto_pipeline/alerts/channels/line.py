"""LINE: a push message of the Messaging API (LINE Notify ended in 2025).

Fields: token_env (channel access token), to (user or group id). Source: developers.line.biz, push message (2026-11).
"""

from __future__ import annotations

from ecauto_pipeline.alerts.channels.message import Message
from ecauto_pipeline.alerts.channels.transport import Post

HOST = "https://api.line.me"
MOST_CHARACTERS = 5000


def request(message: Message, *, url: str, token: str, room_id: str, to: str, endpoint: str) -> Post:
    """One text message, cut to what LINE takes."""
    text = f"{message.title}\n{message.body}"[:MOST_CHARACTERS]
    return Post(
        f"{(endpoint or HOST).rstrip('/')}/v2/bot/message/push",
        (token,),
        json={"to": to, "messages": [{"type": "text", "text": text}]},
        headers={"Authorization": f"Bearer {token}"},
    )


NEEDS = ("token", "to")
