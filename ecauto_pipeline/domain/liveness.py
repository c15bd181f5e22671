"""Whether a run that calls itself under way still has somebody who works on it: the decision, from what is known. Pure.

A run's own word ("started") outlives a power cut; its process does not. So a process that is there or surely gone
decides; where nobody can look, the last sign of life does. Not for: finding the process (state/owner.py), or Dagster.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Process = Literal["lives", "gone", "unknown"]
Life = Literal["works", "waits", "overdue", "silent", "dead"]

LONGEST_SILENCE = timedelta(minutes=15)
"""Steps beat at least once a batch; a run silent for longer, whose process nobody can look for, is taken for dead."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a run. `last_sign_at`: its heartbeat, or the last that was heard of it.

    `queued`: nobody works on it yet, and that is as it should be. `host_up_since`: None where its host is not ours.
    """

    process: Process
    last_sign_at: datetime
    queued: bool = False
    host_up_since: datetime | None = None


def life_of(signs: Signs, now: datetime, longest_silence: timedelta = LONGEST_SILENCE) -> Life:
    """works | waits (in the queue) | overdue (in it for too long) | silent (nobody can look for it) | dead (surely).

    A sign from the future, of a clock that was set back since, is none.
    """
    recent = -longest_silence <= now - signs.last_sign_at <= longest_silence
    if signs.queued:
        return "waits" if recent else "overdue"
    if signs.process == "lives":
        return "works"
    if signs.process == "gone":
        return "dead"
    if signs.host_up_since is not None and signs.last_sign_at < signs.host_up_since:
        return "dead"
    return "works" if recent else "silent"


def stands_in_the_way(life: Life) -> bool:
    """Whether the next run should wait for this one."""
    return life in ("works", "waits")


def why_dead(last_sign_at: str) -> str:
    """What is said of a run that is marked failed. `last_sign_at`: on the shop's clock."""
    return (
        f"この実行のプロセスはもうありません(最後の応答 {last_sign_at})。停電・再起動・強制終了のあとなら正常です。"
        "保存済みの回答はそのまま使い、次の実行が続きから始めます。"
        f" / The process of this run has gone (last sign of life {last_sign_at}); the next run goes on where it was."
    )
