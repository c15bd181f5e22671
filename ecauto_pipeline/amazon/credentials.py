"""The secrets of one SP-API account, shown to nobody but the library that sends them.

Not for: where they come from (wiring/connections.py), or tokens (library.py).
"""

from __future__ import annotations

from typing import Any

from ecauto_pipeline.errors import SettingsError


class Credentials:
    """The three secrets of one SP-API account. Shows none of them."""

    __slots__ = ("_lwa_app_id", "_lwa_client_secret", "_refresh_token")

    def __init__(self, refresh_token: str, lwa_app_id: str, lwa_client_secret: str) -> None:
        """Raises SettingsError when one of them is empty."""
        if not (refresh_token and lwa_app_id and lwa_client_secret):
            raise SettingsError(
                "an SP-API account lacks its refresh token, LWA app id or LWA client secret",
                ja="SP-APIのアカウントに、リフレッシュトークン、LWAのアプリID、シークレットのどれかがありません",
            )
        self._refresh_token, self._lwa_app_id, self._lwa_client_secret = refresh_token, lwa_app_id, lwa_client_secret

    def __repr__(self) -> str:
        return "Credentials(...)"

    def __reduce__(self) -> Any:
        raise TypeError("credentials are not to be written anywhere")

    def reveal(self) -> dict[str, str]:
        """For the library's constructor alone."""
        return {
            "refresh_token": self._refresh_token,
            "lwa_app_id": self._lwa_app_id,
            "lwa_client_secret": self._lwa_client_secret,
        }
