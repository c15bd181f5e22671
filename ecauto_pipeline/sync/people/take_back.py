"""A person takes back the yes to a held change, as long as nothing was sent for it: from then on it is rejected.

A run that has decided to send it, and has not, sends it no more: its row goes in the same transaction, and the last
look before each edit asks once more (base_updates/recheck.py). Not for: what was sent, which is undone (rollback.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from ecauto_pipeline.domain.transitions import DECISIONS, next_state
from ecauto_pipeline.state import decisions
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.held import pushes_of_yes
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.holds import Said, held_row_named, hold_of


def take_back(tools: Tools, ids: Iterable[str], who: str = "") -> Said:
    """Take back the yes to the held rows whose diff_ids begin so.

    `late`: those that have no yes, or for which something was sent already: they stay as they are. Raises NotOnRecord,
    and takes nothing back, where a name fits no held row that there ever was, or several.
    """
    now = tools.clock.now()
    done, late = list[Decided](), list[Decided]()
    with tools.state.write() as connection:
        named = {row.diff_id: row for row in (held_row_named(connection, prefix) for prefix in ids)}
        passed = pushes_of_yes(connection, named, (row.diff.key for row in named.values()))
        for name, row in named.items():
            sent = any(push.state == "sent" for push in passed.get(name, ()))
            (late if row.state != "approved" or sent else done).append(row)
        waiting = [push.diff_id for row in done for push in passed.get(row.diff_id, ())]
        evidence = {
            row.diff_id: json.dumps(
                {**hold_of(row, now).evidence, "rejected_by": who or "unknown", "rejected_at": now.isoformat()},
                ensure_ascii=False,
            )
            for row in done
        }
        decisions.move(connection, waiting, "supersede", now)
        decisions.move(connection, evidence, "take_back", now)
        decisions.note_evidence(connection, evidence)
    said = next_state(DECISIONS, "approved", "take_back")
    rows = (replace(row, state=said, diff=replace(row.diff, evidence=evidence[row.diff_id])) for row in done)
    return Said(tuple(hold_of(row, now) for row in rows), tuple(hold_of(row, now) for row in late))
