"""Chatwork: a message in a room.

Fields: token_env (API token), room_id. Source: developer.chatwork.com, POST /v2/rooms/{room_id}/messages (2026-11).
"""

from __future__ import annotations

from ecauto_pipeline.alerts.channels.message import Message
from ecauto_pipeline.alerts.channels.transport import Post

HOST = "https://api.chatwork.com"
MOST_CHARACTERS = 20_000


def request(message: Message, *, url: str, token: str, room_id: str, to: str, endpoint: str) -> Post:
    """A framed message, marked unread for everybody in the room."""
    body = f"[info][title]{message.title}[/title]{message.body[:MOST_CHARACTERS]}[/info]"
    return Post(
        f"{(endpoint or HOST).rstrip('/')}/v2/rooms/{room_id}/messages",
        (token,),
        form={"body": body, "self_unread": "1"},
        headers={"X-ChatWorkToken": token},
    )


NEEDS = ("token", "room_id")
