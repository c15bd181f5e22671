"""Redis, which hands a fleet's runs to its workers: whether it answers.

Not for: sending runs (launcher.py).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from ecauto_pipeline.errors import EcautoError

ANSWERS_WITHIN_S = 5.0


def ping(url: str) -> tuple[str, bool]:
    """Its host, and whether it wants a password. Raises EcautoError, without one in it, where it does not answer."""
    try:
        host = urlsplit(url).hostname or ""
        with _client(url) as client:
            client.ping()
    except (RedisError, OSError, ValueError) as error:
        why = type(error).__name__
        raise EcautoError(f"Redis does not answer ({why})", ja=f"Redis が応答しません（{why}）") from None
    return host, _wants_password(url)


def _wants_password(url: str) -> bool:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    try:
        with _client(parts._replace(netloc=place).geturl()) as client:
            client.ping()
    except AuthenticationError:
        return True
    except RedisError as error:
        return "NOAUTH" in str(error)
    return False


def _client(url: str) -> Redis:
    return Redis.from_url(url, socket_connect_timeout=ANSWERS_WITHIN_S, socket_timeout=ANSWERS_WITHIN_S)
