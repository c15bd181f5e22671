"""Starts a sync as a command of its own, once: of two clicks, on this desk or another one, the later is told.

Not for: the right to start (sync/people/start_sync.py), or the words on the page.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress

from ecauto_pipeline.desk.commands import Command, Commands
from ecauto_pipeline.state.database import UNUSABLE
from ecauto_pipeline.state.owner import new_owner
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.start_sync import claim_start, release_start

LOG = logging.getLogger("ecauto_pipeline")


def start_sync(commands: Commands, tools: Tools, who: str, *options: str) -> Command:
    """`ecauto sync OPTIONS --json`, under way. Raises AlreadyUnderWay where somebody else was first."""
    owner = new_owner()
    claim_start(tools, owner)
    try:
        command = commands.start("sync", *options, "--json")
    except BaseException:
        release_start(tools, owner)
        raise
    LOG.info("desk: %s starts %s", who, " ".join(command.words))
    threading.Thread(target=_release_at_its_end, args=(command, tools, owner), daemon=True).start()
    return command


def _release_at_its_end(command: Command, tools: Tools, owner: str) -> None:
    command.process.wait()
    with suppress(UNUSABLE):  # held by somebody: the claim ends with its time
        release_start(tools, owner)
