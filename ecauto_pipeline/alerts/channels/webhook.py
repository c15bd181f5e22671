"""A plain webhook: the notice as a JSON document, for whatever program listens.

Fields: url_env, or endpoint alone where the address is no secret; token_env is sent as a bearer token if given.
An address with another scheme than http or https is handed to apprise (sending.py), which speaks to about 100 services.
"""

from __future__ import annotations

from ecauto_pipeline.alerts.channels.message import Message
from ecauto_pipeline.alerts.channels.transport import Post, address


def request(message: Message, *, url: str, token: str, room_id: str, to: str, endpoint: str) -> Post:
    """title, body, rule, state, severity, value, threshold, remedy, run_id, partition_key, worst."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    document = {"title": message.title, "body": message.body, **message.document}
    return Post(address(url, endpoint), (url, token), json=document, headers=headers)


NEEDS = ("url",)
