"""Errors that nobody foresaw, kept to the shop or row they happened in, and told with their place.

What concerns everybody (settings, a guard, somebody asking us to end, the disk, state.db itself) passes; anything else
raised in one shop's work is that shop's, whatever its type. The message of such an error is never shown: nobody knows
what is in it. Not for: the answers of a service, which have their own types (errors.py).
"""

from __future__ import annotations

import traceback

from ecauto_pipeline.atomic_file import DISK_IS_FULL
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.errors import CallError, EcautoError
from ecauto_pipeline.state.store_failed import store_failed
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.sections import Fault

FAULT = "fault"
"""The reason that a shop or a row carries because of such an error (domain/reasons.py has its words)."""
_OURS = "ecauto_pipeline."


def concerns_everybody(error: BaseException) -> bool:
    """Whether going on with the other shops makes no sense."""
    if isinstance(error, CallError):
        return False
    if not isinstance(error, Exception) or isinstance(error, EcautoError):
        return True
    return (isinstance(error, OSError) and error.errno in DISK_IS_FULL) or store_failed(error)


def fault_of(tools: Tools, account: AccountKey, doing: str, error: Exception) -> Fault:
    """The error as what happened to one shop while `doing` something; its frames go to the log.

    Raises the error itself where it concerns everybody.
    """
    if concerns_everybody(error):
        raise error
    fault = Fault(tools.name_of(account), doing, place_of(error), type(error).__name__)
    frames = "".join(traceback.format_tb(error.__traceback__))
    tools.log.error("%s: %s at %s (%s)\n%s", fault.account, fault.error, fault.place, doing, frames)
    return fault


def place_of(error: BaseException) -> str:
    """`module:line` of the innermost line of ours, else of the innermost of all; "" where nothing was raised."""
    frames = [(str(frame.f_globals.get("__name__")), line) for frame, line in traceback.walk_tb(error.__traceback__)]
    ours = [one for one in frames if one[0].startswith(_OURS)]
    module, line = (ours or frames or [("", 0)])[-1]
    return f"{module.removeprefix(_OURS)}:{line}" if module else ""
