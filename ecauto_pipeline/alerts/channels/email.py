"""E-mail over SMTP.

Fields: url_env = `smtp://user:password@host:587?from=shop@example.jp` (STARTTLS where the server offers it) or
`smtps://...:465`; `to` = addresses, comma between them. `endpoint` replaces scheme, host and port.
`mailto://` and `mailtos://` addresses are handed to apprise instead (sending.py).
"""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import parse_qs, unquote, urlsplit

from ecauto_pipeline.alerts.channels.message import Message
from ecauto_pipeline.alerts.channels.transport import Refused

TIMEOUT_S = 10.0
NEEDS = ("url", "to")


def deliver(message: Message, *, url: str, to: str, endpoint: str, timeout_s: float = TIMEOUT_S) -> None:
    """Send it. Raises Refused, smtplib.SMTPException or OSError; a password never goes over an open line."""
    secret, server = urlsplit(url), urlsplit(endpoint or url)
    if server.scheme not in ("smtp", "smtps") or not server.hostname:
        example = "smtp://user:password@host:587?from=me@example.jp"
        raise Refused(f"an address like {example} is wanted", ja=f"{example} の形のアドレスにしてください")
    mail = EmailMessage()
    mail["Subject"] = message.title
    mail["From"] = parse_qs(secret.query).get("from", [unquote(secret.username or "") or to.split(",")[0].strip()])[0]
    mail["To"] = to
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(domain="ecauto.invalid")
    mail.set_content(message.body, charset="utf-8")
    if server.scheme == "smtps":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.hostname, server.port or 465, timeout=timeout_s, context=ssl.create_default_context()
        )
    else:
        connection = smtplib.SMTP(server.hostname, server.port or 587, timeout=timeout_s)
    with connection:
        connection.ehlo()
        if server.scheme == "smtp" and connection.has_extn("starttls"):
            connection.starttls(context=ssl.create_default_context())
            connection.ehlo()
        elif server.scheme == "smtp" and secret.username and server.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise Refused(
                "the server offers no STARTTLS; the password stays here (use smtps://)",
                ja="サーバーがSTARTTLSに対応していないので、パスワードを送りません（smtps:// を使ってください）",
            )
        if secret.username and connection.has_extn("auth"):
            connection.login(unquote(secret.username), unquote(secret.password or ""))
        connection.send_message(mail)
