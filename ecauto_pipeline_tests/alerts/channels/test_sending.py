"""Channels: each kind sends what its service expects, through a real server; failures are data without secrets."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ecauto_pipeline.alerts.channels import Message, name_of, send
from ecauto_pipeline.alerts.channels.sending import redacted
from ecauto_pipeline.settings import CHANNEL_KINDS, Channel
from ecauto_pipeline_tests.alerts.receivers import http_receiver, smtp_receiver

MESSAGE = Message(
    "【ecauto 異常】SP-APIのエラー率", "12.0% <50/400>\n- asin=B000000001 ㎥😀", {"rule": "sp_api_error_rate"}
)
SECRET = "s3cr3t-token-0123456789"


def channel_of(kind: Any, endpoint: str) -> tuple[Channel, dict[str, str]]:
    """A working channel of this kind at `endpoint`, with the environment it needs."""
    if kind == "chatwork":
        return Channel(kind=kind, token_env="T", room_id="123", endpoint=endpoint), {"T": SECRET}
    if kind == "line":
        return Channel(kind=kind, token_env="T", to="U1", endpoint=endpoint), {"T": SECRET}
    if kind == "slack":
        return Channel(kind=kind, url_env="U", endpoint=endpoint), {"U": f"https://hooks.slack.com/services/{SECRET}"}
    if kind == "discord":
        return Channel(kind=kind, url_env="U", endpoint=endpoint), {"U": f"https://discord.com/api/webhooks/1/{SECRET}"}
    if kind == "email":
        url = f"smtp://shop%40example.jp:{SECRET}@mail.example.jp:587?from=shop@example.jp"
        return Channel(kind=kind, url_env="U", to="owner@example.jp", endpoint=endpoint), {"U": url}
    return Channel(kind="webhook", url_env="U", token_env="T", endpoint=endpoint), {
        "U": f"https://example.jp/hook/{SECRET}",
        "T": SECRET,
    }


def test_chatwork_gets_a_framed_message_in_the_room() -> None:
    """Token in the header, body in the form, nothing else secret anywhere."""
    with http_receiver() as receiver:
        channel, environ = channel_of("chatwork", receiver.url)
        assert send(channel, MESSAGE, environ).ok
        one = receiver.received[0]
    assert ("/v2/rooms/123/messages", SECRET) == (one.path, one.headers["X-ChatWorkToken"])
    assert f"[info][title]{MESSAGE.title}[/title]{MESSAGE.body}[/info]" == one.form["body"]


def test_slack_gets_escaped_text_at_the_secret_path() -> None:
    """The override replaces the host, the secret path stays."""
    with http_receiver() as receiver:
        channel, environ = channel_of("slack", receiver.url)
        assert send(channel, MESSAGE, environ).ok
        one = receiver.received[0]
    assert f"/services/{SECRET}" == one.path
    assert one.json["text"].startswith(f"*{MESSAGE.title}*\n12.0% &lt;50/400&gt;")


def test_discord_gets_at_most_2000_characters_and_mentions_nobody() -> None:
    """A long body is cut, not refused."""
    with http_receiver() as receiver:
        channel, environ = channel_of("discord", receiver.url)
        assert send(channel, Message("t", "@everyone " * 900), environ).ok
        one = receiver.received[0]
    assert 2000 == len(one.json["content"])
    assert {"parse": []} == one.json["allowed_mentions"]


def test_line_gets_a_push_message() -> None:
    """Bearer token, the receiver's id, one text."""
    with http_receiver() as receiver:
        channel, environ = channel_of("line", receiver.url)
        assert send(channel, MESSAGE, environ).ok
        one = receiver.received[0]
    assert ("/v2/bot/message/push", f"Bearer {SECRET}") == (one.path, one.headers["Authorization"])
    assert {"to": "U1", "messages": [{"type": "text", "text": f"{MESSAGE.title}\n{MESSAGE.body}"}]} == one.json


def test_webhook_gets_the_notice_as_data() -> None:
    """Title, text and every field, as JSON."""
    with http_receiver() as receiver:
        channel, environ = channel_of("webhook", receiver.url)
        assert send(channel, MESSAGE, environ).ok
        one = receiver.received[0]
    assert {"title": MESSAGE.title, "body": MESSAGE.body, "rule": "sp_api_error_rate"} == one.json


def test_email_is_delivered_with_japanese_intact() -> None:
    """Subject and text arrive as they were; the login is offered as configured."""
    with smtp_receiver() as receiver:
        channel, environ = channel_of("email", receiver.url)
        assert "" == send(channel, MESSAGE, environ).error
        mail = receiver.mails[0]
    assert (MESSAGE.title, "owner@example.jp", "shop@example.jp") == (mail["Subject"], mail["To"], mail["From"])
    assert MESSAGE.body.splitlines() == mail.get_content().splitlines()
    assert base64.b64encode(f"\0shop@example.jp\0{SECRET}".encode()).decode() == receiver.login


def test_other_services_go_through_apprise() -> None:
    """A webhook address with a scheme of apprise's reaches its service."""
    with http_receiver() as receiver:
        url = receiver.url.replace("http://", "json://") + "/anything"
        assert "" == send(Channel(kind="webhook", url_env="U"), MESSAGE, {"U": url}).error
        assert MESSAGE.title == receiver.received[0].json["title"]


@pytest.mark.parametrize("kind", CHANNEL_KINDS)
def test_a_refusal_is_data_without_secrets(kind: str) -> None:
    """A service that echoes the secret back, or that is not there, gives an error text that does not hold it."""
    with http_receiver() as receiver:
        receiver.status, receiver.answer = 403, f"bad token {SECRET}"
        channel, environ = channel_of(kind, receiver.url)
        refused = send(channel, MESSAGE, environ)
        gone = channel.model_copy(update={"endpoint": "http://127.0.0.1:9"})
    nobody = send(gone, MESSAGE, environ, timeout_s=(0.5, 0.5))
    for result in (refused, nobody):
        assert (False, True, False) == (result.ok, bool(result.error), SECRET in result.error)
    assert kind == "email" or "403" in refused.error


@pytest.mark.parametrize("kind", CHANNEL_KINDS)
def test_a_missing_secret_names_its_variable(kind: str) -> None:
    """What is missing is said by name, and nothing is sent."""
    channel = channel_of(kind, "")[0]
    result = send(channel, MESSAGE, {})
    assert not result.ok
    assert any(name in result.error for name in ("variable U", "variable T"))


def test_names_tell_channels_apart() -> None:
    """Kind plus room, receiver or the variable's name."""
    assert "chatwork:123" == name_of(channel_of("chatwork", "")[0])
    assert "slack:U" == name_of(channel_of("slack", "")[0])


def test_redaction_takes_the_longest_secret_first() -> None:
    """A secret that holds another one is not left half shown, plain or percent-encoded."""
    assert "a *** b ***" == redacted("a https://x/y z b abcdef", ("https://x/y z", "y z", "abcdef"))
    assert "***" == redacted("p%40ss%2Fword", ("p@ss/word",))
