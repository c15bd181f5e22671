"""Sends one message through one channel of ecauto.toml. What goes wrong is data, with every secret taken out.

Not for: when to send and to whom twice or not (alerts/announce.py), or the form of a message (the module of each kind).
"""

from __future__ import annotations

import smtplib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from urllib.parse import quote, unquote, urlsplit

import requests

from ecauto_pipeline.alerts.channels import chatwork, discord, email, line, slack, webhook
from ecauto_pipeline.alerts.channels.message import Message
from ecauto_pipeline.alerts.channels.transport import TIMEOUT_S, Refused, post
from ecauto_pipeline.settings import Channel

_BY_KIND: Mapping[str, ModuleType] = {
    "chatwork": chatwork,
    "slack": slack,
    "discord": discord,
    "line": line,
    "webhook": webhook,
}
_NEEDS = {kind: module.NEEDS for kind, module in _BY_KIND.items()} | {"email": email.NEEDS}


@dataclass(frozen=True, slots=True)
class SendResult:
    """How one message through one channel went. `error`, and `ja` for a Japanese reader, are "" where it went well."""

    channel: str
    ok: bool
    error: str = ""
    ja: str = ""

    def said(self, language: str) -> str:
        """What went wrong, in "ja" or "en"."""
        return self.error if language == "en" else self.ja


def name_of(channel: Channel) -> str:
    """What a channel is called in reports: its kind and whatever tells it from its neighbours, never a secret."""
    return ":".join(part for part in (channel.kind, channel.room_id or channel.to or channel.url_env) if part)


def channel_names(channels: Sequence[Channel]) -> dict[str, Channel]:
    """Each channel under a name of its own, in the order of ecauto.toml."""
    names: dict[str, Channel] = {}
    for channel in channels:
        name, number = name_of(channel), 2
        while name in names:
            name, number = f"{name_of(channel)}#{number}", number + 1
        names[name] = channel
    return names


def problem(channel: Channel, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """What is missing from the configuration of this channel, in Japanese and in English; None where nothing is."""
    for need in _NEEDS[channel.kind]:
        if need in ("url", "token"):
            variable = channel.url_env if need == "url" else channel.token_env
            if need == "url" and channel.endpoint and not variable:
                continue
            if not variable:
                return f"ecauto.toml に {need}_env がありません", f"{need}_env is not set in ecauto.toml"
            if not environ.get(variable, "").strip():
                return f"環境変数 {variable} が空です", f"environment variable {variable} is empty"
        elif not getattr(channel, need):
            return f"ecauto.toml に {need} がありません", f"{need} is not set in ecauto.toml"
    return None


def send(
    channel: Channel, message: Message, environ: Mapping[str, str], timeout_s: tuple[float, float] = TIMEOUT_S
) -> SendResult:
    """Send one message. Never raises for anything a channel does; the error names no secret."""
    name, missing = name_of(channel), problem(channel, environ)
    if missing is not None:
        ja, en = missing
        return SendResult(name, False, en, ja)
    url = environ.get(channel.url_env, "").strip() if channel.url_env else ""
    token = environ.get(channel.token_env, "").strip() if channel.token_env else ""
    secrets = (url, token, *secret_parts(url))
    try:
        _deliver(channel, message, url, token, timeout_s)
    except Refused as error:
        return SendResult(name, False, redacted(str(error), secrets), redacted(error.ja, secrets))
    except requests.Timeout:
        return SendResult(name, False, "no answer in time", "時間内に応答がありません")
    except (requests.RequestException, smtplib.SMTPException, OSError, ValueError) as error:
        what = redacted(f"{type(error).__name__}: {innermost(error)}", secrets)
        return SendResult(name, False, what, f"送れませんでした（{what}）")
    return SendResult(name, True)


def redacted(text: str, secrets: tuple[str, ...]) -> str:
    """`text` on one line, cut to 300 characters, every secret (plain or percent-encoded) shown as ***."""
    for secret in sorted(
        {s for plain in secrets if len(plain) > 3 for s in (plain, quote(plain, safe=""))}, key=len, reverse=True
    ):
        text = text.replace(secret, "***")
    return " ".join(text.split())[:300]


def _deliver(channel: Channel, message: Message, url: str, token: str, timeout_s: tuple[float, float]) -> None:
    scheme = urlsplit(url).scheme.lower()
    if channel.kind == "email" and scheme not in ("mailto", "mailtos"):
        email.deliver(message, url=url, to=channel.to, endpoint=channel.endpoint, timeout_s=timeout_s[1])
    elif channel.kind in ("email", "webhook") and scheme not in ("http", "https", ""):
        _through_apprise(message, url, channel.to if channel.kind == "email" else "", timeout_s)
    else:
        request = _BY_KIND[channel.kind].request(
            message, url=url, token=token, room_id=channel.room_id, to=channel.to, endpoint=channel.endpoint
        )
        post(request, timeout_s)


def _through_apprise(message: Message, url: str, to: str, timeout_s: tuple[float, float]) -> None:
    import apprise  # slow to load, wanted rarely

    joint = "&" if "?" in url else "?"
    options = f"{joint}cto={timeout_s[0]:g}&rto={timeout_s[1]:g}" + (f"&to={quote(to, safe=',@')}" if to else "")
    service = apprise.Apprise.instantiate(url + options)
    if not isinstance(service, apprise.NotifyBase):
        raise Refused("apprise does not know this kind of address", ja="appriseがこの種類のアドレスを知りません")
    if not service.notify(title=message.title, body=message.body):
        raise Refused("apprise could not deliver", ja="appriseで送れませんでした")


def secret_parts(url: str) -> tuple[str, ...]:
    """The secret parts of an address: its path and query, user and password; hosts may be shown."""
    if not url:
        return ()
    split = urlsplit(url)
    parts = [split.path, split.query, split.username or "", split.password or "", *split.path.split("/")]
    return tuple(part for raw in parts for part in (raw, unquote(raw)) if len(part) > 5)


def innermost(error: BaseException) -> str:
    """The innermost reason: library wrappers repeat the whole address."""
    reason: object = error
    while isinstance(reason, BaseException):
        inner = reason.args[0] if reason.args else None
        inner = getattr(reason, "reason", None) or inner
        if not isinstance(inner, BaseException):
            break
        reason = inner
    return str(reason)
