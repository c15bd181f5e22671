"""Whether an address of ecauto.toml, or the broker of a fleet's workers, can be reached at all.

Not for: what is asked there (the clients) or which addresses there are (connections.py).
"""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from ecauto_pipeline.domain.call_failures import CALL_FAILURES
from ecauto_pipeline.errors import SettingsError

_REACH_S = 5.0


def reach_out(name: str, url: str) -> None:
    """Raises SettingsError, naming the key of ecauto.toml, where nobody takes a connection."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=_REACH_S).close()
    except OSError as error:
        why = CALL_FAILURES["name_not_resolved" if isinstance(error, socket.gaierror) else "connection_failed"]
        raise SettingsError(
            f"{name}: {url} can't be reached ({why.en}: {error.strerror or error})",
            ja=f"{name}: {url} に接続できません（{why.ja}）",
        ) from None


def ask_broker(url: str) -> tuple[str, bool]:
    """The host of this Redis, which answers, and whether it wants a password. Raises EcautoError, without one in it."""
    try:
        from ecauto_pipeline.fleet.broker import ping
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"a fleet needs the Python package {error.name}: install ecauto-pipeline[fleet]",
            ja=f"複数台で動かすには Python のパッケージ {error.name} が必要です（ecauto-pipeline[fleet]）",
        ) from None
    return ping(url)
