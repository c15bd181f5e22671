"""python-amazon-sp-api as we use it: one long-lived object an API, our own line under it, nothing patched in its code.

The library reads the environment while it is imported and whenever an object is made (AWS_ENV and
SP_API_DEFAULT_MARKETPLACE can crash it or redirect it), so both happen with those variables out of sight. Its token
cache is global, keyed on the refresh token alone, and a 403 does not clear it: `Token` sees to that.
Not for: retries, pace, or what answers mean.
Source: python-amazon-sp-api 2.1.35, base/client.py, auth/access_token_client.py, base/marketplaces.py.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from ecauto_pipeline.amazon.credentials import Credentials
from ecauto_pipeline.amazon.wire import SSL_CONTEXT, Wire

_VARIABLES = (
    "AWS_ENV",
    "SP_API_DEFAULT_MARKETPLACE",
    "SP_API_AUTH_CACHE_TTL",
    "SP_API_AUTH_CACHE_SIZE",
    "SP_API_AWS_SECRET_ID",
)
_environment = threading.Lock()
_cache_lock = threading.Lock()


@contextmanager
def _without_variables() -> Iterator[None]:
    """The environment without what breaks the library; as it was afterwards."""
    with _environment:
        hidden = {name: os.environ.pop(name) for name in _VARIABLES if name in os.environ}
        try:
            yield
        finally:
            os.environ.update(hidden)


with _without_variables():
    import sp_api.api as _library
    from sp_api.auth import AccessTokenClient, AccessTokenResponse
    from sp_api.auth import access_token_client as _tokens

# The library's own debug lines hold access tokens; they are never written, whatever the root logger says.
for _name in ("sp_api.base.client", "sp_api.auth.access_token_client", "sp_api.asyncio.base.client"):
    _logger = logging.getLogger(_name)
    _logger.setLevel(logging.CRITICAL)
    _logger.propagate = False
    _logger.disabled = True


class Token:
    """The access token of one account: asked for once, however many threads need it, and again when refused."""

    def __init__(self, credentials: Credentials, lwa_endpoint: str, wire: Wire) -> None:
        self.client_class = _lwa_client(lwa_endpoint, threading.Lock(), wire)
        with _without_variables():
            self._client = self.client_class(credentials=SimpleNamespace(**credentials.reveal()), verify=SSL_CONTEXT)

    def __repr__(self) -> str:
        return "Token(...)"

    def touch(self) -> str:
        """Make sure there is one; asks LWA only when the cache has none. Raises what the wire raises."""
        return str(self._client.get_auth().access_token)

    def forget(self, refused: str) -> None:
        """The API refused `refused`: the next `touch` asks LWA, unless another thread has already done so."""
        key = self._client._get_cache_key()
        with _cache_lock:
            held = _tokens.cache.get(key)
            if held is not None and held.get("access_token") == refused:
                _tokens.cache.pop(key, None)


def _lwa_client(lwa_endpoint: str, lock: threading.Lock, wire: Wire) -> type[AccessTokenClient]:
    parts = urlsplit(lwa_endpoint)

    class Lwa(AccessTokenClient):  # type: ignore[misc]  # the library has no types
        """The library's LWA client on our wire, one thread at a time: no herd at a cold start.

        Its cache is not safe to share between threads and knows neither host nor application; both are seen to here.
        """

        scheme = f"{parts.scheme}://"
        host = f"{parts.netloc}{parts.path.rstrip('/')}"
        _transport: Any

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._transport.close()
            self._transport = wire

        def get_auth(self) -> Any:
            key = self._get_cache_key()
            with lock:
                with _cache_lock:
                    held = _tokens.cache.get(key)
                if held is None:
                    held = self._request(self.scheme + self.host + self.path, self.data, self.headers)
                    with _cache_lock:
                        _tokens.cache[key] = held
            return AccessTokenResponse(**held)

        def _get_cache_key(self, token_flavor: str = "") -> str:
            return str(super()._get_cache_key(f"{self.scheme}{self.host}|{self.cred.client_id}|{token_flavor}"))

    return Lwa


class Line:
    """What one account talks to Amazon through: two pools of connections, the token, an object of each API it asks.

    Safe to share between threads. `timeout_s` is of one answer.
    """

    def __init__(
        self,
        credentials: Credentials,
        endpoint: str,
        lwa_endpoint: str,
        marketplace_id: str,
        timeout_s: float,
        monotonic: Callable[[], float],
    ) -> None:
        self.wire = Wire(endpoint, timeout_s, monotonic)
        self.lwa_wire = Wire(lwa_endpoint, timeout_s, monotonic, lwa=True)
        self.token = Token(credentials, lwa_endpoint, self.lwa_wire)
        self._credentials, self._endpoint, self._marketplace_id = credentials, endpoint, marketplace_id
        self._apis: dict[str, Any] = {}
        self._opening = threading.Lock()

    def __repr__(self) -> str:
        return "Line(...)"

    def forget(self) -> None:
        """Clear what this thread was answered last, before something that may never reach the line."""
        self.wire.forget()
        self.lwa_wire.forget()

    def api(self, name: str) -> Any:
        """The library's object of class `name` (of sp_api.api), calling our endpoint through our wire."""
        with self._opening:
            if name not in self._apis:
                self._apis[name] = self._opened(name)
            return self._apis[name]

    def close(self) -> None:
        """Close the connections."""
        self.wire.close()
        self.lwa_wire.close()

    def _opened(self, name: str) -> Any:
        marketplace = SimpleNamespace(
            endpoint=self._endpoint.rstrip("/"), marketplace_id=self._marketplace_id, region="us-west-2"
        )
        with _without_variables():
            api = getattr(_library, name)(
                marketplace=marketplace,
                credentials=self._credentials.reveal(),
                auth_token_client_class=self.token.client_class,
                verify=SSL_CONTEXT,
            )
        api._transport.close()
        api._transport = self.wire
        return api
