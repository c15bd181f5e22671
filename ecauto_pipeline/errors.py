"""The errors, named for what the caller does about them.

    EcautoError
    ├── SettingsError        ask a person: the configuration or a secret (exit 2, nothing written)
    ├── RegisterError        ask a person: master.db is not a database, damaged, or lacks its tables
    │   ├── RegisterMissing  ask a person: there is no master.db where the settings say (exit 2, nothing written)
    │   └── RegisterBusy     wait: another program holds master.db; report, retry in the next run
    ├── Stopped              leave now: SIGTERM or Terminate
    ├── NotOnRecord          ask again: what a person named is not there, or could be several (exit 2)
    ├── NothingDone          fail the run: there was work it may do and time, and nothing was done
    ├── LaneTaken            fail the run: another works on its lane; nothing more is written or sent
    └── CallError            one API call gave no usable answer; `reason`, `http_status`, `request_id`
        ├── Throttled        back off (429, QuotaExceeded)
        ├── TokenRefused     refresh once, retry once, then ask a person
        ├── Transport        back off: no answer, 5xx, torn or shapeless answer
        ├── OutcomeUnknown   read back: a write may or may not have happened
        ├── BudgetSpent      stop this shop until `until` (hour_api_limit, day_api_limit)
        ├── AccountBlocked   open this shop's breaker, go on with the others (access_denied, dead token)
        ├── ItemRefused      skip the row, record why; `permanent` says whether for good
        └── ItemGone         candidate for delisting (bad_item_id on edit, no_item on detail)

Not for: outcomes that are data (an ASIN out of stock). Messages never hold a secret.
"""

from __future__ import annotations

from datetime import datetime


class EcautoError(Exception):
    """Root of everything this program raises on purpose. `message` is English, `ja` the same for a Japanese reader."""

    def __init__(self, message: str = "", *, ja: str = "") -> None:
        super().__init__(message)
        self.ja = ja

    def said(self, language: str) -> str:
        """The sentence in "ja" or "en"; English where there is no other."""
        return self.ja if language == "ja" and self.ja else str(self)


class SettingsError(EcautoError):
    """The configuration is wrong; the message names the key or the variable, never a secret."""


class RegisterError(EcautoError):
    """master.db can't be used as it is."""


class RegisterMissing(RegisterError):
    """There is no master.db where [paths] master_db says."""


class RegisterBusy(RegisterError):
    """Another program holds master.db."""


class Stopped(EcautoError):
    """Somebody asked us to end."""


class NotOnRecord(EcautoError, LookupError):
    """What a person named (a run, a held row, an ASIN) is not on record, or the name fits several."""


class NothingDone(EcautoError):
    """A step found work that it may do, had time, and did nothing: never a success."""


class LaneTaken(EcautoError):
    """Another run of the fleet works on this run's lane."""


class CallError(EcautoError):
    """One call gave no usable answer.

    `reason` is one word for the records (`quota_exceeded`, `html_502`, `truncated_json`, `timeout`, ...),
    `http_status` None where there was none, `request_id` "" where there was none.
    """

    def __init__(
        self,
        reason: str,
        message: str = "",
        *,
        http_status: int | None = None,
        request_id: str = "",
        ja: str = "",
    ) -> None:
        super().__init__(message or reason, ja=ja)
        self.reason = reason
        self.http_status = http_status
        self.request_id = request_id


class Throttled(CallError):
    """The API said we are too fast."""


class TokenRefused(CallError):
    """The access token is not accepted (expired, revoked)."""


class Transport(CallError):
    """No answer, a gateway's error page, or an answer that is not one."""


class OutcomeUnknown(CallError):
    """A write was sent and its answer never came."""


class BudgetSpent(CallError):
    """The shop's hour or day window is used up; nothing more before `until`."""

    def __init__(
        self,
        reason: str,
        until: datetime,
        message: str = "",
        *,
        http_status: int | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(reason, message, http_status=http_status, request_id=request_id)
        self.until = until


class AccountBlocked(CallError):
    """The shop as a whole is refused; its rows wait for a person."""


class ItemRefused(CallError):
    """This item can't be edited like this. `permanent`: never ask again."""

    def __init__(
        self,
        reason: str,
        message: str = "",
        *,
        permanent: bool = False,
        http_status: int | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(reason, message, http_status=http_status, request_id=request_id)
        self.permanent = permanent


class ItemGone(CallError):
    """The shop says that there is no such item."""
